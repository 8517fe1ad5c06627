/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <string.h>

#include <bmi08x.h>
#include <zephyr/ztest.h>

EMLEARN_IMU_READER_STREAM_DEFINE(bmi08x, DT_NODELABEL(bmi08x), 8);

ZTEST_SUITE(bmi08x, NULL, NULL, NULL, NULL, NULL);

static uint8_t *fifo;

/* The driver always reads a frame more than the watermark; behind its end an empty FIFO says so. */
static struct bmi08x_accel_encoded_data *begin(uint8_t chip, uint8_t range)
{
	struct bmi08x_accel_encoded_data *data = (struct bmi08x_accel_encoded_data *)bench.data;

	bench_begin(128, false);
	memset(&data->header, 0, sizeof(data->header));
	data->header.timestamp = 123456789;
	data->header.chip_id = chip;
	data->header.range = range;
	data->header.has_accel = true;
	data->header.is_streaming = true;
	data->header.sample_count = 8;
	data->header.buf_len = 9 * 7;
	data->header.fifo_len = 8 * 7;
	fifo = data->fifo;
	for (unsigned int i = 0; i < 9 * 7; i++) {
		fifo[i] = i % 2 == 0 ? 0x80 : 0;
	}
	return data;
}

static int32_t code_of(uint32_t sample, unsigned int axis)
{
	const uint32_t codes[] = {sample, sample * 3, ~sample};

	return (int16_t)codes[axis];
}

static void put(uint32_t sample)
{
	/* Two bits of interrupt inputs. */
	fifo[0] = (uint8_t)(0x84 | (sample & 3));
	for (unsigned int axis = 0; axis < EMLEARN_AXES; axis++) {
		bench_put_le16(fifo + 1 + 2 * axis, code_of(sample, axis));
	}
	fifo += 7;
}

ZTEST(bmi08x, test_all_codes_of_each_range_and_chip_are_recovered)
{
	for (uint8_t range = 0; range < 8; range++) {
		for (uint32_t code = 0; code < 65536; code += 8) {
			(void)begin(range < 4 ? BMI085_ACCEL_CHIP_ID : BMI088_ACCEL_CHIP_ID, range & 3);
			for (unsigned int i = 0; i < 8; i++) {
				put(code + i);
			}
			bench_take(&bmi08x, EMLEARN_SENSOR_ACC);
			zassert_equal(bench.n_frames, 8);
			for (unsigned int i = 0; i < 8 * EMLEARN_AXES; i++) {
				zassert_equal(bench.frames[i / 3].acc[i % 3], code_of(code + i / 3, i % 3),
					      "range %u, code %u", range, code);
			}
		}
	}
}

ZTEST(bmi08x, test_packets_between_frames_are_no_gaps)
{
	(void)begin(BMI088_ACCEL_CHIP_ID, 0);
	put(10);
	put(11);
	/* Configuration has changed. */
	*fifo++ = 0x48;
	*fifo++ = 0x01;
	put(12);
	/* The chip's time. */
	memcpy(fifo, (uint8_t[]){0x44, 1, 2, 3}, 4);
	fifo += 4;
	put(13);
	*fifo = 0x80;
	bench_take(&bmi08x, EMLEARN_SENSOR_ACC);
	zassert_equal(bench.n_frames, 4);
	zassert_equal(bench.block.n_odd, 0);
	for (unsigned int i = 0; i < 4; i++) {
		zassert_equal(bench.frames[i].acc[0], 10 + (int)i);
		zassert_false(bench.frames[i].after_break);
	}
}

ZTEST(bmi08x, test_overwritten_frames_are_an_overrun)
{
	(void)begin(BMI088_ACCEL_CHIP_ID, 0);
	*fifo++ = 0x40;
	*fifo++ = 5;
	put(10);
	*fifo = 0x80;
	bench_take(&bmi08x, EMLEARN_SENSOR_ACC);
	zassert_true(bench.block.is_full);
}

ZTEST(bmi08x, test_a_frame_cut_off_at_the_end_is_left_to_the_next_block)
{
	struct bmi08x_accel_encoded_data *data = begin(BMI088_ACCEL_CHIP_ID, 0);

	for (unsigned int i = 0; i < 9; i++) {
		put(i);
	}
	data->header.buf_len = 9 * 7 - 3;
	bench_take(&bmi08x, EMLEARN_SENSOR_ACC);
	zassert_equal(bench.n_frames, 8);
	zassert_equal(bench.block.n_odd, 0);
}

ZTEST(bmi08x, test_what_follows_an_unknown_packet_is_not_taken_for_frames)
{
	(void)begin(BMI088_ACCEL_CHIP_ID, 0);
	put(10);
	*fifo++ = 0x13;
	put(11);
	bench_take(&bmi08x, EMLEARN_SENSOR_ACC);
	zassert_equal(bench.n_frames, 1);
	zassert_equal(bench.block.n_odd, 1);
}

ZTEST(bmi08x, test_a_block_says_what_the_interrupt_was)
{
	begin(BMI088_ACCEL_CHIP_ID, 0)->header.fifo_len = 7 * 7;
	put(1);
	bench_take(&bmi08x, EMLEARN_SENSOR_ACC);
	zassert_false(bench.block.is_watermark);
	zassert_false(bench.block.is_full);
	zassert_equal(bench.block.taken_ns, 123456789);
}

ZTEST(bmi08x, test_a_model_that_wants_a_gyroscope_is_refused)
{
	zassert_equal(bench_prepare(&bmi08x, EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO), -ENOTSUP);
}
