/* SPDX-License-Identifier: Apache-2.0 */
/* The model of icm42688 by its registers: identity, banks, output registers, rates and interrupt pins. */
#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/ztest.h>

#include "icm42688_chip.h"
#include "sources.h"

static int16_t get_output(uint8_t address)
{
	uint8_t bytes[2];

	zassert_ok(chip_read(&icm, address, bytes, sizeof(bytes)));
	return (int16_t)sys_get_be16(bytes);
}

ZTEST(icm42688, test_after_a_reset_it_says_so_once_and_holds_what_the_datasheet_says)
{
	static const uint8_t values[][2] = {
		{INT_CONFIG, 0x00},   {FIFO_CONFIG, 0x00},   {INTF_CONFIG0, 0x30}, {PWR_MGMT0, 0x00},
		{GYRO_CONFIG0, 0x06}, {ACCEL_CONFIG0, 0x06}, {TMST_CONFIG, 0x23},  {FIFO_CONFIG1, 0x00},
		{FIFO_CONFIG2, 0x00}, {INT_CONFIG0, 0x00},   {INT_CONFIG1, 0x10},  {INT_SOURCE0, 0x10},
		{ICM_WHO_AM_I, 0x47}, {REG_BANK_SEL, 0x00},
	};

	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INTF_CONFIG0, 0x00);
	chip_set(&icm, DEVICE_CONFIG, 0x01);
	zassert_equal(chip_get(&icm, INT_STATUS), STATUS_RESET_DONE);
	zassert_equal(chip_get(&icm, INT_STATUS), 0);
	ARRAY_FOR_EACH(values, i)
	{
		zassert_equal(chip_get(&icm, values[i][0]), values[i][1], "register %02x", values[i][0]);
	}
	zassert_equal(get_output(ACCEL_DATA_X1), INT16_MIN, "no sample is there yet");
	zassert_equal(icm_counts().n_resets, 1);
}

ZTEST(icm42688, test_registers_of_other_banks_store_and_are_their_own)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	for (uint8_t bank = 1; bank <= 4; bank++) {
		chip_set(&icm, REG_BANK_SEL, bank);
		zassert_equal(chip_get(&icm, REG_BANK_SEL), bank);
		chip_set(&icm, ICM_WHO_AM_I, (uint8_t)(0x90 + bank));
		chip_set(&icm, DEVICE_CONFIG, (uint8_t)(0x90 + bank));
	}
	for (uint8_t bank = 1; bank <= 4; bank++) {
		chip_set(&icm, REG_BANK_SEL, bank);
		zassert_equal(chip_get(&icm, ICM_WHO_AM_I), 0x90 + bank);
		zassert_equal(chip_get(&icm, DEVICE_CONFIG), 0x90 + bank);
	}
	chip_set(&icm, REG_BANK_SEL, 0);
	zassert_equal(chip_get(&icm, ICM_WHO_AM_I), 0x47);
	zassert_equal(chip_get(&icm, PWR_MGMT0), 0x0f, "it was not reset");
}

ZTEST(icm42688, test_what_can_only_be_read_is_not_written)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, ICM_WHO_AM_I, 0x12);
	chip_set(&icm, TEMP_DATA1, 0x12);
	chip_set(&icm, INT_STATUS, 0xff);
	zassert_equal(chip_get(&icm, ICM_WHO_AM_I), 0x47);
	zassert_equal(chip_get(&icm, INT_STATUS), STATUS_DATA_RDY);
	zassert_equal(get_output(TEMP_DATA1), 0, "25 degrees");
}

/* Codes a g, and ten times those a dps, by range: the datasheet's tables of sensitivity. */
static const int codes_per_g[] = {2048, 4096, 8192, 16384};
static const int codes_per_10_dps[] = {164, 328, 655, 1310, 2620, 5243, 10486, 20972};

/* num / den, halves towards plus infinity, as the codes of samples end. */
static int32_t nearest(int64_t num, int64_t den)
{
	int64_t twice = 2 * num + den;
	int64_t down = twice / (2 * den) - (twice < 0 && twice % (2 * den) != 0 ? 1 : 0);

	return (int32_t)CLAMP(down, -32766, 32767);
}

