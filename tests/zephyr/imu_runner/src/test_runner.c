/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/imu_runner.h>

#include "fake_reader.h"
#include "model.h"

/* Three batches. */
#define WINDOW 30
/* What a target may need for starting or for a window. */
#define SLOW_US 10000

#define WINDOW_MS (WINDOW * FAKE_PERIOD_US / 1000)

MODEL_PIPELINE_DEFINE(pipeline);
EMLEARN_IMU_RUNNER_DEFINE(runner, &fake.reader, &pipeline);

static struct emlearn_imu_asked asked;
static struct emlearn_imu_got got;

/* What the handlers saw. */
static struct {
	const struct emlearn_batch *batch;
	struct emlearn_decision decision;
	size_t n_used;
	uint32_t n_batches;
	uint32_t n_decisions;
	uint32_t n_errors;
	uint32_t n_ends;
	uint32_t n_after_end;
	int error_rc;
	int end_rc;
	int again_rc;
	uint32_t busy_us;
	int32_t linger_ms;
	bool stop;
	bool again;
	void *user;
} seen;

static void on_batch(const struct emlearn_batch *batch, void *user)
{
	seen.batch = batch;
	seen.user = user;
	seen.n_batches++;
	seen.n_after_end += seen.n_ends;
	zassert_equal(batch->n_used, 0);
}

static void on_decision(const struct emlearn_decision *decision, void *user)
{
	ARG_UNUSED(user);
	seen.decision = *decision;
	seen.n_used = seen.batch->n_used;
	seen.n_decisions++;
	k_busy_wait(seen.busy_us);
	if (seen.stop) {
		emlearn_imu_runner_stop(&runner);
	}
	k_msleep(seen.linger_ms);
	if (seen.again) {
		seen.again_rc = emlearn_imu_runner_start(&runner, &asked, &got, NULL, NULL);
	}
}

static void on_error(int rc, void *user)
{
	ARG_UNUSED(user);
	seen.error_rc = rc;
	seen.n_errors++;
}

static void on_end(int rc, void *user)
{
	ARG_UNUSED(user);
	seen.end_rc = rc;
	seen.n_ends++;
	zassert_equal(fake.n_stops, fake.n_starts, "the reader is stopped by then");
}

static const struct emlearn_imu_handlers handlers = {
	.on_batch = on_batch,
	.on_decision = on_decision,
	.on_error = on_error,
	.on_end = on_end,
};

static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	memset(&seen, 0, sizeof(seen));
	seen.end_rc = 1;
	fake_reset();
	fake.level = 1;
	model_set(&pipeline_model, EMLEARN_SENSOR_ACC, 100000, WINDOW);
	asked = (struct emlearn_imu_asked){
		.rate_mhz = 100000,
		.sensors = EMLEARN_SENSOR_ACC,
		.acc_step = {61, 1000000},
		.mount = {{0, 1}, {1, 1}, {2, 1}},
	};
}

static void after(void *fixture)
{
	ARG_UNUSED(fixture);
	emlearn_imu_runner_stop(&runner);
	zassert_false(fake.strange, "reader started, read and stopped by different threads");
	zassert_equal(fake.n_stops, fake.n_starts);
}

static int start(void)
{
	return emlearn_imu_runner_start(&runner, &asked, &got, &handlers, &seen);
}

static struct emlearn_imu_runner_stats counted(void)
{
	struct emlearn_imu_runner_stats stats;

	emlearn_imu_runner_stats(&runner, &stats);
	return stats;
}

ZTEST(imu_runner, test_decisions_are_those_of_the_frames_that_were_read)
{
	int64_t first_us;

	zassert_ok(start());
	first_us = fake.next_us;
	k_msleep(WINDOW_MS + SLOW_US / 1000);
	zassert_equal(seen.n_decisions, 1);
	zassert_equal(seen.decision.class_idx, 1);
	zassert_equal(seen.decision.t_us, first_us + (WINDOW - 1) * FAKE_PERIOD_US);
	fake.level = -1;
	k_msleep(WINDOW_MS);
	zassert_equal(seen.n_decisions, 2);
	zassert_equal(seen.decision.class_idx, 0);
	zassert_equal(seen.decision.t_us, first_us + (2 * WINDOW - 1) * FAKE_PERIOD_US);
}

ZTEST(imu_runner, test_what_was_got_comes_back_from_the_start)
{
	zassert_ok(start());
	zassert_equal(got.rate_mhz, 100000);
	zassert_equal(got.watermark_frames, FAKE_BATCH);
}

ZTEST(imu_runner, test_batches_come_before_their_decisions_and_tell_how_far_the_pipeline_is)
{
	/* 25 frames end in the middle of the third batch. */
	model_set(&pipeline_model, EMLEARN_SENSOR_ACC, 100000, 25);
	zassert_ok(start());
	k_msleep(305);
	zassert_equal(seen.n_batches, 3);
	zassert_equal(seen.n_decisions, 1);
	zassert_equal(seen.n_used, 5);
	zassert_equal_ptr(seen.user, &seen);
}

