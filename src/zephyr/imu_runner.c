/* SPDX-License-Identifier: Apache-2.0 */
/* One thread a runner: it starts the reader, feeds the pipeline, hands out decisions, and stops the reader. */
#include <emlearn/zephyr/imu_runner.h>

#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#ifdef CONFIG_EMLEARN_IMU_RUNNER_ZBUS
#include <zephyr/zbus/zbus.h>
#endif

LOG_MODULE_DECLARE(emlearn_imu_reader, CONFIG_EMLEARN_IMU_READER_LOG_LEVEL);

static void keep_worst(uint32_t *worst_us, int64_t us)
{
	if (us > *worst_us) {
		*worst_us = (uint32_t)MIN(us, UINT32_MAX);
	}
}

#ifdef CONFIG_EMLEARN_IMU_RUNNER_ZBUS

static int check_channel(const struct emlearn_imu_runner *runner, const struct emlearn_imu_handlers *handlers)
{
	if (handlers->channel != NULL && zbus_chan_msg_size(handlers->channel) != sizeof(struct emlearn_decision)) {
		LOG_ERR("runner %s: the messages of its channel are not struct emlearn_decision", runner->name);
		return -EINVAL;
	}
	return 0;
}

static void publish(struct emlearn_imu_runner_state *state, const struct emlearn_decision *decision)
{
	const struct zbus_channel *channel = state->handlers->channel;

	if (channel != NULL && zbus_chan_pub(channel, decision, K_MSEC(CONFIG_EMLEARN_IMU_RUNNER_ZBUS_MS)) != 0) {
		state->stats.n_unpublished++;
	}
}

#else

static int check_channel(const struct emlearn_imu_runner *runner, const struct emlearn_imu_handlers *handlers)
{
	ARG_UNUSED(runner);
	ARG_UNUSED(handlers);
	return 0;
}

static void publish(struct emlearn_imu_runner_state *state, const struct emlearn_decision *decision)
{
	ARG_UNUSED(state);
	ARG_UNUSED(decision);
}

#endif

static int check_model(const struct emlearn_imu_runner *runner, const struct emlearn_imu_asked *asked)
{
	const struct emlearn_pipeline *model = runner->pipeline->pipeline;

	if (asked->sensors != model->sensors || asked->rate_mhz != model->rate_mhz) {
		LOG_ERR("runner %s: asks for sensors %u at %u mHz; its model wants %u at %u", runner->name,
			asked->sensors, asked->rate_mhz, model->sensors, model->rate_mhz);
		return -EINVAL;
	}
	if (emlearn_pipeline_init(runner->pipeline) != 0) {
		LOG_ERR("runner %s: its model is not valid for this library", runner->name);
		return -EINVAL;
	}
	return 0;
}

static void decided(const struct emlearn_imu_runner *runner, const struct emlearn_decision *decision)
{
	struct emlearn_imu_runner_state *state = runner->state;

	state->stats.n_decisions++;
	if (!state->asked.unpaced) {
		keep_worst(&state->stats.worst_decision_us, emlearn_imu_now_us() - decision->t_us);
	}
	if (state->handlers->on_decision != NULL) {
		state->handlers->on_decision(decision, state->user);
	}
	publish(state, decision);
}

static int infer(const struct emlearn_imu_runner *runner, struct emlearn_batch *batch)
{
	struct emlearn_decision decision;

	for (;;) {
		uint32_t start = k_cycle_get_32();
		int rc = emlearn_pipeline_push(runner->pipeline, batch, &decision);

		if (rc <= 0) {
			return rc;
		}
		keep_worst(&runner->state->stats.worst_inference_us,
			   (int64_t)k_cyc_to_us_floor64(k_cycle_get_32() - start));
		decided(runner, &decision);
	}
}

static int take(const struct emlearn_imu_runner *runner, struct emlearn_batch *batch)
{
	struct emlearn_imu_runner_state *state = runner->state;
	int64_t start_us = emlearn_imu_now_us();
	int rc;

	if (state->handlers->on_batch != NULL) {
		state->handlers->on_batch(batch, state->user);
	}
	rc = infer(runner, batch);
	keep_worst(&state->stats.worst_batch_us, emlearn_imu_now_us() - start_us);
	return rc;
}

