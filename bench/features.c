/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticks of the feature stage, one line a measurement: `what|len|window|ticks`. features.py runs it and judges.
 */
#include <stdbool.h>
#include <string.h>

#include <emlearn/q.h>

#include "reference.h"
#include "stage.h"
#include "target.h"

static int16_t reference_scratch[BENCH_LEN_MAX];
static int16_t reference_features[STAGE_N_FEATURES];

static void run_reference(void *arg)
{
	(void)arg;
	bench_reference_run(&stage_window, reference_scratch, reference_features);
}

/* Both ways on the window as it is filled. False if they disagree. */
static bool measure(const char *kind, uint32_t len, const char *name)
{
	memset(stage_features, 0x55, sizeof(stage_features));
	target_report(kind, len, name, target_ticks(stage_run, NULL));
	memset(reference_features, 0xaa, sizeof(reference_features));
	if (kind[0] == 's') {
		target_report("reference", len, name, target_ticks(run_reference, NULL));
	} else {
		run_reference(NULL);
	}
	return memcmp(stage_features, reference_features, sizeof(stage_features)) == 0;
}

static bool measure_len(uint32_t len)
{
	static const char *const seed_names[BENCH_N_SEEDED] = {"0", "1", "2",  "3",  "4",  "5",  "6",  "7",
							       "8", "9", "10", "11", "12", "13", "14", "15"};

	stage_init(len);
	for (uint32_t seed = 0; seed < BENCH_N_SEEDED; seed++) {
		bench_seeded_fill(stage_ring, seed, len);
		if (!measure("seeded", len, seed_names[seed])) {
			return false;
		}
	}
	for (uint32_t i = 0; i < bench_n_shapes; i++) {
		bench_shape_fill(stage_ring, &bench_shapes[i], len);
		if (!measure("worst", len, bench_shapes[i].name)) {
			return false;
		}
	}
	return true;
}

/* Roots at both sides of every square: the target's own path through the arithmetic. */
static bool roots_are_exact(void)
{
	for (uint32_t root = 1; root <= 0xffffu; root++) {
		uint32_t square = root * root;

		if (emlearn_q_isqrt32(square - 1u) != root - 1u || emlearn_q_isqrt32(square) != root ||
		    emlearn_q_isqrt32(square + 2u * root) != root) {
			return false;
		}
	}
	return true;
}

int main(void)
{
	target_ticks_init();
	if (!roots_are_exact()) {
		target_print("error: a square root is wrong\n");
		return 1;
	}
	if (!measure_len(128) || !measure_len(BENCH_LEN_MAX)) {
		target_print("error: library and reference disagree\n");
		return 1;
	}
	return 0;
}
