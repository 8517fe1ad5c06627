/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a recording beside its frames: its end, its labels, and how the decisions agree with them. */
#ifndef HAR_IMU_TRUTH_H_
#define HAR_IMU_TRUTH_H_

#include <stdbool.h>

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

/* Print the summary at the end of the recording. */
void truth_print(void);

#else

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

static inline void truth_print(void)
{
}

#endif

#endif /* HAR_IMU_TRUTH_H_ */