ZTEST(imu_runner, test_a_failing_reader_is_reported_and_asked_again_after_a_pause)
{
	zassert_ok(start());
	fake.read_rc = -EIO;
	fake.n_fail = UINT32_MAX;
	k_msleep(10 * CONFIG_EMLEARN_IMU_RUNNER_RETRY_MS + CONFIG_EMLEARN_IMU_RUNNER_RETRY_MS / 2);
	zassert_equal(seen.error_rc, -EIO);
	zassert_equal(seen.n_errors, 11, "%u errors", seen.n_errors);
	zassert_equal(counted().n_errors, seen.n_errors);
	zassert_equal(seen.n_ends, 0);
	fake.n_fail = 0;
	k_msleep(WINDOW_MS + 2 * CONFIG_EMLEARN_IMU_RUNNER_RETRY_MS);
	zassert_true(seen.n_decisions > 0, "it goes on when the reader does");
}

ZTEST(imu_runner, test_the_end_of_a_recording_is_reported_once_and_all_is_stopped)
{
	fake.n_left = 6;
	zassert_ok(start());
	k_msleep(2 * WINDOW_MS + 50);
	zassert_equal(seen.n_decisions, 2);
	zassert_equal(seen.n_ends, 1);
	zassert_equal(seen.end_rc, -ENODATA);
	zassert_equal(fake.n_stops, 1);
	emlearn_imu_runner_stop(&runner);
	zassert_equal(seen.n_ends, 1);
}

ZTEST(imu_runner, test_a_reader_that_cannot_start_is_an_error_of_the_start)
{
	fake.start_rc = -ENODEV;
	for (int i = 0; i < 3; i++) {
		zassert_equal(start(), -ENODEV);
	}
	k_msleep(WINDOW_MS);
	zassert_equal(seen.n_batches + seen.n_errors + seen.n_ends, 0, "a handler was called");
	fake.start_rc = 0;
	zassert_ok(start());
	k_msleep(WINDOW_MS + SLOW_US / 1000);
	zassert_equal(seen.n_decisions, 1);
}

ZTEST(imu_runner, test_another_thread_stops_it_within_the_wait_that_was_configured)
{
	int64_t t_ms;

	zassert_ok(start());
	k_msleep(55);
	t_ms = k_uptime_get();
	emlearn_imu_runner_stop(&runner);
	zassert_true(k_uptime_get() - t_ms <= CONFIG_EMLEARN_IMU_RUNNER_WAIT_MS);
	zassert_equal(seen.end_rc, 0);
	zassert_equal(fake.n_stops, 1);
	k_msleep(WINDOW_MS);
	zassert_equal(seen.n_after_end, 0);
}

ZTEST(imu_runner, test_a_pause_ends_with_a_stop)
{
	int64_t t_ms;

	zassert_ok(start());
	fake.read_rc = -EIO;
	fake.n_fail = UINT32_MAX;
	k_msleep(150);
	t_ms = k_uptime_get();
	emlearn_imu_runner_stop(&runner);
	zassert_true(k_uptime_get() - t_ms < 2);
	zassert_equal(seen.end_rc, 0);
}

ZTEST(imu_runner, test_a_reader_with_nothing_to_give_does_not_keep_it_from_stopping)
{
	int64_t t_ms;

	zassert_ok(start());
	fake.next_us += INT64_C(1000000) * 3600;
	k_msleep(150);
	t_ms = k_uptime_get();
	emlearn_imu_runner_stop(&runner);
	zassert_true(k_uptime_get() - t_ms <= CONFIG_EMLEARN_IMU_RUNNER_WAIT_MS);
	zassert_equal(seen.end_rc, 0);
	zassert_equal(seen.n_errors, 0);
}

ZTEST(imu_runner, test_a_handler_may_stop_it)
{
	seen.stop = true;
	zassert_ok(start());
	k_msleep(2 * WINDOW_MS + 50);
	zassert_equal(seen.n_decisions, 1);
	zassert_equal(seen.n_ends, 1);
	zassert_equal(seen.end_rc, 0);
	seen.stop = false;
	emlearn_imu_runner_stop(&runner);
	zassert_ok(start());
}

ZTEST(imu_runner, test_it_cannot_be_started_twice)
{
	zassert_ok(start());
	zassert_equal(start(), -EALREADY);
	seen.again = true;
	k_msleep(WINDOW_MS + SLOW_US / 1000);
	zassert_equal(seen.again_rc, -EALREADY, "from its own handler");
	zassert_equal(fake.n_starts, 1);
}