/* Read once. Returns 0 to go on, or why not. */
static int step(const struct emlearn_imu_runner *runner, k_timeout_t *pause)
{
	struct emlearn_imu_runner_state *state = runner->state;
	struct emlearn_batch batch;
	int rc = emlearn_imu_reader_read(runner->reader, &batch, K_MSEC(CONFIG_EMLEARN_IMU_RUNNER_WAIT_MS));

	*pause = K_NO_WAIT;
	if (rc == 0) {
		return take(runner, &batch);
	}
	if (rc == -EAGAIN) {
		return 0;
	}
	if (rc == -ENODATA || rc == -EINVAL) {
		return rc;
	}
	state->stats.n_errors++;
	if (state->handlers->on_error != NULL) {
		state->handlers->on_error(rc, state->user);
	}
	*pause = K_MSEC(CONFIG_EMLEARN_IMU_RUNNER_RETRY_MS);
	return 0;
}

static void run(void *p1, void *p2, void *p3)
{
	const struct emlearn_imu_runner *runner = p1;
	struct emlearn_imu_runner_state *state = runner->state;
	k_timeout_t pause = K_NO_WAIT;
	int rc = emlearn_imu_reader_start(runner->reader, &state->asked, &state->got);

	ARG_UNUSED(p2);
	ARG_UNUSED(p3);

	state->start_rc = rc;
	k_sem_give(&state->started);
	if (rc != 0) {
		return;
	}
	while (rc == 0 && k_sem_take(&state->stop, pause) != 0) {
		rc = step(runner, &pause);
	}
	if (rc != 0 && rc != -ENODATA) {
		LOG_ERR("runner %s: has ended (%d)", runner->name, rc);
	}
	emlearn_imu_reader_stop(runner->reader);
	if (state->handlers->on_end != NULL) {
		state->handlers->on_end(rc, state->user);
	}
}

static int start(const struct emlearn_imu_runner *runner, struct emlearn_imu_got *got)
{
	struct emlearn_imu_runner_state *state = runner->state;

	state->stats = (struct emlearn_imu_runner_stats){0};
	k_sem_init(&state->started, 0, 1);
	k_sem_init(&state->stop, 0, 1);
	k_thread_create(&state->thread, runner->stack, CONFIG_EMLEARN_IMU_RUNNER_STACK_SIZE, run, (void *)runner, NULL,
			NULL, CONFIG_EMLEARN_IMU_RUNNER_PRIORITY, 0, K_NO_WAIT);
	k_thread_name_set(&state->thread, runner->name);
	k_sem_take(&state->started, K_FOREVER);
	*got = state->got;
	state->has_thread = state->start_rc == 0;
	if (!state->has_thread) {
		k_thread_join(&state->thread, K_FOREVER);
	}
	return state->start_rc;
}

int emlearn_imu_runner_start(const struct emlearn_imu_runner *runner, const struct emlearn_imu_asked *asked,
			     struct emlearn_imu_got *got, const struct emlearn_imu_handlers *handlers, void *user)
{
	struct emlearn_imu_runner_state *state = runner->state;
	int rc;

	*got = (struct emlearn_imu_got){0};
	if (k_current_get() == &state->thread) {
		return -EALREADY;
	}
	k_mutex_lock(runner->lock, K_FOREVER);
	if (state->has_thread && k_thread_join(&state->thread, K_NO_WAIT) != 0) {
		k_mutex_unlock(runner->lock);
		return -EALREADY;
	}
	state->has_thread = false;
	rc = check_channel(runner, handlers);
	if (rc == 0) {
		rc = check_model(runner, asked);
	}
	if (rc == 0) {
		state->asked = *asked;
		state->handlers = handlers;
		state->user = user;
		rc = start(runner, got);
	}
	k_mutex_unlock(runner->lock);
	return rc;
}

void emlearn_imu_runner_stop(const struct emlearn_imu_runner *runner)
{
	struct emlearn_imu_runner_state *state = runner->state;

	if (k_current_get() == &state->thread) {
		k_sem_give(&state->stop);
		return;
	}
	k_mutex_lock(runner->lock, K_FOREVER);
	if (state->has_thread) {
		k_sem_give(&state->stop);
		k_thread_join(&state->thread, K_FOREVER);
		state->has_thread = false;
	}
	k_mutex_unlock(runner->lock);
}

void emlearn_imu_runner_stats(const struct emlearn_imu_runner *runner, struct emlearn_imu_runner_stats *stats)
{
	*stats = runner->state->stats;
	emlearn_imu_reader_stats(runner->reader, &stats->reader);
}
