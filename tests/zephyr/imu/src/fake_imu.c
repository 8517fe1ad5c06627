/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_imu.h"

#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>

struct fake_imu fake_imu;

static int sample_fetch(const struct device *dev, enum sensor_channel channel)
{
	uint32_t slow_ms = fake_imu.slow_ms;

	ARG_UNUSED(dev);
	ARG_UNUSED(channel);
	fake_imu.n_fetched++;
	if (slow_ms > 0) {
		fake_imu.slow_ms = 0;
		k_msleep((int32_t)slow_ms);
	}
	if (fake_imu.n_fail > 0) {
		fake_imu.n_fail--;
		return fake_imu.fetch_rc;
	}
	fake_imu.n_made++;
	if (fake_imu.is_counting) {
		sensor_ug_to_ms2(61 * (int32_t)fake_imu.n_made, &fake_imu.acc[0]);
	}
	return 0;
}

static int channel_get(const struct device *dev, enum sensor_channel channel, struct sensor_value *value)
{
	ARG_UNUSED(dev);
	switch (channel) {
	case SENSOR_CHAN_ACCEL_XYZ:
		memcpy(value, fake_imu.acc, sizeof(fake_imu.acc));
		return 0;
	case SENSOR_CHAN_GYRO_XYZ:
		memcpy(value, fake_imu.gyro, sizeof(fake_imu.gyro));
		return 0;
	default:
		return -ENOTSUP;
	}
}

static int attr_set(const struct device *dev, enum sensor_channel channel, enum sensor_attribute attribute,
		    const struct sensor_value *value)
{
	ARG_UNUSED(dev);
	if (fake_imu.set_rc != 0) {
		return fake_imu.set_rc;
	}
	if (attribute == SENSOR_ATTR_SAMPLING_FREQUENCY) {
		if (fake_imu.only_rate_hz != 0 && value->val1 != (int32_t)fake_imu.only_rate_hz) {
			return -EINVAL;
		}
		fake_imu.asked_rate_uhz = sensor_value_to_micro(value);
	} else if (channel == SENSOR_CHAN_ACCEL_XYZ) {
		fake_imu.asked_acc_um_s2 = sensor_value_to_micro(value);
	} else {
		fake_imu.asked_gyro_urad_s = sensor_value_to_micro(value);
	}
	return 0;
}

static int attr_get(const struct device *dev, enum sensor_channel channel, enum sensor_attribute attribute,
		    struct sensor_value *value)
{
	ARG_UNUSED(dev);
	if (fake_imu.attr_rc != 0) {
		return fake_imu.attr_rc;
	}
	if (attribute == SENSOR_ATTR_SAMPLING_FREQUENCY) {
		value->val1 = (int32_t)fake_imu.rate_hz;
		value->val2 = 0;
	} else if (channel == SENSOR_CHAN_ACCEL_XYZ) {
		sensor_g_to_ms2((int32_t)fake_imu.acc_range_g, value);
	} else {
		sensor_degrees_to_rad((int32_t)fake_imu.gyro_range_dps, value);
	}
	return 0;
}

static DEVICE_API(sensor, fake_api) = {
	.attr_set = attr_set,
	.attr_get = attr_get,
	.sample_fetch = sample_fetch,
	.channel_get = channel_get,
};

static int fail_init(const struct device *dev)
{
	ARG_UNUSED(dev);
	return -EIO;
}

DEVICE_DEFINE(fake, "fake-imu", NULL, NULL, NULL, NULL, POST_KERNEL, 99, &fake_api);
/* It would crash if it were called as a sensor. */
DEVICE_DEFINE(other, "other", NULL, NULL, NULL, NULL, POST_KERNEL, 99, &fake_imu);
DEVICE_DEFINE(broken, "broken-imu", fail_init, NULL, NULL, NULL, POST_KERNEL, 99, &fake_api);

const struct device *fake_imu_device(void)
{
	return DEVICE_GET(fake);
}

const struct device *broken_imu_device(void)
{
	return DEVICE_GET(broken);
}

const struct device *no_imu_device(void)
{
	return DEVICE_GET(other);
}
