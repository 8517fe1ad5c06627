/* SPDX-License-Identifier: Apache-2.0 */
/* What a replay knows beside its frames: the labels, and how the decisions agree with them. */
#ifndef HAR_IMU_TRUTH_H_
#define HAR_IMU_TRUTH_H_

#include <stdint.h>

#include <zephyr/device.h>
#include <zephyr/sys/util.h>

#include <emlearn/types.h>

#ifdef CONFIG_EMLEARN_REPLAY_IMU

/* A batch has been read: count its frames. Call it before the batch is used up. */
void truth_batch(const struct emlearn_batch *batch);

/* The pipeline decided within that batch: compare the class with the label of the window's frames. */
void truth_decision(const struct device *imu, const struct emlearn_batch *batch,
		    const struct emlearn_decision *decision);

/* Print the summary at the end of the recording. */
void truth_print(void);

#else

static inline void truth_batch(const struct emlearn_batch *batch)
{
	ARG_UNUSED(batch);
}

static inline void truth_decision(const struct device *imu, const struct emlearn_batch *batch,
				  const struct emlearn_decision *decision)
{
	ARG_UNUSED(imu);
	ARG_UNUSED(batch);
	ARG_UNUSED(decision);
}

static inline void truth_print(void)
{
}

#endif

#endif /* HAR_IMU_TRUTH_H_ */
