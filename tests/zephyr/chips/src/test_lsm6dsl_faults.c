/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of the models, on lsm6dsl. */
#include <errno.h>
#include <string.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/chip_model.h>

#include "lsm6dsl_chips.h"
#include "sources.h"

#define FRAME_WORDS 6
#define WATERMARK_FRAMES 4
#define FRAMES_104(n) K_USEC((n) * 1000000ll / 104 + 100)

static void start(const struct chip_under_test *chip)
{
	lsm6dsl_set_up(chip, ODR_104_HZ, &counting_source);
	chip_set(chip, FIFO_CTRL1, WATERMARK_FRAMES * FRAME_WORDS);
	chip_set(chip, INT1_CTRL, 0x08);
	lsm6dsl_fifo_on(chip, ODR_104_HZ, FIFO_CONTINUOUS);
}

static void fault(const struct chip_under_test *chip, enum emlearn_fault_kind kind, uint32_t at_frame, uint32_t n,
		  int32_t value)
{
	const struct emlearn_fault what = {kind, at_frame, n, value};

	zassert_ok(emlearn_chip_fault(chip->dev, &what));
}

static struct emlearn_chip_counts counts_of(const struct chip_under_test *chip)
{
	struct emlearn_chip_counts counts;

	emlearn_chip_counts(chip->dev, &counts);
	return counts;
}

/* Take n frames out and check that they begin with these numbers. */
static void check_frames(const struct chip_under_test *chip, const uint32_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int16_t words[FRAME_WORDS];

		lsm6dsl_fifo_words(chip, words, FRAME_WORDS);
		zassert_equal(words[3], COUNT_OF(numbers[i], 0), "frame %u", numbers[i]);
		zassert_equal(words[2], COUNT_OF(numbers[i], 5), "frame %u", numbers[i]);
	}
}

ZTEST(lsm6dsl_faults, test_nacks_fail_as_many_transfers_as_asked_from_their_frame_on)
{
	FOR_EACH_LSM6DSL(chip)
	{
		uint8_t byte;

		start(chip);
		fault(chip, EMLEARN_FAULT_NACK, 3, 2, 0);
		k_sleep(FRAMES_104(2));
		zassert_ok(chip_read(chip, WHO_AM_I, &byte, 1));
		k_sleep(FRAMES_104(1));
		zassert_equal(chip_read(chip, WHO_AM_I, &byte, 1), -EIO);
		zassert_equal(chip_write(chip, FIFO_CTRL5, 0), -EIO);
		zassert_equal(chip_get(chip, FIFO_CTRL5), ODR_104_HZ << 3 | FIFO_CONTINUOUS);
	}
}

ZTEST(lsm6dsl_faults, test_a_nack_can_come_in_the_middle_of_a_burst)
{
	FOR_EACH_LSM6DSL(chip)
	{
		uint8_t bytes[24];

		start(chip);
		k_sleep(FRAMES_104(3));
		fault(chip, EMLEARN_FAULT_NACK, 0, 1, 9);
		zassert_equal(chip_read(chip, FIFO_DATA_OUT_L, bytes, sizeof(bytes)), -EIO);
		/* Four words have gone, of the fifth the low byte alone was read. */
		zassert_equal(chip_get(chip, FIFO_STATUS3), 4);
		zassert_equal(lsm6dsl_fifo_status(chip), 3 * FRAME_WORDS - 4);
	}
}

ZTEST(lsm6dsl_faults, test_a_nack_waits_for_a_transfer_that_is_long_enough)
{
	FOR_EACH_LSM6DSL(chip)
	{
		uint8_t bytes[4];

		start(chip);
		fault(chip, EMLEARN_FAULT_NACK, 0, 2, 3);
		for (int i = 0; i < 10; i++) {
			zassert_ok(chip_read(chip, WHO_AM_I, bytes, 1));
			zassert_ok(chip_read(chip, WHO_AM_I, bytes, 3));
		}
		zassert_equal(chip_read(chip, WHO_AM_I, bytes, 4), -EIO);
		zassert_ok(chip_read(chip, WHO_AM_I, bytes, 3));
		zassert_equal(chip_read(chip, WHO_AM_I, bytes, 4), -EIO);
		zassert_ok(chip_read(chip, WHO_AM_I, bytes, 4));
	}
}

