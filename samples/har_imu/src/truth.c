/* SPDX-License-Identifier: Apache-2.0 */
#include "truth.h"

#include <string.h>

#include <zephyr/sys/printk.h>

#include <emlearn/golden.h>
#include <emlearn/zephyr/replay_imu.h>

#include "har.h"

static uint32_t n_frames;
static uint32_t n_before; /* frames before the present batch */
static uint32_t n_lost;
static uint32_t n_decisions;
static uint32_t n_labelled;
static uint32_t n_right;
static uint32_t hash;

void truth_batch(const struct emlearn_batch *batch)
{
	n_before = n_frames;
	n_frames += (uint32_t)batch->n_frames;
	n_lost += batch->n_lost;
}

/* A number that tells this sequence of decisions from any other: the host computes the same. */
static void add_to_hash(const struct emlearn_decision *decision)
{
	const uint32_t fields[] = {hash,
				   decision->class_idx,
				   decision->window_class_idx,
				   decision->votes,
				   decision->n_votes,
				   decision->n_lost,
				   decision->warming};
	int16_t halves[2 * ARRAY_SIZE(fields)];

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		halves[2 * i] = (int16_t)(fields[i] & 0xffffu);
		halves[2 * i + 1] = (int16_t)(fields[i] >> 16);
	}
	hash = emlearn_golden_hash(halves, ARRAY_SIZE(halves));
}

static bool is_class(const char *label)
{
	for (unsigned int i = 0; i < HAR_N_CLASSES; i++) {
		if (strcmp(label, har_class_name((uint8_t)i)) == 0) {
			return true;
		}
	}
	return false;
}

void truth_decision(const struct device *imu, const struct emlearn_batch *batch,
		    const struct emlearn_decision *decision)
{
	uint32_t last = n_before + (uint32_t)batch->n_used - 1;
	uint32_t n_same = 0;
	const char *label = emlearn_recording_label(emlearn_replay_imu_recording(imu), last, &n_same);

	n_decisions++;
	add_to_hash(decision);
	/* Windows that straddle labels and labels that the model does not know count for nothing. */
	if (label != NULL && n_same >= HAR_WINDOW_LEN && is_class(label)) {
		n_labelled++;
		n_right += strcmp(label, har_class_name(decision->class_idx)) == 0 ? 1 : 0;
	}
}

void truth_print(void)
{
	printk("replay: %u frames, %u lost, %u decisions, %u of %u labelled windows right, hash %08x\n", n_frames,
	       n_lost, n_decisions, n_right, n_labelled, hash);
}
