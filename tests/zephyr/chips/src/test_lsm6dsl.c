/* SPDX-License-Identifier: Apache-2.0 */
/* The model of lsm6dsl behind Zephyr's driver: identity, ranges, rates, data-ready, reset. */
#include <errno.h>
#include <stdlib.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/chip_model.h>

#include "lsm6dsl_chips.h"
#include "sources.h"

static void set_attribute(const struct chip_under_test *chip, enum sensor_channel channel, enum sensor_attribute what,
			  const struct sensor_value *value)
{
	zassert_ok(sensor_attr_set(chip->dev, channel, what, value));
}

static void set_rate(const struct chip_under_test *chip, int32_t hz)
{
	const struct sensor_value value = {hz, 0};

	set_attribute(chip, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &value);
	set_attribute(chip, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &value);
}

static void set_ranges(const struct chip_under_test *chip, int32_t acc_g, int32_t gyro_dps)
{
	struct sensor_value value;

	sensor_g_to_ms2(acc_g, &value);
	set_attribute(chip, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_FULL_SCALE, &value);
	/* the driver cuts off what it gets in degrees */
	sensor_10udegrees_to_rad(gyro_dps * 100000 + 10000, &value);
	set_attribute(chip, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_FULL_SCALE, &value);
}

/* What the driver says of x, um/s2 or urad/s. */
static int64_t fetched(const struct chip_under_test *chip, enum sensor_channel channel)
{
	struct sensor_value value;

	zassert_ok(sensor_sample_fetch(chip->dev));
	zassert_ok(sensor_channel_get(chip->dev, channel, &value));
	return sensor_value_to_micro(&value);
}

/* The code in the output registers of the first axis. */
static int16_t code_at(const struct chip_under_test *chip, uint8_t address)
{
	uint8_t bytes[2];

	zassert_ok(chip_read(chip, address, bytes, sizeof(bytes)));
	return (int16_t)(bytes[0] | bytes[1] << 8);
}

ZTEST(lsm6dsl, test_the_driver_finds_the_chip_and_its_model_is_known)
{
	FOR_EACH_LSM6DSL(chip)
	{
		zassert_true(device_is_ready(chip->dev));
		zassert_true(emlearn_chip_is_model(chip->dev));
		zassert_equal(chip_get(chip, WHO_AM_I), 0x6a);
	}
	zassert_false(emlearn_chip_is_model(lsm6dsl_chips[0].i2c.bus));
}

ZTEST(lsm6dsl, test_the_driver_gives_the_motion_of_the_source_in_every_range)
{
	static const int32_t acc_ranges_g[] = {2, 4, 8, 16};
	static const int32_t gyro_ranges_dps[] = {250, 500, 1000, 2000};
	static const int16_t counts[] = {0, 1, -1, 8, -8, 127, -128, 255, 256, -257, 4095, 4096, -20001, 32000, -32000};

	FOR_EACH_LSM6DSL(chip)
	{
		lsm6dsl_set_up(chip, ODR_104_HZ, &constant_source);
		for (size_t range = 0; range < ARRAY_SIZE(acc_ranges_g); range++) {
			set_ranges(chip, acc_ranges_g[range], gyro_ranges_dps[range]);
			for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
				/* half a code, and what the driver cuts off */
				int64_t acc_within = 61 * (1 << range) * INT64_C(9806650) / 2000000 + 2;
				int64_t gyro_within = INT64_C(8750) * (1 << range) * 314160 / 18000000 / 2 + 2;
				int64_t acc = counts[i] * INT64_C(61) * 9806650 / 1000000;
				int64_t gyro = counts[i] * INT64_C(8750) * 31415927 / 1800000000;

				set_constant(counts[i]);
				k_sleep(K_MSEC(20));
				zassert_true(llabs(fetched(chip, SENSOR_CHAN_ACCEL_X) - acc) <= acc_within,
					     "%d at %d g", counts[i], acc_ranges_g[range]);
				zassert_true(llabs(fetched(chip, SENSOR_CHAN_GYRO_Z) - gyro) <= gyro_within,
					     "%d at %d dps", counts[i], gyro_ranges_dps[range]);
			}
		}
	}
}

ZTEST(lsm6dsl, test_codes_are_counts_where_steps_agree_and_stop_at_the_ends_of_the_range)
{
	FOR_EACH_LSM6DSL(chip)
	{
		struct emlearn_source coarse = constant_source;

		lsm6dsl_set_up(chip, ODR_104_HZ, &constant_source);
		for (int32_t count = INT16_MIN; count <= INT16_MAX; count += 4369) {
			set_constant((int16_t)count);
			k_sleep(K_MSEC(20));
			zassert_equal(code_at(chip, OUTX_L_XL), count);
			zassert_equal(code_at(chip, OUTX_L_G), count);
		}
		/* A count is 8 codes. */
		coarse.acc_step.num *= 8;
		coarse.gyro_step.num *= 8;
		emlearn_chip_rewind(chip->dev, &coarse);
		set_constant(4096);
		zassert_equal(code_at(chip, OUTX_L_XL), INT16_MAX);
		zassert_equal(code_at(chip, OUTX_L_G), INT16_MAX);
		set_constant(-4097);
		k_sleep(K_MSEC(20));
		zassert_equal(code_at(chip, OUTX_L_XL), INT16_MIN);
		set_constant(-4095);
		k_sleep(K_MSEC(20));
		zassert_equal(code_at(chip, OUTX_L_XL), -32760);
	}
}

