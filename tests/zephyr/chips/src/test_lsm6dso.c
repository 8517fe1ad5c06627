/* SPDX-License-Identifier: Apache-2.0 */
/* The tagged FIFO of lsm6dso and ism330dhcx, read by its registers, and the model behind Zephyr's drivers. */
#include <errno.h>
#include <stdlib.h>

#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/chip_model.h>

#include "chip_bus.h"
#include "sources.h"

/* As ST's documents (LSM6DSO datasheet, AN5192) name them. */
#define FUNC_CFG_ACCESS 0x01
#define FIFO_CTRL1 0x07
#define FIFO_CTRL2 0x08
#define FIFO_CTRL3 0x09
#define FIFO_CTRL4 0x0a
#define INT1_CTRL 0x0d
#define WHO_AM_I 0x0f
#define CTRL1_XL 0x10
#define CTRL2_G 0x11
#define CTRL3_C 0x12
#define CTRL10_C 0x19
#define OUTX_L_G 0x22
#define OUTX_L_XL 0x28
#define FIFO_STATUS1 0x3a
#define TIMESTAMP0 0x40
#define TIMESTAMP2 0x42
#define FIFO_DATA_OUT_TAG 0x78

#define FULL BIT(13)
#define OVERRUN BIT(14)
#define WATERMARK BIT(15)
#define OVERRUN_LATCHED BIT(11)

#define TAG_GYRO 1
#define TAG_ACC 2
#define TAG_TIMESTAMP 4

#define ODR_104_HZ 4
#define CONTINUOUS 6
#define ENTRY_BYTES 7
#define FRAMES_104(n) K_USEC((n) * 1000000ll / 104 + 100)

static const struct chip_under_test chips[] = {
	CHIP_ON_I2C(DT_NODELABEL(lsm6dso)),
	CHIP_ON_SPI(DT_NODELABEL(ism330dhcx)),
};
static const uint8_t identities[] = {0x6c, 0x6b};
static const struct gpio_dt_spec pins[] = {
	GPIO_DT_SPEC_GET(DT_NODELABEL(lsm6dso), irq_gpios),
	GPIO_DT_SPEC_GET(DT_NODELABEL(ism330dhcx), drdy_gpios),
};

#define FOR_EACH_CHIP(chip) for (const struct chip_under_test *chip = chips; chip < chips + ARRAY_SIZE(chips); chip++)

static void set_up(const struct chip_under_test *chip, const struct emlearn_source *source)
{
	zassert_ok(gpio_pin_configure_dt(&pins[chip - chips], GPIO_INPUT));
	emlearn_chip_power_cycle(chip->dev);
	chip_set(chip, CTRL3_C, 0x44);
	chip_set(chip, CTRL1_XL, ODR_104_HZ << 4);
	chip_set(chip, CTRL2_G, ODR_104_HZ << 4);
	emlearn_chip_rewind(chip->dev, source);
}

static void fifo_on(const struct chip_under_test *chip)
{
	chip_set(chip, FIFO_CTRL3, ODR_104_HZ << 4 | ODR_104_HZ);
	chip_set(chip, FIFO_CTRL4, CONTINUOUS);
}

/* Both sensors at 104 Hz, 2 g and 250 dps. */
static void start(const struct chip_under_test *chip)
{
	set_up(chip, &counting_source);
	fifo_on(chip);
}

static void leave(void *fixture)
{
	ARG_UNUSED(fixture);
	FOR_EACH_CHIP(chip)
	{
		emlearn_chip_power_cycle(chip->dev);
		emlearn_chip_rewind(chip->dev, &counting_source);
	}
}

static uint16_t status(const struct chip_under_test *chip)
{
	uint8_t bytes[2];

	zassert_ok(chip_read(chip, FIFO_STATUS1, bytes, sizeof(bytes)));
	return sys_get_le16(bytes);
}

static void take(const struct chip_under_test *chip, uint8_t entry[ENTRY_BYTES])
{
	zassert_ok(chip_read(chip, FIFO_DATA_OUT_TAG, entry, ENTRY_BYTES));
}

/* Tag, parity and data of an entry with the channels from `first` on of a frame, in time slot `slot`. */
static void check_entry(const uint8_t entry[ENTRY_BYTES], uint8_t tag, uint32_t slot, uint32_t number, uint32_t first)
{
	zassert_equal(entry[0] >> 3, tag, "frame %u: tag %u", number, entry[0] >> 3);
	zassert_equal(entry[0] >> 1 & 3, slot & 3);
	zassert_equal(__builtin_popcount(entry[0]) % 2, 0, "parity");
	for (uint32_t i = 0; i < 3; i++) {
		zassert_equal((int16_t)sys_get_le16(entry + 1 + 2 * i), COUNT_OF(number, first + i), "frame %u",
			      number);
	}
}

