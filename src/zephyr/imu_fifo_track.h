/* SPDX-License-Identifier: Apache-2.0 */
/* How many frames have passed, by the time stamps that the chip puts into its FIFO. */
#ifndef EMLEARN_ZEPHYR_IMU_FIFO_TRACK_H_
#define EMLEARN_ZEPHYR_IMU_FIFO_TRACK_H_

#include <stdbool.h>
#include <stdint.h>

#include <emlearn/zephyr/imu_reader_fifo.h>

#define EMLEARN_IMU_FIFO_NO_TIME UINT32_MAX

/* What else is known of a frame, to read its time stamp by. */
struct emlearn_imu_fifo_guess {
	uint32_t frames;   /* since the frame before, most likely; for time stamps that have wrapped meanwhile */
	uint32_t most;     /* no more than this, give or take a few percent */
	uint8_t time_bits; /* of a time stamp */
};

/* Begin at frame 0 with the nominal period; ticks_hz of the chip's time. */
void emlearn_imu_fifo_track_start(struct emlearn_imu_fifo_track *track, uint16_t ticks_hz, uint32_t rate_mhz);

/*
 * Frames since the frame before, 1 if none is missing and 0 if this is the same one again, and whether that is sure.
 * EMLEARN_IMU_FIFO_NO_TIME for a time that cannot be: this is no frame, or the chip's time was set.
 */
uint32_t emlearn_imu_fifo_track_frames(struct emlearn_imu_fifo_track *track, uint32_t time,
				       const struct emlearn_imu_fifo_guess *guess, bool *is_exact);

#endif /* EMLEARN_ZEPHYR_IMU_FIFO_TRACK_H_ */
