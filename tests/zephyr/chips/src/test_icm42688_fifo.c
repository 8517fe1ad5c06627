/* SPDX-License-Identifier: Apache-2.0 */
/* The FIFO of the model of icm42688, by its registers. */
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/ztest.h>

#include "icm42688_chip.h"
#include "sources.h"

#define PACKETS_16 (FIFO_BYTES / PACKET_16)
#define PACKETS_20 (FIFO_BYTES / PACKET_20)

ZTEST(icm42688_fifo, test_packets_of_both_sensors_hold_the_frames_in_order)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	zassert_equal(icm_fifo_count(), 0);
	k_sleep(FRAMES_100(10));
	zassert_equal(icm_fifo_count(), 10 * PACKET_16);
	icm_check_fifo(0, 4);
	zassert_equal(icm_fifo_count(), 6 * PACKET_16);
	icm_check_fifo(4, 6);
	zassert_equal(icm_counts().n_stored, 10);
}

ZTEST(icm42688_fifo, test_an_empty_fifo_reads_as_an_empty_header)
{
	uint8_t bytes[4];

	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	zassert_ok(chip_read(&icm, FIFO_DATA, bytes, sizeof(bytes)));
	zassert_equal(bytes[0], 0x80);
}

ZTEST(icm42688_fifo, test_packets_of_one_sensor_have_8_bytes)
{
	static const struct {
		uint8_t config1;
		uint8_t power;
		uint8_t header;
		unsigned int first;
	} cases[] = {
		{0x05, 0x0f, 0x40, 0},
		{0x06, 0x0f, 0x20, 3},
		{FIFO_OF_BOTH, 0x03, 0x40, 0},
		{FIFO_OF_BOTH, 0x0c, 0x20, 3},
	};

	ARRAY_FOR_EACH(cases, i)
	{
		uint8_t packet[8];

		icm_set_up(ODR_100_HZ, &icm_source);
		chip_set(&icm, PWR_MGMT0, cases[i].power);
		icm_fifo_on(FIFO_STREAM_MODE, cases[i].config1, 0);
		k_sleep(FRAMES_100(3));
		zassert_equal(icm_fifo_count(), 3 * sizeof(packet));
		for (uint32_t number = 0; number < 3; number++) {
			zassert_ok(chip_read(&icm, FIFO_DATA, packet, sizeof(packet)));
			zassert_equal(packet[0], cases[i].header);
			for (unsigned int k = 0; k < 3; k++) {
				zassert_equal((int16_t)sys_get_be16(&packet[1 + 2 * k]),
					      COUNT_OF(number, cases[i].first + k));
			}
			zassert_equal(packet[7], 0, "25 degrees");
		}
	}
}

ZTEST(icm42688_fifo, test_without_sensors_nothing_is_stored)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fifo_on(FIFO_STREAM_MODE, 0x0c, 0);
	k_sleep(FRAMES_100(3));
	zassert_equal(icm_fifo_count(), 0);
}

/* The 20 bits of a channel of a packet in high resolution. */
static int32_t code_20(const uint8_t *packet, unsigned int channel)
{
	uint32_t high = sys_get_be16(&packet[1 + 2 * channel]);
	uint8_t low = packet[17 + channel % 3];

	high = high << 4 | (channel < 3 ? low >> 4 : low & 0x0f);
	return (int32_t)(high << 12) >> 12;
}

ZTEST(icm42688_fifo, test_packets_in_high_resolution_have_18_and_19_bits_of_the_largest_ranges_left_in_20)
{
	struct emlearn_source source = icm_source;
	struct emlearn_imu_step acc;
	struct emlearn_imu_step gyro;
	uint8_t packet[PACKET_20];

	source.acc_step = (struct emlearn_imu_step){1, 8192};
	source.gyro_step = (struct emlearn_imu_step){10, 1312};
	icm_set_up(ODR_100_HZ, &source);
	chip_set(&icm, ACCEL_CONFIG0, 3 << 5 | ODR_100_HZ); /* 2 g and 250 dps, which is of no effect here */
	chip_set(&icm, GYRO_CONFIG0, 3 << 5 | ODR_100_HZ);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH | FIFO_HIRES, 0);
	k_sleep(FRAMES_100(5));
	zassert_equal(icm_fifo_count(), 5 * PACKET_20);
	for (uint32_t number = 0; number < 5; number++) {
		struct emlearn_chip_frame truth;

		zassert_ok(chip_read(&icm, FIFO_DATA, packet, sizeof(packet)));
		zassert_ok(emlearn_chip_truth(icm.dev, number, &truth));
		zassert_equal(packet[0], 0x78);
		for (unsigned int k = 0; k < EMLEARN_CHIP_CHANNELS; k++) {
			zassert_equal(code_20(packet, k), COUNT_OF(number, k) * (k < 3 ? 4 : 2));
			zassert_equal(truth.codes[k], COUNT_OF(number, k));
		}
		zassert_equal(sys_get_be16(&packet[13]), 0, "25 degrees");
	}
	emlearn_chip_steps(icm.dev, &acc, &gyro);
	zassert_equal(acc.num * 8192u, acc.den);
	zassert_equal(gyro.num * 1312u, gyro.den * 10u);
}

