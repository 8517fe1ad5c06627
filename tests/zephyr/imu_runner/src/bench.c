/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <zephyr/devicetree.h>

#include <emlearn/zephyr/chip_model.h>
#include <emlearn/zephyr/imu_reader.h>

#include "model.h"

#define LSM6DSL DEVICE_DT_GET(DT_NODELABEL(lsm6dsl))
#define ICM42688 DEVICE_DT_GET(DT_NODELABEL(icm42688))

EMLEARN_IMU_READER_FIFO_DEFINE(fifo, DT_NODELABEL(lsm6dsl), BENCH_BATCH);
EMLEARN_IMU_READER_FIFO_DEFINE(fifo_64, DT_NODELABEL(lsm6dsl_64), BENCH_BATCH);
EMLEARN_IMU_READER_FIFO_DEFINE(fifo_96, DT_NODELABEL(lsm6dsl_96), BENCH_BATCH);
EMLEARN_IMU_READER_STREAM_DEFINE(stream, DT_NODELABEL(icm42688), BENCH_BATCH);
EMLEARN_IMU_READER_STREAM_DEFINE(stream_64, DT_NODELABEL(icm42688_64), BENCH_BATCH);
EMLEARN_IMU_READER_STREAM_DEFINE(stream_80, DT_NODELABEL(icm42688_80), BENCH_BATCH);
EMLEARN_IMU_READER_READ_DEFINE(read, DT_NODELABEL(lsm6dsl), BENCH_BATCH);
EMLEARN_IMU_READER_POLL_DEFINE(poll, DT_NODELABEL(lsm6dsl), BENCH_BATCH);

/* One of them runs at a time. */
MODEL_PIPELINE_DEFINE(pipeline);

EMLEARN_IMU_RUNNER_DEFINE(by_fifo, &fifo.reader, &pipeline);
EMLEARN_IMU_RUNNER_DEFINE(by_fifo_64, &fifo_64.reader, &pipeline);
EMLEARN_IMU_RUNNER_DEFINE(by_fifo_96, &fifo_96.reader, &pipeline);
EMLEARN_IMU_RUNNER_DEFINE(by_stream, &stream.reader, &pipeline);
EMLEARN_IMU_RUNNER_DEFINE(by_stream_64, &stream_64.reader, &pipeline);
EMLEARN_IMU_RUNNER_DEFINE(by_stream_80, &stream_80.reader, &pipeline);
EMLEARN_IMU_RUNNER_DEFINE(by_read, &read.reader, &pipeline);
EMLEARN_IMU_RUNNER_DEFINE(by_poll, &poll.reader, &pipeline);

const struct bench benches[BENCHES] = {
	[BENCH_FIFO] = {"fifo", &by_fifo, LSM6DSL, 32, true},
	[BENCH_FIFO_64] = {"fifo", &by_fifo_64, LSM6DSL, 64, true},
	[BENCH_FIFO_96] = {"fifo", &by_fifo_96, LSM6DSL, 96, true},
	[BENCH_STREAM] = {"stream", &by_stream, ICM42688, 32, true},
	[BENCH_STREAM_64] = {"stream", &by_stream_64, ICM42688, 64, true},
	[BENCH_STREAM_80] = {"stream", &by_stream_80, ICM42688, 80, true},
	[BENCH_READ] = {"read", &by_read, LSM6DSL, 1, false},
	[BENCH_POLL] = {"poll", &by_poll, LSM6DSL, 1, false},
};

uint32_t bench_rate_mhz(const struct bench *bench, uint32_t about_hz)
{
	return bench->chip == LSM6DSL ? about_hz * 1040 : about_hz * 1000;
}

int bench_start(const struct bench *bench, uint32_t about_hz, struct emlearn_imu_got *got,
		const struct emlearn_imu_handlers *handlers, void *user)
{
	const uint32_t rate_mhz = bench_rate_mhz(bench, about_hz);
	struct emlearn_imu_asked asked = {
		.rate_mhz = rate_mhz,
		.rate_tolerance_permille = 10,
		.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
		.acc_step = {122, 1000000},
		.gyro_step = {7, 400},
		.mount = {{0, 1}, {1, 1}, {2, 1}},
	};

	model_set(&pipeline_model, asked.sensors, rate_mhz, (uint16_t)(rate_mhz / 1000));
	emlearn_chip_rewind(bench->chip, NULL);
	return emlearn_imu_runner_start(bench->runner, &asked, got, handlers, user);
}