ZTEST(imu_runner, test_a_runner_that_a_handler_has_stopped_runs_until_the_handler_returns)
{
	seen.stop = true;
	seen.linger_ms = 50;
	zassert_ok(start());
	k_msleep(WINDOW_MS + 25);
	zassert_equal(seen.n_decisions, 1);
	zassert_equal(start(), -EALREADY);
	k_msleep(50);
	zassert_equal(seen.n_ends, 1);
	zassert_ok(start());
}

ZTEST(imu_runner, test_a_handler_that_starts_it_while_another_thread_stops_it_blocks_neither)
{
	seen.again = true;
	seen.linger_ms = 50;
	zassert_ok(start());
	k_msleep(WINDOW_MS + 25);
	emlearn_imu_runner_stop(&runner);
	zassert_equal(seen.again_rc, -EALREADY);
	zassert_equal(seen.n_ends, 1);
}

ZTEST(imu_runner, test_it_starts_anew_as_often_as_one_likes)
{
	const uint32_t n = IS_ENABLED(CONFIG_ARCH_POSIX) ? 1000 : 50;

	/* One batch is there, and the next one comes in 20 ms. */
	fake.ahead_us = (2 * FAKE_BATCH - 2) * FAKE_PERIOD_US;
	for (uint32_t i = 1; i <= n; i++) {
		zassert_ok(start());
		k_msleep(10);
		emlearn_imu_runner_stop(&runner);
		zassert_equal(seen.n_ends, i);
		zassert_equal(counted().reader.n_batches, 2);
	}
}

ZTEST(imu_runner, test_a_window_begun_before_a_stop_is_forgotten)
{
	zassert_ok(start());
	k_msleep(WINDOW_MS - 150);
	emlearn_imu_runner_stop(&runner);
	zassert_ok(start());
	k_msleep(WINDOW_MS - 150);
	zassert_equal(seen.n_decisions, 0);
}

ZTEST(imu_runner, test_what_the_model_does_not_want_is_refused)
{
	asked.rate_mhz = 50000;
	zassert_equal(start(), -EINVAL);
	asked.rate_mhz = 100000;
	asked.sensors |= EMLEARN_SENSOR_GYRO;
	asked.gyro_step = (struct emlearn_imu_step){7, 800};
	zassert_equal(start(), -EINVAL);
	asked.sensors = EMLEARN_SENSOR_ACC;
	pipeline_model.format = EMLEARN_MODEL_FORMAT + 1;
	zassert_equal(start(), -EINVAL);
	zassert_equal(fake.n_starts, 0);
}

ZTEST(imu_runner, test_handlers_may_be_left_out)
{
	static const struct emlearn_imu_handlers none;

	fake.n_left = 6;
	fake.read_rc = -EIO;
	zassert_ok(emlearn_imu_runner_start(&runner, &asked, &got, &none, NULL));
	fake.n_fail = 1;
	k_msleep(2 * WINDOW_MS + 2 * CONFIG_EMLEARN_IMU_RUNNER_RETRY_MS);
	zassert_equal(counted().n_decisions, 2);
	zassert_equal(counted().n_errors, 1);
}

ZTEST(imu_runner, test_times_are_measured_with_the_handlers_in_them)
{
	seen.busy_us = 60000;
	zassert_ok(start());
	k_msleep(WINDOW_MS + 100);
	zassert_equal(counted().n_decisions, 1);
	zassert_between_inclusive(counted().worst_batch_us, 60000, 60000 + SLOW_US);
	/* The last frame of a batch is a period old when the batch comes. */
	zassert_between_inclusive(counted().worst_decision_us, FAKE_PERIOD_US, FAKE_PERIOD_US + SLOW_US);
	zassert_true(counted().worst_inference_us < 60000);
	zassert_equal(counted().reader.n_frames, counted().reader.n_batches * FAKE_BATCH);
}

ZTEST(imu_runner, test_counters_stay_after_a_stop_and_begin_anew_with_a_start)
{
	zassert_ok(start());
	k_msleep(WINDOW_MS + SLOW_US / 1000);
	emlearn_imu_runner_stop(&runner);
	zassert_equal(counted().n_decisions, 1);
	zassert_equal(counted().reader.n_batches, 3 + 1);
	zassert_ok(start());
	zassert_equal(counted().n_decisions, 0);
	zassert_equal(counted().reader.n_batches, 0);
}

ZTEST(imu_runner, test_unpaced_decisions_have_no_latency)
{
	asked.unpaced = true;
	zassert_ok(start());
	k_msleep(WINDOW_MS + SLOW_US / 1000);
	zassert_equal(counted().n_decisions, 1);
	zassert_equal(counted().worst_decision_us, 0);
}

ZTEST_SUITE(imu_runner, NULL, NULL, before, after, NULL);