ZTEST(lsm6dsl, test_the_range_of_125_dps_halves_the_step)
{
	FOR_EACH_LSM6DSL(chip)
	{
		struct emlearn_imu_step acc;
		struct emlearn_imu_step gyro;

		lsm6dsl_set_up(chip, ODR_104_HZ, &constant_source);
		set_constant(1000);
		set_ranges(chip, 4, 125);
		zassert_equal(code_at(chip, OUTX_L_G), 2000);
		zassert_equal(code_at(chip, OUTX_L_XL), 500);
		emlearn_chip_steps(chip->dev, &acc, &gyro);
		zassert_equal(acc.num * INT64_C(1000000) / acc.den, 122);
		zassert_equal(gyro.num * INT64_C(1000000) / gyro.den, 4375);
	}
}

ZTEST(lsm6dsl, test_every_rate_is_kept_without_drift)
{
	/* What the driver calls the rates, and thousandths of a hertz by the datasheet. */
	static const uint32_t rates[][2] = {{12, 12500},   {26, 26000},   {52, 52000},   {104, 104000},
					    {208, 208000}, {416, 416000}, {833, 833000}, {1666, 1660000}};

	FOR_EACH_LSM6DSL(chip)
	{
		for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
			struct emlearn_chip_frame first;
			struct emlearn_chip_frame last;
			struct emlearn_chip_counts counts;

			lsm6dsl_set_up(chip, 0, &counting_source);
			set_rate(chip, (int32_t)rates[i][0]);
			(void)code_at(chip, OUTX_L_XL);
			zassert_ok(emlearn_chip_truth(chip->dev, 0, &first));
			k_sleep(K_SECONDS(2));
			emlearn_chip_counts(chip->dev, &counts);
			zassert_within(counts.n_made, 2 * rates[i][1] / 1000 + 1, 1);
			zassert_ok(emlearn_chip_truth(chip->dev, counts.n_made - 1, &last));
			zassert_within(last.t_us - first.t_us, (counts.n_made - 1) * INT64_C(1000000000) / rates[i][1],
				       1);
			zassert_equal(last.number, counts.n_made - 1);
		}
	}
}

ZTEST(lsm6dsl, test_the_slower_sensor_has_a_new_sample_with_every_second_frame)
{
	FOR_EACH_LSM6DSL(chip)
	{
		struct emlearn_chip_frame frame;

		lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
		chip_set(chip, CTRL2_G, (ODR_104_HZ - 1) << 4);
		(void)code_at(chip, OUTX_L_XL);
		k_sleep(K_MSEC(50));
		for (uint32_t i = 0; i < 4; i++) {
			zassert_ok(emlearn_chip_truth(chip->dev, i, &frame));
			zassert_equal(frame.codes[0], COUNT_OF(i, 0));
			zassert_equal(frame.codes[3], COUNT_OF(i & ~1u, 3));
		}
	}
}

ZTEST(lsm6dsl, test_sampling_begins_with_the_first_sample_that_is_read)
{
	FOR_EACH_LSM6DSL(chip)
	{
		struct emlearn_chip_frame frame;

		lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
		k_sleep(K_SECONDS(1));
		zassert_equal(emlearn_chip_truth(chip->dev, 0, &frame), -EAGAIN);
		zassert_equal(code_at(chip, OUTX_L_XL), COUNT_OF(0, 0));
		zassert_equal(code_at(chip, OUTX_L_G), COUNT_OF(0, 3));
		k_sleep(K_MSEC(10));
		zassert_equal(code_at(chip, OUTX_L_XL), COUNT_OF(1, 0));
		zassert_ok(emlearn_chip_truth(chip->dev, 1, &frame));
		for (uint32_t i = 0; i < EMLEARN_CHIP_CHANNELS; i++) {
			zassert_equal(frame.codes[i], COUNT_OF(1, i));
		}
	}
}

ZTEST(lsm6dsl, test_data_ready_goes_with_the_sample)
{
	FOR_EACH_LSM6DSL(chip)
	{
		lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
		zassert_equal(chip_get(chip, STATUS_REG) & 3, 3);
		(void)code_at(chip, OUTX_L_XL);
		zassert_equal(chip_get(chip, STATUS_REG) & 3, 2);
		(void)code_at(chip, OUTX_L_G);
		zassert_equal(chip_get(chip, STATUS_REG) & 3, 0);
		k_sleep(K_MSEC(10));
		zassert_equal(chip_get(chip, STATUS_REG) & 3, 3);
	}
}