ZTEST(icm42688_fifo, test_high_resolution_ends_where_the_largest_ranges_do)
{
	struct emlearn_source source = constant_source;
	uint8_t packet[PACKET_20];

	source.acc_step = (struct emlearn_imu_step){1, 1024};
	source.gyro_step = (struct emlearn_imu_step){1, 8};
	set_constant(INT16_MAX);
	icm_set_up(ODR_100_HZ, &source);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH | FIFO_HIRES, 0);
	k_sleep(FRAMES_100(1));
	zassert_ok(chip_read(&icm, FIFO_DATA, packet, sizeof(packet)));
	zassert_equal(code_20(packet, 0), 524284);
	zassert_equal(code_20(packet, 3), 524286);
	set_constant(INT16_MIN);
	k_sleep(FRAMES_100(1));
	zassert_ok(chip_read(&icm, FIFO_DATA, packet, sizeof(packet)));
	zassert_equal(code_20(packet, 0), -524256);
	zassert_equal(code_20(packet, 3), -524256);
}

ZTEST(icm42688_fifo, test_time_stamps_count_30_in_32_us_on_the_clock_of_the_chip)
{
	static const struct {
		uint8_t config1;
		unsigned int at;
		unsigned int size;
	} kinds[] = {{FIFO_OF_BOTH, 14, PACKET_16}, {FIFO_OF_BOTH | FIFO_HIRES, 15, PACKET_20}};

	ARRAY_FOR_EACH(kinds, i)
	{
		uint8_t bytes[11 * PACKET_20];

		icm_set_up(ODR_100_HZ, &icm_source);
		icm_fault(EMLEARN_FAULT_CLOCK, 0, 1, 30000);
		icm_fifo_on(FIFO_STREAM_MODE, kinds[i].config1, 0);
		k_sleep(FRAMES_100(11));
		zassert_ok(chip_read(&icm, FIFO_DATA, bytes, 11 * kinds[i].size));
		for (unsigned int n = 1; n < 11; n++) {
			uint16_t before = sys_get_be16(&bytes[(n - 1) * kinds[i].size + kinds[i].at]);
			uint16_t stamp = sys_get_be16(&bytes[n * kinds[i].size + kinds[i].at]);

			zassert_within((uint16_t)(stamp - before), 9375, 1, "packet %u: %u", n, stamp - before);
		}
	}
}

ZTEST(icm42688_fifo, test_time_stamps_can_have_16_us_or_be_left_out)
{
	uint8_t bytes[2 * PACKET_16];

	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, TMST_CONFIG, 0x29);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	k_sleep(FRAMES_100(2));
	zassert_ok(chip_read(&icm, FIFO_DATA, bytes, sizeof(bytes)));
	zassert_within((uint16_t)(sys_get_be16(&bytes[30]) - sys_get_be16(&bytes[14])), 586, 1);

	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, TMST_CONFIG, 0x22);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	k_sleep(FRAMES_100(1));
	zassert_ok(chip_read(&icm, FIFO_DATA, bytes, PACKET_16));
	zassert_equal(bytes[0], 0x60);
	zassert_equal(sys_get_be16(&bytes[14]), 0);
}

