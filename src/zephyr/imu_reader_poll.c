/* SPDX-License-Identifier: Apache-2.0 */
/* A thread fetches frames at deadlines and fills a ring of batches; read() hands them out in place. */
#include <emlearn/zephyr/imu_reader_poll.h>

#include <errno.h>
#include <string.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>

static struct emlearn_imu_reader_poll *poll_of(struct emlearn_imu_reader *reader)
{
	return CONTAINER_OF(reader, struct emlearn_imu_reader_poll, reader);
}

static int16_t *frames_of(const struct emlearn_imu_reader_poll *poll, size_t slot)
{
	return &poll->frames[slot * poll->batch_frames * poll->reader.n_channels];
}

static uint8_t after(uint8_t slot)
{
	return slot + 1u < CONFIG_EMLEARN_IMU_READER_POLL_BATCHES ? (uint8_t)(slot + 1u) : 0;
}

static bool has_room(const struct emlearn_imu_reader_poll *poll)
{
	return atomic_get(&poll->n_full) < CONFIG_EMLEARN_IMU_READER_POLL_BATCHES;
}

static bool is_stopping(const struct emlearn_imu_reader_poll *poll)
{
	return atomic_get(&poll->stopping) != 0;
}

/* Hand the batch that is being filled to the reader, if there is one. */
static void publish(struct emlearn_imu_reader_poll *poll)
{
	if (!has_room(poll) || poll->slots[poll->head].n_frames == 0) {
		return;
	}
	poll->head = after(poll->head);
	/* Whatever is full by now, the next one is empty as soon as there is room for it. */
	atomic_inc(&poll->n_full);
	k_sem_give(&poll->ready);
}

/* Let n frames pass; those before them are a batch. */
static void lose(struct emlearn_imu_reader_poll *poll, uint64_t n)
{
	publish(poll);
	poll->n_lost = n > UINT32_MAX - poll->n_lost ? UINT32_MAX : poll->n_lost + (uint32_t)n;
	poll->number += n;
}

/* Sleep until the next frame is due; what passed unread before that is lost. */
static void await_deadline(struct emlearn_imu_reader_poll *poll)
{
	int64_t due_us = emlearn_imu_pace_due_us(&poll->pace, poll->number);
	int64_t now_us = emlearn_imu_now_us();
	uint64_t newest;

	while (now_us < due_us) {
		/* A poke is not meant for a sleeper, unless it is to stop. */
		(void)k_sem_take(&poll->poke, K_TIMEOUT_ABS_US(due_us));
		if (is_stopping(poll)) {
			return;
		}
		poll->reader.stats.n_wakeups++;
		now_us = emlearn_imu_now_us();
	}
	newest = emlearn_imu_pace_number_at(&poll->pace, now_us);
	if (newest > poll->number) {
		lose(poll, newest - poll->number);
	}
}

/* Have room for a frame: an unpaced reader waits for it, any other loses the frame. */
static bool get_room(struct emlearn_imu_reader_poll *poll)
{
	while (poll->reader.asked.unpaced && !has_room(poll) && !is_stopping(poll)) {
		(void)k_sem_take(&poll->poke, K_FOREVER);
		poll->reader.stats.n_wakeups++;
	}
	if (is_stopping(poll)) {
		return false;
	}
	if (has_room(poll)) {
		poll->is_overrun = false;
		return true;
	}
	if (!poll->is_overrun) {
		poll->is_overrun = true;
		poll->reader.stats.n_overruns++;
	}
	lose(poll, 1);
	return false;
}

static int fetch(const struct emlearn_imu_reader *reader, int16_t *frame)
{
	const uint8_t sensors = reader->asked.sensors;
	struct sensor_value values[EMLEARN_AXES];
	int rc = sensor_sample_fetch(reader->dev);

	if (rc == 0 && (sensors & EMLEARN_SENSOR_ACC) != 0) {
		rc = sensor_channel_get(reader->dev, SENSOR_CHAN_ACCEL_XYZ, values);
		if (rc == 0) {
			emlearn_imu_from_values(reader, EMLEARN_SENSOR_ACC, values, frame);
			frame += EMLEARN_AXES;
		}
	}
	if (rc == 0 && (sensors & EMLEARN_SENSOR_GYRO) != 0) {
		rc = sensor_channel_get(reader->dev, SENSOR_CHAN_GYRO_XYZ, values);
		if (rc == 0) {
			emlearn_imu_from_values(reader, EMLEARN_SENSOR_GYRO, values, frame);
		}
	}
	return rc;
}

/* One more frame of the batch that is being filled has been fetched. */
static void append(struct emlearn_imu_reader_poll *poll)
{
	struct emlearn_imu_poll_slot *slot = &poll->slots[poll->head];

	if (slot->n_frames == 0) {
		slot->t_us = emlearn_imu_pace_due_us(&poll->pace, poll->number);
		slot->n_lost = poll->n_lost;
		poll->n_lost = 0;
	}
	slot->n_frames++;
	poll->number++;
	poll->n_errors = 0;
	/* An error that nobody has read by now is over. */
	atomic_clear(&poll->status);
	if (slot->n_frames == poll->batch_frames) {
		publish(poll);
	}
}

static void report(struct emlearn_imu_reader_poll *poll, int status)
{
	atomic_set(&poll->status, status);
	k_sem_give(&poll->ready);
}

/* Do nothing until the reader has had the status and reads again. */
static void park(struct emlearn_imu_reader_poll *poll, int status)
{
	publish(poll);
	atomic_set(&poll->parked, 1);
	report(poll, status);
	while (atomic_get(&poll->parked) != 0 && !is_stopping(poll)) {
		(void)k_sem_take(&poll->poke, K_FOREVER);
	}
}

