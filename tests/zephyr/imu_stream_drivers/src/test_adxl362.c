/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <string.h>

#include <adxl362.h>
#include <zephyr/ztest.h>

#define STATUS_WATERMARK 0x04
#define STATUS_OVERRUN 0x08

EMLEARN_IMU_READER_STREAM_DEFINE(adxl362, DT_NODELABEL(adxl362), 8);

ZTEST_SUITE(adxl362, NULL, NULL, NULL, NULL, NULL);

static uint8_t *entry(unsigned int i)
{
	return bench.data + sizeof(struct adxl362_fifo_data) + i * 2;
}

static struct adxl362_fifo_data *begin(unsigned int n_entries, uint8_t range)
{
	struct adxl362_fifo_data *data = (struct adxl362_fifo_data *)bench.data;

	/* What the driver does not set is left as the memory was. */
	bench_begin(128, false);
	data->is_fifo = 1;
	data->has_tmp = 1;
	data->selected_range = range & 7;
	data->int_status = STATUS_WATERMARK;
	data->fifo_byte_count = (uint16_t)(2 * n_entries);
	data->timestamp = 123456789;
	return data;
}

/* 12 bits. */
static int32_t code_of(uint32_t sample, unsigned int axis)
{
	const uint32_t codes[] = {sample, sample * 3, ~sample};

	return (int32_t)((codes[axis] & 0xfff) ^ 0x800) - 0x800;
}

/* Two bits for what it is, two of sign, 12 of the code. */
static void put(unsigned int frame, uint32_t sample)
{
	for (unsigned int axis = 0; axis < EMLEARN_AXES; axis++) {
		bench_put_le16(entry(4 * frame + axis), (int32_t)(axis << 14) | (code_of(sample, axis) & 0x3fff));
	}
	bench_put_le16(entry(4 * frame + 3), 0xc000 | 0x123);
}

ZTEST(adxl362, test_all_codes_of_each_range_are_recovered)
{
	for (uint8_t range = 0; range < 3; range++) {
		for (uint32_t code = 0; code < 4096; code += 8) {
			(void)begin(32, range);
			for (unsigned int i = 0; i < 8; i++) {
				put(i, code + i);
			}
			bench_take(&adxl362, EMLEARN_SENSOR_ACC);
			zassert_equal(bench.n_frames, 8);
			for (unsigned int i = 0; i < 8 * EMLEARN_AXES; i++) {
				zassert_equal(bench.frames[i / 3].acc[i % 3], code_of(code + i / 3, i % 3),
					      "range %u, code %u", range, code);
			}
		}
	}
}

ZTEST(adxl362, test_axes_are_told_apart_after_an_entry_was_lost)
{
	(void)begin(31, ADXL362_RANGE_2G);
	for (unsigned int i = 0; i < 8; i++) {
		put(i, 100 + i);
	}
	/* y of the third frame. */
	memmove(entry(9), entry(10), 22 * 2);
	bench_take(&adxl362, EMLEARN_SENSOR_ACC);
	zassert_equal(bench.n_frames, 7);
	zassert_equal(bench.block.n_odd, 3);
	for (unsigned int i = 0; i < 7; i++) {
		zassert_equal(bench.frames[i].acc[0], code_of(i < 2 ? 100 + i : 101 + i, 0));
		zassert_equal(bench.frames[i].after_break, i == 2);
	}
}

ZTEST(adxl362, test_a_block_says_what_the_interrupt_was)
{
	begin(36, 0)->int_status = STATUS_WATERMARK | STATUS_OVERRUN;
	for (unsigned int i = 0; i < 9; i++) {
		put(i, i);
	}
	bench_take(&adxl362, EMLEARN_SENSOR_ACC);
	zassert_true(bench.block.is_watermark);
	zassert_true(bench.block.is_full);
	zassert_equal(bench.block.taken_ns, 123456789);
	zassert_equal(bench.block.n_behind, -1);
}

ZTEST(adxl362, test_a_model_that_wants_a_gyroscope_is_refused)
{
	zassert_equal(bench_prepare(&adxl362, EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO), -ENOTSUP);
}

/* The driver hands out such a block too; the reader gives it memory that is zero. */
ZTEST(adxl362, test_a_transfer_that_failed_makes_no_frames)
{
	struct adxl362_fifo_data *data = begin(32, 0);

	memset(data + 1, 0, 64);
	bench_take(&adxl362, EMLEARN_SENSOR_ACC);
	zassert_equal(bench.n_frames, 0);
	zassert_true(bench.block.n_odd > 0);
}
