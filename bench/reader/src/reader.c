/* SPDX-License-Identifier: Apache-2.0 */
/* With a reader: batches of 32 frames of six axes. */
#include <zephyr/kernel.h>

#include <emlearn/zephyr/imu_reader.h>

EMLEARN_IMU_READER_DEFINE(imu, DT_CHOSEN(emlearn_imu), 32);

int main(void)
{
	static const struct emlearn_imu_asked asked = {
		.rate_mhz = 100000,
		.rate_tolerance_permille = 50,
		.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
		.acc_step = {1, 8192},
		.gyro_step = {5, 82},
		.mount = {{0, 1}, {1, 1}, {2, 1}},
	};
	struct emlearn_imu_got got;
	struct emlearn_batch batch;
	int rc = emlearn_imu_reader_start(&imu.reader, &asked, &got);

	while (rc == 0) {
		rc = emlearn_imu_reader_read(&imu.reader, &batch, K_FOREVER);
	}
	return rc;
}
