/* SPDX-License-Identifier: Apache-2.0 */
/* The whole stream through the unmodified driver of icm45686, on a stub of the chip. */
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/imu_reader.h>
#include <emlearn/zephyr/imu_reader_stream.h>

#include "stub_icm45686.h"

#define FRAMES 8

EMLEARN_IMU_READER_STREAM_DEFINE(live, DT_NODELABEL(icm45686), FRAMES);

static const struct emlearn_imu_asked asked = {
	.rate_mhz = 100000,
	.rate_tolerance_permille = 30,
	.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
	.acc_step = {1, 16384},
	.gyro_step = {125, 16384},
	.mount = {{0, 1}, {1, 1}, {2, 1}},
};

/* Number of the next frame modulo 1024, which is what a frame holds; -1: the first. */
static int32_t next;

static void after(void *fixture)
{
	emlearn_imu_reader_stop(&live.reader);
	stub_fail(false, false);
	stub_start_up(0);
}

static void before(void *fixture)
{
	struct emlearn_imu_got got;

	next = -1;
	zassert_ok(emlearn_imu_reader_start(&live.reader, &asked, &got));
	zassert_equal(got.rate_mhz, 100000);
	zassert_equal(got.watermark_frames, FRAMES);
}

ZTEST_SUITE(icm45686_stream, NULL, NULL, before, after, NULL);

/* Each frame is as the chip made it, and those that are missing were told to within one. */
static void check(const struct emlearn_batch *batch)
{
	for (size_t i = 0; i < batch->n_frames; i++) {
		const int16_t *frame = &batch->frames[6 * i];
		const int32_t number = frame[0];

		for (int axis = 1; axis < 6; axis++) {
			zassert_equal(frame[axis], number + axis * 1024, "axis %d of frame %d", axis, number);
		}
		if (i == 0 && next >= 0) {
			const int32_t off = (number - next - (int32_t)batch->n_lost) & 1023;

			zassert_true(off <= (batch->n_lost > 0 ? 1 : 0) || off == 1023, "%u lost told, frame %d for %d",
				     batch->n_lost, number, next);
		}
		zassert_true(i == 0 || number == next, "frame %d follows %d", number, next);
		next = (number + 1) & 1023;
	}
}

static void read_batches(int n)
{
	struct emlearn_batch batch;

	while (n-- > 0) {
		zassert_ok(emlearn_imu_reader_read(&live.reader, &batch, K_SECONDS(2)));
		check(&batch);
	}
}

/* Read until frames have come again after something went wrong; errors on the way are allowed. */
static uint32_t recover(void)
{
	struct emlearn_batch batch;

	for (int tries = 0; tries < 20; tries++) {
		if (emlearn_imu_reader_read(&live.reader, &batch, K_SECONDS(2)) == 0) {
			check(&batch);
			if (batch.n_lost > 0) {
				zassert_equal(batch.loss, EMLEARN_LOSS_ESTIMATED);
				return batch.n_lost;
			}
		}
	}
	ztest_test_fail();
	return 0;
}

static struct emlearn_imu_stats stats(void)
{
	struct emlearn_imu_stats stats;

	emlearn_imu_reader_stats(&live.reader, &stats);
	return stats;
}

ZTEST(icm45686_stream, test_frames_are_those_of_the_chip)
{
	read_batches(200);
	zassert_equal(stats().n_lost, 0);
	zassert_equal(stats().n_rearms, 0);
	zassert_equal(stats().n_frames, 200 * FRAMES);
}

ZTEST(icm45686_stream, test_frames_have_the_time_when_they_were_made)
{
	struct emlearn_batch batch;
	const int64_t t0_us = k_ticks_to_us_floor64((uint64_t)k_uptime_ticks());
	const uint32_t made = stub_made();

	read_batches(20);
	zassert_ok(emlearn_imu_reader_read(&live.reader, &batch, K_SECONDS(2)));
	check(&batch);
	zassert_within(batch.period_ns, 10000000, 10000);
	zassert_within(batch.t_us, t0_us + 10000 * ((((next - FRAMES) & 1023) - (int64_t)made) & 1023), 10000);
}

ZTEST(icm45686_stream, test_a_chip_that_lost_its_power_is_set_up_again)
{
	read_batches(5);
	stub_brown_out();
	zassert_true(recover() >= FRAMES);
	zassert_true(stats().n_rearms >= 1);
	read_batches(20);
}

ZTEST(icm45686_stream, test_a_failing_bus_is_mended_when_it_works_again)
{
	struct emlearn_batch batch;
	int rc = 0;

	read_batches(5);
	stub_fail(true, false);
	for (int i = 0; i < 10 && (rc == 0 || rc == -EAGAIN); i++) {
		rc = emlearn_imu_reader_read(&live.reader, &batch, K_SECONDS(2));
	}
	zassert_true(rc < 0 && rc != -EAGAIN, "%d", rc);
	stub_fail(false, false);
	zassert_true(recover() > 0);
	zassert_true(stats().n_bus_errors > 0);
	read_batches(20);
}

ZTEST(icm45686_stream, test_lost_interrupts_are_mended)
{
	read_batches(5);
	stub_fail(false, true);
	k_msleep(500);
	stub_fail(false, false);
	zassert_true(recover() > 0);
	read_batches(20);
}

/* Start again, and see what the first batch says of what was before it. */
static void restart(uint32_t n_start_up, struct emlearn_batch *batch)
{
	struct emlearn_imu_got got;

	emlearn_imu_reader_stop(&live.reader);
	stub_start_up(n_start_up);
	next = -1;
	zassert_ok(emlearn_imu_reader_start(&live.reader, &asked, &got));
	zassert_ok(emlearn_imu_reader_read(&live.reader, batch, K_SECONDS(2)));
	check(batch);
}

ZTEST(icm45686_stream, test_a_chip_that_takes_time_to_start_has_lost_nothing)
{
	struct emlearn_batch batch;

	/* Its gyroscope takes up to 40 ms. */
	for (uint32_t n = 0; n <= 4; n++) {
		restart(n, &batch);
		zassert_equal(batch.n_lost, 0, "%u told after %u", batch.n_lost, n);
		zassert_equal(batch.loss, EMLEARN_LOSS_EXACT);
	}
}

ZTEST(icm45686_stream, test_frames_that_are_missing_at_the_start_are_told)
{
	struct emlearn_batch batch;

	for (uint32_t n = 7; n < 14; n++) {
		restart(n, &batch);
		zassert_within((int)batch.n_lost, (int)n - 4, 1, "%u told after %u", batch.n_lost, n);
		zassert_equal(batch.loss, EMLEARN_LOSS_ESTIMATED);
	}
}

ZTEST(icm45686_stream, test_starting_and_stopping_leaks_nothing)
{
	struct emlearn_imu_got got;

	for (int i = 0; i < 50; i++) {
		next = -1;
		read_batches(1 + i % 3);
		k_msleep(i % 7 * 15);
		emlearn_imu_reader_stop(&live.reader);
		k_msleep(i % 5 * 40);
		zassert_ok(emlearn_imu_reader_start(&live.reader, &asked, &got));
	}
}
