/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticks of the feature stage, one line a measurement: `what|len|window|ticks`. features.py runs it and judges.
 */
#include <stdbool.h>
#include <string.h>

#include <emlearn/features.h>
#include <emlearn/q.h>

#include "reference.h"
#include "target.h"
#include "windows.h"

#define N_STREAMS 4u

#define NINE(stream)                                                                                                   \
	EMLEARN_FEATURE(stream, MEAN), EMLEARN_FEATURE(stream, STD), EMLEARN_FEATURE(stream, MIN),                     \
		EMLEARN_FEATURE(stream, MAX), EMLEARN_FEATURE(stream, MEDIAN), EMLEARN_FEATURE(stream, Q25),           \
		EMLEARN_FEATURE(stream, Q75), EMLEARN_FEATURE(stream, IQR), EMLEARN_FEATURE(stream, RMS)

static const uint16_t nine_statistics[] = {NINE(ACC_X), NINE(ACC_Y), NINE(ACC_Z), NINE(ACC_MAG)};

#define N_FEATURES (sizeof(nine_statistics) / sizeof(nine_statistics[0]))

static int16_t ring[BENCH_AXES * BENCH_LEN_MAX];
static int16_t scratch[EMLEARN_FEATURES_SCRATCH_LEN(BENCH_LEN_MAX)];
static int16_t library_out[N_FEATURES];
static int16_t reference_out[N_FEATURES];
static struct emlearn_window window;

static const uint8_t row_of[EMLEARN_N_ROWS] = {0, 1, 2, EMLEARN_ROW_NONE, EMLEARN_ROW_NONE, EMLEARN_ROW_NONE,
					       EMLEARN_ROW_NONE, EMLEARN_ROW_NONE, EMLEARN_ROW_NONE};

static void run_library(void *arg)
{
	(void)arg;
	emlearn_features_run(&window, row_of, nine_statistics, N_FEATURES, scratch, library_out);
}

static void run_reference(void *arg)
{
	(void)arg;
	bench_reference_run(&window, scratch, reference_out);
}

/* Both ways on the window as it is filled. False if they disagree. */
static bool measure(const char *kind, uint32_t len, const char *name)
{
	memset(library_out, 0x55, sizeof(library_out));
	target_report(kind, len, name, target_ticks(run_library, NULL));
	memset(reference_out, 0xaa, sizeof(reference_out));
	if (kind[0] == 's') {
		target_report("reference", len, name, target_ticks(run_reference, NULL));
	} else {
		run_reference(NULL);
	}
	return memcmp(library_out, reference_out, sizeof(library_out)) == 0;
}

static bool measure_len(uint32_t len)
{
	static const char *const seed_names[BENCH_N_SEEDED] = {"0", "1", "2",  "3",  "4",  "5",  "6",  "7",
							       "8", "9", "10", "11", "12", "13", "14", "15"};

	emlearn_window_init(&window, ring, BENCH_AXES, (uint16_t)len, 1);
	window.pos = (uint16_t)(len / 3u);
	for (uint32_t seed = 0; seed < BENCH_N_SEEDED; seed++) {
		bench_seeded_fill(ring, seed, len);
		if (!measure("seeded", len, seed_names[seed])) {
			return false;
		}
	}
	for (uint32_t i = 0; i < bench_n_shapes; i++) {
		bench_shape_fill(ring, &bench_shapes[i], len);
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
