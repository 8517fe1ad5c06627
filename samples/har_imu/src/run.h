/* SPDX-License-Identifier: Apache-2.0 */
/* What the sample does: decide.c with the model, read_only.c without. */
#ifndef HAR_IMU_RUN_H_
#define HAR_IMU_RUN_H_

#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include <emlearn/zephyr/imu_reader.h>

#include "har.h"

#define IMU_SENSOR EMLEARN_IMU_SENSOR(DT_CHOSEN(emlearn_imu))

/* The replay device gives a frame whenever it is asked, so nobody need wait for one. */
#define IS_REPLAY DT_NODE_HAS_COMPAT(IMU_SENSOR, emlearn_replay_imu)
#define IS_UNPACED (IS_REPLAY && !IS_ENABLED(CONFIG_HAR_IMU_REAL_TIME))

/* Returns 0 at the end of a recording, else why it stopped. */
int run(void);

static inline void print_got(const struct emlearn_imu_reader *reader, const struct emlearn_imu_got *got)
{
	printk("%s: %u mHz, asked for %u\n", reader->dev->name, got->rate_mhz, HAR_RATE_MHZ);
}

#endif /* HAR_IMU_RUN_H_ */
