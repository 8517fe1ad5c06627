/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Deadlines of back ends that read at a pace of their own: without drift, each one known by the number of its frame.
 */
#ifndef EMLEARN_ZEPHYR_IMU_PACE_H_
#define EMLEARN_ZEPHYR_IMU_PACE_H_

#include <stdint.h>

#include <emlearn/zephyr/imu_backend.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Frame 0 and the rate of those after it; the fields are private. */
struct emlearn_imu_pace {
	int64_t start_us;
	uint32_t rate_mhz;
};

/**
 * Begin with frame 0 due now, or at time 0 for an unpaced reader.
 *
 * @return 0; -ENOTSUP with a log line if a sample period is shorter than three ticks of the kernel: a sleep may end
 *         two ticks late, and then the frame is still to be fetched
 */
int emlearn_imu_pace_start(struct emlearn_imu_pace *pace, const struct emlearn_imu_reader *reader);

/** When a frame is due, microseconds since boot, rounded down. */
int64_t emlearn_imu_pace_due_us(const struct emlearn_imu_pace *pace, uint64_t number);

/** Number of the newest frame that was due at t_us, a time not before frame 0. */
uint64_t emlearn_imu_pace_number_at(const struct emlearn_imu_pace *pace, int64_t t_us);

/** From frame to frame, nanoseconds. */
uint32_t emlearn_imu_pace_period_ns(const struct emlearn_imu_pace *pace);

/** How long n frames take, microseconds, saturating. */
uint32_t emlearn_imu_pace_span_us(const struct emlearn_imu_pace *pace, uint32_t n_frames);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_PACE_H_ */
