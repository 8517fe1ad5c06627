/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/imu_reader.h>

#include "fake_imu.h"

#define BATCH 8

EMLEARN_IMU_READER_POLL_DEFINE(poll, DT_NODELABEL(replay_codes), BATCH);

static struct emlearn_imu_asked asked;
static struct emlearn_imu_got got;
static struct emlearn_batch batch;

/* 50 Hz, 61 ug, 8.75 mdps, unturned, on the fake device with answers that fit. */
static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	fake_imu = (struct fake_imu){.rate_hz = 50, .acc_range_g = 2, .gyro_range_dps = 250};
	asked = (struct emlearn_imu_asked){
		.rate_mhz = 50000,
		.rate_tolerance_permille = 50,
		.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
		.acc_step = {61, 1000000},
		.gyro_step = {7, 800},
		.mount = {{0, 1}, {1, 1}, {2, 1}},
	};
	poll.reader.dev = fake_imu_device();
}

static void after(void *fixture)
{
	ARG_UNUSED(fixture);
	emlearn_imu_reader_stop(&poll.reader);
}

static int start(void)
{
	return emlearn_imu_reader_start(&poll.reader, &asked, &got);
}

static int read_batch(void)
{
	memset(&batch, 0xff, sizeof(batch));
	return emlearn_imu_reader_read(&poll.reader, &batch, K_FOREVER);
}

static void set_acc_counts(int32_t x, int32_t y, int32_t z)
{
	sensor_ug_to_ms2(61 * x, &fake_imu.acc[0]);
	sensor_ug_to_ms2(61 * y, &fake_imu.acc[1]);
	sensor_ug_to_ms2(61 * z, &fake_imu.acc[2]);
}

static int64_t now_us(void)
{
	return (int64_t)k_ticks_to_us_floor64((uint64_t)k_uptime_ticks());
}

ZTEST(imu_reader, test_a_batch_holds_frames_of_all_sensors_on_the_grid_of_the_model)
{
	set_acc_counts(1, -2, 16393);
	sensor_10udegrees_to_rad(-875 * 100, &fake_imu.gyro[1]);
	zassert_ok(start());
	zassert_ok(read_batch());
	zassert_equal(batch.n_frames, BATCH);
	zassert_equal(batch.n_used, 0);
	zassert_equal(batch.n_lost, 0);
	zassert_equal(batch.period_ns, 20000000);
	for (size_t i = 0; i < BATCH; i++) {
		const int16_t expected[] = {1, -2, 16393, 0, -100, 0};

		zassert_mem_equal(&batch.frames[6 * i], expected, sizeof(expected));
	}
}

ZTEST(imu_reader, test_frames_hold_only_the_sensors_asked_for)
{
	set_acc_counts(1, 2, 3);
	sensor_10udegrees_to_rad(875 * 4, &fake_imu.gyro[0]);
	asked.sensors = EMLEARN_SENSOR_GYRO;
	zassert_ok(start());
	zassert_ok(read_batch());
	for (size_t i = 0; i < BATCH; i++) {
		const int16_t expected[] = {4, 0, 0};

		zassert_mem_equal(&batch.frames[3 * i], expected, sizeof(expected));
	}
}

ZTEST(imu_reader, test_the_mount_turns_and_negates_and_holds_the_lowest_code)
{
	set_acc_counts(10, -32768, 30);
	asked.mount[0] = (struct emlearn_imu_mount_axis){2, -1};
	asked.mount[1] = (struct emlearn_imu_mount_axis){0, 1};
	asked.mount[2] = (struct emlearn_imu_mount_axis){1, -1};
	zassert_ok(start());
	zassert_ok(read_batch());
	zassert_equal(batch.frames[0], -30);
	zassert_equal(batch.frames[1], 10);
	zassert_equal(batch.frames[2], 32767);
}

ZTEST(imu_reader, test_frames_that_are_not_there_are_lost_but_no_fault)
{
	fake_imu.fetch_rc = -EAGAIN;
	fake_imu.n_fail = 5 * CONFIG_EMLEARN_IMU_READER_POLL_ERRORS_MAX;
	zassert_ok(start());
	zassert_ok(read_batch());
	zassert_equal(batch.n_lost, 5 * CONFIG_EMLEARN_IMU_READER_POLL_ERRORS_MAX);
}

ZTEST(imu_reader, test_an_error_that_is_over_before_anybody_reads_is_not_reported)
{
	zassert_ok(start());
	zassert_ok(read_batch());
	fake_imu.fetch_rc = -EIO;
	fake_imu.n_fail = CONFIG_EMLEARN_IMU_READER_POLL_ERRORS_MAX;
	k_msleep(20 * (CONFIG_EMLEARN_IMU_READER_POLL_ERRORS_MAX + 2));
	zassert_ok(read_batch());
	zassert_equal(batch.n_lost, CONFIG_EMLEARN_IMU_READER_POLL_ERRORS_MAX);
}

