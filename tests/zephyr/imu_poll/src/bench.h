/* SPDX-License-Identifier: Apache-2.0 */
/* Two chips, each with both kinds of reader. */
#ifndef TEST_BENCH_H_
#define TEST_BENCH_H_

#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>

#include <emlearn/zephyr/chip_model.h>
#include <emlearn/zephyr/imu_reader.h>

#define BATCH 32

struct bench {
	const char *chip;
	const char *back_end;
	const struct device *dev;
	struct emlearn_imu_reader *reader;
	struct emlearn_imu_reader *turned; /* under mount <(-3) 1 (-2)> */
	uint32_t rate_mhz;                 /* about 100 Hz on the chip's grid */
	uint32_t fast_mhz;                 /* about 1 kHz */
	struct emlearn_imu_step acc_step;  /* of the smallest range */
	struct emlearn_imu_step gyro_step; /* of the smallest range */
	int16_t least_code;                /* that stands for a sample */
	uint8_t n_acc_ranges;
	uint8_t n_gyro_ranges;
};

#define N_BENCHES 4
extern const struct bench benches[N_BENCHES];
#define FOR_EACH_BENCH(bench) for (const struct bench *bench = benches; bench < &benches[N_BENCHES]; bench++)

/* A step of a range that is 2^doublings times the smallest. */
struct emlearn_imu_step bench_step(struct emlearn_imu_step smallest, unsigned int doublings);

/* What a model on the chip's own grid asks, of the smallest ranges and the rate of about 100 Hz. */
struct emlearn_imu_asked bench_asked(const struct bench *bench);

/* Have the chip play `source` (NULL: what it has) from its first frame and start a reader. */
void bench_start(const struct bench *bench, struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked,
		 const struct emlearn_source *source);

/* Stop all readers and end all faults. */
void bench_reset(void *fixture);

extern struct emlearn_imu_got got;
extern struct emlearn_batch batch;

#endif /* TEST_BENCH_H_ */
