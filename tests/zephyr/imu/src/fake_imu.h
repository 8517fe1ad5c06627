/* SPDX-License-Identifier: Apache-2.0 */
/* A device of the sensor API that does what a test tells it. */
#ifndef TEST_FAKE_IMU_H_
#define TEST_FAKE_IMU_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/device.h>
#include <zephyr/drivers/sensor.h>

struct fake_imu {
	struct sensor_value acc[3];
	struct sensor_value gyro[3];
	uint32_t only_rate_hz;   /* attr_set takes this rate alone; 0 takes any */
	int set_rc;              /* of attr_set */
	int attr_rc;             /* of attr_get: 0, or -ENOTSUP for a driver that does not say */
	uint32_t rate_hz;        /* what attr_get says */
	uint32_t acc_range_g;    /* what attr_get says */
	uint32_t gyro_range_dps; /* what attr_get says */
	int64_t asked_acc_um_s2; /* range that was set last */
	int64_t asked_gyro_urad_s;
	int64_t asked_rate_uhz;
	int fetch_rc; /* of the next n_fail fetches */
	uint32_t n_fail;
	uint32_t slow_ms; /* how long the next fetch takes, once */
	bool is_counting; /* x of the accelerometer is the number of frames made, in steps of 61 ug */
	uint32_t n_fetched;
	uint32_t n_made;
};

extern struct fake_imu fake_imu;

const struct device *fake_imu_device(void);

/* A device whose init failed. */
const struct device *broken_imu_device(void);

/* A device of another API. */
const struct device *no_imu_device(void);

#endif /* TEST_FAKE_IMU_H_ */