ZTEST(lsm6dsl_faults, test_a_permanent_nack_ends_when_it_is_healed)
{
	FOR_EACH_LSM6DSL(chip)
	{
		uint8_t byte;

		start(chip);
		fault(chip, EMLEARN_FAULT_NACK, 0, UINT32_MAX, 0);
		for (int i = 0; i < 100; i++) {
			zassert_equal(chip_read(chip, WHO_AM_I, &byte, 1), -EIO);
		}
		emlearn_chip_heal(chip->dev);
		zassert_equal(chip_get(chip, WHO_AM_I), 0x6a);
	}
}

ZTEST(lsm6dsl_faults, test_a_lost_edge_leaves_the_line_down_until_the_next_cause)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int pin = lsm6dsl_pin(chip);
		const uint32_t numbers[] = {0, 1, 2, 3, 4, 5};

		start(chip);
		fault(chip, EMLEARN_FAULT_INT_LOST, 0, 1, 0);
		k_sleep(FRAMES_104(6));
		zassert_equal(lsm6dsl_pin_level(pin), 0);
		check_frames(chip, numbers, 6);
		k_sleep(FRAMES_104(WATERMARK_FRAMES));
		zassert_equal(lsm6dsl_pin_level(pin), 1);
		zassert_equal(counts_of(chip).n_edges, 1);
	}
}

ZTEST(lsm6dsl_faults, test_a_stuck_line_keeps_either_level_for_its_time)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int pin = lsm6dsl_pin(chip);
		const uint32_t numbers[] = {0, 1, 2, 3};

		start(chip);
		fault(chip, EMLEARN_FAULT_INT_STUCK, 2, 1, 60);
		k_sleep(FRAMES_104(8));
		zassert_equal(lsm6dsl_pin_level(pin), 0);
		k_sleep(FRAMES_104(2));
		zassert_equal(lsm6dsl_pin_level(pin), 1);
		fault(chip, EMLEARN_FAULT_INT_STUCK, 0, 1, 60);
		check_frames(chip, numbers, 4);
		check_frames(chip, (uint32_t[]){4, 5, 6, 7}, 4);
		zassert_equal(lsm6dsl_pin_level(pin), 1);
		chip_set(chip, INT1_CTRL, 0);
		zassert_equal(lsm6dsl_pin_level(pin), 1);
		k_sleep(K_MSEC(70));
		zassert_equal(lsm6dsl_pin_level(pin), 0);
	}
}

ZTEST(lsm6dsl_faults, test_spurious_edges_come_one_a_frame_with_nothing_behind_them)
{
	FOR_EACH_LSM6DSL(chip)
	{
		start(chip);
		fault(chip, EMLEARN_FAULT_INT_SPURIOUS, 0, 2, 0);
		k_sleep(FRAMES_104(1));
		zassert_equal(counts_of(chip).n_edges, 1);
		k_sleep(FRAMES_104(2));
		zassert_equal(counts_of(chip).n_edges, 2);
		zassert_equal(lsm6dsl_pin_level(lsm6dsl_pin(chip)), 0);
		k_sleep(FRAMES_104(2));
		zassert_equal(counts_of(chip).n_edges, 3, "the watermark");
	}
}

ZTEST(lsm6dsl_faults, test_an_overrun_takes_its_time_on_the_bus)
{
	FOR_EACH_LSM6DSL(chip)
	{
		struct emlearn_chip_counts counts;

		start(chip);
		fault(chip, EMLEARN_FAULT_OVERRUN, 5, 1, 0);
		k_sleep(FRAMES_104(4));
		zassert_equal(lsm6dsl_fifo_status(chip), 0x8000 | 4 * FRAME_WORDS);
		k_sleep(FRAMES_104(1));
		zassert_equal(lsm6dsl_fifo_status(chip) & 0x4000, 0x4000);
		counts = counts_of(chip);
		zassert_equal(counts.n_made, 342);
		zassert_equal(counts.n_overwritten, 1);
		fault(chip, EMLEARN_FAULT_OVERRUN, 0, 1, 9);
		zassert_equal(lsm6dsl_fifo_status(chip) & 0x4000, 0x4000);
		counts = counts_of(chip);
		zassert_equal(counts.n_overwritten, 11);
	}
}

