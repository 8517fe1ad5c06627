/* SPDX-License-Identifier: Apache-2.0 */
/* A timer has a frame read at each deadline into a block of a pool; read() decodes them into a batch. */
#include <emlearn/zephyr/imu_reader_read.h>

#include <errno.h>
#include <string.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/rtio/rtio.h>

LOG_MODULE_DECLARE(emlearn_imu_reader, CONFIG_EMLEARN_IMU_READER_LOG_LEVEL);

/* Timer and work item. */
#define WAKEUPS_PER_DEADLINE 2

static struct emlearn_imu_reader_read *read_of(struct emlearn_imu_reader *reader)
{
	return CONTAINER_OF(reader, struct emlearn_imu_reader_read, reader);
}

/* A read is done, well or not; its completion is in the queue. In whatever context the driver completes it. */
static void on_done(struct rtio *rtio, const struct rtio_sqe *sqe, int result, void *read_)
{
	struct emlearn_imu_reader_read *read = read_;

	ARG_UNUSED(rtio);
	ARG_UNUSED(sqe);
	atomic_inc(&read->n_waiting);
	atomic_clear(&read->in_flight);
	if (result < 0 || atomic_get(&read->n_waiting) >= atomic_get(&read->n_wanted) ||
	    atomic_get(&read->is_draining) != 0) {
		k_sem_give(&read->ready);
	}
}

/* Have a frame read, and on_done() called after it. Only one read at a time, by one caller at a time. */
static int submit(struct emlearn_imu_reader_read *read, uint32_t number)
{
	struct rtio_sqe *sqe = rtio_sqe_acquire(read->rtio);
	struct rtio_sqe *done = rtio_sqe_acquire(read->rtio);

	if (sqe == NULL || done == NULL) {
		rtio_sqe_drop_all(read->rtio);
		return -ENOMEM;
	}
	rtio_sqe_prep_read_with_pool(sqe, read->iodev, RTIO_PRIO_NORM, (void *)(uintptr_t)number);
	sqe->flags |= RTIO_SQE_CHAINED;
	rtio_sqe_prep_callback_no_cqe(done, on_done, read, NULL);
	atomic_set(&read->in_flight, 1);
	return rtio_submit(read->rtio, 0);
}

/* The newest frame is due. Those that are never submitted show as gaps in the numbers. */
static void on_work(struct k_work *work)
{
	struct emlearn_imu_reader_read *read = CONTAINER_OF(work, struct emlearn_imu_reader_read, work);

	uint32_t due = (uint32_t)atomic_get(&read->due);

	read->reader.stats.n_wakeups += WAKEUPS_PER_DEADLINE;
	if (atomic_get(&read->in_flight) != 0) {
		return;
	}
	if (atomic_get(&read->n_waiting) >= read->n_blocks) {
		read->reader.stats.n_overruns += read->is_overrun ? 0 : 1;
		read->is_overrun = true;
		return;
	}
	read->is_overrun = false;
	if (due != read->submitted + 1) {
		/* Frames are missing: what came before them is a batch. */
		atomic_set(&read->n_wanted, 1);
	}
	read->submitted = due;
	(void)submit(read, due);
}

static void set_timer(struct emlearn_imu_reader_read *read)
{
	k_timer_start(&read->timer, K_TIMEOUT_ABS_US(emlearn_imu_pace_due_us(&read->pace, read->number)), K_NO_WAIT);
}

static void on_deadline(struct k_timer *timer)
{
	struct emlearn_imu_reader_read *read = CONTAINER_OF(timer, struct emlearn_imu_reader_read, timer);

	atomic_set(&read->due, (atomic_val_t)(uint32_t)read->number);
	(void)k_work_submit(&read->work);
	read->number++;
	set_timer(read);
}

/* One frame out of the block of a read. */
static int decode(const struct emlearn_imu_reader_read *read, const uint8_t *buffer, int16_t *frame)
{
	static const struct {
		uint8_t sensor;
		struct sensor_chan_spec channel;
	} sensors[] = {
		{EMLEARN_SENSOR_ACC, {SENSOR_CHAN_ACCEL_XYZ, 0}},
		{EMLEARN_SENSOR_GYRO, {SENSOR_CHAN_GYRO_XYZ, 0}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sensors); i++) {
		struct sensor_three_axis_data data;
		uint32_t fit = 0;

		if ((read->reader.asked.sensors & sensors[i].sensor) == 0) {
			continue;
		}
		if (buffer == NULL || read->decoder->decode(buffer, sensors[i].channel, &fit, 1, &data) != 1) {
			return -EBADMSG;
		}
		emlearn_imu_from_q31(&read->reader, sensors[i].sensor, data.readings[0].values, data.shift, frame);
		frame += EMLEARN_AXES;
	}
	return 0;
}

