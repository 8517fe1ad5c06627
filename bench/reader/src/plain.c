/* SPDX-License-Identifier: Apache-2.0 */
/* Without a reader: the sensor API alone, a frame whenever the thread comes by. */
#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>

int main(void)
{
	const struct device *dev = DEVICE_DT_GET(DT_CHOSEN(emlearn_imu));
	static const struct sensor_value rate = {.val1 = 104};
	static const struct sensor_value range = {.val1 = 39, .val2 = 226600};
	static struct sensor_value values[6];
	int rc = sensor_attr_set(dev, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &rate);

	(void)sensor_attr_set(dev, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_FULL_SCALE, &range);
	while (rc == 0) {
		k_sleep(K_MSEC(10));
		rc = sensor_sample_fetch(dev);
		if (rc == 0) {
			rc = sensor_channel_get(dev, SENSOR_CHAN_ACCEL_XYZ, values);
		}
		if (rc == 0) {
			rc = sensor_channel_get(dev, SENSOR_CHAN_GYRO_XYZ, &values[3]);
		}
	}
	return rc;
}
