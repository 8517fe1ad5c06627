/* SPDX-License-Identifier: Apache-2.0 */
/* What all back ends share: check the wish, negotiate rate and range with the driver, mount and convert. */
#include <emlearn/zephyr/imu_reader.h>

#include <errno.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/logging/log.h>

LOG_MODULE_REGISTER(emlearn_imu_reader, CONFIG_EMLEARN_IMU_READER_LOG_LEVEL);

#define MICRO INT64_C(1000000)
#define COUNTS 32768
#define ACC_RANGE_MG 1000
/* Ranges of gyroscopes are 15.625 dps doubled. */
#define GYRO_RANGE_MDPS 15625

static bool is_mount(const struct emlearn_imu_mount_axis mount[EMLEARN_AXES])
{
	unsigned int seen = 0;

	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		if (mount[i].axis >= EMLEARN_AXES || (mount[i].sign != 1 && mount[i].sign != -1)) {
			return false;
		}
		seen |= 1u << mount[i].axis;
	}
	return seen == 7u;
}

static int take(struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked)
{
	const uint8_t all = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO;

	if (asked->rate_mhz == 0 || asked->rate_tolerance_permille > 1000 || asked->sensors == 0 ||
	    (asked->sensors & (uint8_t)~all) != 0 || !is_mount(asked->mount)) {
		return -EINVAL;
	}
	if ((asked->sensors & EMLEARN_SENSOR_ACC) != 0 &&
	    emlearn_imu_scale_acc(&reader->acc_scale, &asked->acc_step) != 0) {
		return -EINVAL;
	}
	if ((asked->sensors & EMLEARN_SENSOR_GYRO) != 0 &&
	    emlearn_imu_scale_gyro(&reader->gyro_scale, &asked->gyro_step) != 0) {
		return -EINVAL;
	}
	reader->asked = *asked;
	return 0;
}

/* Range of the model in mg or mdps. */
static int64_t wanted_range(const struct emlearn_imu_step *step)
{
	return (int64_t)COUNTS * 1000 * step->num / step->den;
}

/* The smallest range of the usual series that holds three quarters of the model's: a chip's "250 dps" may span 286. */
static int64_t nominal_range(int64_t wanted, int64_t least)
{
	int64_t range = least;

	while (range < wanted - wanted / 4) {
		range *= 2;
	}
	return range;
}

static struct sensor_value from_micro(int64_t micro)
{
	return (struct sensor_value){.val1 = (int32_t)(micro / MICRO), .val2 = (int32_t)(micro % MICRO)};
}

static int64_t to_micro(const struct sensor_value *value)
{
	return value->val1 * MICRO + value->val2;
}

/* Set an attribute where the driver can, then ask what it is: negative if the driver does not say. */
static int64_t negotiate(const struct device *dev, enum sensor_channel channel, enum sensor_attribute attribute,
			 int64_t micro)
{
	struct sensor_value value = from_micro(micro);
	int rc = sensor_attr_set(dev, channel, attribute, &value);

	if (rc != 0) {
		LOG_DBG("%s: channel %d, attribute %d cannot be set: %d", dev->name, channel, attribute, rc);
	}
	value = (struct sensor_value){0};
	rc = sensor_attr_get(dev, channel, attribute, &value);
	return rc == 0 ? to_micro(&value) : -1;
}

static int negotiate_rate(struct emlearn_imu_reader *reader, enum sensor_channel channel, struct emlearn_imu_got *got)
{
	const struct emlearn_imu_asked *asked = &reader->asked;
	int64_t micro =
		negotiate(reader->dev, channel, SENSOR_ATTR_SAMPLING_FREQUENCY, asked->rate_mhz * INT64_C(1000));

	if (micro <= 0) {
		LOG_WRN("%s does not say its rate; the model wants %u mHz", reader->dev->name, asked->rate_mhz);
		return 0;
	}

	int64_t rate_mhz = (micro + 500) / 1000;
	int64_t off = rate_mhz > asked->rate_mhz ? rate_mhz - asked->rate_mhz : asked->rate_mhz - rate_mhz;

	got->rate_mhz = (uint32_t)rate_mhz;
	if (off * 1000 > (int64_t)asked->rate_mhz * asked->rate_tolerance_permille) {
		LOG_ERR("%s runs at %u mHz; the model wants %u mHz within %u permille", reader->dev->name,
			got->rate_mhz, asked->rate_mhz, asked->rate_tolerance_permille);
		return -ERANGE;
	}
	return 0;
}

