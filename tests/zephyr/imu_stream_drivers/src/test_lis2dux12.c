/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <string.h>

#include <lis2dux12.h>
#include <lis2dux12_decoder.h>
#include <zephyr/dt-bindings/sensor/lis2dux12.h>
#include <zephyr/ztest.h>

#define STATUS_WATERMARK 0x80
#define STATUS_FULL 0x40

EMLEARN_IMU_READER_STREAM_DEFINE(lis2dux12, DT_NODELABEL(lis2dux12), 8);

ZTEST_SUITE(lis2dux12, NULL, NULL, NULL, NULL, NULL);

static uint8_t *word(unsigned int i)
{
	return bench.data + sizeof(struct lis2dux12_fifo_data) + i * 7;
}

static struct lis2dux12_fifo_data *begin(unsigned int n_words, uint8_t mode, uint8_t range)
{
	struct lis2dux12_fifo_data *data = (struct lis2dux12_fifo_data *)bench.data;

	bench_begin(128, false);
	memset(bench.data, 0, bench.bytes);
	data->header.is_fifo = 1;
	data->header.range = range & 3;
	data->header.timestamp = 123456789;
	data->header.int_status = STATUS_WATERMARK;
	data->fifo_count = n_words & 0x7f;
	data->fifo_mode_sel = mode & 3;
	data->accel_odr = LIS2DUX12_DT_ODR_100Hz;
	return data;
}

/* x, y, z of a sample. */
static int32_t code_of(uint32_t sample, unsigned int axis)
{
	const uint32_t codes[] = {sample, sample * 3, ~sample};

	return (int16_t)codes[axis];
}

static void put16(unsigned int i, uint32_t sample)
{
	word(i)[0] = LIS2DUXXX_XL_TEMP_TAG << 3;
	for (unsigned int axis = 0; axis < EMLEARN_AXES; axis++) {
		bench_put_le16(word(i) + 1 + 2 * axis, code_of(sample, axis));
	}
}

/* 12 bits each, one after the other from the lowest bit on; a temperature at the end. */
static void put12(unsigned int i, uint32_t sample)
{
	const uint32_t x = (uint32_t)code_of(sample, 0) >> 4 & 0xfff;
	const uint32_t y = (uint32_t)code_of(sample, 1) >> 4 & 0xfff;
	const uint32_t z = (uint32_t)code_of(sample, 2) >> 4 & 0xfff;
	const uint64_t bits = x | y << 12 | (uint64_t)z << 24 | UINT64_C(0x5a3) << 36;

	word(i)[0] = LIS2DUXXX_XL_TEMP_TAG << 3;
	for (unsigned int byte = 0; byte < 6; byte++) {
		word(i)[1 + byte] = (uint8_t)(bits >> (8 * byte));
	}
}

ZTEST(lis2dux12, test_all_codes_of_each_range_are_recovered)
{
	for (uint8_t range = 0; range < 4; range++) {
		for (uint32_t code = 0; code < 65536; code += 8) {
			(void)begin(8, 1, range);
			for (unsigned int i = 0; i < 8; i++) {
				put16(i, code + i);
			}
			bench_take(&lis2dux12, EMLEARN_SENSOR_ACC);
			zassert_equal(bench.n_frames, 8);
			for (unsigned int i = 0; i < 8 * EMLEARN_AXES; i++) {
				zassert_equal(bench.frames[i / 3].acc[i % 3], code_of(code + i / 3, i % 3),
					      "range %u, code %u", range, code);
			}
		}
	}
}

ZTEST(lis2dux12, test_codes_of_12_bits_are_the_upper_ones_of_16)
{
	for (uint32_t code = 0; code < 65536; code += 8) {
		(void)begin(8, 0, LIS2DUX12_DT_FS_2G);
		for (unsigned int i = 0; i < 8; i++) {
			put12(i, code + i);
		}
		bench_take(&lis2dux12, EMLEARN_SENSOR_ACC);
		zassert_equal(bench.n_frames, 8);
		for (unsigned int i = 0; i < 8 * EMLEARN_AXES; i++) {
			zassert_equal(bench.frames[i / 3].acc[i % 3], code_of(code + i / 3, i % 3) & ~15,
				      "code %u, axis %u", code + i / 3, i % 3);
		}
	}
}

ZTEST(lis2dux12, test_a_word_of_another_kind_is_left_out)
{
	(void)begin(8, 1, LIS2DUX12_DT_FS_4G);
	for (unsigned int i = 0; i < 8; i++) {
		put16(i, 50 + i);
	}
	word(3)[0] = LIS2DUXXX_TIMESTAMP_TAG << 3;
	bench_take(&lis2dux12, EMLEARN_SENSOR_ACC);
	zassert_equal(bench.n_frames, 7);
	zassert_equal(bench.block.n_odd, 1);
	zassert_true(bench.frames[3].after_break);
	zassert_equal(bench.frames[3].acc[0], 54);
}

ZTEST(lis2dux12, test_a_block_says_what_the_interrupt_was)
{
	begin(9, 1, 0)->header.int_status = STATUS_WATERMARK | STATUS_FULL;
	for (unsigned int i = 0; i < 9; i++) {
		put16(i, i);
	}
	bench_take(&lis2dux12, EMLEARN_SENSOR_ACC);
	zassert_true(bench.block.is_watermark);
	zassert_true(bench.block.is_full);
	zassert_equal(bench.block.taken_ns, 123456789);
	zassert_equal(bench.block.n_behind, -1);
}

ZTEST(lis2dux12, test_a_model_that_wants_a_gyroscope_is_refused)
{
	zassert_equal(bench_prepare(&lis2dux12, EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO), -ENOTSUP);
}

/* The driver hands out such a block too; the reader gives it memory that is zero. */
ZTEST(lis2dux12, test_a_transfer_that_failed_makes_no_frames)
{
	(void)begin(8, 1, 0);
	bench_take(&lis2dux12, EMLEARN_SENSOR_ACC);
	zassert_equal(bench.n_frames, 0);
	zassert_true(bench.block.n_odd > 0);
}
