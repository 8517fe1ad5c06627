/* SPDX-License-Identifier: Apache-2.0 */
/* The FIFO of lsm6dsl, read by its registers. */
#include <errno.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/chip_model.h>

#include "lsm6dsl_chips.h"
#include "sources.h"

#define DIFF(status) ((status) & 0x7ff)
#define FIFO_EMPTY BIT(12)
#define FIFO_FULL_SMART BIT(13)
#define FIFO_OVER_RUN BIT(14)
#define FIFO_WATERM BIT(15)

#define FRAME_WORDS 6
#define FIFO_WORDS 2048

/* Time for n frames at 104 Hz and a little more. */
#define FRAMES_104(n) K_USEC((n) * 1000000ll / 104 + 100)

static void start(const struct chip_under_test *chip, uint8_t mode)
{
	lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
	lsm6dsl_fifo_on(chip, ODR_104_HZ, mode);
}

/* Words as AN5040 orders them: the gyroscope's data set is the first one, the accelerometer's the second. */
static int16_t word_of(uint32_t number, uint32_t word)
{
	return COUNT_OF(number, word < 3 ? word + 3 : word - 3);
}

static void check_frame(const int16_t *words, uint32_t number)
{
	for (uint32_t i = 0; i < FRAME_WORDS; i++) {
		zassert_equal(words[i], word_of(number, i), "frame %u word %u: %d", number, i, words[i]);
	}
}

ZTEST(lsm6dsl_fifo, test_frames_come_out_as_they_went_in)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int16_t words[10][FRAME_WORDS];

		start(chip, FIFO_CONTINUOUS);
		zassert_equal(lsm6dsl_fifo_status(chip), FIFO_EMPTY);
		k_sleep(FRAMES_104(10));
		zassert_equal(lsm6dsl_fifo_status(chip), 10 * FRAME_WORDS);
		lsm6dsl_fifo_words(chip, words[0], 10 * FRAME_WORDS);
		for (uint32_t i = 0; i < 10; i++) {
			check_frame(words[i], i);
		}
		zassert_equal(lsm6dsl_fifo_status(chip), FIFO_EMPTY);
	}
}

ZTEST(lsm6dsl_fifo, test_the_pattern_tells_which_word_is_next)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int16_t words[FRAME_WORDS];

		start(chip, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(3));
		for (uint32_t i = 0; i < 2 * FRAME_WORDS; i++) {
			zassert_equal(chip_get(chip, FIFO_STATUS3), i % FRAME_WORDS);
			zassert_equal(chip_get(chip, FIFO_STATUS3 + 1), 0);
			lsm6dsl_fifo_words(chip, words, 1);
			zassert_equal(words[0], word_of(i / FRAME_WORDS, i % FRAME_WORDS));
		}
		/* A low byte alone takes no word out. */
		(void)chip_get(chip, FIFO_DATA_OUT_L);
		zassert_equal(chip_get(chip, FIFO_STATUS3), 0);
		lsm6dsl_fifo_words(chip, words, 4);
		k_sleep(FRAMES_104(1));
		zassert_equal(chip_get(chip, FIFO_STATUS3), 4, "a new frame moves nothing");
		zassert_equal(DIFF(lsm6dsl_fifo_status(chip)), 2 + FRAME_WORDS);
	}
}

ZTEST(lsm6dsl_fifo, test_only_the_data_sets_asked_for_are_stored)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int16_t words[3];

		lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
		chip_set(chip, FIFO_CTRL3, 1);
		chip_set(chip, FIFO_CTRL5, ODR_104_HZ << 3 | FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(2));
		zassert_equal(lsm6dsl_fifo_status(chip), 6);
		lsm6dsl_fifo_words(chip, words, 3);
		zassert_equal(words[0], COUNT_OF(0, 0));
		zassert_equal(words[2], COUNT_OF(0, 2));
		zassert_equal(chip_get(chip, FIFO_STATUS3), 0);
	}
}

ZTEST(lsm6dsl_fifo, test_a_slower_fifo_takes_every_fourth_frame)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int16_t words[2][FRAME_WORDS];

		lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
		lsm6dsl_fifo_on(chip, ODR_104_HZ - 2, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(8));
		zassert_equal(lsm6dsl_fifo_status(chip), 2 * FRAME_WORDS);
		lsm6dsl_fifo_words(chip, words[0], 2 * FRAME_WORDS);
		check_frame(words[0], 0);
		check_frame(words[1], 4);
	}
}

