/* SPDX-License-Identifier: Apache-2.0 */
/* What the application does with a reader. */
#ifndef BENCH_READER_READ_H_
#define BENCH_READER_READ_H_

#include <zephyr/kernel.h>

#include <emlearn/zephyr/imu_reader.h>

/* Read batches of six axes for ever. Returns the error that ends it. */
static inline int read_all(struct emlearn_imu_reader *reader)
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
	int rc = emlearn_imu_reader_start(reader, &asked, &got);

	while (rc == 0) {
		rc = emlearn_imu_reader_read(reader, &batch, K_FOREVER);
	}
	return rc;
}

#endif /* BENCH_READER_READ_H_ */