/* The recording is over. Should it be wound back, then what was not there in between is no loss. */
static void finish(struct emlearn_imu_reader_poll *poll)
{
	park(poll, -ENODATA);
	poll->n_lost = 0;
	if (!poll->reader.asked.unpaced) {
		poll->number = emlearn_imu_pace_number_at(&poll->pace, emlearn_imu_now_us()) + 1;
	}
}

/* A fetch that gave no frame. */
static void fail(struct emlearn_imu_reader_poll *poll, int rc)
{
	lose(poll, 1);
	if (rc == -EAGAIN || rc == -EBUSY) {
		/* A frame that is not there is no fault. */
		poll->n_errors = 0;
		return;
	}
	poll->reader.stats.n_bus_errors++;
	poll->n_errors++;
	if (poll->n_errors < CONFIG_EMLEARN_IMU_READER_POLL_ERRORS_MAX) {
		return;
	}
	poll->n_errors = 0;
	if (poll->reader.asked.unpaced) {
		park(poll, rc);
	} else {
		report(poll, rc);
	}
}

static void poll_thread(void *poll_, void *unused2, void *unused3)
{
	struct emlearn_imu_reader_poll *poll = poll_;

	ARG_UNUSED(unused2);
	ARG_UNUSED(unused3);
	while (!is_stopping(poll)) {
		int rc;

		if (!poll->reader.asked.unpaced) {
			await_deadline(poll);
		}
		if (!get_room(poll)) {
			continue;
		}
		rc = fetch(&poll->reader,
			   frames_of(poll, poll->head) + poll->slots[poll->head].n_frames * poll->reader.n_channels);
		if (rc == 0) {
			append(poll);
		} else if (rc == -ENODATA) {
			finish(poll);
		} else {
			fail(poll, rc);
		}
	}
}

static int poll_start(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	struct emlearn_imu_reader_poll *poll = poll_of(reader);
	int rc = emlearn_imu_pace_start(&poll->pace, reader);

	if (rc != 0) {
		return rc;
	}
	got->watermark_frames = 1;
	got->stall_us = reader->asked.unpaced
				? UINT32_MAX
				: emlearn_imu_pace_span_us(&poll->pace, (CONFIG_EMLEARN_IMU_READER_POLL_BATCHES - 1u) *
										poll->batch_frames);
	(void)k_sem_init(&poll->ready, 0, 1);
	reader->ready = &poll->ready;
	(void)k_sem_init(&poll->poke, 0, 1);
	atomic_clear(&poll->n_full);
	atomic_clear(&poll->status);
	atomic_clear(&poll->parked);
	atomic_clear(&poll->stopping);
	poll->number = 0;
	poll->n_lost = 0;
	poll->n_errors = 0;
	poll->head = 0;
	poll->is_overrun = false;
	poll->tail = 0;
	poll->has_slot = false;
	poll->has_status = false;
	memset(poll->slots, 0, sizeof(poll->slots));
	(void)k_thread_create(&poll->thread, poll->stack, CONFIG_EMLEARN_IMU_READER_POLL_STACK_SIZE, poll_thread, poll,
			      NULL, NULL, CONFIG_EMLEARN_IMU_READER_POLL_PRIORITY,
			      IS_ENABLED(CONFIG_FPU_SHARING) ? K_FP_REGS : 0, K_NO_WAIT);
	(void)k_thread_name_set(&poll->thread, "emlearn_poll");
	return 0;
}

/* What the reader had last is not in use any more. */
static void give_back(struct emlearn_imu_reader_poll *poll)
{
	if (poll->has_slot) {
		poll->has_slot = false;
		poll->slots[poll->tail].n_frames = 0;
		poll->tail = after(poll->tail);
		atomic_dec(&poll->n_full);
		if (poll->reader.asked.unpaced) {
			k_sem_give(&poll->poke);
		}
	}
	if (poll->has_status) {
		poll->has_status = false;
		atomic_clear(&poll->parked);
		k_sem_give(&poll->poke);
	}
}

static void take(struct emlearn_imu_reader_poll *poll, struct emlearn_batch *batch)
{
	const struct emlearn_imu_poll_slot *slot = &poll->slots[poll->tail];

	poll->has_slot = true;
	*batch = (struct emlearn_batch){
		.frames = frames_of(poll, poll->tail),
		.n_frames = slot->n_frames,
		.t_us = slot->t_us,
		.period_ns = emlearn_imu_pace_period_ns(&poll->pace),
		.n_lost = slot->n_lost,
		.loss = EMLEARN_LOSS_EXACT,
	};
}

static int poll_read(struct emlearn_imu_reader *reader, struct emlearn_batch *batch, enum emlearn_imu_call call)
{
	struct emlearn_imu_reader_poll *poll = poll_of(reader);
	atomic_val_t status;

	if (call == EMLEARN_IMU_ASKED) {
		give_back(poll);
	}
	/* Read before n_full: a status stands behind the batches that were published before it. */
	status = atomic_get(&poll->status);
	if (atomic_get(&poll->n_full) > 0) {
		take(poll, batch);
		return 0;
	}
	if (status == 0) {
		return -EAGAIN;
	}
	poll->has_status = true;
	atomic_clear(&poll->status);
	return (int)status;
}

static void poll_stop(struct emlearn_imu_reader *reader)
{
	struct emlearn_imu_reader_poll *poll = poll_of(reader);

	atomic_set(&poll->stopping, 1);
	k_sem_give(&poll->poke);
	(void)k_thread_join(&poll->thread, K_FOREVER);
}

const struct emlearn_imu_backend emlearn_imu_backend_poll = {
	.start = poll_start,
	.read = poll_read,
	.stop = poll_stop,
};