ZTEST(lsm6dsl_fifo, test_the_threshold_counts_words_and_its_level_lasts)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int pin = lsm6dsl_pin(chip);
		int16_t words[5 * FRAME_WORDS];
		struct emlearn_chip_counts counts;

		lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
		chip_set(chip, FIFO_CTRL1, 4 * FRAME_WORDS);
		chip_set(chip, INT1_CTRL, 0x08);
		lsm6dsl_fifo_on(chip, ODR_104_HZ, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(3));
		zassert_equal(lsm6dsl_fifo_status(chip), 3 * FRAME_WORDS);
		zassert_equal(lsm6dsl_pin_level(pin), 0);
		k_sleep(FRAMES_104(2));
		zassert_equal(lsm6dsl_fifo_status(chip), FIFO_WATERM | 5 * FRAME_WORDS);
		zassert_equal(lsm6dsl_pin_level(pin), 1);
		lsm6dsl_fifo_words(chip, words, FRAME_WORDS);
		zassert_equal(lsm6dsl_pin_level(pin), 1, "still at the threshold");
		lsm6dsl_fifo_words(chip, words, 1);
		zassert_equal(lsm6dsl_fifo_status(chip), 4 * FRAME_WORDS - 1);
		zassert_equal(lsm6dsl_pin_level(pin), 0);
		emlearn_chip_counts(chip->dev, &counts);
		zassert_equal(counts.n_edges, 1);
	}
}

ZTEST(lsm6dsl_fifo, test_the_threshold_has_eleven_bits)
{
	FOR_EACH_LSM6DSL(chip)
	{
		lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
		chip_set(chip, FIFO_CTRL1, 300 & 0xff);
		chip_set(chip, FIFO_CTRL2, 300 >> 8);
		lsm6dsl_fifo_on(chip, ODR_104_HZ, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(49));
		zassert_equal(lsm6dsl_fifo_status(chip), 49 * FRAME_WORDS);
		k_sleep(FRAMES_104(1));
		zassert_equal(lsm6dsl_fifo_status(chip), FIFO_WATERM | 300);
	}
}

/* 341 frames and two words of the next fill the FIFO. */
ZTEST(lsm6dsl_fifo, test_an_overrun_eats_the_oldest_words_and_shifts_the_pattern)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int16_t words[FRAME_WORDS];
		struct emlearn_chip_counts counts;

		start(chip, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(340));
		zassert_equal(lsm6dsl_fifo_status(chip), 340 * FRAME_WORDS);
		k_sleep(FRAMES_104(1));
		zassert_equal(lsm6dsl_fifo_status(chip), FIFO_FULL_SMART | 341 * FRAME_WORDS);
		emlearn_chip_counts(chip->dev, &counts);
		zassert_equal(counts.n_overwritten, 0);
		k_sleep(FRAMES_104(1));
		/* 2048 words are a DIFF_FIFO of 0 */
		zassert_equal(lsm6dsl_fifo_status(chip), FIFO_OVER_RUN | FIFO_FULL_SMART);
		zassert_equal(chip_get(chip, FIFO_STATUS3), 4);
		emlearn_chip_counts(chip->dev, &counts);
		zassert_equal(counts.n_overwritten, 1);
		k_sleep(FRAMES_104(10));
		zassert_equal(lsm6dsl_fifo_status(chip), FIFO_OVER_RUN | FIFO_FULL_SMART);
		emlearn_chip_counts(chip->dev, &counts);
		zassert_equal(counts.n_made, 352);
		zassert_equal(counts.n_overwritten, 11);
		/* What is left of frame 10, and then frame 11. */
		lsm6dsl_fifo_words(chip, words, 2);
		zassert_equal(words[0], word_of(10, 4));
		zassert_equal(lsm6dsl_fifo_status(chip), FIFO_FULL_SMART | 341 * FRAME_WORDS);
		lsm6dsl_fifo_words(chip, words, FRAME_WORDS);
		check_frame(words, 11);
	}
}

ZTEST(lsm6dsl_fifo, test_overrun_and_full_have_their_interrupts)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int pin = lsm6dsl_pin(chip);

		start(chip, FIFO_CONTINUOUS);
		chip_set(chip, INT1_CTRL, 0x20);
		k_sleep(FRAMES_104(340));
		zassert_equal(lsm6dsl_pin_level(pin), 0);
		k_sleep(FRAMES_104(1));
		zassert_equal(lsm6dsl_pin_level(pin), 1);
		chip_set(chip, INT1_CTRL, 0x10);
		zassert_equal(lsm6dsl_pin_level(pin), 0);
		k_sleep(FRAMES_104(1));
		zassert_equal(lsm6dsl_pin_level(pin), 1);
	}
}

ZTEST(lsm6dsl_fifo, test_fifo_mode_keeps_the_oldest_and_stops)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int16_t words[FRAME_WORDS];
		struct emlearn_chip_counts counts;

		start(chip, FIFO_UNTIL_FULL);
		k_sleep(FRAMES_104(400));
		zassert_equal(lsm6dsl_fifo_status(chip), FIFO_OVER_RUN | FIFO_FULL_SMART);
		zassert_equal(chip_get(chip, FIFO_STATUS3), 0);
		lsm6dsl_fifo_words(chip, words, FRAME_WORDS);
		check_frame(words, 0);
		emlearn_chip_counts(chip->dev, &counts);
		zassert_equal(counts.n_stored, 341);
		zassert_equal(counts.n_overwritten, 0);
	}
}