/* Take a completion off the queue and decode it. False if there is none. */
static bool consume(struct emlearn_imu_reader_read *read, struct emlearn_imu_read_frame *frame, int *rc)
{
	struct rtio_cqe *cqe = rtio_cqe_consume(read->rtio);
	uint8_t *buffer = NULL;
	uint32_t size = 0;

	if (cqe == NULL) {
		return false;
	}
	/* Numbers go up by less than 2^32. */
	frame->number = read->next + (uint32_t)((uint32_t)(uintptr_t)cqe->userdata - (uint32_t)read->next);
	(void)rtio_cqe_get_mempool_buffer(read->rtio, cqe, &buffer, &size);
	*rc = cqe->result < 0 ? cqe->result : decode(read, buffer, frame->values);
	rtio_release_buffer(read->rtio, buffer, size);
	rtio_cqe_release(read->rtio, cqe);
	atomic_dec(&read->n_waiting);
	return true;
}

/* Stop reading; no read is under way and no block taken afterwards. */
static void drain(struct emlearn_imu_reader_read *read)
{
	struct emlearn_imu_read_frame frame;
	struct k_work_sync sync;
	int rc;

	atomic_set(&read->is_draining, 1);
	k_timer_stop(&read->timer);
	(void)k_work_cancel_sync(&read->work, &sync);
	while (atomic_get(&read->in_flight) != 0) {
		(void)k_sem_take(&read->ready, K_FOREVER);
	}
	atomic_clear(&read->is_draining);
	while (consume(read, &frame, &rc)) {
	}
}

/* A frame for the batch, or for the one after it if some are missing in between. */
static void append(struct emlearn_imu_reader_read *read, const struct emlearn_imu_read_frame *frame)
{
	if (read->n_frames > 0 && frame->number != read->next) {
		read->held = *frame;
		read->has_held = true;
		return;
	}
	if (read->n_frames == 0) {
		read->first = frame->number;
		read->n_lost = (uint32_t)MIN(frame->number - read->next, UINT32_MAX);
	}
	memcpy(&read->frames[(size_t)read->n_frames * read->reader.n_channels], frame->values,
	       read->reader.n_channels * sizeof(int16_t));
	read->n_frames++;
	read->next = frame->number + 1;
}

/* A read that gave no frame: what read() is to return for it, 0 to wait on. */
static int fail(struct emlearn_imu_reader_read *read, int rc)
{
	if (rc == -EAGAIN || rc == -EBUSY) {
		/* A frame that is not there is no fault. */
		read->n_errors = 0;
		return 0;
	}
	if (rc == -EBADMSG) {
		read->reader.stats.n_odd++;
	} else {
		read->reader.stats.n_bus_errors++;
	}
	read->n_errors++;
	if (read->n_errors < CONFIG_EMLEARN_IMU_READER_READ_ERRORS_MAX) {
		return 0;
	}
	read->n_errors = 0;
	return rc;
}

/* Gather completions until a batch is full or cut, or none is left. */
static void gather(struct emlearn_imu_reader_read *read)
{
	struct emlearn_imu_read_frame frame;
	int rc;

	while (read->n_frames < read->batch_frames && !read->has_held && read->status == 0 &&
	       consume(read, &frame, &rc)) {
		if (rc == 0) {
			read->n_errors = 0;
			append(read, &frame);
		} else if (rc == -ENODATA) {
			drain(read);
			read->is_over = true;
			read->status = rc;
		} else {
			read->status = fail(read, rc);
		}
	}
}

/* The batch that was given out is used up. */
static void begin_batch(struct emlearn_imu_reader_read *read)
{
	read->is_delivered = false;
	read->n_frames = 0;
	if (read->has_held) {
		read->has_held = false;
		append(read, &read->held);
	}
}

/* After the end of a recording: should it have been wound back, then what was not there in between is no loss. */
static void go_on(struct emlearn_imu_reader_read *read)
{
	read->is_over = false;
	if (!read->reader.asked.unpaced) {
		read->number = emlearn_imu_pace_number_at(&read->pace, emlearn_imu_now_us()) + 1;
		set_timer(read);
	}
	read->next = read->number;
}