ZTEST(lsm6dsl_faults, test_a_brownout_forgets_registers_and_fifo_but_not_the_numbers)
{
	FOR_EACH_LSM6DSL(chip)
	{
		const uint32_t numbers[] = {0, 1, 2, 3};

		start(chip);
		fault(chip, EMLEARN_FAULT_BROWNOUT, 7, 1, 0);
		k_sleep(FRAMES_104(5));
		check_frames(chip, numbers, 4);
		k_sleep(FRAMES_104(10));
		zassert_equal(chip_get(chip, FIFO_CTRL5), 0);
		zassert_equal(chip_get(chip, CTRL1_XL), 0);
		zassert_equal(lsm6dsl_fifo_status(chip), 0x1000);
		zassert_equal(lsm6dsl_pin_level(lsm6dsl_pin(chip)), 0);
		zassert_equal(counts_of(chip).n_made, 7);
		zassert_equal(counts_of(chip).n_resets, 1);
		chip_set(chip, CTRL1_XL, ODR_104_HZ << 4);
		chip_set(chip, CTRL2_G, ODR_104_HZ << 4);
		lsm6dsl_fifo_on(chip, ODR_104_HZ, FIFO_CONTINUOUS);
		k_sleep(FRAMES_104(2));
		check_frames(chip, (uint32_t[]){7, 8}, 2);
	}
}

ZTEST(lsm6dsl_faults, test_the_identity_can_be_wrong)
{
	FOR_EACH_LSM6DSL(chip)
	{
		start(chip);
		fault(chip, EMLEARN_FAULT_WHO_AM_I, 0, 2, 0x69);
		zassert_equal(chip_get(chip, WHO_AM_I), 0x69);
		zassert_equal(chip_get(chip, WHO_AM_I), 0x69);
		zassert_equal(chip_get(chip, WHO_AM_I), 0x6a);
	}
}

ZTEST(lsm6dsl_faults, test_an_odd_word_stands_between_two_frames)
{
	FOR_EACH_LSM6DSL(chip)
	{
		int16_t word;

		start(chip);
		fault(chip, EMLEARN_FAULT_ODD, 2, 1, 0);
		k_sleep(FRAMES_104(4));
		zassert_equal(lsm6dsl_fifo_status(chip) & 0x7ff, 4 * FRAME_WORDS + 1);
		check_frames(chip, (uint32_t[]){0, 1}, 2);
		lsm6dsl_fifo_words(chip, &word, 1);
		zassert_equal(chip_get(chip, FIFO_STATUS3), 0, "the next word begins a frame again");
		check_frames(chip, (uint32_t[]){2, 3}, 2);
	}
}

ZTEST(lsm6dsl_faults, test_the_clock_can_be_fast_or_slow)
{
	static const int32_t errors_ppm[] = {30000, -30000};

	FOR_EACH_LSM6DSL(chip)
	{
		for (size_t i = 0; i < ARRAY_SIZE(errors_ppm); i++) {
			struct emlearn_chip_frame before;
			struct emlearn_chip_frame after;
			/* 9615.4 us / 1.03 or / 0.97 */
			int64_t period_ns = INT64_C(1000000000000000) / 104 / (1000000 + errors_ppm[i]);

			start(chip);
			fault(chip, EMLEARN_FAULT_CLOCK, 10, 1, errors_ppm[i]);
			k_sleep(K_SECONDS(4));
			zassert_within(counts_of(chip).n_made, 10 + (4000 - 96) * INT64_C(1000000) / period_ns, 1);
			zassert_ok(emlearn_chip_truth(chip->dev, counts_of(chip).n_made - 51, &before));
			zassert_ok(emlearn_chip_truth(chip->dev, counts_of(chip).n_made - 1, &after));
			zassert_within(after.t_us - before.t_us, 50 * period_ns / 1000, 1);
		}
	}
}

ZTEST(lsm6dsl_faults, test_stamps_run_on_the_clock_that_is_off)
{
	const struct chip_under_test *chip = &lsm6dsl_chips[0];
	uint8_t before[3];
	uint8_t after[3];

	start(chip);
	chip_set(chip, WAKE_UP_DUR, 0x10);
	chip_set(chip, CTRL10_C, 0x20);
	chip_set(chip, CTRL1_XL, 0);
	chip_set(chip, CTRL2_G, 0);
	fault(chip, EMLEARN_FAULT_CLOCK, 0, 1, -30000);
	zassert_ok(chip_read(chip, TIMESTAMP0, before, sizeof(before)));
	k_sleep(K_SECONDS(100));
	zassert_ok(chip_read(chip, TIMESTAMP0, after, sizeof(after)));
	zassert_within((after[0] | after[1] << 8 | after[2] << 16) - (before[0] | before[1] << 8 | before[2] << 16),
		       97 * 40000, 40);
}

