/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is lost and times are right, however long it lasts and whatever the application computes meanwhile. */
#include <zephyr/ztest.h>

#include "bench.h"

ZTEST_SUITE(stream_time, NULL, NULL, NULL, bench_after, NULL);

#define PERMILLION INT64_C(1000000)

/* Read for so long, with an inference every second; the measured period has to be the chip's within 0.1 %. */
static void expect_perfect(enum bench_reader reader, uint32_t rate_hz, uint32_t seconds, int32_t clock_ppm)
{
	struct emlearn_imu_asked asked = asked_of(rate_hz, 16, 2000);
	int64_t period_ns = PERMILLION * 1000 / rate_hz * PERMILLION / (PERMILLION + clock_ppm);
	struct bench bench;
	int64_t end;
	int64_t due;

	bench_start(&bench, reader, &asked, NULL);
	bench_fault(&bench, EMLEARN_FAULT_CLOCK, 1, clock_ppm);
	end = k_uptime_get() + (int64_t)seconds * 1000;
	due = k_uptime_get() + 1000;
	while (k_uptime_get() < end) {
		zassert_ok(bench_read(&bench, K_SECONDS(5)));
		if (k_uptime_get() >= due) {
			k_busy_wait(60000);
			due += 1000;
		}
		/* Over the first seconds the period is being measured. */
		if (k_uptime_get() > end - seconds * 500) {
			zassert_within(bench.batch.period_ns, period_ns, period_ns / 1000, "%u Hz", rate_hz);
		}
	}
	bench_expect_perfect(&bench);
	zassert_equal(bench_stats(&bench).n_rearms, 0);
	zassert_equal(bench_stats(&bench).n_spurious, 0);
	/* What is missing at the end is still in the FIFO, or was made before the clock was set wrong. */
	zassert_within((int)bench.n_frames, (int)(seconds * 1000000000ull / (uint64_t)period_ns), 2 * BATCH_FRAMES);
	bench_stop(&bench);
}

ZTEST(stream_time, test_ten_minutes_at_100_hz_lose_nothing)
{
	expect_perfect(HIRES, 100, IS_FAST ? 600 : 20, 0);
	expect_perfect(PLAIN, 100, IS_FAST ? 600 : 20, 0);
}

ZTEST(stream_time, test_a_minute_at_each_other_rate_loses_nothing)
{
	ON_HOST_ONLY();

	static const uint16_t rates_hz[] = {25, 50, 200, 500, 1000};

	for (size_t i = IS_FAST ? 0 : 2; i < ARRAY_SIZE(rates_hz); i++) {
		expect_perfect(HIRES, rates_hz[i], IS_FAST ? 60 : 5, 0);
		expect_perfect(PLAIN, rates_hz[i], IS_FAST ? 60 : 5, 0);
	}
}

ZTEST(stream_time, test_a_chip_with_a_wrong_clock_has_its_own_times)
{
	ON_HOST_ONLY();

	expect_perfect(HIRES, 100, IS_FAST ? 120 : 10, 30000);
	expect_perfect(PLAIN, 100, IS_FAST ? 120 : 10, -30000);
	expect_perfect(HIRES, 1000, IS_FAST ? 60 : 5, -30000);
}

ZTEST(stream_time, test_an_hour_neither_drifts_nor_loses)
{
	ON_HOST_ONLY();

	expect_perfect(HIRES, 100, 3600 * CONFIG_IMU_STREAM_HOURS, 12345);
}
