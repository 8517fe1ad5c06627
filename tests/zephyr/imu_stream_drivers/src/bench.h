/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a block apart as the stream back end does, with the table of a driver and the driver's own decoder. */
#ifndef BENCH_H_
#define BENCH_H_

#include <stdbool.h>
#include <stdint.h>

#include <emlearn/zephyr/imu_reader_stream.h>

#include "imu_stream_driver.h"

#define BENCH_FRAMES_MAX 64

struct bench_frame {
	int32_t acc[EMLEARN_AXES];
	int32_t gyro[EMLEARN_AXES];
	bool after_break;
};

struct bench_block {
	uint8_t data[1024] __aligned(8);
	uint32_t bytes;
	struct emlearn_imu_stream_block block; /* as after open(), but for what next_run() moves on */
	struct bench_frame frames[BENCH_FRAMES_MAX];
	unsigned int n_frames;
	bool ends_after_break;
};

extern struct bench_block bench;

/* A new block, with what the stream keeps from the one before if `goes_on`. */
void bench_begin(uint32_t bytes, bool goes_on);

/* Open bench.data and take all frames out. */
void bench_take(const struct emlearn_imu_reader_stream *stream, uint8_t sensors);

/* Does the driver refuse a model that wants `sensors`? */
int bench_prepare(struct emlearn_imu_reader_stream *stream, uint8_t sensors);

static inline void bench_put_le16(uint8_t *at, int32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

#endif /* BENCH_H_ */
