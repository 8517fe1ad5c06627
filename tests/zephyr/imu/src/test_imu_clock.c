/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of a chip against chips whose true clock the test knows. */
#include <stdlib.h>

#include <zephyr/ztest.h>

#include <emlearn/zephyr/imu_clock.h>

/* A chip that makes a frame each period_ps picoseconds, the first at start_us. */
struct chip {
	int64_t period_ps;
	int64_t start_us;
};

static struct chip chip_of(uint32_t rate_mhz, int32_t ppm)
{
	return (struct chip){
		.period_ps = INT64_C(1000000000000000) / rate_mhz * 1000000 / (1000000 + ppm),
		.start_us = 12345,
	};
}

static int64_t true_us(const struct chip *chip, uint64_t number)
{
	return chip->start_us + (int64_t)number * chip->period_ps / 1000000;
}

static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % n;
}

static void check_period(const struct emlearn_imu_clock *clock, const struct chip *chip, int64_t permyriad)
{
	int64_t true_ns = chip->period_ps / 1000;
	int64_t off_ns = llabs((int64_t)emlearn_imu_clock_period_ns(clock) - true_ns);

	zassert_true(off_ns * 10000 <= true_ns * permyriad + 10000, "period %u, true %lld",
		     emlearn_imu_clock_period_ns(clock), true_ns);
}

static const uint32_t rates_mhz[] = {12500, 26000, 52000, 100000, 104000, 416000, 833000, 1000000};
static const int32_t ppms[] = {-30000, -1000, 0, 1000, 30000};

ZTEST(imu_clock, test_period_and_times_follow_a_chip_that_is_off)
{
	for (size_t r = 0; r < ARRAY_SIZE(rates_mhz); r++) {
		for (size_t p = 0; p < ARRAY_SIZE(ppms); p++) {
			const struct chip chip = chip_of(rates_mhz[r], ppms[p]);
			struct emlearn_imu_clock clock;

			emlearn_imu_clock_start(&clock, rates_mhz[r]);
			for (uint64_t number = 31; number < 32 * 200; number += 32) {
				emlearn_imu_clock_mark(&clock, number, true_us(&chip, number));
				if (number > 32 * 3) {
					int64_t off_us = emlearn_imu_clock_time_us(&clock, number - 31) -
							 true_us(&chip, number - 31);

					check_period(&clock, &chip, 10);
					zassert_true(llabs(off_us) * 1000000 < chip.period_ps / 10, "off by %lld us",
						     off_us);
				}
			}
			check_period(&clock, &chip, 1);
		}
	}
}

ZTEST(imu_clock, test_latency_of_interrupts_averages_out)
{
	const struct chip chip = chip_of(104000, 21000);
	struct emlearn_imu_clock clock;

	random_state = 1;
	emlearn_imu_clock_start(&clock, 104000);
	for (uint64_t number = 31; number < 32 * 1000; number += 32) {
		/* Mostly 50 us; one in eight up to 3 ms, a third of a period. */
		int64_t late_us = random_below(8) == 0 ? random_below(3000) : random_below(50);

		emlearn_imu_clock_mark(&clock, number, true_us(&chip, number) + late_us);
		if (number > 32 * 30) {
			int64_t off_us = emlearn_imu_clock_time_us(&clock, number) - true_us(&chip, number);

			check_period(&clock, &chip, 10);
			/* a tenth of a period */
			zassert_true(off_us > -960 && off_us < 960, "off by %lld us", off_us);
		}
	}
}

ZTEST(imu_clock, test_a_moment_that_cannot_be_changes_nothing_and_four_of_them_do)
{
	const struct chip chip = chip_of(100000, 0);
	struct emlearn_imu_clock clock;
	int64_t late_us = 0;

	emlearn_imu_clock_start(&clock, 100000);
	for (uint64_t number = 31; number < 320; number += 32) {
		emlearn_imu_clock_mark(&clock, number, true_us(&chip, number));
	}
	for (uint64_t i = 0; i < 3; i++) {
		late_us = 500000;
		emlearn_imu_clock_mark(&clock, 351 + 32 * i, true_us(&chip, 351 + 32 * i) + late_us);
		zassert_equal(emlearn_imu_clock_time_us(&clock, 400), true_us(&chip, 400));
		check_period(&clock, &chip, 1);
	}
	emlearn_imu_clock_mark(&clock, 447, true_us(&chip, 447) + late_us);
	zassert_equal(emlearn_imu_clock_time_us(&clock, 447), true_us(&chip, 447) + late_us);
	check_period(&clock, &chip, 1);
}

ZTEST(imu_clock, test_frames_of_a_stall_are_counted_by_the_measured_period)
{
	for (size_t p = 0; p < ARRAY_SIZE(ppms); p++) {
		const struct chip chip = chip_of(104000, ppms[p]);
		struct emlearn_imu_clock clock;
		uint64_t number;

		emlearn_imu_clock_start(&clock, 104000);
		for (number = 31; number < 32 * 30; number += 32) {
			emlearn_imu_clock_mark(&clock, number, true_us(&chip, number));
		}
		/* half a minute, and a frame that nobody waited for */
		number += 3120;
		zassert_within((int64_t)emlearn_imu_clock_number_at(&clock, true_us(&chip, number)), (int64_t)number,
			       1);
		emlearn_imu_clock_restart(&clock, number, true_us(&chip, number));
		zassert_within(emlearn_imu_clock_time_us(&clock, number + 32), true_us(&chip, number + 32), 50);
		check_period(&clock, &chip, 1);
	}
}

ZTEST(imu_clock, test_numbers_and_times_are_each_others_inverse)
{
	struct emlearn_imu_clock clock;

	emlearn_imu_clock_start(&clock, 52000);
	emlearn_imu_clock_mark(&clock, 1000, 20000000);
	for (uint64_t number = 0; number < 5000; number += 7) {
		zassert_equal(emlearn_imu_clock_number_at(&clock, emlearn_imu_clock_time_us(&clock, number)), number);
	}
	zassert_within((int32_t)emlearn_imu_clock_number_at(&clock, 0), -40, 0, "before the first");
}

ZTEST(imu_clock, test_a_week_loses_no_microsecond_and_a_year_does_not_overflow)
{
	struct emlearn_imu_clock clock;
	const uint64_t week = UINT64_C(7) * 86400 * 1000;

	emlearn_imu_clock_start(&clock, 1000000);
	emlearn_imu_clock_mark(&clock, 0, 0);
	zassert_within(emlearn_imu_clock_time_us(&clock, week), (int64_t)week * 1000, 1);
	zassert_within((int64_t)emlearn_imu_clock_number_at(&clock, (int64_t)week * 1000), (int64_t)week, 1);
	zassert_within(emlearn_imu_clock_number_at(&clock, (int64_t)week * 52 * 1000), (uint32_t)(week * 52), 1,
		       "modulo 2^32");
}

ZTEST_SUITE(imu_clock, NULL, NULL, NULL, NULL, NULL);