static void check_frame(const struct chip_under_test *chip, uint32_t slot, uint32_t number)
{
	uint8_t entries[2][ENTRY_BYTES];

	/* Entries follow each other in one burst. */
	zassert_ok(chip_read(chip, FIFO_DATA_OUT_TAG, entries, sizeof(entries)));
	check_entry(entries[0], TAG_GYRO, slot, number, 3);
	check_entry(entries[1], TAG_ACC, slot, number, 0);
}

/* The counter in the tag of what comes next. */
static uint32_t next_slot(const struct chip_under_test *chip)
{
	return chip_get(chip, FIFO_DATA_OUT_TAG) >> 1 & 3;
}

ZTEST(lsm6dso, test_the_drivers_find_their_chips)
{
	FOR_EACH_CHIP(chip)
	{
		zassert_true(device_is_ready(chip->dev));
		zassert_true(emlearn_chip_is_model(chip->dev));
		zassert_equal(chip_get(chip, WHO_AM_I), identities[chip - chips]);
	}
}

ZTEST(lsm6dso, test_the_drivers_give_the_motion_of_the_source)
{
	static const int16_t counts[] = {0, 1, -1, 255, -256, 12345, -12345, INT16_MAX, INT16_MIN};

	FOR_EACH_CHIP(chip)
	{
		struct sensor_value value;

		/* As devicetree asks for: 2 g and 250 dps */
		set_up(chip, &constant_source);
		for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
			set_constant(counts[i]);
			k_sleep(K_MSEC(20));
			zassert_ok(sensor_sample_fetch(chip->dev));
			zassert_ok(sensor_channel_get(chip->dev, SENSOR_CHAN_ACCEL_Y, &value));
			zassert_within(sensor_value_to_micro(&value), counts[i] * INT64_C(61) * 9806650 / 1000000, 2);
			zassert_ok(sensor_channel_get(chip->dev, SENSOR_CHAN_GYRO_X, &value));
			zassert_within(sensor_value_to_micro(&value), counts[i] * INT64_C(8750) * 31415927 / 1800000000,
				       2);
		}
	}
}

ZTEST(lsm6dso, test_entries_carry_tag_slot_and_parity)
{
	FOR_EACH_CHIP(chip)
	{
		uint32_t slot;

		start(chip);
		zassert_equal(status(chip), 0);
		k_sleep(FRAMES_104(9));
		zassert_equal(status(chip), 18);
		slot = next_slot(chip);
		for (uint32_t i = 0; i < 9; i++) {
			check_frame(chip, slot + i, i);
		}
		zassert_equal(status(chip), 0);
	}
}

ZTEST(lsm6dso, test_an_entry_stays_until_its_last_byte_is_read)
{
	FOR_EACH_CHIP(chip)
	{
		uint8_t bytes[5];

		start(chip);
		k_sleep(FRAMES_104(2));
		zassert_ok(chip_read(chip, FIFO_DATA_OUT_TAG, bytes, sizeof(bytes)));
		zassert_equal(status(chip), 4);
		check_frame(chip, next_slot(chip), 0);
		zassert_equal(status(chip), 2);
	}
}

ZTEST(lsm6dso, test_the_watermark_counts_entries_and_has_nine_bits)
{
	FOR_EACH_CHIP(chip)
	{
		const struct gpio_dt_spec *pin = &pins[chip - chips];

		set_up(chip, &counting_source);
		chip_set(chip, FIFO_CTRL1, 300 & 0xff);
		chip_set(chip, FIFO_CTRL2, 1);
		chip_set(chip, INT1_CTRL, 0x08);
		fifo_on(chip);
		k_sleep(FRAMES_104(149));
		zassert_equal(status(chip), 298 & 0x3ff);
		zassert_equal(gpio_pin_get_raw(pin->port, pin->pin), 0);
		k_sleep(FRAMES_104(1));
		zassert_equal(status(chip), WATERMARK | 300);
		zassert_equal(gpio_pin_get_raw(pin->port, pin->pin), 1);
		check_frame(chip, next_slot(chip), 0);
		zassert_equal(gpio_pin_get_raw(pin->port, pin->pin), 0);
	}
}

ZTEST(lsm6dso, test_an_overrun_eats_the_oldest_entries_and_is_remembered)
{
	FOR_EACH_CHIP(chip)
	{
		struct emlearn_chip_counts counts;

		start(chip);
		k_sleep(FRAMES_104(255));
		zassert_equal(status(chip), FULL | 510);
		k_sleep(FRAMES_104(1));
		zassert_equal(status(chip), OVERRUN_LATCHED | OVERRUN | FULL | 512);
		zassert_equal(status(chip), OVERRUN | FULL | 512, "latched until it is read");
		k_sleep(FRAMES_104(10));
		emlearn_chip_counts(chip->dev, &counts);
		zassert_equal(counts.n_made, 266);
		zassert_equal(counts.n_overwritten, 10);
		check_frame(chip, next_slot(chip), 10);
		zassert_equal(status(chip), OVERRUN_LATCHED | FULL | 510);
		zassert_equal(status(chip), FULL | 510);
	}
}

