/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of ST's chips, by interrupt and without, with time stamps and without. */
#include <zephyr/sys/util.h>

#include "bench.h"

EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(i2c_reader, DT_NODELABEL(on_i2c), BENCH_BATCH, 1);
EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(i2c_untimed_reader, DT_NODELABEL(on_i2c), BENCH_BATCH, 0);
EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(spi_reader, DT_NODELABEL(on_spi), BENCH_BATCH, 1);
EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(spi_untimed_reader, DT_NODELABEL(on_spi), BENCH_BATCH, 0);
EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(without_line_reader, DT_NODELABEL(without_line), BENCH_BATCH, 0);
EMLEARN_IMU_READER_FIFO_DEFINE(turned_reader, DT_NODELABEL(turned), BENCH_BATCH);
EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(turned_untimed_reader, DT_NODELABEL(turned), BENCH_BATCH, 0);

struct emlearn_imu_reader *const on_i2c = &i2c_reader.reader;
struct emlearn_imu_reader *const on_i2c_untimed = &i2c_untimed_reader.reader;
struct emlearn_imu_reader *const on_spi = &spi_reader.reader;
struct emlearn_imu_reader *const on_spi_untimed = &spi_untimed_reader.reader;
struct emlearn_imu_reader *const without_line = &without_line_reader.reader;
struct emlearn_imu_reader *const turned = &turned_reader.reader;
struct emlearn_imu_reader *const turned_untimed = &turned_untimed_reader.reader;

struct emlearn_imu_reader *const bench_readers[] = {
	&i2c_reader.reader,
	&i2c_untimed_reader.reader,
	&spi_reader.reader,
	&spi_untimed_reader.reader,
	&without_line_reader.reader,
	&turned_reader.reader,
	&turned_untimed_reader.reader,
};

const size_t n_bench_readers = ARRAY_SIZE(bench_readers);

const struct emlearn_imu_step bench_finest_acc = {61, 1000000};
const struct emlearn_imu_step bench_finest_gyro = {4375, 1000000};

#define UNTURNED                                                                                                       \
	{                                                                                                              \
		{0, 1}, {1, 1},                                                                                        \
		{                                                                                                      \
			2, 1                                                                                           \
		}                                                                                                      \
	}

const struct emlearn_imu_asked asked_4g = {
	.rate_tolerance_permille = 30,
	.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
	.acc_step = {122, 1000000},
	.gyro_step = {70, 1000},
	.mount = UNTURNED,
};

const struct emlearn_imu_asked asked_2g = {
	.rate_tolerance_permille = 30,
	.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
	.acc_step = {61, 1000000},
	.gyro_step = {875, 100000},
	.mount = UNTURNED,
};
