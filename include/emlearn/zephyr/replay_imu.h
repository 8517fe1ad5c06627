/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Beside the sensor API of emlearn,replay-imu: what is being played, so that a test can compare with the truth.
 */
#ifndef EMLEARN_ZEPHYR_REPLAY_IMU_H_
#define EMLEARN_ZEPHYR_REPLAY_IMU_H_

#include <zephyr/device.h>

#include <emlearn/zephyr/recording.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The recording that a replay device plays: its array, or the file of --imu-replay. Holds for ever. */
const struct emlearn_recording *emlearn_replay_imu_recording(const struct device *dev);

/** Start again at the first frame. */
void emlearn_replay_imu_rewind(const struct device *dev);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_REPLAY_IMU_H_ */
