/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

static struct emlearn_source source;

void bench_start(struct bench *bench, struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked,
		 uint32_t rate_mhz)
{
	struct emlearn_imu_asked at_rate = *asked;
	struct emlearn_imu_got got;

	/* What a failed test has left running. */
	for (size_t i = 0; i < n_bench_readers; i++) {
		emlearn_imu_reader_stop(bench_readers[i]);
	}
	at_rate.rate_mhz = rate_mhz;
	*bench = (struct bench){.reader = reader, .chip = reader->dev};
	emlearn_chip_heal(bench->chip);
	/* On the finest grid, so that no two frames are alike on a coarser one. */
	emlearn_source_synthetic(&source, &bench_finest_acc, &bench_finest_gyro);
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

/* Is this batch the frames from `made` on? t_us: when the first and the last were made. */
static bool is_batch(const struct bench *bench, const struct emlearn_batch *batch, uint64_t made, int64_t t_us[2])
{
	const int16_t *frame = batch->frames;
	struct emlearn_chip_frame truth;
	int16_t expected[EMLEARN_CHIP_CHANNELS];

	for (size_t i = 0; i < batch->n_frames; i++, frame += EMLEARN_CHIP_CHANNELS) {
		if (emlearn_chip_truth(bench->chip, (uint32_t)(made + i), &truth) != 0) {
			return false;
		}
		expect(bench->reader, &truth, expected);
		if (memcmp(expected, frame, sizeof(expected)) != 0) {
			return false;
		}
		t_us[i == 0 ? 0 : 1] = truth.t_us;
	}
	return true;
}

/* Number of its first frame, of those that were not delivered before. */
static uint64_t find(const struct bench *bench, const struct emlearn_batch *batch, int64_t t_us[2])
{
	const uint64_t guess = bench->made + batch->n_lost;
	struct emlearn_chip_counts counts;

	if (is_batch(bench, batch, guess, t_us)) {
		return guess;
	}
	emlearn_chip_counts(bench->chip, &counts);
	for (uint64_t made = counts.n_made; made-- > bench->made;) {
		if (is_batch(bench, batch, made, t_us)) {
			return made;
		}
	}
	zassert_unreachable("frames that the chip has not made so, or that were read before, at %u", (uint32_t)guess);
	return 0;
}

static void check_loss(struct bench *bench, const struct emlearn_batch *batch, uint64_t made)
{
	struct bench_seen *seen = &bench->seen;
	const uint64_t lost = made - bench->made;

	if (batch->loss == EMLEARN_LOSS_EXACT) {
		zassert_equal(lost, batch->n_lost, "%u lost before %u, not %u", (uint32_t)lost, (uint32_t)made,
			      batch->n_lost);
	} else {
		seen->n_estimated++;
	}
	if (!bench->is_outage) {
		seen->worst_miss = MAX(seen->worst_miss, (uint64_t)llabs((int64_t)lost - batch->n_lost));
	}
	seen->n_lost += batch->n_lost;
	seen->n_truly_lost += lost;
	seen->n_gaps += batch->n_lost > 0 ? 1 : 0;
}

static void check_batch(struct bench *bench, const struct emlearn_batch *batch)
{
	struct bench_seen *seen = &bench->seen;
	int64_t t_us[2] = {0};
	const uint64_t made = find(bench, batch, t_us);
	const int64_t n_periods = (int64_t)batch->n_frames - 1;
	const int64_t end_us = batch->t_us + n_periods * batch->period_ns / 1000;

	check_loss(bench, batch, made);
	seen->last_us = llabs(batch->t_us - t_us[0]);
	if (n_periods > 0) {
		const int64_t true_ns = (t_us[1] - t_us[0]) * 1000 / n_periods;

		seen->last_us = MAX(seen->last_us, llabs(end_us - t_us[1]));
		seen->last_ppm = llabs(batch->period_ns - true_ns) * 1000000 / true_ns;
	}
	seen->worst_us = MAX(seen->worst_us, seen->last_us);
	seen->n_frames += batch->n_frames;
	bench->made = made + batch->n_frames;
}

int bench_read(struct bench *bench, k_timeout_t timeout)
{
	struct emlearn_batch batch = {0};
	int rc = emlearn_imu_reader_read(bench->reader, &batch, timeout);

	if (rc == 0) {
		zassert_between_inclusive(batch.n_frames, 1, BENCH_BATCH);
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

void bench_fault(const struct bench *bench, enum emlearn_fault_kind kind, uint32_t n, int32_t value)
{
	zassert_ok(emlearn_chip_fault(bench->chip, &(struct emlearn_fault){.kind = kind, .n = n, .value = value}));
}

struct emlearn_imu_stats bench_stats(const struct bench *bench)
{
	struct emlearn_imu_stats stats;

	emlearn_imu_reader_stats(bench->reader, &stats);
	return stats;
}

void bench_stop(struct bench *bench)
{
	const struct sensor_value off = {0};
	struct emlearn_batch batch;
	int rc;

	emlearn_imu_reader_stop(bench->reader);
	/* A chip that stands still costs no time; not every driver can make it. */
	rc = sensor_attr_set(bench->chip, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &off);
	zassert_true(rc == 0 || rc == -ENOSYS);
	zassert_equal(sensor_attr_set(bench->chip, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &off), rc);
	zassert_equal(emlearn_imu_reader_read(bench->reader, &batch, K_NO_WAIT), -EINVAL);
}
