/* SPDX-License-Identifier: Apache-2.0 */
/* Every code of every range comes back through the chip's registers, Zephyr's driver and the reader. */
#include <string.h>

#include <zephyr/ztest.h>

#include "bench.h"

/* Frames with all 65536 codes on the three axes together. */
#define N_FRAMES 21846u

/* The gyroscope counts down: a step by which all codes are off alike would not look like another frame. */
static void make(uint32_t i, int16_t frame[EMLEARN_CHIP_CHANNELS])
{
	for (uint32_t k = 0; k < EMLEARN_AXES; k++) {
		uint32_t code = i + k * N_FRAMES;

		frame[k] = (int16_t)(uint16_t)code;
		frame[EMLEARN_AXES + k] = (int16_t)(uint16_t)(UINT16_MAX - code);
	}
}

static int codes_frame(const struct emlearn_source *self, uint32_t number, int16_t frame[EMLEARN_CHIP_CHANNELS])
{
	ARG_UNUSED(self);
	make(number % N_FRAMES, frame);
	return 0;
}

/* The chips go on playing it after the test. */
static struct emlearn_source source = {.frame = codes_frame};
static uint8_t seen[N_FRAMES];

/* Read until each frame has been seen: those that a poller misses come round again. */
static void check_ranges(const struct bench *bench, unsigned int acc, unsigned int gyro)
{
	struct emlearn_imu_asked asked = bench_asked(bench);
	uint32_t n_seen = 0;

	asked.rate_mhz = bench->fast_mhz;
	asked.acc_step = bench_step(bench->acc_step, acc);
	asked.gyro_step = bench_step(bench->gyro_step, gyro);
	/* The steps of a range are not quite twice those of the one before: source and model have the chip's. */
	bench_start(bench, bench->reader, &asked, NULL);
	emlearn_imu_reader_stop(bench->reader);
	emlearn_chip_steps(bench->dev, &source.acc_step, &source.gyro_step);
	asked.acc_step = source.acc_step;
	asked.gyro_step = source.gyro_step;
	bench_start(bench, bench->reader, &asked, &source);
	zassert_equal(got.acc_range_mg, 2000u << acc, "%s: %u mg", bench->chip, got.acc_range_mg);
	memset(seen, 0, sizeof(seen));
	for (uint32_t n = 0; n_seen < N_FRAMES && n < 4 * N_FRAMES; n += (uint32_t)batch.n_frames) {
		zassert_ok(emlearn_imu_reader_read(bench->reader, &batch, K_SECONDS(1)));
		for (size_t i = 0; i < batch.n_frames; i++) {
			const int16_t *frame = &batch.frames[i * EMLEARN_CHIP_CHANNELS];
			uint32_t which = (uint16_t)frame[0];
			int16_t expected[EMLEARN_CHIP_CHANNELS];

			make(which, expected);
			zassert_true(which < N_FRAMES);
			for (size_t k = 0; k < EMLEARN_CHIP_CHANNELS; k++) {
				expected[k] = MAX(expected[k], bench->least_code);
				zassert_equal(frame[k], expected[k], "%s, %s, range %u/%u, channel %u: %d is %d",
					      bench->chip, bench->back_end, acc, gyro, (unsigned int)k, expected[k],
					      frame[k]);
			}
			n_seen += seen[which] == 0 ? 1 : 0;
			seen[which] = 1;
		}
	}
	zassert_equal(n_seen, N_FRAMES, "%s, %s, range %u/%u: %u", bench->chip, bench->back_end, acc, gyro, n_seen);
	emlearn_imu_reader_stop(bench->reader);
}

ZTEST(imu_poll_codes, test_every_code_of_every_range_comes_back)
{
	FOR_EACH_BENCH(bench)
	{
		for (unsigned int gyro = 0; gyro < bench->n_gyro_ranges; gyro++) {
			check_ranges(bench, gyro % bench->n_acc_ranges, gyro);
		}
	}
}

ZTEST_SUITE(imu_poll_codes, NULL, NULL, bench_reset, bench_reset, NULL);
