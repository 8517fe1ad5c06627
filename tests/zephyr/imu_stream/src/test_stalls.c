/* SPDX-License-Identifier: Apache-2.0 */
/* The application stays away. */
#include <stdlib.h>

#include <zephyr/ztest.h>

#include "bench.h"

ZTEST_SUITE(stream_stalls, NULL, NULL, NULL, bench_after, NULL);

ZTEST(stream_stalls, test_a_second_away_loses_nothing_at_100_hz)
{
	struct emlearn_imu_asked asked = asked_of(100, 16, 2000);
	struct bench bench;

	bench_start(&bench, HIRES, &asked, NULL);
	zassert_equal(bench.got.stall_us, 4 * 32 * 10000);
	for (unsigned int i = 0; i < (IS_FAST ? 20 : 2); i++) {
		bench_run(&bench, 700 + 10 * i);
		k_sleep(K_SECONDS(1));
	}
	bench_run(&bench, 1000);
	bench_expect_perfect(&bench);
	bench_stop(&bench);
}

ZTEST(stream_stalls, test_the_stall_that_was_told_loses_nothing_at_any_rate)
{
	ON_HOST_ONLY();

	static const uint16_t rates_hz[] = {25, 50, 200, 500, 1000};

	for (size_t i = IS_FAST ? 0 : 2; i < ARRAY_SIZE(rates_hz); i++) {
		struct emlearn_imu_asked asked = asked_of(rates_hz[i], 16, 2000);

		for (enum bench_reader reader = HIRES; reader <= DEEP; reader += DEEP - HIRES) {
			struct bench bench;

			bench_start(&bench, reader, &asked, NULL);
			for (unsigned int n = 0; n < (IS_FAST ? 5 : 1); n++) {
				bench_run(&bench, 333);
				k_sleep(K_USEC(bench.got.stall_us));
			}
			bench_run(&bench, bench.got.stall_us / 1000);
			bench_expect_perfect(&bench);
			bench_stop(&bench);
		}
	}
}

/* Away for so long, with a clock that is off: what the reader tells is near the truth, and it soon goes on. */
static void expect_estimate(enum bench_reader reader, uint32_t rate_hz, int32_t clock_ppm, uint32_t away_s)
{
	struct emlearn_imu_asked asked = asked_of(rate_hz, 16, 2000);
	const uint32_t batch_ms = BATCH_FRAMES * 1000 / rate_hz;
	struct bench bench;
	uint32_t gap;
	int64_t back;

	bench_start(&bench, reader, &asked, NULL);
	bench_fault(&bench, EMLEARN_FAULT_CLOCK, 1, clock_ppm);
	bench_run(&bench, 10000);
	zassert_equal(bench.n_lost, 0);
	k_sleep(K_SECONDS(away_s));
	back = k_uptime_get();
	do {
		zassert_ok(bench_read(&bench, K_SECONDS(5)));
	} while (bench.n_lost == 0);
	/* What the pool held comes at once; then the driver takes 60 ms for the chip. */
	zassert_true(k_uptime_get() - back < 2 * batch_ms + 60, "%d ms", (int)(k_uptime_get() - back));
	gap = away_s * rate_hz;
	zassert_equal(bench.batch.loss, EMLEARN_LOSS_ESTIMATED);
	zassert_true(bench.n_lost > gap / 2 || away_s < 5);
	zassert_within((int)bench.n_told, (int)bench.n_lost, 1 + (int)gap / 1000, "%u Hz %d ppm: %u told, %u lost",
		       rate_hz, clock_ppm, bench.n_told, bench.n_lost);
	zassert_equal(bench_stats(&bench).n_overruns, 1);
	zassert_equal(bench_stats(&bench).n_rearms, 1);

	uint32_t n_lost = bench.n_lost;

	bench_run(&bench, 2000);
	zassert_equal(bench.n_lost, n_lost, "more was lost afterwards");
	bench_stop(&bench);
}

ZTEST(stream_stalls, test_half_a_minute_away_is_estimated_within_a_frame_and_a_permille)
{
	ON_HOST_ONLY();

	static const uint16_t rates_hz[] = {25, 50, 100, 200, 500, 1000};
	uint32_t seed = 20261;

	for (unsigned int i = 0; i < (IS_FAST ? 24 : 1); i++) {
		int32_t clock_ppm = (int32_t)(xorshift(&seed) % 60001) - 30000;
		uint16_t rate_hz = IS_FAST ? rates_hz[i % ARRAY_SIZE(rates_hz)] : 100;

		expect_estimate(i % 2 == 0 ? HIRES : PLAIN, rate_hz, clock_ppm, 30);
	}
}

ZTEST(stream_stalls, test_a_little_too_long_is_told_too)
{
	ON_HOST_ONLY();

	for (int32_t clock_ppm = -30000; clock_ppm <= 30000; clock_ppm += IS_FAST ? 15000 : 60000) {
		expect_estimate(HIRES, 100, clock_ppm, 2);
	}
}
