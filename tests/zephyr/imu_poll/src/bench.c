/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <zephyr/ztest.h>

#define LSM6DSL DT_NODELABEL(lsm6dsl)
#define ICM42688 DT_NODELABEL(icm42688)

EMLEARN_IMU_READER_POLL_DEFINE(poll_lsm6dsl, LSM6DSL, BATCH);
EMLEARN_IMU_READER_READ_DEFINE(read_lsm6dsl, LSM6DSL, BATCH);
EMLEARN_IMU_READER_POLL_DEFINE(poll_icm42688, ICM42688, BATCH);
EMLEARN_IMU_READER_READ_DEFINE(read_icm42688, ICM42688, BATCH);
EMLEARN_IMU_READER_POLL_DEFINE(poll_turned_lsm6dsl, DT_NODELABEL(turned_lsm6dsl), BATCH);
EMLEARN_IMU_READER_READ_DEFINE(read_turned_lsm6dsl, DT_NODELABEL(turned_lsm6dsl), BATCH);
EMLEARN_IMU_READER_POLL_DEFINE(poll_turned_icm42688, DT_NODELABEL(turned_icm42688), BATCH);
EMLEARN_IMU_READER_READ_DEFINE(read_turned_icm42688, DT_NODELABEL(turned_icm42688), BATCH);

/* 61 ug and 4.375 mdps; 16384 codes a g and 2097.2 codes a degree per second. */
#define OF_LSM6DSL                                                                                                     \
	.chip = "lsm6dsl", .dev = DEVICE_DT_GET(LSM6DSL), .rate_mhz = 104000, .fast_mhz = 833000,                      \
	.acc_step = {61, 1000000}, .gyro_step = {7, 1600}, .least_code = -32768, .n_acc_ranges = 4, .n_gyro_ranges = 5
#define OF_ICM42688                                                                                                    \
	.chip = "icm42688", .dev = DEVICE_DT_GET(ICM42688), .rate_mhz = 100000, .fast_mhz = 1000000,                   \
	.acc_step = {1, 16384}, .gyro_step = {10, 20972}, .least_code = -32766, .n_acc_ranges = 4, .n_gyro_ranges = 8

const struct bench benches[N_BENCHES] = {
	{OF_LSM6DSL, .back_end = "poll", .reader = &poll_lsm6dsl.reader, .turned = &poll_turned_lsm6dsl.reader},
	{OF_LSM6DSL, .back_end = "read", .reader = &read_lsm6dsl.reader, .turned = &read_turned_lsm6dsl.reader},
	{OF_ICM42688, .back_end = "poll", .reader = &poll_icm42688.reader, .turned = &poll_turned_icm42688.reader},
	{OF_ICM42688, .back_end = "read", .reader = &read_icm42688.reader, .turned = &read_turned_icm42688.reader},
};

struct emlearn_imu_got got;
struct emlearn_batch batch;

struct emlearn_imu_step bench_step(struct emlearn_imu_step smallest, unsigned int doublings)
{
	smallest.num <<= doublings;
	return smallest;
}

struct emlearn_imu_asked bench_asked(const struct bench *bench)
{
	return (struct emlearn_imu_asked){
		.rate_mhz = bench->rate_mhz,
		.rate_tolerance_permille = 50,
		.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
		.acc_step = bench->acc_step,
		.gyro_step = bench->gyro_step,
		.mount = {{0, 1}, {1, 1}, {2, 1}},
	};
}

void bench_start(const struct bench *bench, struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked,
		 const struct emlearn_source *source)
{
	int rc;

	emlearn_chip_rewind(bench->dev, source);
	rc = emlearn_imu_reader_start(reader, asked, &got);
	zassert_ok(rc, "%s, %s: %d; %u mHz, %u mg, %u mdps", bench->chip, bench->back_end, rc, got.rate_mhz,
		   got.acc_range_mg, got.gyro_range_mdps);
}

void bench_reset(void *fixture)
{
	ARG_UNUSED(fixture);
	FOR_EACH_BENCH(bench)
	{
		emlearn_imu_reader_stop(bench->reader);
		emlearn_imu_reader_stop(bench->turned);
		emlearn_chip_heal(bench->dev);
	}
}
