/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <string.h>

#include <lsm6dsv16x.h>
#include <lsm6dsv16x_decoder.h>
#include <zephyr/dt-bindings/sensor/lsm6dsv16x.h>
#include <zephyr/ztest.h>

#define BOTH (EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO)
#define GYRO 1
#define ACC 2

EMLEARN_IMU_READER_STREAM_DEFINE(lsm6dsv16x, DT_NODELABEL(lsm6dsv16x), 8);
EMLEARN_IMU_READER_STREAM_DEFINE(lsm6dsv16x_single, DT_NODELABEL(single), 8);

static uint8_t acc_range;
static uint8_t gyro_range;

static void before(void *fixture)
{
	acc_range = 0;
	gyro_range = LSM6DSV16X_DT_FS_125DPS;
}

ZTEST_SUITE(lsm6dsv16x, NULL, NULL, before, NULL, NULL);

static uint8_t *word(unsigned int i)
{
	return bench.data + sizeof(struct lsm6dsv16x_fifo_data) + i * 7;
}

static void put(unsigned int i, uint8_t tag, uint32_t sample)
{
	const uint32_t code = tag == ACC ? sample : ~sample;

	word(i)[0] = (uint8_t)(tag << 3 | (sample & 3) << 1);
	bench_put_le16(word(i) + 1, (int16_t)code);
	bench_put_le16(word(i) + 3, (int16_t)(code * 3));
	bench_put_le16(word(i) + 5, (int16_t)(code + 17));
}

static void begin(unsigned int n_words, bool goes_on)
{
	struct lsm6dsv16x_fifo_data *data = (struct lsm6dsv16x_fifo_data *)bench.data;

	bench_begin(256, goes_on);
	memset(bench.data, 0, bench.bytes);
	data->header.is_fifo = 1;
	data->header.timestamp = 123456789;
	data->header.accel_fs_idx = acc_range;
	data->header.gyro_fs = gyro_range;
	data->accel_batch_odr = LSM6DSV16X_DT_XL_BATCHED_AT_60Hz;
	data->gyro_batch_odr = LSM6DSV16X_DT_GY_BATCHED_AT_60Hz;
	data->fifo_count = n_words;
}

static void check(unsigned int at, uint32_t sample)
{
	const int32_t acc[] = {(int16_t)sample, (int16_t)(sample * 3), (int16_t)(sample + 17)};
	const int32_t gyro[] = {(int16_t)~sample, (int16_t)(~sample * 3), (int16_t)(~sample + 17)};

	zassert_mem_equal(bench.frames[at].acc, acc, sizeof(acc), "acceleration of sample %u", sample);
	zassert_mem_equal(bench.frames[at].gyro, gyro, sizeof(gyro), "rotation of sample %u", sample);
}

/* Samples from `from` on, the gyroscope's word first. */
static void fill(unsigned int n, uint32_t from)
{
	for (unsigned int i = 0; i < n; i++) {
		put(2 * i, GYRO, from + i);
		put(2 * i + 1, ACC, from + i);
	}
}

static void check_all_codes(void)
{
	for (uint32_t code = 0; code < 65536; code += 16) {
		begin(32, false);
		fill(16, code);
		bench_take(&lsm6dsv16x, BOTH);
		zassert_equal(bench.n_frames, 16);
		for (unsigned int i = 0; i < 16; i++) {
			check(i, code + i);
		}
	}
}

ZTEST(lsm6dsv16x, test_all_codes_of_each_range_are_recovered)
{
	static const uint8_t gyro_ranges[] = {LSM6DSV16X_DT_FS_125DPS,  LSM6DSV16X_DT_FS_250DPS,
					      LSM6DSV16X_DT_FS_500DPS,  LSM6DSV16X_DT_FS_1000DPS,
					      LSM6DSV16X_DT_FS_2000DPS, LSM6DSV16X_DT_FS_4000DPS};

	for (unsigned int i = 0; i < ARRAY_SIZE(gyro_ranges); i++) {
		acc_range = (uint8_t)MIN(i, 4);
		gyro_range = gyro_ranges[i];
		check_all_codes();
	}
}