ZTEST(icm42688_fifo, test_the_count_is_in_bytes_or_packets_of_either_byte_order)
{
	uint8_t bytes[2];

	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	k_sleep(FRAMES_100(20));
	zassert_equal(icm_fifo_count(), 320);
	chip_set(&icm, INTF_CONFIG0, 0x10);
	zassert_ok(chip_read(&icm, FIFO_COUNTH, bytes, sizeof(bytes)));
	zassert_equal(sys_get_le16(bytes), 320);
	chip_set(&icm, INTF_CONFIG0, 0x70);
	zassert_equal(icm_fifo_count(), 20);
}

ZTEST(icm42688_fifo, test_packets_can_be_little_endian)
{
	uint8_t packet[PACKET_16];

	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INTF_CONFIG0, 0x20);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	k_sleep(FRAMES_100(1));
	zassert_ok(chip_read(&icm, FIFO_DATA, packet, sizeof(packet)));
	zassert_equal((int16_t)sys_get_le16(&packet[1]), COUNT_OF(0, 0));
	zassert_equal((int16_t)sys_get_le16(&packet[11]), COUNT_OF(0, 5));
}

ZTEST(icm42688_fifo, test_the_watermark_tells_once_as_the_count_comes_to_it)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INT_SOURCE0, STATUS_FIFO_THS);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 4 * PACKET_16);
	k_sleep(FRAMES_100(3));
	zassert_equal(chip_get(&icm, INT_STATUS) & STATUS_FIFO_THS, 0);
	zassert_equal(icm_edges(INT1_PIN, false), 0);
	k_sleep(FRAMES_100(1));
	zassert_equal(icm_edges(INT1_PIN, false), 1);
	zassert_equal(chip_get(&icm, INT_STATUS) & STATUS_FIFO_THS, STATUS_FIFO_THS);
	k_sleep(FRAMES_100(10));
	zassert_equal(icm_edges(INT1_PIN, false), 1);
	zassert_equal(chip_get(&icm, INT_STATUS) & STATUS_FIFO_THS, 0);
	icm_check_fifo(0, 11);
	k_sleep(FRAMES_100(1));
	zassert_equal(icm_edges(INT1_PIN, false), 2, "3 are left, and one came");
}

ZTEST(icm42688_fifo, test_the_watermark_can_tell_with_every_packet)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INT_SOURCE0, STATUS_FIFO_THS);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH | FIFO_WM_GT_TH, 4 * PACKET_16);
	k_sleep(FRAMES_100(10));
	zassert_equal(icm_edges(INT1_PIN, false), 7);
}

ZTEST(icm42688_fifo, test_the_watermark_is_in_packets_where_the_count_is)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INTF_CONFIG0, 0x70);
	chip_set(&icm, INT_SOURCE0, STATUS_FIFO_THS);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 5);
	k_sleep(FRAMES_100(4));
	zassert_equal(icm_edges(INT1_PIN, false), 0);
	k_sleep(FRAMES_100(1));
	zassert_equal(icm_edges(INT1_PIN, false), 1);
}

ZTEST(icm42688_fifo, test_a_watermark_within_a_packet_is_crossed_by_it)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INT_SOURCE0, STATUS_FIFO_THS);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 70);
	k_sleep(FRAMES_100(4));
	zassert_equal(icm_edges(INT1_PIN, false), 0);
	k_sleep(FRAMES_100(1));
	zassert_equal(icm_edges(INT1_PIN, false), 1);
}

ZTEST(icm42688_fifo, test_no_watermark_is_no_interrupt)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INT_SOURCE0, STATUS_FIFO_THS);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH | FIFO_WM_GT_TH, 0);
	k_sleep(FRAMES_100(10));
	zassert_equal(icm_edges(INT1_PIN, false), 0);
}

ZTEST(icm42688_fifo, test_a_latched_watermark_can_be_cleared_by_the_data)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INT_CONFIG, 0x07);
	chip_set(&icm, INT_CONFIG0, 0x08);
	chip_set(&icm, INT_SOURCE0, STATUS_FIFO_THS);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 4 * PACKET_16);
	k_sleep(FRAMES_100(5));
	zassert_equal(icm_pin_level(INT1_PIN), 1);
	(void)chip_get(&icm, INT_STATUS);
	zassert_equal(icm_pin_level(INT1_PIN), 1);
	icm_check_fifo(0, 1);
	zassert_equal(icm_pin_level(INT1_PIN), 0);
}

