/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of the model of icm42688. */
#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/ztest.h>

#include "icm42688_chip.h"
#include "sources.h"

#define WATERMARK_FRAMES 4

static void start(uint8_t config1)
{
	unsigned int size = (config1 & FIFO_HIRES) != 0 ? PACKET_20 : PACKET_16;

	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INT_SOURCE0, STATUS_FIFO_THS);
	icm_fifo_on(FIFO_STREAM_MODE, config1, (uint16_t)(WATERMARK_FRAMES * size));
}

ZTEST(icm42688_faults, test_a_transfer_that_fails_in_a_packet_loses_the_packets_before_it)
{
	uint8_t bytes[3 * PACKET_16];

	start(FIFO_OF_BOTH);
	k_sleep(FRAMES_100(4));
	icm_fault(EMLEARN_FAULT_NACK, 0, 1, 2 * PACKET_16 + 3);
	zassert_equal(chip_read(&icm, FIFO_DATA, bytes, sizeof(bytes)), -EIO);
	icm_check_fifo(2, 2);
}

ZTEST(icm42688_faults, test_a_lost_watermark_does_not_come_again)
{
	start(FIFO_OF_BOTH);
	icm_fault(EMLEARN_FAULT_INT_LOST, 0, 1, 0);
	k_sleep(FRAMES_100(20));
	zassert_equal(icm_edges(INT1_PIN, false), 0);
	icm_check_fifo(0, 20);
	k_sleep(FRAMES_100(4));
	zassert_equal(icm_edges(INT1_PIN, false), 1);
}

ZTEST(icm42688_faults, test_a_spurious_interrupt_has_nothing_behind_it)
{
	start(FIFO_OF_BOTH);
	icm_fault(EMLEARN_FAULT_INT_SPURIOUS, 1, 2, 0);
	k_sleep(FRAMES_100(3));
	zassert_equal(icm_edges(INT1_PIN, false), 2);
	zassert_equal(chip_get(&icm, INT_STATUS), STATUS_DATA_RDY);
}

ZTEST(icm42688_faults, test_a_stuck_pin_has_no_edges_for_its_time)
{
	start(FIFO_OF_BOTH | FIFO_WM_GT_TH);
	icm_fault(EMLEARN_FAULT_INT_STUCK, 0, 1, 100);
	k_sleep(FRAMES_100(9));
	zassert_equal(icm_edges(INT1_PIN, false), 0);
	k_sleep(FRAMES_100(5));
	zassert_between_inclusive(icm_edges(INT1_PIN, false), 4, 5);
}

ZTEST(icm42688_faults, test_a_brown_out_resets_it_in_silence)
{
	start(FIFO_OF_BOTH);
	icm_fault(EMLEARN_FAULT_BROWNOUT, 6, 1, 0);
	k_sleep(FRAMES_100(20));
	zassert_equal(icm_counts().n_made, 6);
	zassert_equal(icm_counts().n_resets, 1);
	zassert_equal(chip_get(&icm, PWR_MGMT0), 0);
	zassert_equal(chip_get(&icm, FIFO_CONFIG), 0);
	zassert_equal(icm_fifo_count(), 0);
	zassert_equal(chip_get(&icm, INT_STATUS), STATUS_RESET_DONE);
	zassert_equal(icm_pin_level(INT1_PIN), 0);
	zassert_equal(icm_edges(INT1_PIN, false), 1, "that of the watermark before");
}

ZTEST(icm42688_faults, test_another_identity_is_read_as_often_as_asked)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	icm_fault(EMLEARN_FAULT_WHO_AM_I, 0, 2, 0x33);
	zassert_equal(chip_get(&icm, ICM_WHO_AM_I), 0x33);
	zassert_equal(chip_get(&icm, ICM_WHO_AM_I), 0x33);
	zassert_equal(chip_get(&icm, ICM_WHO_AM_I), 0x47);
}