ZTEST(icm42688, test_outputs_are_those_of_the_range_and_end_with_it)
{
	static const int16_t counts[] = {0, 1, -1, 777, -1234, 20000, -20000, INT16_MAX, INT16_MIN};

	ARRAY_FOR_EACH(counts, i)
	{
		set_constant(counts[i]);
		ARRAY_FOR_EACH(codes_per_g, fs)
		{
			int64_t micro = (int64_t)counts[i] * SOURCE_ACC_UG * codes_per_g[fs];

			icm_set_up(ODR_100_HZ, &constant_source);
			chip_set(&icm, ACCEL_CONFIG0, (uint8_t)(fs << 5 | ODR_100_HZ));
			zassert_equal(get_output(ACCEL_DATA_X1 + 2), nearest(micro, 1000000), "count %d, range %zu",
				      counts[i], fs);
		}
		ARRAY_FOR_EACH(codes_per_10_dps, fs)
		{
			int64_t micro = (int64_t)counts[i] * SOURCE_GYRO_UDPS * codes_per_10_dps[fs];

			icm_set_up(ODR_100_HZ, &constant_source);
			chip_set(&icm, GYRO_CONFIG0, (uint8_t)(fs << 5 | ODR_100_HZ));
			zassert_equal(get_output(GYRO_DATA_X1 + 4), nearest(micro, 10000000), "count %d, range %zu",
				      counts[i], fs);
		}
	}
}

ZTEST(icm42688, test_the_codes_that_stand_for_no_sample_are_used_where_the_last_one_is_held)
{
	set_constant(INT16_MIN);
	icm_set_up(ODR_100_HZ, &constant_source);
	chip_set(&icm, ACCEL_CONFIG0, 3 << 5 | ODR_100_HZ);
	zassert_equal(get_output(ACCEL_DATA_X1), -32749, "1.999 g at 2 g");
	set_constant(INT16_MIN);
	icm_set_up(ODR_100_HZ, &constant_source);
	chip_set(&icm, GYRO_CONFIG0, 3 << 5 | ODR_100_HZ);
	zassert_equal(get_output(GYRO_DATA_X1), -32766);
	icm_set_up(ODR_100_HZ, &constant_source);
	chip_set(&icm, GYRO_CONFIG0, 3 << 5 | ODR_100_HZ);
	chip_set(&icm, INTF_CONFIG0, 0xb0);
	zassert_equal(get_output(GYRO_DATA_X1), INT16_MIN);
}

ZTEST(icm42688, test_outputs_can_be_little_endian)
{
	uint8_t bytes[2];

	set_constant(0x1234);
	icm_set_up(ODR_100_HZ, &constant_source);
	chip_set(&icm, ACCEL_CONFIG0, 3 << 5 | ODR_100_HZ);
	chip_set(&icm, INTF_CONFIG0, 0x20);
	zassert_ok(chip_read(&icm, ACCEL_DATA_X1, bytes, sizeof(bytes)));
	zassert_equal((int16_t)sys_get_le16(bytes), nearest(0x1234 * 61ll * 16384, 1000000));
}

ZTEST(icm42688, test_every_rate_code_gives_its_rate_and_the_faster_sensor_sets_it)
{
	/* Thousandths of a hertz by code; those of 6.25 Hz and below are of the accelerometer alone. */
	static const uint32_t rates_mhz[] = {0,      0,     0,     0,     4000000, 2000000, 1000000, 200000,
					     100000, 50000, 25000, 12500, 6250,    3125,    1562,    500000};

	ARRAY_FOR_EACH(rates_mhz, code)
	{
		struct emlearn_chip_frame first;
		struct emlearn_chip_frame last;
		double period_us = 1e9 / rates_mhz[code];

		if (rates_mhz[code] == 0) {
			continue;
		}
		icm_set_up(ODR_100_HZ, &icm_source);
		if (code >= 12 && code <= 14) {
			chip_set(&icm, PWR_MGMT0, 0x02);
			chip_set(&icm, ACCEL_CONFIG0, (uint8_t)code);
		} else {
			/* in turn each of them is the faster one */
			chip_set(&icm, ACCEL_CONFIG0, code % 2 == 0 ? (uint8_t)code : 0x0b);
			chip_set(&icm, GYRO_CONFIG0, code % 2 == 1 ? (uint8_t)code : 0x0b);
		}
		(void)chip_get(&icm, INT_STATUS);
		k_sleep(K_USEC((int64_t)(10 * period_us) + 100));
		zassert_true(icm_counts().n_made >= 11, "code %zu: %u", code, icm_counts().n_made);
		zassert_ok(emlearn_chip_truth(icm.dev, 0, &first));
		zassert_ok(emlearn_chip_truth(icm.dev, 10, &last));
		zassert_within(last.t_us - first.t_us, 10 * period_us, 2, "code %zu", code);
	}
}

