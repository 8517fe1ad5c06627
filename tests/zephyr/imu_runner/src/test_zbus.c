/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/zbus/zbus.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/imu_runner.h>

#include "fake_reader.h"
#include "model.h"

MODEL_PIPELINE_DEFINE(pipeline);
EMLEARN_IMU_RUNNER_DEFINE(publisher, &fake.reader, &pipeline);

static uint32_t n_heard;

static void hear(const struct zbus_channel *channel)
{
	ARG_UNUSED(channel);
	n_heard++;
}

ZBUS_LISTENER_DEFINE(listener, hear);
ZBUS_CHAN_DEFINE(decisions, struct emlearn_decision, NULL, NULL, ZBUS_OBSERVERS(listener), ZBUS_MSG_INIT(0));
ZBUS_CHAN_DEFINE(numbers, int, NULL, NULL, ZBUS_OBSERVERS_EMPTY, 0);

static const struct emlearn_imu_asked asked = {
	.rate_mhz = 100000,
	.sensors = EMLEARN_SENSOR_ACC,
	.acc_step = {61, 1000000},
	.mount = {{0, 1}, {1, 1}, {2, 1}},
};

static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	n_heard = 0;
	fake_reset();
	fake.level = 1;
	model_set(&pipeline_model, EMLEARN_SENSOR_ACC, 100000, FAKE_BATCH);
}

static void after(void *fixture)
{
	ARG_UNUSED(fixture);
	emlearn_imu_runner_stop(&publisher);
}

static int start(const struct zbus_channel *channel)
{
	static struct emlearn_imu_handlers handlers;
	struct emlearn_imu_got got;

	handlers.channel = channel;
	return emlearn_imu_runner_start(&publisher, &asked, &got, &handlers, NULL);
}

ZTEST(imu_runner_zbus, test_each_decision_is_published)
{
	struct emlearn_decision decision;
	int64_t first_us;

	zassert_ok(start(&decisions));
	first_us = fake.next_us;
	for (uint32_t i = 1; i <= 5; i++) {
		k_sleep(K_TIMEOUT_ABS_US(first_us + i * 100000 + 20000));
		zassert_equal(n_heard, i);
		zassert_ok(zbus_chan_read(&decisions, &decision, K_NO_WAIT));
		zassert_equal(decision.class_idx, 1);
		zassert_equal(decision.t_us, first_us + i * 100000 - FAKE_PERIOD_US);
	}
}

ZTEST(imu_runner_zbus, test_a_channel_of_other_messages_is_refused)
{
	zassert_equal(start(&numbers), -EINVAL);
	zassert_equal(fake.n_starts, 0);
}

ZTEST(imu_runner_zbus, test_a_channel_that_is_held_costs_decisions_that_are_counted_and_no_frames)
{
	struct emlearn_imu_runner_stats stats;

	zassert_ok(start(&decisions));
	zassert_ok(zbus_chan_claim(&decisions, K_NO_WAIT));
	k_msleep(1005);
	zassert_ok(zbus_chan_finish(&decisions));
	k_msleep(500);
	emlearn_imu_runner_stats(&publisher, &stats);
	zassert_between_inclusive(stats.n_unpublished, 8, 10);
	zassert_equal(n_heard + stats.n_unpublished, stats.n_decisions);
	zassert_equal(stats.n_decisions, stats.reader.n_batches);
	zassert_true(n_heard >= 3);
}

ZTEST_SUITE(imu_runner_zbus, NULL, NULL, before, after, NULL);
