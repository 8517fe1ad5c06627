/* SPDX-License-Identifier: Apache-2.0 */
#include "truth.h"

#include <string.h>

#include <zephyr/device.h>
#include <zephyr/sys/printk.h>

#include <emlearn/golden.h>
#include <emlearn/zephyr/recording.h>
#ifdef CONFIG_EMLEARN_EMUL
#include <emlearn/zephyr/chip_model.h>
#endif
#ifdef CONFIG_EMLEARN_REPLAY_IMU
#include <emlearn/zephyr/replay_imu.h>
#endif

#include "har.h"
#include "run.h"

#define IS_CHIP (IS_ENABLED(CONFIG_EMLEARN_EMUL) && !IS_REPLAY)

/* Beyond what any reader takes to mend what can be mended. */
#define OVERDUE_SECONDS 60
#define OVERDUE_FRAMES (HAR_RATE_MHZ / 1000 * OVERDUE_SECONDS)

static const struct emlearn_batch *batch; /* the present one */
static uint32_t position;                 /* of its first frame in the recording */
static uint32_t next;                     /* of the first frame behind it */
static uint32_t n_frames;                 /* read, of the recording */
static uint32_t n_lost;
static uint32_t n_decisions;
static uint32_t n_labelled;
static uint32_t n_right;
static uint32_t hash;

/* What is played; NULL where the motion is made up. */
static const struct emlearn_recording *played(void)
{
#if IS_REPLAY
	return emlearn_replay_imu_recording(DEVICE_DT_GET(IMU_SENSOR));
#elif defined(CONFIG_EMLEARN_EMUL)
	return emlearn_chip_source(DEVICE_DT_GET(IMU_SENSOR))->recording;
#else
	return NULL;
#endif
}

static uint32_t n_played(void)
{
	const struct emlearn_recording *recording = played();

	return recording != NULL ? recording->n_frames : UINT32_MAX;
}

/* Frames of the recording from `next` on. */
static uint32_t n_left(void)
{
	return n_played() - MIN(next, n_played());
}

bool truth_batch(const struct emlearn_batch *read)
{
	/* The frames of a chip that nobody read were frames of the recording; a replay waits for its reader. */
	uint32_t n_missed = IS_REPLAY ? 0 : read->n_lost;

	batch = read;
	n_lost += IS_REPLAY ? read->n_lost : MIN(read->n_lost, n_left());
	position = next + n_missed;
	next = position;
	n_frames += MIN((uint32_t)read->n_frames, n_left());
	next += (uint32_t)read->n_frames;
	return IS_REPLAY || next < n_played();
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

static void compare(const struct emlearn_decision *decision, uint32_t last)
{
	uint32_t n_same = 0;
	const char *label = played() != NULL ? emlearn_recording_label(played(), last, &n_same) : NULL;

	/* Windows that straddle labels and labels that the model does not know count for nothing. */
	if (label != NULL && n_same >= HAR_WINDOW_LEN && is_class(label)) {
		n_labelled++;
		n_right += strcmp(label, har_class_name(decision->class_idx)) == 0 ? 1 : 0;
	}
}

bool truth_decision(const struct emlearn_decision *decision)
{
	uint32_t last = position + (uint32_t)batch->n_used - 1;

	if (last >= n_played()) {
		return false;
	}
	n_decisions++;
	add_to_hash(decision);
	compare(decision, last);
	return true;
}

#if IS_CHIP

bool truth_is_overdue(void)
{
	static uint32_t n_most; /* a chip that nobody has read yet begins anew when it is set up again */
	static k_ticks_t since;
	const k_ticks_t now = k_uptime_ticks();
	struct emlearn_chip_counts counts;

	emlearn_chip_counts(DEVICE_DT_GET(IMU_SENSOR), &counts);
	if (counts.n_made > n_most) {
		n_most = counts.n_made;
		since = now;
	}
	if (n_played() == UINT32_MAX || (counts.n_made < (uint64_t)n_played() + OVERDUE_FRAMES &&
					 now - since < (k_ticks_t)k_sec_to_ticks_ceil64(OVERDUE_SECONDS))) {
		return false;
	}
	printk("%s has made %u frames of a recording of %u, and its reader got %u of them: given up\n",
	       DEVICE_DT_NAME(IMU_SENSOR), counts.n_made, n_played(), n_frames);
	return true;
}

static void print_faults(void)
{
	char fault[EMLEARN_CHIP_FAULT_TEXT];

	for (uint32_t i = 0; emlearn_chip_fault_waiting(DEVICE_DT_GET(IMU_SENSOR), i, fault, sizeof(fault)) > 0; i++) {
		printk("fault %s never struck\n", fault);
	}
}

#else

bool truth_is_overdue(void)
{
	return false;
}

static void print_faults(void)
{
}

#endif

void truth_print(void)
{
	print_faults();
	n_lost += IS_CHIP && played() != NULL ? n_left() : 0; /* given up */
	printk("replay: %u frames, %u lost, %u decisions, %u of %u labelled windows right, hash %08x\n", n_frames,
	       n_lost, n_decisions, n_right, n_labelled, hash);
}