ZTEST(icm42688_faults, test_odd_packets_are_in_turn_without_samples_and_empty)
{
	static const uint8_t configs[] = {FIFO_OF_BOTH, FIFO_OF_BOTH | FIFO_HIRES};

	ARRAY_FOR_EACH(configs, i)
	{
		const bool hires = (configs[i] & FIFO_HIRES) != 0;
		const unsigned int size = hires ? PACKET_20 : PACKET_16;
		uint8_t bytes[4 * PACKET_20];
		unsigned int n_empty = 0;
		unsigned int n_invalid = 0;

		start(configs[i]);
		icm_fault(EMLEARN_FAULT_ODD, 0, 2, 0);
		k_sleep(FRAMES_100(2));
		zassert_equal(icm_fifo_count(), 4 * size);
		zassert_ok(chip_read(&icm, FIFO_DATA, bytes, 4 * size));
		for (unsigned int k = 0; k < 4; k += 2) {
			const uint8_t *odd = &bytes[k * size];

			if (odd[0] == 0x80) {
				n_empty++;
				continue;
			}
			zassert_equal(odd[0], hires ? 0x78 : 0x68);
			zassert_equal(sys_get_be16(&odd[1]), 0x8000);
			zassert_equal(sys_get_be16(&odd[11]), 0x8000);
			zassert_true(!hires || (odd[17] == 0 && odd[19] == 0));
			n_invalid++;
		}
		zassert_equal(n_empty, 1);
		zassert_equal(n_invalid, 1);
		zassert_equal((int16_t)sys_get_be16(&bytes[size + 1]), COUNT_OF(0, 0));
		zassert_equal((int16_t)sys_get_be16(&bytes[3 * size + 1]), COUNT_OF(1, 0));
		zassert_equal(icm_counts().n_stored, 2);
	}
}

ZTEST(icm42688_faults, test_frames_are_dropped_repeated_and_clipped)
{
	uint8_t packet[PACKET_16];

	start(FIFO_OF_BOTH);
	icm_fault(EMLEARN_FAULT_DROP, 1, 1, 0);
	icm_fault(EMLEARN_FAULT_REPEAT, 3, 1, 0);
	icm_fault(EMLEARN_FAULT_CLIP, 5, 1, 0);
	k_sleep(FRAMES_100(6));
	zassert_equal(icm_fifo_count(), 6 * PACKET_16);
	icm_check_fifo(0, 1);
	icm_check_fifo(2, 2);
	icm_check_fifo(3, 2);
	zassert_ok(chip_read(&icm, FIFO_DATA, packet, sizeof(packet)));
	for (unsigned int k = 0; k < EMLEARN_CHIP_CHANNELS; k++) {
		zassert_equal((int16_t)sys_get_be16(&packet[1 + 2 * k]), COUNT_OF(5, k) < 0 ? -32766 : 32767);
	}
}

ZTEST(icm42688_faults, test_an_overrun_strikes_before_the_next_transfer)
{
	start(FIFO_OF_BOTH);
	k_sleep(FRAMES_100(2));
	icm_fault(EMLEARN_FAULT_OVERRUN, 0, 1, 0);
	zassert_equal(icm_fifo_count(), FIFO_BYTES);
	zassert_equal(chip_get(&icm, INT_STATUS) & STATUS_FIFO_FULL, STATUS_FIFO_FULL);
	zassert_between_inclusive(icm_counts().n_overwritten, 1, 2);
}

ZTEST(icm42688_faults, test_a_clock_that_is_off_makes_other_frames_in_a_second)
{
	start(FIFO_OF_BOTH);
	icm_fault(EMLEARN_FAULT_CLOCK, 0, 1, -30000);
	k_sleep(K_SECONDS(10));
	zassert_within(icm_counts().n_made, 970, 1);
}

ZTEST_SUITE(icm42688_faults, NULL, NULL, NULL, NULL, NULL);