/* Give out what is gathered if it is complete: 0, the error that ended it, or -EAGAIN to wait on. */
static int deliver(struct emlearn_imu_reader_read *read, struct emlearn_batch *batch)
{
	if (read->n_frames < read->batch_frames && !read->has_held && read->status == 0) {
		return -EAGAIN;
	}
	if (read->n_frames == 0) {
		int rc = read->status;

		read->status = 0;
		return rc;
	}
	*batch = (struct emlearn_batch){
		.frames = read->frames,
		.n_frames = read->n_frames,
		.t_us = emlearn_imu_pace_due_us(&read->pace, read->first),
		.period_ns = emlearn_imu_pace_period_ns(&read->pace),
		.n_lost = read->n_lost,
		.loss = EMLEARN_LOSS_EXACT,
	};
	read->is_delivered = true;
	return 0;
}

/* Say how many completions are waited for; an unpaced reader has the next frame read. 0 if they are there. */
static int want(struct emlearn_imu_reader_read *read)
{
	if (read->reader.asked.unpaced) {
		atomic_set(&read->n_wanted, 1);
		if (atomic_get(&read->in_flight) == 0 && atomic_get(&read->n_waiting) == 0) {
			int rc = submit(read, (uint32_t)read->number);

			if (rc != 0) {
				return rc;
			}
			read->number++;
		}
	} else {
		atomic_set(&read->n_wanted, read->batch_frames - read->n_frames);
	}
	return atomic_get(&read->n_waiting) >= atomic_get(&read->n_wanted) ? 0 : -EAGAIN;
}

static int read_read(struct emlearn_imu_reader *reader, struct emlearn_batch *batch, enum emlearn_imu_call call)
{
	struct emlearn_imu_reader_read *read = read_of(reader);
	int rc;

	if (call == EMLEARN_IMU_ASKED) {
		if (read->is_delivered) {
			begin_batch(read);
		}
		if (read->is_over && read->status == 0) {
			go_on(read);
		}
	}
	do {
		gather(read);
		rc = deliver(read, batch);
		if (rc != -EAGAIN) {
			return rc;
		}
		rc = want(read);
	} while (rc == 0);
	return rc;
}

static int read_start(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	struct emlearn_imu_reader_read *read = read_of(reader);
	struct sensor_chan_spec channels[2];
	size_t n_channels = 0;
	int rc = emlearn_imu_pace_start(&read->pace, reader);

	if (rc != 0) {
		return rc;
	}
	if ((reader->asked.sensors & EMLEARN_SENSOR_ACC) != 0) {
		channels[n_channels++] = (struct sensor_chan_spec){SENSOR_CHAN_ACCEL_XYZ, 0};
	}
	if ((reader->asked.sensors & EMLEARN_SENSOR_GYRO) != 0) {
		channels[n_channels++] = (struct sensor_chan_spec){SENSOR_CHAN_GYRO_XYZ, 0};
	}
	if (sensor_get_decoder(reader->dev, &read->decoder) != 0 ||
	    sensor_reconfigure_read_iodev(read->iodev, reader->dev, channels, n_channels) != 0) {
		LOG_ERR("%s has no decoder", reader->dev->name);
		return -ENOTSUP;
	}
	got->watermark_frames = 1;
	got->stall_us = reader->asked.unpaced ? UINT32_MAX : emlearn_imu_pace_span_us(&read->pace, read->n_blocks);
	(void)k_sem_init(&read->ready, 0, 1);
	reader->ready = &read->ready;
	k_timer_init(&read->timer, on_deadline, NULL);
	k_work_init(&read->work, on_work);
	atomic_clear(&read->in_flight);
	atomic_clear(&read->n_waiting);
	atomic_clear(&read->is_draining);
	read->number = 0;
	read->submitted = UINT32_MAX;
	read->next = 0;
	read->n_frames = 0;
	read->n_errors = 0;
	read->status = 0;
	read->is_overrun = false;
	read->is_delivered = false;
	read->is_over = false;
	read->has_held = false;
	if (!reader->asked.unpaced) {
		set_timer(read);
	}
	return 0;
}

static void read_stop(struct emlearn_imu_reader *reader)
{
	drain(read_of(reader));
}

const struct emlearn_imu_backend emlearn_imu_backend_read = {
	.start = read_start,
	.read = read_read,
	.stop = read_stop,
};