ZTEST(imu_reader, test_unpaced_reading_takes_no_time_and_counts_from_zero)
{
	int64_t start_us = now_us();

	asked.unpaced = true;
	zassert_ok(start());
	for (int i = 0; i < 100; i++) {
		zassert_ok(read_batch());
		zassert_equal(batch.t_us, i * BATCH * 20000);
	}
	zassert_true(now_us() - start_us < 1000000, "16 s of frames took %d us", (int)(now_us() - start_us));
}

ZTEST(imu_reader, test_the_driver_is_asked_for_rate_and_nominal_ranges)
{
	zassert_ok(start());
	zassert_equal(fake_imu.asked_rate_uhz, 50000000);
	/* 61 ug * 32768 is 1.9988 g, 8.75 mdps * 32768 is 286.7 dps: ranges of 2 g and 250 dps. */
	zassert_within(fake_imu.asked_acc_um_s2, 19613300, 2);
	zassert_within(fake_imu.asked_gyro_urad_s, 4363322, 5);
}

ZTEST(imu_reader, test_got_is_what_the_driver_says)
{
	fake_imu.rate_hz = 52;
	fake_imu.acc_range_g = 4;
	fake_imu.gyro_range_dps = 500;
	zassert_ok(start());
	zassert_equal(got.rate_mhz, 52000);
	zassert_equal(got.acc_range_mg, 4000);
	zassert_equal(got.gyro_range_mdps, 500000);
}

ZTEST(imu_reader, test_a_driver_that_does_not_say_has_what_it_accepted)
{
	fake_imu.attr_rc = -ENOTSUP;
	zassert_ok(start());
	zassert_equal(got.rate_mhz, 50000);
	zassert_equal(got.acc_range_mg, 2000);
	zassert_equal(got.gyro_range_mdps, 250000);
}

ZTEST(imu_reader, test_a_driver_that_neither_says_nor_accepts_is_read_as_it_is)
{
	fake_imu.attr_rc = -ENOTSUP;
	fake_imu.set_rc = -ENOTSUP;
	zassert_ok(start());
	zassert_equal(got.rate_mhz, 0);
	zassert_equal(got.acc_range_mg, 0);
	zassert_equal(got.gyro_range_mdps, 0);
	zassert_ok(read_batch());
	zassert_equal(batch.period_ns, 20000000);
}

ZTEST(imu_reader, test_a_neighbouring_rate_is_set_where_the_driver_has_only_its_own)
{
	fake_imu.attr_rc = -ENOTSUP;
	fake_imu.only_rate_hz = 52;
	zassert_ok(start());
	zassert_equal(got.rate_mhz, 52000);
	zassert_ok(read_batch());
	zassert_equal(batch.period_ns, 19230769);
	zassert_ok(read_batch());
	zassert_equal(batch.n_lost, 0);
	emlearn_imu_reader_stop(&poll.reader);
	/* 52 is more than 3 % from 50, and 104 is another rate altogether. */
	asked.rate_tolerance_permille = 30;
	zassert_equal(start(), -ERANGE, "frames at another rate than the model's");
	asked.rate_tolerance_permille = 50;
	fake_imu.only_rate_hz = 104;
	zassert_equal(start(), -ERANGE);
	zassert_equal(read_batch(), -EINVAL, "a refused reader must not read");
}

ZTEST(imu_reader, test_a_driver_that_takes_no_rate_at_all_is_read_as_it_is)
{
	fake_imu.attr_rc = -ENOTSUP;
	fake_imu.set_rc = -EINVAL;
	zassert_ok(start());
	zassert_equal(got.rate_mhz, 0);
}

ZTEST(imu_reader, test_a_rate_that_a_driver_may_have_cut_off_is_not_believed)
{
	fake_imu.attr_rc = -ENOTSUP;
	asked.rate_mhz = 104167;
	asked.rate_tolerance_permille = 2;
	zassert_ok(start());
	zassert_equal(got.rate_mhz, 104167, "the whole hertz would do too");
	emlearn_imu_reader_stop(&poll.reader);
	asked.rate_tolerance_permille = 1;
	zassert_equal(start(), -ERANGE);
	asked.rate_mhz = 12900;
	asked.rate_tolerance_permille = 50;
	zassert_ok(start());
	zassert_equal(got.rate_mhz, 12500, "a usual one is");
	emlearn_imu_reader_stop(&poll.reader);
	asked.rate_tolerance_permille = 0;
	zassert_equal(start(), -ERANGE);
}