ZTEST(lsm6dso, test_batches_of_one_sensor_can_be_slower_or_absent)
{
	FOR_EACH_CHIP(chip)
	{
		uint8_t entry[ENTRY_BYTES];
		uint32_t slot;

		set_up(chip, &counting_source);
		/* gyroscope at 52 Hz */
		chip_set(chip, FIFO_CTRL3, (ODR_104_HZ - 1) << 4 | ODR_104_HZ);
		chip_set(chip, FIFO_CTRL4, CONTINUOUS);
		k_sleep(FRAMES_104(2));
		zassert_equal(status(chip), 3);
		slot = next_slot(chip);
		check_frame(chip, slot, 0);
		take(chip, entry);
		check_entry(entry, TAG_ACC, slot + 1, 1, 0);

		chip_set(chip, FIFO_CTRL4, 0);
		chip_set(chip, FIFO_CTRL3, ODR_104_HZ << 4);
		chip_set(chip, FIFO_CTRL4, CONTINUOUS);
		k_sleep(FRAMES_104(2));
		zassert_equal(status(chip), 2);
		take(chip, entry);
		zassert_equal(entry[0] >> 3, TAG_GYRO);
	}
}

ZTEST(lsm6dso, test_time_stamps_are_entries_before_those_of_their_slot)
{
	FOR_EACH_CHIP(chip)
	{
		uint8_t entry[ENTRY_BYTES];
		uint32_t first = 0;
		uint32_t slot;

		set_up(chip, &counting_source);
		chip_set(chip, CTRL10_C, 0x20);
		chip_set(chip, TIMESTAMP2, 0xaa);
		chip_set(chip, FIFO_CTRL3, ODR_104_HZ << 4 | ODR_104_HZ);
		chip_set(chip, FIFO_CTRL4, 1 << 6 | CONTINUOUS);
		k_sleep(FRAMES_104(104));
		zassert_equal(status(chip), 312);
		slot = next_slot(chip);
		for (uint32_t i = 0; i < 104; i++) {
			take(chip, entry);
			zassert_equal(entry[0] >> 3, TAG_TIMESTAMP);
			zassert_equal(entry[0] >> 1 & 3, (slot + i) & 3);
			first = i == 0 ? sys_get_le32(entry + 1) : first;
			/* 25 us */
			zassert_within((int32_t)(sys_get_le32(entry + 1) - first), (int32_t)(i * 40000 / 104), 1);
			check_frame(chip, slot + i, i);
		}
		zassert_ok(chip_read(chip, TIMESTAMP0, entry, 4));
		zassert_within((int32_t)sys_get_le32(entry), 40000, 40 * 10);
	}
}

ZTEST(lsm6dso, test_an_odd_entry_has_a_tag_of_no_sensor)
{
	FOR_EACH_CHIP(chip)
	{
		const struct emlearn_fault odd = {EMLEARN_FAULT_ODD, 1, 1, 0};
		uint8_t entry[ENTRY_BYTES];

		start(chip);
		zassert_ok(emlearn_chip_fault(chip->dev, &odd));
		k_sleep(FRAMES_104(2));
		zassert_equal(status(chip), 5);
		check_frame(chip, next_slot(chip), 0);
		take(chip, entry);
		zassert_true(entry[0] >> 3 != TAG_GYRO && entry[0] >> 3 != TAG_ACC && entry[0] >> 3 != TAG_TIMESTAMP);
		check_frame(chip, next_slot(chip), 1);
	}
}

ZTEST(lsm6dso, test_other_banks_hide_the_registers_and_change_none)
{
	FOR_EACH_CHIP(chip)
	{
		start(chip);
		chip_set(chip, FUNC_CFG_ACCESS, 0x80);
		zassert_equal(chip_get(chip, WHO_AM_I), 0);
		chip_set(chip, FIFO_CTRL4, 0);
		chip_set(chip, FUNC_CFG_ACCESS, 0);
		zassert_equal(chip_get(chip, FIFO_CTRL4), CONTINUOUS);
		zassert_equal(chip_get(chip, WHO_AM_I), identities[chip - chips]);
	}
}

ZTEST(lsm6dso, test_ism330dhcx_has_a_range_of_4000_dps)
{
	uint8_t bytes[2];

	FOR_EACH_CHIP(chip)
	{
		set_up(chip, &constant_source);
		set_constant(16000);
		chip_set(chip, CTRL2_G, ODR_104_HZ << 4 | 1);
		zassert_ok(chip_read(chip, OUTX_L_G, bytes, sizeof(bytes)));
		/* of 8.75 mdps, or of 140 */
		zassert_equal(sys_get_le16(bytes), chip == &chips[1] ? 1000 : 16000);
	}
}

ZTEST_SUITE(lsm6dso, NULL, NULL, NULL, leave, NULL);
