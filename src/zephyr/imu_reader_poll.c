/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/zephyr/imu_reader_poll.h>

#include <errno.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>

#define MHZ_PER_PERIOD_US UINT32_C(1000000000)

static uint32_t period_us(const struct emlearn_imu_reader_poll *poll)
{
	return MHZ_PER_PERIOD_US / poll->reader.rate_mhz;
}

/* Move the deadline on by n periods; what a period has below a microsecond is carried along. */
static void advance(struct emlearn_imu_reader_poll *poll, uint32_t n)
{
	uint32_t rate_mhz = poll->reader.rate_mhz;
	uint64_t rest = poll->rest + (uint64_t)n * (MHZ_PER_PERIOD_US % rate_mhz);

	poll->due_us += (int64_t)n * period_us(poll) + (int64_t)(rest / rate_mhz);
	poll->rest = (uint32_t)(rest % rate_mhz);
}

static void lose(struct emlearn_imu_reader_poll *poll, uint32_t n)
{
	poll->n_lost = n > UINT32_MAX - poll->n_lost ? UINT32_MAX : poll->n_lost + n;
	advance(poll, n);
}

/* Sleep until the next frame is due. Returns how many frames passed unread before that. */
static uint32_t wait(struct emlearn_imu_reader_poll *poll)
{
	int64_t early_us;

	if (poll->reader.asked.unpaced) {
		return 0;
	}
	early_us = poll->due_us - emlearn_imu_now_us();
	if (early_us > 0) {
		k_sleep(K_USEC(early_us));
		return 0;
	}

	int64_t missed = -early_us / period_us(poll);

	return missed > UINT32_MAX ? UINT32_MAX : (uint32_t)missed;
}

static int fetch(struct emlearn_imu_reader_poll *poll, int16_t *frame)
{
	const struct device *dev = poll->reader.dev;
	const uint8_t sensors = poll->reader.asked.sensors;
	struct sensor_value values[EMLEARN_AXES];
	int rc = sensor_sample_fetch(dev);

	if (rc == 0 && (sensors & EMLEARN_SENSOR_ACC) != 0) {
		rc = sensor_channel_get(dev, SENSOR_CHAN_ACCEL_XYZ, values);
		if (rc == 0) {
			emlearn_imu_from_values(&poll->reader, EMLEARN_SENSOR_ACC, values, frame);
			frame += EMLEARN_AXES;
		}
	}
	if (rc == 0 && (sensors & EMLEARN_SENSOR_GYRO) != 0) {
		rc = sensor_channel_get(dev, SENSOR_CHAN_GYRO_XYZ, values);
		if (rc == 0) {
			emlearn_imu_from_values(&poll->reader, EMLEARN_SENSOR_GYRO, values, frame);
		}
	}
	return rc;
}

static int poll_start(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	struct emlearn_imu_reader_poll *poll = CONTAINER_OF(reader, struct emlearn_imu_reader_poll, reader);

	/* A sleep may end two ticks late, and then the frame is still to be fetched. */
	if (!reader->asked.unpaced && 3 * k_ticks_to_us_ceil32(1) > period_us(poll)) {
		return -ENOTSUP;
	}
	got->watermark_frames = 1;
	got->stall_us = period_us(poll);
	poll->due_us = reader->asked.unpaced ? 0 : emlearn_imu_now_us();
	poll->rest = 0;
	poll->n_lost = 0;
	poll->n_errors = 0;
	return 0;
}

static int poll_read(struct emlearn_imu_reader *reader, struct emlearn_batch *batch, k_timepoint_t end)
{
	struct emlearn_imu_reader_poll *poll = CONTAINER_OF(reader, struct emlearn_imu_reader_poll, reader);
	const size_t n_channels = EMLEARN_AXES * (((reader->asked.sensors & EMLEARN_SENSOR_ACC) != 0 ? 1u : 0u) +
						  ((reader->asked.sensors & EMLEARN_SENSOR_GYRO) != 0 ? 1u : 0u));
	size_t n = 0;
	int rc = 0;

	ARG_UNUSED(end);

	while (n < poll->batch_frames) {
		uint32_t missed = wait(poll);

		if (missed > 0) {
			lose(poll, missed);
			if (n > 0) {
				break;
			}
		}
		rc = fetch(poll, &poll->frames[n * n_channels]);
		if (rc == -ENODATA) {
			break;
		}
		if (rc != 0) {
			lose(poll, 1);
			/* -EAGAIN is a frame that is not there; anything else is a fault. */
			poll->n_errors = rc == -EAGAIN ? 0 : (uint16_t)(poll->n_errors + 1);
			if (n > 0 || poll->n_errors >= CONFIG_EMLEARN_IMU_READER_POLL_ERRORS_MAX) {
				break;
			}
			continue;
		}
		poll->n_errors = 0;
		if (n == 0) {
			batch->t_us = poll->due_us;
			batch->n_lost = poll->n_lost;
			poll->n_lost = 0;
		}
		n++;
		advance(poll, 1);
	}
	if (n == 0) {
		poll->n_errors = 0;
		return rc;
	}
	batch->frames = poll->frames;
	batch->n_frames = n;
	batch->n_used = 0;
	batch->loss = EMLEARN_LOSS_EXACT;
	batch->period_ns = (uint32_t)MIN(UINT64_C(1000000000000) / reader->rate_mhz, UINT32_MAX);
	return 0;
}

static void poll_stop(struct emlearn_imu_reader *reader)
{
	ARG_UNUSED(reader);
}

const struct emlearn_imu_backend emlearn_imu_backend_poll = {
	.start = poll_start,
	.read = poll_read,
	.stop = poll_stop,
};