ZTEST(lsm6dsl_faults, test_frames_can_be_dropped_repeated_and_clipped)
{
	FOR_EACH_LSM6DSL(chip)
	{
		struct emlearn_chip_frame frame;

		start(chip);
		fault(chip, EMLEARN_FAULT_DROP, 1, 2, 0);
		fault(chip, EMLEARN_FAULT_REPEAT, 4, 1, 0);
		k_sleep(FRAMES_104(6));
		check_frames(chip, (uint32_t[]){0, 3, 4, 4, 5}, 5);
		zassert_equal(counts_of(chip).n_made, 6);
		zassert_equal(counts_of(chip).n_stored, 5);
		fault(chip, EMLEARN_FAULT_CLIP, 0, 1, 0);
		k_sleep(FRAMES_104(1));
		zassert_ok(emlearn_chip_truth(chip->dev, 6, &frame));
		for (int i = 0; i < 6; i++) {
			zassert_equal(frame.codes[i], COUNT_OF(6, i) < 0 ? INT16_MIN : INT16_MAX);
		}
		k_sleep(FRAMES_104(1));
		zassert_ok(emlearn_chip_truth(chip->dev, 7, &frame));
		zassert_equal(frame.codes[0], COUNT_OF(7, 0));
	}
}

ZTEST(lsm6dsl_faults, test_faults_that_cannot_be_are_refused)
{
	const struct chip_under_test *chip = &lsm6dsl_chips[0];
	const struct emlearn_fault unknown = {EMLEARN_FAULT_KINDS, 0, 1, 0};
	static const struct emlearn_fault beyond[] = {
		{EMLEARN_FAULT_CLOCK, 0, 1, 500001}, {EMLEARN_FAULT_CLOCK, 0, 1, -500001},
		{EMLEARN_FAULT_WHO_AM_I, 0, 1, 256}, {EMLEARN_FAULT_WHO_AM_I, 0, 1, -1},
		{EMLEARN_FAULT_INT_STUCK, 0, 1, -5}, {EMLEARN_FAULT_NACK, 0, 1, -1},
		{EMLEARN_FAULT_OVERRUN, 0, 1, -1},
	};
	const struct emlearn_fault drop = {EMLEARN_FAULT_DROP, 1000, 1, 0};

	start(chip);
	zassert_equal(emlearn_chip_fault(chip->dev, &unknown), -ENOTSUP);
	ARRAY_FOR_EACH(beyond, i)
	{
		zassert_equal(emlearn_chip_fault(chip->dev, &beyond[i]), -ERANGE, "%zu", i);
	}
	for (int i = 0; i < CONFIG_EMLEARN_EMUL_FAULTS; i++) {
		zassert_ok(emlearn_chip_fault(chip->dev, &drop));
	}
	zassert_equal(emlearn_chip_fault(chip->dev, &drop), -ENOMEM);
	emlearn_chip_heal(chip->dev);
	zassert_ok(emlearn_chip_fault(chip->dev, &drop));
}

static void check_waiting(const struct chip_under_test *chip, uint32_t index, const char *expected)
{
	char text[EMLEARN_CHIP_FAULT_TEXT] = "";
	int n = emlearn_chip_fault_waiting(chip->dev, index, text, sizeof(text));

	zassert_equal(n, expected != NULL ? (int)strlen(expected) : -ENOENT, "%u: %d", index, n);
	zassert_equal(strcmp(text, expected != NULL ? expected : ""), 0, "%u: %s", index, text);
}

ZTEST(lsm6dsl_faults, test_faults_that_have_not_struck_are_told_in_order)
{
	FOR_EACH_LSM6DSL(chip)
	{
		start(chip);
		check_waiting(chip, 0, NULL);
		fault(chip, EMLEARN_FAULT_DROP, 1, 1, 0);
		fault(chip, EMLEARN_FAULT_DROP, 100000, 2, 0);
		fault(chip, EMLEARN_FAULT_CLIP, 2, UINT32_MAX, 0);
		fault(chip, EMLEARN_FAULT_WHO_AM_I, 2, 1, 3);
		check_waiting(chip, 0, "drop@1");
		check_waiting(chip, 2, "clip@2x*");
		k_sleep(FRAMES_104(4));
		check_waiting(chip, 0, "drop@100000x2");
		check_waiting(chip, 1, "who-am-i@2=3");
		check_waiting(chip, 2, NULL);
		zassert_equal(chip_get(chip, WHO_AM_I), 3);
		check_waiting(chip, 1, NULL);
		emlearn_chip_heal(chip->dev);
		check_waiting(chip, 0, NULL);
	}
}

ZTEST_SUITE(lsm6dsl_faults, NULL, NULL, NULL, lsm6dsl_leave, NULL);