ZTEST(imu_reader, test_what_is_no_sensor_is_refused)
{
	poll.reader.dev = no_imu_device();
	zassert_equal(start(), -ENODEV);
}

ZTEST(imu_reader, test_an_error_of_the_driver_is_not_mistaken_for_a_stopped_reader)
{
	zassert_ok(start());
	zassert_ok(read_batch());
	fake_imu.fetch_rc = -EINVAL;
	fake_imu.n_fail = UINT32_MAX;
	for (int rc = 0; rc == 0; rc = read_batch()) {
	}
	zassert_equal(read_batch(), -EIO);
}

ZTEST(imu_reader, test_unpaced_frames_have_the_period_of_the_model)
{
	asked.unpaced = true;
	fake_imu.rate_hz = 52;
	zassert_ok(start());
	zassert_equal(got.rate_mhz, 52000);
	zassert_ok(read_batch());
	zassert_equal(batch.period_ns, 20000000);
}

ZTEST(imu_reader, test_a_rate_outside_of_the_tolerance_is_refused)
{
	asked.rate_mhz = 100000;
	asked.rate_tolerance_permille = 40;
	fake_imu.rate_hz = 104;
	zassert_ok(start());
	emlearn_imu_reader_stop(&poll.reader);
	fake_imu.rate_hz = 96;
	zassert_ok(start());
	emlearn_imu_reader_stop(&poll.reader);
	fake_imu.rate_hz = 105;
	zassert_equal(start(), -ERANGE);
	zassert_equal(got.rate_mhz, 105000);
	fake_imu.rate_hz = 95;
	zassert_equal(start(), -ERANGE);
	zassert_equal(read_batch(), -EINVAL, "a refused reader must not read");
}

ZTEST(imu_reader, test_a_range_that_cuts_off_what_the_model_saw_is_refused)
{
	asked.acc_step = (struct emlearn_imu_step){122, 1000000};
	zassert_equal(start(), -ERANGE);
	zassert_equal(got.acc_range_mg, 2000);
	asked.acc_step = (struct emlearn_imu_step){61, 1000000};
	asked.gyro_step = (struct emlearn_imu_step){7, 400};
	zassert_equal(start(), -ERANGE);
	zassert_equal(got.gyro_range_mdps, 250000);
}

ZTEST(imu_reader, test_wishes_that_make_no_sense_are_refused)
{
	const struct emlearn_imu_asked valid = asked;

	asked.rate_mhz = 999;
	zassert_equal(start(), -EINVAL);
	asked.rate_mhz = 10000001;
	zassert_equal(start(), -EINVAL);
	asked = valid;
	asked.acc_step = (struct emlearn_imu_step){1, UINT32_MAX};
	zassert_equal(start(), -EINVAL, "a range of 8 ug");
	asked = valid;
	asked.rate_tolerance_permille = 1001;
	zassert_equal(start(), -EINVAL);
	asked = valid;
	asked.sensors = 0;
	zassert_equal(start(), -EINVAL);
	asked.sensors = 4;
	zassert_equal(start(), -EINVAL);
	asked = valid;
	asked.acc_step.den = 0;
	zassert_equal(start(), -EINVAL);
	asked = valid;
	asked.gyro_step.num = 0;
	zassert_equal(start(), -EINVAL);
	asked = valid;
	asked.acc_step = (struct emlearn_imu_step){1000, 1};
	zassert_equal(start(), -EINVAL, "a range of 32768000 g");
	asked = valid;
	asked.gyro_step = (struct emlearn_imu_step){1000, 1};
	zassert_equal(start(), -EINVAL);
	asked = valid;
	asked.mount[1].axis = 0;
	zassert_equal(start(), -EINVAL);
	asked = valid;
	asked.mount[2].axis = 3;
	zassert_equal(start(), -EINVAL);
	asked = valid;
	asked.mount[2].sign = 0;
	zassert_equal(start(), -EINVAL);
	asked = valid;
	zassert_ok(start());
}

ZTEST(imu_reader, test_a_device_that_failed_is_refused)
{
	poll.reader.dev = broken_imu_device();
	zassert_equal(start(), -ENODEV);
}

ZTEST(imu_reader, test_a_reader_runs_once_and_reads_only_while_it_runs)
{
	zassert_equal(read_batch(), -EINVAL);
	zassert_ok(start());
	zassert_equal(start(), -EALREADY);
	zassert_ok(read_batch());
	emlearn_imu_reader_stop(&poll.reader);
	emlearn_imu_reader_stop(&poll.reader);
	zassert_equal(read_batch(), -EINVAL);
	zassert_ok(start());
}

ZTEST_SUITE(imu_reader, NULL, NULL, before, after, NULL);
