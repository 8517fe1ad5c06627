/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a recording beside its frames: its end, its labels, and how the decisions agree with them. */
#ifndef HAR_IMU_TRUTH_H_
#define HAR_IMU_TRUTH_H_

#include <stdbool.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>

#include <emlearn/types.h>

#if defined(CONFIG_EMLEARN_REPLAY_IMU) || defined(CONFIG_EMLEARN_EMUL)

/*
 * A batch has been read; it is borrowed while its decisions are told below. Returns whether there is more to come:
 * a chip goes on by itself when the recording that it plays is over.
 */
bool truth_batch(const struct emlearn_batch *batch);

/* The pipeline decided within that batch. Returns whether the window lies in the recording. */
bool truth_decision(const struct emlearn_decision *decision);

/*
 * Is the recording long over, or has its chip stopped, and the reader still waits? To be asked every TRUTH_LOOK: a
 * fault that lasts may never be mended.
 */
bool truth_is_overdue(void);

/* Print the summary at the end of the recording, and which faults of the chip have not struck. */
void truth_print(void);

#if defined(CONFIG_EMLEARN_EMUL)
#define TRUTH_LOOK K_SECONDS(10)
#else
#define TRUTH_LOOK K_FOREVER
#endif

#else

#define TRUTH_LOOK K_FOREVER

static inline bool truth_batch(const struct emlearn_batch *batch)
{
	ARG_UNUSED(batch);
	return true;
}

static inline bool truth_decision(const struct emlearn_decision *decision)
{
	ARG_UNUSED(decision);
	return true;
}

static inline bool truth_is_overdue(void)
{
	return false;
}

static inline void truth_print(void)
{
}

#endif

#endif /* HAR_IMU_TRUTH_H_ */