ZTEST(lsm6dsl, test_a_data_ready_interrupt_lasts_until_the_sample_is_read)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int pin = lsm6dsl_pin(chip);

		lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
		chip_set(chip, INT1_CTRL, 1);
		zassert_equal(lsm6dsl_pin_level(pin), 0);
		k_sleep(K_MSEC(10));
		zassert_equal(lsm6dsl_pin_level(pin), 1);
		zassert_equal(code_at(chip, OUTX_L_XL), COUNT_OF(0, 0));
		zassert_equal(lsm6dsl_pin_level(pin), 0);
		k_sleep(K_MSEC(10));
		zassert_equal(lsm6dsl_pin_level(pin), 1);
	}
}

ZTEST(lsm6dsl, test_pins_can_be_active_low_and_the_second_pin_has_flags_of_its_own)
{
	const struct chip_under_test *chip = &lsm6dsl_chips[0];

	lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
	chip_set(chip, CTRL3_C, 0x64);
	zassert_equal(lsm6dsl_pin_level(0), 1);
	chip_set(chip, INT2_CTRL, 2);
	k_sleep(K_MSEC(10));
	zassert_equal(lsm6dsl_pin_level(0), 1);
	zassert_equal(lsm6dsl_pin_level(1), 0);
	/* INT2_on_INT1 */
	chip_set(chip, CTRL4_C, 0x20);
	zassert_equal(lsm6dsl_pin_level(0), 0);
	zassert_equal(lsm6dsl_pin_level(1), 1);
}

ZTEST(lsm6dsl, test_reset_gives_the_registers_that_the_datasheet_says)
{
	/* BOOT and SW_RESET */
	static const uint8_t bits[] = {0x80, 0x01};

	FOR_EACH_LSM6DSL(chip)
	{
		for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
			struct emlearn_chip_counts counts;

			lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
			chip_set(chip, FIFO_CTRL1, 0x55);
			lsm6dsl_fifo_on(chip, ODR_104_HZ, FIFO_CONTINUOUS);
			chip_set(chip, CTRL3_C, bits[i] | 4);
			zassert_equal(chip_get(chip, CTRL3_C), 0x04);
			zassert_equal(chip_get(chip, CTRL1_XL), 0);
			zassert_equal(chip_get(chip, CTRL2_G), 0);
			zassert_equal(chip_get(chip, FIFO_CTRL1), 0);
			zassert_equal(chip_get(chip, FIFO_CTRL5), 0);
			k_sleep(K_MSEC(100));
			emlearn_chip_counts(chip->dev, &counts);
			zassert_equal(counts.n_made, 0);
			zassert_equal(counts.n_resets, 1);
		}
	}
}

ZTEST(lsm6dsl, test_registers_keep_what_is_written_and_read_only_ones_do_not)
{
	FOR_EACH_LSM6DSL(chip)
	{
		lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
		chip_set(chip, 0x5b, 0x3c);
		zassert_equal(chip_get(chip, 0x5b), 0x3c);
		chip_set(chip, WHO_AM_I, 0x12);
		zassert_equal(chip_get(chip, WHO_AM_I), 0x6a);
		chip_set(chip, OUTX_L_XL, 0xee);
		zassert_equal(code_at(chip, OUTX_L_XL), COUNT_OF(0, 0));
	}
}

ZTEST(lsm6dsl, test_without_automatic_increment_a_burst_reads_one_register)
{
	FOR_EACH_LSM6DSL(chip)
	{
		uint8_t bytes[3];

		lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
		chip_set(chip, CTRL3_C, 0x40);
		zassert_ok(chip_read(chip, WHO_AM_I, bytes, sizeof(bytes)));
		zassert_equal(bytes[2], 0x6a);
	}
}

ZTEST(lsm6dsl, test_two_chips_have_nothing_in_common)
{
	struct emlearn_chip_counts counts;

	lsm6dsl_set_up(&lsm6dsl_chips[0], ODR_104_HZ, &counting_source);
	lsm6dsl_set_up(&lsm6dsl_chips[1], ODR_104_HZ + 2, &counting_source);
	(void)code_at(&lsm6dsl_chips[0], OUTX_L_XL);
	k_sleep(K_SECONDS(1));
	emlearn_chip_counts(lsm6dsl_chips[0].dev, &counts);
	zassert_equal(counts.n_made, 105);
	emlearn_chip_counts(lsm6dsl_chips[1].dev, &counts);
	zassert_equal(counts.n_made, 0);
}

ZTEST_SUITE(lsm6dsl, NULL, NULL, NULL, lsm6dsl_leave, NULL);