ZTEST(icm42688, test_sensors_that_are_off_make_no_samples)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, PWR_MGMT0, 0x05); /* off and standby */
	k_sleep(FRAMES_100(5));
	zassert_equal(chip_get(&icm, INT_STATUS), 0);
	zassert_equal(icm_counts().n_made, 0);
	chip_set(&icm, PWR_MGMT0, 0x03);
	zassert_equal(chip_get(&icm, INT_STATUS), STATUS_DATA_RDY);
	zassert_equal(get_output(ACCEL_DATA_X1), COUNT_OF(0, 0));
	zassert_equal(get_output(GYRO_DATA_X1), INT16_MIN);
}

ZTEST(icm42688, test_data_ready_is_cleared_by_its_reading_and_comes_with_each_frame)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	zassert_equal(chip_get(&icm, INT_STATUS), STATUS_DATA_RDY, "frame 0 is made when it is wanted");
	zassert_equal(chip_get(&icm, INT_STATUS), 0);
	k_sleep(FRAMES_100(1));
	zassert_equal(chip_get(&icm, INT_STATUS), STATUS_DATA_RDY);
	zassert_equal(get_output(ACCEL_DATA_X1), COUNT_OF(1, 0));
}

ZTEST(icm42688, test_data_ready_pulses_the_pins_that_it_is_led_to)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INT_SOURCE0, STATUS_DATA_RDY);
	k_sleep(FRAMES_100(5));
	zassert_equal(icm_edges(INT1_PIN, false), 5);
	zassert_equal(icm_edges(INT2_PIN, false), 0);
	zassert_equal(icm_pin_level(INT1_PIN), 0);
	chip_set(&icm, INT_SOURCE0, 0);
	chip_set(&icm, INT_SOURCE3, STATUS_DATA_RDY);
	k_sleep(FRAMES_100(3));
	zassert_equal(icm_edges(INT1_PIN, false), 5);
	zassert_equal(icm_edges(INT2_PIN, false), 3);
}

ZTEST(icm42688, test_pins_are_still_until_their_reset_bit_is_cleared)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INT_CONFIG1, 0x10);
	chip_set(&icm, INT_SOURCE0, STATUS_DATA_RDY);
	k_sleep(FRAMES_100(5));
	zassert_equal(icm_edges(INT1_PIN, false), 0);
	chip_set(&icm, INT_CONFIG, 0x07);
	k_sleep(FRAMES_100(5));
	zassert_equal(icm_edges(INT1_PIN, false), 0);
}

ZTEST(icm42688, test_an_active_low_pin_is_high_at_rest)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INT_CONFIG, 0x02);
	chip_set(&icm, INT_SOURCE0, STATUS_DATA_RDY);
	zassert_equal(icm_pin_level(INT1_PIN), 1);
	k_sleep(FRAMES_100(2));
	zassert_equal(icm_edges(INT1_PIN, true), 2);
	zassert_equal(icm_pin_level(INT1_PIN), 1);
}

ZTEST(icm42688, test_a_latched_pin_stays_until_it_is_cleared_in_the_way_that_is_set)
{
	icm_set_up(ODR_100_HZ, &icm_source);
	chip_set(&icm, INT_CONFIG, 0x07);
	chip_set(&icm, INT_SOURCE0, STATUS_DATA_RDY);
	k_sleep(FRAMES_100(3));
	zassert_equal(icm_pin_level(INT1_PIN), 1);
	zassert_equal(icm_edges(INT1_PIN, false), 1);
	(void)get_output(ACCEL_DATA_X1);
	zassert_equal(icm_pin_level(INT1_PIN), 1);
	(void)chip_get(&icm, INT_STATUS);
	zassert_equal(icm_pin_level(INT1_PIN), 0);
	k_sleep(FRAMES_100(1));
	zassert_equal(icm_pin_level(INT1_PIN), 1);

	chip_set(&icm, INT_CONFIG0, 0x20);
	(void)chip_get(&icm, INT_STATUS);
	zassert_equal(icm_pin_level(INT1_PIN), 1);
	(void)get_output(ACCEL_DATA_X1);
	zassert_equal(icm_pin_level(INT1_PIN), 0);
}

ZTEST_SUITE(icm42688, NULL, NULL, NULL, NULL, NULL);
