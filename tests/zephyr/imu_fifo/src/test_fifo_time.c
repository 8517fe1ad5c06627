/* SPDX-License-Identifier: Apache-2.0 */
/* Long runs: nothing is lost or repeated, and times do not drift. */
#include <stdlib.h>

#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include "bench.h"

#define SECOND_US INT64_C(1000000)
#define INFERENCE_US 60000

/* Read for so long, with an inference every second. */
static void run_with_inference(struct emlearn_imu_reader *reader, uint32_t rate_mhz, int32_t ppm, int64_t seconds)
{
	const int64_t period_us = 1000000000 / rate_mhz;
	struct bench bench;

	bench_start(&bench, reader, &asked_4g, rate_mhz);
	bench_fault(&bench, EMLEARN_FAULT_CLOCK, 1, ppm);
	for (int64_t i = 0; i < seconds; i++) {
		bench_read_until(&bench, emlearn_imu_now_us() + SECOND_US - INFERENCE_US);
		k_busy_wait(INFERENCE_US);
	}
	zassert_equal(bench.seen.n_lost, 0);
	zassert_equal(bench.seen.n_estimated, 0);
	zassert_true(bench.seen.last_us <= period_us, "off by %d us at %u mHz", (int)bench.seen.last_us, rate_mhz);
	/* Before the period is measured, a clock of 3 % too much is off by more. */
	zassert_true(bench.seen.worst_us <= period_us * (ppm == 0 ? 1 : 4), "%d us at %u mHz", (int)bench.seen.worst_us,
		     rate_mhz);
	zassert_true(bench.seen.last_ppm < 1000, "period off by %d ppm at %u mHz", (int)bench.seen.last_ppm, rate_mhz);
	zassert_true(bench.seen.n_frames + 2 * 32 >= (uint64_t)seconds * rate_mhz * (1000000 + ppm) / 1000000 / 1000);
	bench_stop(&bench);
}

#ifdef CONFIG_IMU_FIFO_LONG
ZTEST(fifo_time, test_ten_minutes_at_104_hz_with_an_inference_every_second_lose_nothing)
{
	run_with_inference(on_i2c_untimed, 104000, 0, 600);
	run_with_inference(on_spi, 104000, 0, 600);
}

ZTEST(fifo_time, test_a_minute_at_every_rate_with_an_inference_every_second_loses_nothing)
{
	static const uint32_t rates_mhz[] = {26000, 52000, 208000, 416000, 833000};

	for (size_t i = 0; i < ARRAY_SIZE(rates_mhz) && rates_mhz[i] <= BENCH_FASTEST_MHZ; i++) {
		run_with_inference(on_i2c_untimed, rates_mhz[i], 0, 60);
		run_with_inference(on_i2c, rates_mhz[i], 0, 60);
	}
}

ZTEST(fifo_time, test_an_hour_loses_nothing)
{
	run_with_inference(on_i2c, 104000, 12345, CONFIG_IMU_FIFO_HOURS * 3600);
}

#endif

ZTEST(fifo_time, test_times_follow_a_clock_that_is_off)
{
	run_with_inference(on_i2c, 104000, 30000, 60);
	run_with_inference(on_i2c, 104000, -30000, 60);
	run_with_inference(on_i2c_untimed, 26000, 30000, 60);
	run_with_inference(on_i2c_untimed, BENCH_FASTEST_MHZ, -30000, 60);
}

ZTEST(fifo_time, test_a_watermark_of_more_than_a_batch_is_read_in_batches)
{
	struct bench bench;
	struct emlearn_imu_stats stats;

	bench_start(&bench, turned, &asked_4g, 104000);
	bench_read_until(&bench, emlearn_imu_now_us() + 60 * SECOND_US);
	zassert_equal(bench.seen.n_lost, 0);
	stats = bench_stats(&bench);
	zassert_true(stats.n_wakeups <= 4 * 60, "%u wakeups", stats.n_wakeups);
	zassert_within(stats.n_batches, 60 * 104 / 32, 4, "whole ones");
	bench_stop(&bench);
}

ZTEST(fifo_time, test_without_an_interrupt_line_the_fifo_is_read_at_its_own_pace)
{
	static const uint32_t rates_mhz[] = {26000, 104000, BENCH_FASTEST_MHZ};
	static const int32_t ppms[] = {0, 30000, -30000};

	for (size_t i = 0; i < ARRAY_SIZE(rates_mhz); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(ppms); j++) {
			const uint32_t n_batches = 60 * rates_mhz[i] / 32000;
			struct bench bench;

			bench_start(&bench, without_line, &asked_4g, rates_mhz[i]);
			bench_fault(&bench, EMLEARN_FAULT_CLOCK, 1, ppms[j]);
			bench_read_until(&bench, emlearn_imu_now_us() + 60 * SECOND_US);
			zassert_equal(bench.seen.n_lost, 0);
			zassert_true(bench.seen.last_us <= 1000000000 / rates_mhz[i], "off by %d us",
				     (int)bench.seen.last_us);
			zassert_true(bench_stats(&bench).n_wakeups <= n_batches + n_batches / 8 + 2, "%u for %u",
				     bench_stats(&bench).n_wakeups, n_batches);
			zassert_equal(bench_stats(&bench).n_rearms, 0);
			bench_stop(&bench);
		}
	}
}

ZTEST_SUITE(fifo_time, NULL, NULL, NULL, NULL, NULL);
