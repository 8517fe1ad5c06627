/* SPDX-License-Identifier: Apache-2.0 */
/* The application is away. */
#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include "bench.h"

#define SECOND_US INT64_C(1000000)
#define N_DRAWN 20

/* Clock errors of +-3 %, the same in each run. */
static int32_t drawn_ppm(uint32_t i)
{
	return (int32_t)((i + 1) * 2654435761u % 60001u) - 30000;
}

/* Read, stay away, and read again; the frame rate is known by then. */
static void stay_away(struct bench *bench, struct emlearn_imu_reader *reader, uint32_t rate_mhz, int32_t ppm,
		      uint32_t away_s)
{
	bench_start(bench, reader, &asked_4g, rate_mhz);
	bench_fault(bench, EMLEARN_FAULT_CLOCK, 1, ppm);
	bench_read_until(bench, emlearn_imu_now_us() + 20 * SECOND_US);
	zassert_equal(bench->seen.n_lost, 0);
	k_sleep(K_SECONDS(away_s));
	/* It goes on within two batches. */
	zassert_ok(bench_read(bench, K_NO_WAIT));
	zassert_ok(bench_read(bench, K_NO_WAIT));
	bench_read_until(bench, emlearn_imu_now_us() + 10 * SECOND_US);
}

ZTEST(fifo_stalls, test_a_second_away_loses_nothing)
{
	struct bench bench;

	for (uint32_t i = 0; i < N_DRAWN; i++) {
		if (i % 2 == 0) {
			stay_away(&bench, on_i2c, 104000, drawn_ppm(i), 1);
		} else {
			stay_away(&bench, on_spi_untimed, 208000, drawn_ppm(i), 1);
		}
		zassert_equal(bench.seen.n_lost, 0);
		zassert_equal(bench.seen.n_truly_lost, 0);
		bench_stop(&bench);
	}
}

ZTEST(fifo_stalls, test_half_a_minute_away_is_counted_exactly_with_time_stamps)
{
	static const uint32_t rates_mhz[] = {26000, 104000, BENCH_FASTEST_MHZ};
	struct bench bench;

	for (uint32_t i = 0; i < N_DRAWN; i++) {
		stay_away(&bench, i % 2 == 0 ? on_i2c : on_spi, rates_mhz[i % 3], drawn_ppm(i), 30);
		zassert_true(bench.seen.n_truly_lost > 400);
		zassert_equal(bench.seen.n_lost, bench.seen.n_truly_lost);
		zassert_equal(bench.seen.n_estimated, 0);
		zassert_equal(bench.seen.n_gaps, 1);
		zassert_equal(bench_stats(&bench).n_overruns, 1);
		zassert_equal(bench_stats(&bench).n_lost, bench.seen.n_lost);
		bench_stop(&bench);
	}
}

ZTEST(fifo_stalls, test_half_a_minute_away_is_estimated_well_without_time_stamps)
{
	static const uint32_t rates_mhz[] = {26000, 104000, BENCH_FASTEST_MHZ};
	struct bench bench;

	for (uint32_t i = 0; i < N_DRAWN; i++) {
		stay_away(&bench, i % 2 == 0 ? on_i2c_untimed : on_spi_untimed, rates_mhz[i % 3], drawn_ppm(i), 30);
		zassert_true(bench.seen.n_truly_lost > 400);
		zassert_true(bench.seen.worst_miss <= 1 + bench.seen.n_truly_lost / 1000, "off by %u of %u",
			     (uint32_t)bench.seen.worst_miss, (uint32_t)bench.seen.n_truly_lost);
		zassert_equal(bench.seen.n_estimated, 1);
		zassert_equal(bench.seen.n_gaps, 1);
		zassert_equal(bench_stats(&bench).n_overruns, 1);
		bench_stop(&bench);
	}
}

ZTEST(fifo_stalls, test_time_stamps_that_wrapped_are_counted_on)
{
	struct bench bench;

	/* 24 bits of 25 us are 419 s. */
	stay_away(&bench, on_i2c, 104000, -20000, 400);
	zassert_equal(bench.seen.n_lost, bench.seen.n_truly_lost);
	zassert_equal(bench.seen.n_estimated, 0);
	bench_stop(&bench);
	stay_away(&bench, on_i2c, 26000, 20000, 1000);
	zassert_equal(bench.seen.n_lost, bench.seen.n_truly_lost);
	zassert_equal(bench.seen.n_estimated, 0);
	bench_stop(&bench);
}

ZTEST(fifo_stalls, test_a_read_without_time_waits_for_nothing)
{
	struct bench bench;
	int64_t start_us;

	bench_start(&bench, on_i2c_untimed, &asked_2g, 104000);
	start_us = emlearn_imu_now_us();
	zassert_equal(bench_read(&bench, K_NO_WAIT), -EAGAIN);
	zassert_within(emlearn_imu_now_us(), start_us, 1000);
	zassert_equal(bench_read(&bench, K_MSEC(100)), -EAGAIN);
	zassert_within(emlearn_imu_now_us(), start_us + 100000, 1000);
	zassert_ok(bench_read(&bench, K_MSEC(220)));
	zassert_equal(bench_read(&bench, K_NO_WAIT), -EAGAIN);
	zassert_equal(bench.seen.n_lost, 0);
	bench_stop(&bench);
}

ZTEST_SUITE(fifo_stalls, NULL, NULL, NULL, NULL, NULL);
