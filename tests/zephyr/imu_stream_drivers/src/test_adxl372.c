/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <string.h>

#include <adxl372.h>
#include <zephyr/ztest.h>

#define STATUS_WATERMARK 0x04
#define STATUS_OVERRUN 0x08

EMLEARN_IMU_READER_STREAM_DEFINE(adxl372, DT_NODELABEL(adxl372), 8);

ZTEST_SUITE(adxl372, NULL, NULL, NULL, NULL, NULL);

static uint8_t *entry(unsigned int i)
{
	return bench.data + sizeof(struct adxl372_fifo_data) + i * 2;
}

static struct adxl372_fifo_data *begin(unsigned int n_entries)
{
	struct adxl372_fifo_data *data = (struct adxl372_fifo_data *)bench.data;

	bench_begin(128, false);
	memset(data, 0, sizeof(*data));
	data->is_fifo = 1;
	data->sample_set_size = 6;
	data->has_x = 1;
	data->has_y = 1;
	data->has_z = 1;
	data->int_status = STATUS_WATERMARK;
	data->fifo_byte_count = 2 * n_entries & 0xfff;
	data->timestamp = 123456789;
	return data;
}

/* 12 bits. */
static int32_t code_of(uint32_t sample, unsigned int axis)
{
	const uint32_t codes[] = {sample, sample * 3, ~sample};

	return (int32_t)((codes[axis] & 0xfff) ^ 0x800) - 0x800;
}

/* 12 bits, highest byte first; the lowest bit of an entry marks x. */
static void put(unsigned int frame, uint32_t sample)
{
	for (unsigned int axis = 0; axis < EMLEARN_AXES; axis++) {
		const uint32_t code = (uint32_t)code_of(sample, axis);

		entry(3 * frame + axis)[0] = (uint8_t)(code >> 4);
		entry(3 * frame + axis)[1] = (uint8_t)((code & 15) << 4 | (axis == 0 ? 1 : 0));
	}
}

ZTEST(adxl372, test_all_codes_are_recovered)
{
	for (uint32_t code = 0; code < 4096; code += 8) {
		(void)begin(24);
		for (unsigned int i = 0; i < 8; i++) {
			put(i, code + i);
		}
		bench_take(&adxl372, EMLEARN_SENSOR_ACC);
		zassert_equal(bench.n_frames, 8);
		for (unsigned int i = 0; i < 8 * EMLEARN_AXES; i++) {
			zassert_equal(bench.frames[i / 3].acc[i % 3], code_of(code + i / 3, i % 3), "code %u", code);
		}
	}
}

ZTEST(adxl372, test_axes_are_told_apart_after_an_entry_was_lost)
{
	(void)begin(23);
	for (unsigned int i = 0; i < 8; i++) {
		put(i, 100 + i);
	}
	/* z of the third frame. */
	memmove(entry(8), entry(9), 15 * 2);
	bench_take(&adxl372, EMLEARN_SENSOR_ACC);
	zassert_equal(bench.n_frames, 7);
	zassert_equal(bench.block.n_odd, 2);
	for (unsigned int i = 0; i < 7; i++) {
		zassert_equal(bench.frames[i].acc[0], code_of(i < 2 ? 100 + i : 101 + i, 0));
		zassert_equal(bench.frames[i].after_break, i == 2);
	}
}

ZTEST(adxl372, test_a_block_says_what_the_interrupt_was)
{
	begin(21)->int_status = STATUS_WATERMARK | STATUS_OVERRUN;
	for (unsigned int i = 0; i < 7; i++) {
		put(i, i);
	}
	bench_take(&adxl372, EMLEARN_SENSOR_ACC);
	zassert_true(bench.block.is_watermark);
	zassert_true(bench.block.is_full);
	zassert_equal(bench.block.taken_ns, 123456789);
	/* The eighth frame is left in the FIFO. */
	zassert_equal(bench.block.n_behind, 1);
}

ZTEST(adxl372, test_a_model_that_wants_a_gyroscope_is_refused)
{
	zassert_equal(bench_prepare(&adxl372, EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO), -ENOTSUP);
}

/* The driver hands out such a block too; the reader gives it memory that is zero. */
ZTEST(adxl372, test_a_transfer_that_failed_makes_no_frames)
{
	struct adxl372_fifo_data *data = begin(24);

	memset(data + 1, 0, 48);
	bench_take(&adxl372, EMLEARN_SENSOR_ACC);
	zassert_equal(bench.n_frames, 0);
	zassert_true(bench.block.n_odd > 0);
}
