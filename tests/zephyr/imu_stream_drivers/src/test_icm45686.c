/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <string.h>

#include <icm45686.h>
#include <icm45686_reg.h>
#include <zephyr/ztest.h>

#define BOTH (EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO)
#define WHOLE (1 << 20)

EMLEARN_IMU_READER_STREAM_DEFINE(icm45686, DT_NODELABEL(icm45686), 8);

ZTEST_SUITE(icm45686, NULL, NULL, NULL, NULL, NULL);

static int32_t signed20(uint32_t code)
{
	return (int32_t)((code & (WHOLE - 1u)) ^ (WHOLE / 2u)) - WHOLE / 2;
}

/* The chip has no code whose upper 16 bits are the lowest number: that says that there is none. */
static int32_t some(uint32_t code)
{
	return signed20(code) < -WHOLE / 2 + 16 ? 0 : signed20(code);
}

static uint8_t *packet(unsigned int i)
{
	return bench.data + offsetof(struct icm45686_encoded_data, fifo_payload) + i * 20;
}

static void put(unsigned int i, const int32_t acc[EMLEARN_AXES], const int32_t gyro[EMLEARN_AXES])
{
	memset(packet(i), 0, 20);
	packet(i)[0] = 0x78;
	for (unsigned int axis = 0; axis < EMLEARN_AXES; axis++) {
		bench_put_le16(packet(i) + 1 + 2 * axis, acc[axis] >> 4);
		bench_put_le16(packet(i) + 7 + 2 * axis, gyro[axis] >> 4);
		packet(i)[17 + axis] = (uint8_t)((acc[axis] & 15) << 4 | (gyro[axis] & 15));
	}
}

static void begin(unsigned int n, uint8_t events)
{
	struct icm45686_encoded_data *data = (struct icm45686_encoded_data *)bench.data;

	bench_begin(256, false);
	data->header.timestamp = 123456789;
	data->header.events = events;
	data->header.channels = 0x7f;
	data->header.accel_fs = ICM45686_DT_ACCEL_FS_32;
	data->header.gyro_fs = ICM45686_DT_GYRO_FS_4000;
	data->header.fifo_count = (uint16_t)n;
}

static void fill(unsigned int n, uint32_t from)
{
	for (unsigned int i = 0; i < n; i++) {
		const uint32_t code = from + i;

		put(i, (int32_t[]){some(code), some(code * 3), some(~code)},
		    (int32_t[]){some(code * 5), some(~code), some(code)});
	}
}

static void check(unsigned int at, uint32_t code)
{
	const int32_t acc[] = {some(code), some(code * 3), some(~code)};
	const int32_t gyro[] = {some(code * 5), some(~code), some(code)};

	zassert_mem_equal(bench.frames[at].acc, acc, sizeof(acc), "acceleration of code %u", code);
	zassert_mem_equal(bench.frames[at].gyro, gyro, sizeof(gyro), "rotation of code %u", code);
}

ZTEST(icm45686, test_all_codes_of_20_bits_are_recovered)
{
	for (uint32_t code = 0; code < WHOLE; code += 8) {
		begin(8, REG_INT1_STATUS0_FIFO_THS(1));
		fill(8, code);
		bench_take(&icm45686, BOTH);
		zassert_equal(bench.n_frames, 8);
		for (unsigned int i = 0; i < 8; i++) {
			check(i, code + i);
		}
	}
}

ZTEST(icm45686, test_a_block_says_what_the_interrupt_was)
{
	begin(8, REG_INT1_STATUS0_FIFO_THS(1));
	fill(8, 1);
	bench_take(&icm45686, BOTH);
	zassert_true(bench.block.is_watermark);
	zassert_false(bench.block.is_full);
	zassert_equal(bench.block.taken_ns, 123456789);
	zassert_equal(bench.block.n_behind, 1);

	begin(8, REG_INT1_STATUS0_FIFO_THS(1) | REG_INT1_STATUS0_FIFO_FULL(1));
	fill(8, 1);
	bench_take(&icm45686, BOTH);
	zassert_true(bench.block.is_full);
}

ZTEST(icm45686, test_what_makes_no_frame_is_left_out)
{
	begin(8, REG_INT1_STATUS0_FIFO_THS(1));
	fill(8, 1000);
	packet(2)[0] = 0x40;
	/* No code for y of the gyroscope. */
	bench_put_le16(packet(5) + 9, -32768);
	bench_take(&icm45686, BOTH);
	zassert_equal(bench.n_frames, 6);
	zassert_equal(bench.block.n_odd, 2);
	for (unsigned int i = 0; i < 6; i++) {
		const unsigned int from[] = {0, 1, 3, 4, 6, 7};

		check(i, 1000 + from[i]);
		zassert_equal(bench.frames[i].after_break, from[i] == 3 || from[i] == 6);
	}
	zassert_false(bench.ends_after_break);
}

ZTEST(icm45686, test_an_interrupt_without_frames_is_an_empty_block)
{
	begin(8, 0);
	memset(packet(0), 0xff, 8 * 20);
	bench_take(&icm45686, BOTH);
	zassert_equal(bench.n_frames, 0);
	zassert_equal(bench.block.n_odd, 0);
	zassert_false(bench.block.is_watermark);
}

ZTEST(icm45686, test_rate_and_ranges_are_those_of_the_fifo)
{
	zassert_ok(bench_prepare(&icm45686, BOTH));
	zassert_equal(icm45686.reader.rate_mhz, 100000);
}