static int check_range(const struct emlearn_imu_reader *reader, const char *what, int64_t range, int64_t wanted)
{
	if (range == 0) {
		LOG_WRN("%s does not say its %s range; the model wants %d", reader->dev->name, what, (int)wanted);
		return 0;
	}
	if (range < wanted - wanted / 4) {
		LOG_ERR("%s has a %s range of %d; the model wants %d", reader->dev->name, what, (int)range,
			(int)wanted);
		return -ERANGE;
	}
	return 0;
}

static int negotiate_acc(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	int64_t wanted = wanted_range(&reader->asked.acc_step);
	int64_t range = nominal_range(wanted, ACC_RANGE_MG);
	int64_t micro;
	int rc = negotiate_rate(reader, SENSOR_CHAN_ACCEL_XYZ, got);

	if (rc != 0) {
		return rc;
	}
	micro = negotiate(reader->dev, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_FULL_SCALE, range * SENSOR_G / 1000);
	got->acc_range_mg = micro > 0 ? (uint32_t)((micro * 1000 + SENSOR_G / 2) / SENSOR_G) : 0;
	return check_range(reader, "acc (mg)", got->acc_range_mg, wanted);
}

static int negotiate_gyro(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	int64_t wanted = wanted_range(&reader->asked.gyro_step);
	int64_t range = nominal_range(wanted, GYRO_RANGE_MDPS);
	int64_t micro;
	int rc = negotiate_rate(reader, SENSOR_CHAN_GYRO_XYZ, got);

	if (rc != 0) {
		return rc;
	}
	micro = negotiate(reader->dev, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_FULL_SCALE, range * SENSOR_PI / 180000);
	got->gyro_range_mdps = micro > 0 ? (uint32_t)((micro * 180000 + SENSOR_PI / 2) / SENSOR_PI) : 0;
	return check_range(reader, "gyro (mdps)", got->gyro_range_mdps, wanted);
}

int emlearn_imu_reader_start(struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked,
			     struct emlearn_imu_got *got)
{
	int rc;

	*got = (struct emlearn_imu_got){0};
	if (reader->running) {
		return -EALREADY;
	}
	if (!device_is_ready(reader->dev)) {
		return -ENODEV;
	}
	rc = take(reader, asked);
	if (rc == 0 && (asked->sensors & EMLEARN_SENSOR_ACC) != 0) {
		rc = negotiate_acc(reader, got);
	}
	if (rc == 0 && (asked->sensors & EMLEARN_SENSOR_GYRO) != 0) {
		rc = negotiate_gyro(reader, got);
	}
	if (rc == 0) {
		rc = reader->api->start(reader);
		if (rc != 0) {
			LOG_ERR("%s cannot be read at %u mHz: %d", reader->dev->name, asked->rate_mhz, rc);
		}
	}
	reader->running = rc == 0;
	return rc;
}

int emlearn_imu_reader_read(struct emlearn_imu_reader *reader, struct emlearn_batch *batch)
{
	return reader->running ? reader->api->read(reader, batch) : -EINVAL;
}

void emlearn_imu_reader_stop(struct emlearn_imu_reader *reader)
{
	if (reader->running) {
		reader->api->stop(reader);
		reader->running = false;
	}
}

void emlearn_imu_reader_convert(const struct emlearn_imu_reader *reader, uint8_t sensor,
				const struct sensor_value values[EMLEARN_AXES], int16_t out[EMLEARN_AXES])
{
	const struct emlearn_imu_scale *scale = sensor == EMLEARN_SENSOR_ACC ? &reader->acc_scale : &reader->gyro_scale;

	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		const struct emlearn_imu_mount_axis *from = &reader->asked.mount[i];
		int count = emlearn_imu_count(scale, &values[from->axis]) * from->sign;

		out[i] = (int16_t)(count > INT16_MAX ? INT16_MAX : count);
	}
}