ZTEST(lsm6dsv16x, test_halves_of_a_frame_meet_across_blocks)
{
	/* The first word is the second half of a sample whose first half nobody has. */
	begin(16, false);
	put(0, ACC, 99);
	for (unsigned int i = 0; i < 7; i++) {
		put(1 + 2 * i, GYRO, 100 + i);
		put(2 + 2 * i, ACC, 100 + i);
	}
	put(15, GYRO, 107);
	bench_take(&lsm6dsv16x, BOTH);
	zassert_equal(bench.n_frames, 7);
	zassert_equal(bench.block.n_odd, 1);
	zassert_true(bench.frames[0].after_break);
	zassert_true(bench.block.is_watermark);
	for (unsigned int i = 0; i < 7; i++) {
		check(i, 100 + i);
	}

	begin(16, true);
	put(0, ACC, 107);
	for (unsigned int i = 0; i < 7; i++) {
		put(1 + 2 * i, GYRO, 108 + i);
		put(2 + 2 * i, ACC, 108 + i);
	}
	put(15, GYRO, 115);
	bench_take(&lsm6dsv16x, BOTH);
	zassert_equal(bench.n_frames, 8);
	zassert_equal(bench.block.n_odd, 0);
	zassert_false(bench.frames[0].after_break);
	for (unsigned int i = 0; i < 8; i++) {
		check(i, 107 + i);
	}
}

ZTEST(lsm6dsv16x, test_halves_of_different_samples_make_no_frame)
{
	begin(16, false);
	fill(8, 200);
	/* One word is missing: that of the accelerometer of sample 203. */
	memmove(word(7), word(8), 8 * 7);
	((struct lsm6dsv16x_fifo_data *)bench.data)->fifo_count = 15;
	memset(word(15), 0, 7);
	bench_take(&lsm6dsv16x, BOTH);
	zassert_equal(bench.n_frames, 7);
	zassert_equal(bench.block.n_odd, 1);
	for (unsigned int i = 0; i < 7; i++) {
		check(i, i < 3 ? 200 + i : 201 + i);
		zassert_equal(bench.frames[i].after_break, i == 3);
	}
}

ZTEST(lsm6dsv16x, test_a_half_is_not_joined_to_the_next_sample)
{
	begin(15, false);
	fill(8, 200);
	/* One word is missing: that of the gyroscope of sample 203. */
	memmove(word(6), word(7), 9 * 7);
	memset(word(15), 0, 7);
	bench_take(&lsm6dsv16x, BOTH);
	zassert_equal(bench.n_frames, 7);
	zassert_equal(bench.block.n_odd, 1);
	for (unsigned int i = 0; i < 7; i++) {
		check(i, i < 3 ? 200 + i : 201 + i);
	}
}

ZTEST(lsm6dsv16x, test_words_that_came_while_the_driver_read_are_frames)
{
	begin(16, false);
	fill(9, 300);
	bench_take(&lsm6dsv16x, BOTH);
	zassert_equal(bench.n_frames, 9);
	zassert_equal(bench.block.n_behind, -1);
	check(8, 308);
}

ZTEST(lsm6dsv16x, test_words_of_the_accelerometer_alone_are_frames)
{
	begin(8, false);
	for (unsigned int i = 0; i < 8; i++) {
		put(i, ACC, 400 + i);
	}
	bench_take(&lsm6dsv16x_single, EMLEARN_SENSOR_ACC);
	zassert_equal(bench.n_frames, 8);
	for (unsigned int i = 0; i < 8; i++) {
		zassert_equal(bench.frames[i].acc[0], 400 + (int)i);
	}
}

ZTEST(lsm6dsv16x, test_a_model_that_wants_a_sensor_not_in_the_fifo_is_refused)
{
	zassert_equal(bench_prepare(&lsm6dsv16x_single, BOTH), -ENOTSUP);
	zassert_equal(bench_prepare(&lsm6dsv16x_single, EMLEARN_SENSOR_GYRO), -ENOTSUP);
}

/* The driver hands out such a block too; the reader gives it memory that is zero. */
ZTEST(lsm6dsv16x, test_a_transfer_that_failed_makes_no_frames)
{
	begin(16, false);
	bench_take(&lsm6dsv16x, BOTH);
	zassert_equal(bench.n_frames, 0);
	zassert_true(bench.block.n_odd > 0);
}
