/* SPDX-License-Identifier: Apache-2.0 */
/* A runner for each back end, on the models of the chips. */
#ifndef TEST_BENCH_H_
#define TEST_BENCH_H_

#include <stdint.h>

#include <zephyr/device.h>

#include <emlearn/zephyr/imu_runner.h>

#define BENCH_BATCH 32

struct bench {
	const char *back_end;
	const struct emlearn_imu_runner *runner;
	const struct device *chip;
	uint32_t watermark; /* frames; 1 without a FIFO */
	bool has_fifo;
};

enum bench_is {
	BENCH_FIFO,
	BENCH_FIFO_64,
	BENCH_FIFO_96,
	BENCH_STREAM,
	BENCH_STREAM_64,
	BENCH_STREAM_80,
	BENCH_READ,
	BENCH_POLL,
	BENCHES
};

extern const struct bench benches[BENCHES];

/* The rate that the bench's chip has next to 50, 100... Hz, in millihertz. */
uint32_t bench_rate_mhz(const struct bench *bench, uint32_t about_hz);

/* Start the runner at such a rate, on the first frame of the chip's source, with one decision a second. */
int bench_start(const struct bench *bench, uint32_t about_hz, struct emlearn_imu_got *got,
		const struct emlearn_imu_handlers *handlers, void *user);

#endif /* TEST_BENCH_H_ */
