/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#define BATCH 32

EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(i2c_reader, DT_NODELABEL(on_i2c), BATCH, 1);
EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(i2c_untimed_reader, DT_NODELABEL(on_i2c), BATCH, 0);
EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(spi_reader, DT_NODELABEL(on_spi), BATCH, 1);
EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(spi_untimed_reader, DT_NODELABEL(on_spi), BATCH, 0);
EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(without_line_reader, DT_NODELABEL(without_line), BATCH, 0);
EMLEARN_IMU_READER_FIFO_DEFINE(turned_reader, DT_NODELABEL(turned), BATCH);

struct emlearn_imu_reader *const on_i2c = &i2c_reader.reader;
struct emlearn_imu_reader *const on_i2c_untimed = &i2c_untimed_reader.reader;
struct emlearn_imu_reader *const on_spi = &spi_reader.reader;
struct emlearn_imu_reader *const on_spi_untimed = &spi_untimed_reader.reader;
struct emlearn_imu_reader *const without_line = &without_line_reader.reader;
struct emlearn_imu_reader *const turned = &turned_reader.reader;

#define UNTURNED                                                                                                       \
	{                                                                                                              \
		{0, 1}, {1, 1},                                                                                        \
		{                                                                                                      \
			2, 1                                                                                           \
		}                                                                                                      \
	}

const struct emlearn_imu_asked asked_4g = {
	.rate_tolerance_permille = 30,
	.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
	.acc_step = {122, 1000000},
	.gyro_step = {70, 1000},
	.mount = UNTURNED,
};

const struct emlearn_imu_asked asked_2g = {
	.rate_tolerance_permille = 30,
	.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
	.acc_step = {61, 1000000},
	.gyro_step = {875, 100000},
	.mount = UNTURNED,
};

static struct emlearn_source source;

void bench_start(struct bench *bench, struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked,
		 uint32_t rate_mhz)
{
	struct emlearn_imu_asked at_rate = *asked;
	struct emlearn_imu_got got;

	at_rate.rate_mhz = rate_mhz;
	*bench = (struct bench){.reader = reader, .chip = reader->dev, .is_exact = true};
	emlearn_chip_heal(bench->chip);
	/* On the finest grid, so that no two frames are alike on a coarser one. */
	emlearn_source_synthetic(&source, &(struct emlearn_imu_step){61, 1000000},
				 &(struct emlearn_imu_step){4375, 1000000});
	emlearn_chip_rewind(bench->chip, &source);
	zassert_ok(emlearn_imu_reader_start(reader, &at_rate, &got));
	zassert_equal(got.rate_mhz, rate_mhz);
	zassert_equal(got.acc_step.num * (uint64_t)asked->acc_step.den,
		      asked->acc_step.num * (uint64_t)got.acc_step.den);
}

/* The frame that the reader should give for one of the chip's. */
static void expect(const struct emlearn_imu_reader *reader, const struct emlearn_chip_frame *frame,
		   int16_t out[EMLEARN_CHIP_CHANNELS])
{
	for (unsigned int i = 0; i < EMLEARN_CHIP_CHANNELS; i++) {
		const struct emlearn_imu_mount_axis *axis = &reader->board_mount[i % EMLEARN_AXES];
		const unsigned int from = i - i % EMLEARN_AXES + axis->axis;

		out[i] = (int16_t)CLAMP(axis->sign * frame->codes[from], INT16_MIN, INT16_MAX);
	}
}

static bool is_frame(const struct bench *bench, uint64_t made, const int16_t *frame, int64_t *t_us)
{
	struct emlearn_chip_frame truth;
	int16_t expected[EMLEARN_CHIP_CHANNELS];

	if (emlearn_chip_truth(bench->chip, (uint32_t)made, &truth) != 0) {
		return false;
	}
	*t_us = truth.t_us;
	expect(bench->reader, &truth, expected);
	return memcmp(expected, frame, sizeof(expected)) == 0;
}

/* Number of the frame that the chip made, of those that were not delivered before. */
static uint64_t find(const struct bench *bench, const int16_t *frame, uint64_t guess)
{
	struct emlearn_chip_counts counts;
	int64_t t_us;

	if (is_frame(bench, guess, frame, &t_us)) {
		return guess;
	}
	emlearn_chip_counts(bench->chip, &counts);
	for (uint64_t made = counts.n_made; made-- > bench->made;) {
		if (is_frame(bench, made, frame, &t_us)) {
			return made;
		}
	}
	zassert_unreachable("a frame that the chip has not made, or that was read before, at %u", (uint32_t)guess);
	return 0;
}

static void check_batch(struct bench *bench, const struct emlearn_batch *batch)
{
	struct bench_seen *seen = &bench->seen;
	const int16_t *frame = batch->frames;
	uint64_t made = find(bench, frame, bench->made + batch->n_lost);
	int64_t first_us = 0;
	int64_t t_us = 0;

	if (bench->is_exact) {
		zassert_equal(made, bench->made + batch->n_lost, "frame %u came after %u, %u said to be lost",
			      (uint32_t)made, (uint32_t)bench->made - 1, batch->n_lost);
	}
	for (size_t i = 0; i < batch->n_frames; i++, frame += EMLEARN_CHIP_CHANNELS) {
		zassert_true(is_frame(bench, made + i, frame, &t_us), "frame %u of a batch at %u", (uint32_t)i,
			     (uint32_t)made);
		first_us = i == 0 ? t_us : first_us;
		seen->worst_us = MAX(seen->worst_us, llabs(batch->t_us + (int64_t)i * batch->period_ns / 1000 - t_us));
	}
	if (batch->n_frames > 1) {
		int64_t true_ns = (t_us - first_us) * 1000 / (int64_t)(batch->n_frames - 1);

		seen->worst_ppm = llabs(batch->period_ns - true_ns) * 1000000 / true_ns;
	}
	seen->n_frames += batch->n_frames;
	seen->n_lost += batch->n_lost;
	seen->n_gaps += batch->n_lost > 0 ? 1 : 0;
	seen->n_estimated += batch->loss != EMLEARN_LOSS_EXACT ? 1 : 0;
	bench->number += batch->n_lost + batch->n_frames;
	bench->made = made + batch->n_frames;
}

int bench_read(struct bench *bench, k_timeout_t timeout)
{
	struct emlearn_batch batch = {0};
	int rc = emlearn_imu_reader_read(bench->reader, &batch, timeout);

	if (rc == 0) {
		zassert_between_inclusive(batch.n_frames, 1, BATCH);
		zassert_equal(batch.n_used, 0);
		check_batch(bench, &batch);
	}
	return rc;
}

void bench_read_until(struct bench *bench, int64_t end_us)
{
	while (emlearn_imu_now_us() < end_us) {
		int rc = bench_read(bench, K_USEC(end_us - emlearn_imu_now_us()));

		zassert_true(rc == 0 || rc == -EAGAIN, "read: %d", rc);
	}
}

void bench_stop(struct bench *bench)
{
	struct emlearn_batch batch;

	emlearn_imu_reader_stop(bench->reader);
	zassert_equal(emlearn_imu_reader_read(bench->reader, &batch, K_NO_WAIT), -EINVAL);
}