ZTEST(icm42688_fifo, test_a_stream_drops_its_oldest_packets_whole)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	k_sleep(FRAMES_100(PACKETS_16 - 1));
	zassert_equal(chip_get(&icm, INT_STATUS) & STATUS_FIFO_FULL, 0);
	k_sleep(FRAMES_100(1));
	zassert_equal(chip_get(&icm, INT_STATUS) & STATUS_FIFO_FULL, STATUS_FIFO_FULL);
	zassert_equal(icm_counts().n_overwritten, 0);
	k_sleep(FRAMES_100(50));
	zassert_equal(icm_fifo_count(), FIFO_BYTES);
	zassert_equal(icm_counts().n_overwritten, 50);
	icm_check_fifo(50, PACKETS_16);

	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH | FIFO_HIRES, 0);
	k_sleep(FRAMES_100(150));
	zassert_equal(icm_fifo_count(), PACKETS_20 * PACKET_20, "which is not all of its bytes");
	zassert_equal(icm_counts().n_overwritten, 150 - PACKETS_20);
}

ZTEST(icm42688_fifo, test_a_full_fifo_can_stop_instead)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fifo_on(FIFO_STOP_ON_FULL_MODE, FIFO_OF_BOTH, 0);
	k_sleep(FRAMES_100(150));
	zassert_equal(icm_counts().n_stored, PACKETS_16);
	zassert_equal(icm_counts().n_overwritten, 0);
	icm_check_fifo(0, PACKETS_16);
}

ZTEST(icm42688_fifo, test_a_full_fifo_tells_by_the_pin)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INT_SOURCE0, STATUS_FIFO_FULL);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	k_sleep(FRAMES_100(PACKETS_16 + 2));
	zassert_equal(icm_edges(INT1_PIN, false), 3);
}

ZTEST(icm42688_fifo, test_a_flush_empties_it_and_the_frames_go_on)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	k_sleep(FRAMES_100(3));
	icm_check_fifo(0, 1);
	chip_set(&icm, SIGNAL_PATH_RESET, FIFO_FLUSH);
	zassert_equal(icm_fifo_count(), 0);
	zassert_equal(chip_get(&icm, SIGNAL_PATH_RESET), 0);
	k_sleep(FRAMES_100(1));
	icm_check_fifo(3, 1);
}

ZTEST(icm42688_fifo, test_bypass_empties_it_and_stores_nothing)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	k_sleep(FRAMES_100(3));
	icm_check_fifo(0, 1);
	chip_set(&icm, FIFO_CONFIG, FIFO_BYPASS_MODE);
	k_sleep(FRAMES_100(3));
	zassert_equal(icm_fifo_count(), 0);
	chip_set(&icm, FIFO_CONFIG, FIFO_STREAM_MODE);
	k_sleep(FRAMES_100(1));
	icm_check_fifo(6, 1);
}

ZTEST(icm42688_fifo, test_sampling_begins_anew_until_something_is_read)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	k_sleep(FRAMES_100(3));
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	k_sleep(FRAMES_100(2));
	icm_check_fifo(0, 2);
}

ZTEST(icm42688_fifo, test_a_packet_that_was_read_in_part_comes_again)
{
	uint8_t bytes[PACKET_16 + 5];

	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH, 0);
	k_sleep(FRAMES_100(3));
	zassert_ok(chip_read(&icm, FIFO_DATA, bytes, sizeof(bytes)));
	icm_check_packet(bytes, 0);
	zassert_equal(icm_fifo_count(), 2 * PACKET_16);
	icm_check_fifo(1, 2);
}

ZTEST(icm42688_fifo, test_reading_in_part_can_be_resumed)
{
	uint8_t bytes[2 * PACKET_16];

	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fifo_on(FIFO_STREAM_MODE, FIFO_OF_BOTH | FIFO_RESUME_PARTIAL, 0);
	k_sleep(FRAMES_100(2));
	zassert_ok(chip_read(&icm, FIFO_DATA, bytes, 5));
	k_sleep(FRAMES_100(1));
	zassert_ok(chip_read(&icm, FIFO_DATA, bytes + 5, 20));
	zassert_ok(chip_read(&icm, FIFO_DATA, bytes + 25, 7));
	icm_check_packet(bytes, 0);
	icm_check_packet(bytes + PACKET_16, 1);
}

ZTEST_SUITE(icm42688_fifo, NULL, NULL, NULL, NULL, NULL);
