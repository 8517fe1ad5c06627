/* SPDX-License-Identifier: Apache-2.0 */
/* Read and decode: one frame a read, as q31 values of SI units. */
#define DT_DRV_COMPAT emlearn_replay_imu

#include <errno.h>
#include <string.h>

#include <zephyr/device.h>
#include <zephyr/drivers/sensor.h>
#include <zephyr/drivers/sensor_clock.h>
#include <zephyr/rtio/rtio.h>

#include <emlearn/types.h>

#include "replay_imu.h"

#define COUNTS 32768

/* What a read leaves in its buffer. */
struct encoded {
	uint64_t timestamp_ns;
	q31_t values[2][EMLEARN_AXES]; /* acc, gyro */
	int8_t shift[2];
	uint8_t sensors;
};

static int index_of(struct sensor_chan_spec spec, uint8_t sensors)
{
	if (spec.chan_idx != 0) {
		return -ENOTSUP;
	}
	if (spec.chan_type == SENSOR_CHAN_ACCEL_XYZ && (sensors & EMLEARN_SENSOR_ACC) != 0) {
		return 0;
	}
	if (spec.chan_type == SENSOR_CHAN_GYRO_XYZ && (sensors & EMLEARN_SENSOR_GYRO) != 0) {
		return 1;
	}
	return -ENOTSUP;
}

/* Values are below 2^shift. */
static int8_t shift_of(const struct replay_scale *scale)
{
	int64_t range = replay_to_micro(scale, COUNTS);
	int8_t shift = 0;

	while ((INT64_C(1000000) << shift) <= range) {
		shift++;
	}
	return shift;
}

static void encode(const struct replay_scale *scale, const int16_t *counts, q31_t *values, int8_t *shift)
{
	*shift = shift_of(scale);
	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		values[i] = (q31_t)(replay_to_micro(scale, counts[i]) * (INT64_C(1) << (31 - *shift)) / 1000000);
	}
}

void replay_submit(const struct device *dev, struct rtio_iodev_sqe *iodev_sqe)
{
	const struct sensor_read_config *config = iodev_sqe->sqe.iodev->data;
	const struct replay_data *data = dev->data;
	struct encoded encoded = {.sensors = data->recording->sensors};
	uint64_t cycles;
	uint8_t *buffer;
	uint32_t size;
	int rc = config->is_streaming ? -ENOTSUP : 0;

	for (size_t i = 0; i < config->count && rc == 0; i++) {
		rc = MIN(index_of(config->channels[i], encoded.sensors), 0);
	}
	if (rc == 0) {
		rc = rtio_sqe_rx_buf(iodev_sqe, sizeof(encoded), sizeof(encoded), &buffer, &size);
	}
	if (rc == 0) {
		rc = sensor_clock_get_cycles(&cycles);
	}
	if (rc == 0) {
		rc = replay_next(dev);
	}
	if (rc != 0) {
		rtio_iodev_sqe_err(iodev_sqe, rc);
		return;
	}
	encoded.timestamp_ns = sensor_clock_cycles_to_ns(cycles);
	if ((encoded.sensors & EMLEARN_SENSOR_ACC) != 0) {
		encode(&data->acc, data->frame, encoded.values[0], &encoded.shift[0]);
	}
	if ((encoded.sensors & EMLEARN_SENSOR_GYRO) != 0) {
		encode(&data->gyro, data->frame + data->n_channels - EMLEARN_AXES, encoded.values[1],
		       &encoded.shift[1]);
	}
	memcpy(buffer, &encoded, sizeof(encoded));
	rtio_iodev_sqe_ok(iodev_sqe, 0);
}

static int get_frame_count(const uint8_t *buffer, struct sensor_chan_spec spec, uint16_t *count)
{
	if (index_of(spec, ((const struct encoded *)buffer)->sensors) < 0) {
		return -ENOTSUP;
	}
	*count = 1;
	return 0;
}

static int get_size_info(struct sensor_chan_spec spec, size_t *base_size, size_t *frame_size)
{
	if (index_of(spec, EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO) < 0) {
		return -ENOTSUP;
	}
	*base_size = sizeof(struct sensor_three_axis_data);
	*frame_size = sizeof(struct sensor_three_axis_sample_data);
	return 0;
}

static int decode(const uint8_t *buffer, struct sensor_chan_spec spec, uint32_t *fit, uint16_t max_count,
		  void *data_out)
{
	const struct encoded *encoded = (const struct encoded *)buffer;
	struct sensor_three_axis_data *out = data_out;
	int sensor = index_of(spec, encoded->sensors);

	if (sensor < 0) {
		return -ENODATA;
	}
	if (*fit != 0 || max_count == 0) {
		return 0;
	}
	out->header.base_timestamp_ns = encoded->timestamp_ns;
	out->header.reading_count = 1;
	out->shift = encoded->shift[sensor];
	out->readings[0].timestamp_delta = 0;
	memcpy(out->readings[0].values, encoded->values[sensor], sizeof(encoded->values[sensor]));
	*fit = 1;
	return 1;
}

static bool has_trigger(const uint8_t *buffer, enum sensor_trigger_type trigger)
{
	ARG_UNUSED(buffer);
	ARG_UNUSED(trigger);
	return false;
}

SENSOR_DECODER_API_DT_DEFINE() = {
	.get_frame_count = get_frame_count,
	.get_size_info = get_size_info,
	.decode = decode,
	.has_trigger = has_trigger,
};

int replay_get_decoder(const struct device *dev, const struct sensor_decoder_api **decoder)
{
	ARG_UNUSED(dev);
	*decoder = &SENSOR_DECODER_NAME();
	return 0;
}