ZTEST(lsm6dsl_fifo, test_stop_on_fth_makes_the_threshold_the_size)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int16_t words[FRAME_WORDS];

		lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
		chip_set(chip, FIFO_CTRL1, 4 * FRAME_WORDS);
		chip_set(chip, FIFO_CTRL4, 0x80);
		lsm6dsl_fifo_on(chip, ODR_104_HZ, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(10));
		zassert_equal(DIFF(lsm6dsl_fifo_status(chip)), 4 * FRAME_WORDS);
		lsm6dsl_fifo_words(chip, words, FRAME_WORDS);
		check_frame(words, 6);
	}
}

ZTEST(lsm6dsl_fifo, test_bypass_empties_it)
{
	FOR_EACH_LSM6DSL(chip)
	{
		start(chip, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(10));
		chip_set(chip, FIFO_CTRL5, FIFO_BYPASS);
		zassert_equal(lsm6dsl_fifo_status(chip), FIFO_EMPTY);
		k_sleep(FRAMES_104(10));
		zassert_equal(lsm6dsl_fifo_status(chip), FIFO_EMPTY);
	}
}

/* Drivers set up several times before anybody reads. */
ZTEST(lsm6dsl_fifo, test_turning_it_on_again_begins_anew_until_something_was_read)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int16_t words[FRAME_WORDS];

		start(chip, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(5));
		chip_set(chip, FIFO_CTRL5, FIFO_BYPASS);
		lsm6dsl_fifo_on(chip, ODR_104_HZ, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(2));
		lsm6dsl_fifo_words(chip, words, FRAME_WORDS);
		check_frame(words, 0);
		chip_set(chip, FIFO_CTRL5, FIFO_BYPASS);
		k_sleep(FRAMES_104(3));
		lsm6dsl_fifo_on(chip, ODR_104_HZ, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(1));
		lsm6dsl_fifo_words(chip, words, FRAME_WORDS);
		check_frame(words, 5);
		/* a rewind begins at once: the FIFO is on */
		emlearn_chip_rewind(chip->dev, NULL);
		k_sleep(FRAMES_104(2));
		zassert_equal(lsm6dsl_fifo_status(chip), 2 * FRAME_WORDS);
		lsm6dsl_fifo_words(chip, words, FRAME_WORDS);
		check_frame(words, 0);
	}
}

ZTEST(lsm6dsl_fifo, test_the_driver_fetches_while_the_fifo_runs)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int16_t words[FRAME_WORDS];
		struct sensor_value value;

		sensor_g_to_ms2(2, &value);
		zassert_ok(sensor_attr_set(chip->dev, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_FULL_SCALE, &value));
		start(chip, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(3));
		zassert_ok(sensor_sample_fetch(chip->dev));
		zassert_ok(sensor_channel_get(chip->dev, SENSOR_CHAN_ACCEL_X, &value));
		zassert_within(sensor_value_to_micro(&value), COUNT_OF(2, 0) * INT64_C(61) * 9806650 / 1000000, 2);
		zassert_equal(lsm6dsl_fifo_status(chip), 3 * FRAME_WORDS);
		lsm6dsl_fifo_words(chip, words, FRAME_WORDS);
		check_frame(words, 0);
	}
}

/* The fourth data set: time stamp bits 15:8 and 23:16, then 7:0 in the high byte, then steps. */
static uint32_t stamp_of(const int16_t *words)
{
	return (uint32_t)(words[0] & 0xff) << 8 | (uint32_t)((uint16_t)words[0] >> 8) << 16 |
	       (uint32_t)((uint16_t)words[1] >> 8);
}

static void start_with_stamps(const struct chip_under_test *chip, bool fine)
{
	lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
	chip_set(chip, WAKE_UP_DUR, fine ? 0x10 : 0);
	chip_set(chip, CTRL10_C, 0x20);
	chip_set(chip, FIFO_CTRL2, 0x80);
	chip_set(chip, FIFO_CTRL4, 1 << 3);
	chip_set(chip, TIMESTAMP2, 0xaa);
	lsm6dsl_fifo_on(chip, ODR_104_HZ, FIFO_CONTINUOUS);
}

