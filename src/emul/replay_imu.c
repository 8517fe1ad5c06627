/* SPDX-License-Identifier: Apache-2.0 */
/* A device of the sensor API that plays a struct emlearn_recording, one frame a fetch or read. */
#define DT_DRV_COMPAT emlearn_replay_imu

#include <emlearn/zephyr/replay_imu.h>

#include <errno.h>

#include <zephyr/device.h>
#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>

#include <emlearn/types.h>

#include "recording_option.h"
#include "replay_imu.h"

/* um/s2 in a g, and pi * 10^7 urad in 1800 * 10^6 degrees. */
#define G_UM_S2 9806650
#define PI_1E7 31415927
#define DEGREE_1E7 1800

#define COUNTS 32768

int64_t replay_to_micro(const struct replay_scale *scale, int32_t count)
{
	/* below 2^16 * 2^20 * 2^25 */
	int64_t twice = 2 * (int64_t)count * scale->num;

	return (twice + (twice < 0 ? -scale->den : scale->den)) / (2 * scale->den);
}

static void to_value(const struct replay_scale *scale, int32_t count, struct sensor_value *value)
{
	int64_t micro = replay_to_micro(scale, count);

	value->val1 = (int32_t)(micro / 1000000);
	value->val2 = (int32_t)(micro % 1000000);
}

const struct emlearn_recording *emlearn_replay_imu_recording(const struct device *dev)
{
	const struct replay_data *data = dev->data;

	return data->recording;
}

void emlearn_replay_imu_rewind(const struct device *dev)
{
	struct replay_data *data = dev->data;

	data->n_played = 0;
	data->n_gap_left = 0;
	data->gap = 0;
	data->frame = NULL;
}

int replay_next(const struct device *dev)
{
	struct replay_data *data = dev->data;
	const struct emlearn_recording *recording = data->recording;

	if (data->n_played >= recording->n_frames) {
		return -ENODATA;
	}
	if (data->gap < recording->n_gaps && recording->gaps[data->gap].frame == data->n_played) {
		if (data->n_gap_left < recording->gaps[data->gap].n_lost) {
			data->n_gap_left++;
			return -EAGAIN;
		}
		data->n_gap_left = 0;
		data->gap++;
	}
	data->frame = &recording->frames[(size_t)data->n_played * data->n_channels];
	data->n_played++;
	return 0;
}

static int sample_fetch(const struct device *dev, enum sensor_channel channel)
{
	return channel == SENSOR_CHAN_ALL ? replay_next(dev) : -ENOTSUP;
}

/* Scale and first axis of a channel within a frame; the number of axes, 0 if the recording lacks the channel. */
static unsigned int find(const struct replay_data *data, enum sensor_channel channel, const struct replay_scale **scale,
			 unsigned int *first)
{
	const bool has_acc = (data->recording->sensors & EMLEARN_SENSOR_ACC) != 0;
	const bool has_gyro = (data->recording->sensors & EMLEARN_SENSOR_GYRO) != 0;
	const unsigned int gyro = has_acc ? EMLEARN_AXES : 0;

	switch (channel) {
	case SENSOR_CHAN_ACCEL_X:
	case SENSOR_CHAN_ACCEL_Y:
	case SENSOR_CHAN_ACCEL_Z:
		*scale = &data->acc;
		*first = (unsigned int)(channel - SENSOR_CHAN_ACCEL_X);
		return has_acc ? 1 : 0;
	case SENSOR_CHAN_ACCEL_XYZ:
		*scale = &data->acc;
		*first = 0;
		return has_acc ? EMLEARN_AXES : 0;
	case SENSOR_CHAN_GYRO_X:
	case SENSOR_CHAN_GYRO_Y:
	case SENSOR_CHAN_GYRO_Z:
		*scale = &data->gyro;
		*first = gyro + (unsigned int)(channel - SENSOR_CHAN_GYRO_X);
		return has_gyro ? 1 : 0;
	case SENSOR_CHAN_GYRO_XYZ:
		*scale = &data->gyro;
		*first = gyro;
		return has_gyro ? EMLEARN_AXES : 0;
	default:
		return 0;
	}
}

static int channel_get(const struct device *dev, enum sensor_channel channel, struct sensor_value *value)
{
	const struct replay_data *data = dev->data;
	const struct replay_scale *scale;
	unsigned int first;
	unsigned int n = find(data, channel, &scale, &first);

	if (n == 0) {
		return -ENOTSUP;
	}
	if (data->frame == NULL) {
		return -ENODATA;
	}
	for (unsigned int i = 0; i < n; i++) {
		to_value(scale, data->frame[first + i], &value[i]);
	}
	return 0;
}

static int attr_get(const struct device *dev, enum sensor_channel channel, enum sensor_attribute attribute,
		    struct sensor_value *value)
{
	const struct replay_data *data = dev->data;
	const struct replay_scale *scale;
	unsigned int first;

	if (find(data, channel, &scale, &first) == 0) {
		return -ENOTSUP;
	}
	switch (attribute) {
	case SENSOR_ATTR_SAMPLING_FREQUENCY:
		value->val1 = (int32_t)(data->recording->rate_mhz / 1000);
		value->val2 = (int32_t)(data->recording->rate_mhz % 1000 * 1000);
		return 0;
	case SENSOR_ATTR_FULL_SCALE:
		to_value(scale, COUNTS, value);
		return 0;
	default:
		return -ENOTSUP;
	}
}

static int start(const struct device *dev, const struct emlearn_recording *recording)
{
	struct replay_data *data = dev->data;

	data->recording = recording;
	data->acc.num = (int64_t)recording->acc_step_num * G_UM_S2;
	data->acc.den = recording->acc_step_den;
	data->gyro.num = (int64_t)recording->gyro_step_num * PI_1E7;
	data->gyro.den = (int64_t)recording->gyro_step_den * DEGREE_1E7;
	data->n_channels = (uint8_t)(((recording->sensors & EMLEARN_SENSOR_ACC) != 0 ? EMLEARN_AXES : 0) +
				     ((recording->sensors & EMLEARN_SENSOR_GYRO) != 0 ? EMLEARN_AXES : 0));
	emlearn_replay_imu_rewind(dev);
	return 0;
}

static DEVICE_API(sensor, replay_api) = {
	.sample_fetch = sample_fetch,
	.channel_get = channel_get,
	.attr_get = attr_get,
#ifdef CONFIG_SENSOR_ASYNC_API
	.submit = replay_submit,
	.get_decoder = replay_get_decoder,
#endif
};

/* On native_sim the first device may play a file. */
#define FILE_OR_ARRAY(n, array) COND_CODE_1(IS_EQ(n, 0), (recording_option(array)), (array))

#define REPLAY_IMU(n)                                                                                                  \
	extern const struct emlearn_recording UTIL_CAT(DT_INST_STRING_TOKEN(n, recording), _recording);                \
	static struct replay_data data_##n;                                                                            \
	static int init_##n(const struct device *dev)                                                                  \
	{                                                                                                              \
		return start(dev, FILE_OR_ARRAY(n, &UTIL_CAT(DT_INST_STRING_TOKEN(n, recording), _recording)));        \
	}                                                                                                              \
	SENSOR_DEVICE_DT_INST_DEFINE(n, init_##n, NULL, &data_##n, NULL, POST_KERNEL, CONFIG_SENSOR_INIT_PRIORITY,     \
				     &replay_api);

DT_INST_FOREACH_STATUS_OKAY(REPLAY_IMU)