ZTEST(lsm6dsl_fifo, test_stamps_count_25_us_of_the_chips_own_clock)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int16_t words[9];
		uint32_t first = 0;

		start_with_stamps(chip, true);
		k_sleep(FRAMES_104(100));
		zassert_equal(DIFF(lsm6dsl_fifo_status(chip)), 900);
		for (uint32_t i = 0; i < 100; i++) {
			lsm6dsl_fifo_words(chip, words, 9);
			check_frame(words, i);
			first = i == 0 ? stamp_of(words + 6) : first;
			/* 104 Hz are 384.6 ticks of 25 us */
			zassert_within((int32_t)(stamp_of(words + 6) - first), (int32_t)(i * 40000 / 104), 1);
			zassert_equal(words[8], 0);
		}
	}
}

static int64_t uptime_us(void)
{
	return (int64_t)k_ticks_to_us_floor64((uint64_t)k_uptime_ticks());
}

/* Stamps from 0 on, over a time: as many as have passed, to one, less those that wrapped. Code may take its time. */
static void expect_stamps_after(const struct chip_under_test *chip, k_timeout_t timeout, int32_t wrapped)
{
	const int64_t before_reset_us = uptime_us();
	int64_t after_reset_us;
	int64_t before_read_us;
	uint8_t bytes[3];
	int32_t stamp;

	chip_set(chip, TIMESTAMP2, 0xaa);
	after_reset_us = uptime_us();
	k_sleep(timeout);
	before_read_us = uptime_us();
	zassert_ok(chip_read(chip, TIMESTAMP0, bytes, sizeof(bytes)));
	stamp = bytes[0] | bytes[1] << 8 | bytes[2] << 16;
	zassert_between_inclusive(stamp, (before_read_us - after_reset_us) / 25 - 1 - wrapped,
				  (uptime_us() - before_reset_us) / 25 + 1 - wrapped, "%d", stamp);
}

ZTEST(lsm6dsl_fifo, test_stamps_are_coarse_without_timer_hr_and_wrap_at_24_bits)
{
	const struct chip_under_test *chip = &lsm6dsl_chips[0];
	int16_t words[9];

	start_with_stamps(chip, false);
	k_sleep(FRAMES_104(104));
	for (int i = 0; i < 104; i++) {
		lsm6dsl_fifo_words(chip, words, 9);
	}
	zassert_equal(stamp_of(words + 6), 1000000 / 6400);

	start_with_stamps(chip, true);
	/* without frames, which take their time under QEMU; 2^24 ticks are 419.4304 s */
	chip_set(chip, CTRL1_XL, 0);
	chip_set(chip, CTRL2_G, 0);
	expect_stamps_after(chip, K_USEC(419430400 + 2500000), BIT(24));
	expect_stamps_after(chip, K_NO_WAIT, 0);
}

ZTEST(lsm6dsl_fifo, test_an_overrun_with_stamps_leaves_exact_times)
{
	const struct chip_under_test *chip = &lsm6dsl_chips[0];
	int16_t words[9];
	uint32_t first;

	start_with_stamps(chip, true);
	k_sleep(FRAMES_104(1040));
	/* 2048 words are 227 frames of 9 and 5 words more */
	zassert_equal(chip_get(chip, FIFO_STATUS3), 4);
	lsm6dsl_fifo_words(chip, words, 5);
	lsm6dsl_fifo_words(chip, words, 9);
	check_frame(words, 1040 - 227);
	first = stamp_of(words + 6);
	/* code takes time under QEMU, at most 1 ms here */
	zassert_between_inclusive(first, (1040 - 227 + 1) * 40000 / 104, (1040 - 227 + 1) * 40000 / 104 + 40);
	for (uint32_t i = 1; i < 227; i++) {
		lsm6dsl_fifo_words(chip, words, 9);
		zassert_within((int32_t)(stamp_of(words + 6) - first), (int32_t)(i * 40000 / 104), 1);
	}
}

ZTEST(lsm6dsl_fifo, test_truth_is_kept_and_forgotten)
{
	FOR_EACH_LSM6DSL(chip)
	{
		struct emlearn_chip_frame frame;
		uint32_t n = CONFIG_EMLEARN_EMUL_TRUTH_FRAMES + 10;

		start(chip, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(n));
		zassert_equal(emlearn_chip_truth(chip->dev, 9, &frame), -ERANGE);
		zassert_ok(emlearn_chip_truth(chip->dev, 10, &frame));
		zassert_equal(frame.codes[0], COUNT_OF(10, 0));
		zassert_equal(frame.codes[5], COUNT_OF(10, 5));
		zassert_ok(emlearn_chip_truth(chip->dev, n - 1, &frame));
		zassert_equal(frame.number, n - 1);
		zassert_equal(emlearn_chip_truth(chip->dev, n, &frame), -EAGAIN);
		emlearn_chip_power_cycle(chip->dev);
		zassert_equal(emlearn_chip_truth(chip->dev, 0, &frame), -EAGAIN);
	}
}

ZTEST_SUITE(lsm6dsl_fifo, NULL, NULL, NULL, lsm6dsl_leave, NULL);
