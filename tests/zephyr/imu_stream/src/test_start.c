/* SPDX-License-Identifier: Apache-2.0 */
/* The first frames: none is lost, repeated or invented before the first batch without a word. */
#include <errno.h>

#include <zephyr/ztest.h>

#include "bench.h"

ZTEST_SUITE(stream_start, NULL, NULL, NULL, bench_after, NULL);

#define RATE_HZ 100
#define BATCH_MS (BATCH_FRAMES * 1000 / RATE_HZ)

static const uint16_t rates_hz[] = {25, 50, 100, 200, 500, 1000};

static void begin(struct bench *bench, enum bench_reader reader)
{
	struct emlearn_imu_asked asked = asked_of(RATE_HZ, 16, 2000);

	bench_start(bench, reader, &asked, NULL);
}

/* The first batch comes, and what it says to be lost is what is missing, to within `off`. */
static void expect_first(struct bench *bench, uint32_t most_ms, int off)
{
	const int64_t end = k_uptime_get() + most_ms;

	while (bench->n_frames == 0) {
		zassert_true(k_uptime_get() <= end, "no frame in %u ms", most_ms);
		(void)bench_read(bench, K_MSEC(most_ms));
	}
	zassert_within((int)bench->n_told, (int)bench->n_missing, off, "%u told, %u missing", bench->n_told,
		       bench->n_missing);
}

/* From there on nothing more is lost or told. */
static void expect_perfect_from_here(struct bench *bench, uint32_t ms)
{
	const uint32_t n_lost = bench->n_lost;
	const uint32_t n_told = bench->n_told;

	bench_run(bench, ms);
	zassert_equal(bench->n_lost, n_lost, "more was lost afterwards");
	zassert_equal(bench->n_told, n_told, "more was told afterwards");
}

ZTEST(stream_start, test_a_first_frame_that_the_chip_repeats_is_delivered_once)
{
	for (uint32_t n = 1; n <= 70; n += IS_FAST ? 1 : 69) {
		for (enum bench_reader reader = HIRES; reader <= PLAIN; reader++) {
			struct bench bench;

			begin(&bench, reader);
			bench.holes = true;
			bench_fault_at(&bench, 0, EMLEARN_FAULT_REPEAT, n);
			bench_run(&bench, 7 * BATCH_MS);
			zassert_equal(bench.n_repeated, 0);
			zassert_equal(bench.n_lost, 0);
			zassert_equal(bench.n_told, 0);
			zassert_equal(bench_stats(&bench).n_odd, n);
			zassert_true(bench.n_frames > 0);
			bench_stop(&bench);
		}
	}
}

ZTEST(stream_start, test_a_first_frame_repeated_after_the_stream_was_armed_again_is_delivered_once)
{
	ON_HOST_ONLY();

	for (enum bench_reader reader = HIRES; reader <= PLAIN; reader++) {
		struct bench bench;

		begin(&bench, reader);
		bench.holes = true;
		bench_run(&bench, 3 * BATCH_MS);
		bench_fault(&bench, EMLEARN_FAULT_NACK, 1, 0);
		while (bench_stats(&bench).n_rearms == 0) {
			(void)bench_read(&bench, K_MSEC(1));
		}
		bench_fault(&bench, EMLEARN_FAULT_REPEAT, 1, 0);
		bench_run(&bench, 5 * BATCH_MS);
		zassert_equal(bench.n_repeated, 0);
		zassert_equal(bench_stats(&bench).n_odd, 1);
		bench_stop(&bench);
	}
}

ZTEST(stream_start, test_frames_dropped_before_the_first_batch_are_told)
{
	for (uint32_t at = 0; at < BATCH_FRAMES; at += IS_FAST ? 1 : 31) {
		for (uint32_t n = 3; n <= 40; n += IS_FAST ? 1 : 37) {
			struct bench bench;

			begin(&bench, (at + n) % 2 == 0 ? HIRES : PLAIN);
			/* The chip's time in the FIFO is too short for seven at once: only the clock tells of those. */
			bench.holes = n % 7 == 0;
			bench_fault_at(&bench, at, EMLEARN_FAULT_DROP, n);
			bench_run(&bench, (n + 5) * 10 + 2 * BATCH_MS);
			zassert_equal(bench.n_lost, n);
			zassert_within((int)bench.n_told, (int)n, 1, "%u told of %u from %u on", bench.n_told, n, at);
			zassert_equal(bench.n_estimated, 1);
			zassert_equal(bench_stats(&bench).n_rearms, 0);
			bench_stop(&bench);
		}
	}
}

ZTEST(stream_start, test_interrupts_lost_before_the_first_batch_are_told)
{
	ON_HOST_ONLY();

	for (uint32_t n = 1; n <= 8; n++) {
		struct bench bench;

		begin(&bench, n % 2 == 0 ? HIRES : PLAIN);
		bench_fault_at(&bench, 10, EMLEARN_FAULT_INT_LOST, n);
		expect_first(&bench, (n + 1) * 5 * BATCH_MS, 1);
		zassert_true(bench.n_told >= BATCH_FRAMES, "%u", bench.n_told);
		zassert_equal(bench.n_estimated, 1);
		expect_perfect_from_here(&bench, 5000);
		bench_stop(&bench);
	}
}

ZTEST(stream_start, test_a_brown_out_before_the_first_batch_is_told)
{
	for (uint32_t at = 0; at < BATCH_FRAMES; at += IS_FAST ? 1 : 5) {
		struct bench bench;

		begin(&bench, at % 2 == 0 ? HIRES : PLAIN);
		bench_fault_at(&bench, at, EMLEARN_FAULT_BROWNOUT, 1);
		expect_first(&bench, 5 * BATCH_MS, 1);
		zassert_true(bench.n_told >= BATCH_FRAMES, "%u", bench.n_told);
		zassert_equal(bench.n_estimated, 1);
		expect_perfect_from_here(&bench, 5 * BATCH_MS);
		bench_stop(&bench);
	}
}

ZTEST(stream_start, test_a_transfer_that_fails_before_the_first_batch_is_told)
{
	for (uint32_t n = 1; n <= 12; n += IS_FAST ? 1 : 12) {
		struct bench bench;

		begin(&bench, n % 2 == 0 ? HIRES : PLAIN);
		bench_fault_at(&bench, 0, EMLEARN_FAULT_NACK, n);
		expect_first(&bench, 15 * BATCH_MS, 1);
		zassert_true(bench.n_told >= BATCH_FRAMES, "%u", bench.n_told);
		zassert_equal(bench.n_estimated, 1);
		expect_perfect_from_here(&bench, 5 * BATCH_MS);
		bench_stop(&bench);
	}
}

/* The chip's clock is off, and it may have been sampling for long: neither is a loss. */
static void expect_no_loss(enum bench_reader reader, uint32_t rate_hz, int32_t clock_ppm)
{
	struct emlearn_imu_asked asked = asked_of(rate_hz, 16, 2000);
	struct bench bench;

	bench_start(&bench, reader, &asked, NULL);
	bench_fault(&bench, EMLEARN_FAULT_CLOCK, 1, clock_ppm);
	for (unsigned int n = 0; n < 3; n++) {
		zassert_ok(bench_read(&bench, K_SECONDS(5)));
		zassert_equal(bench.n_told, 0, "%u Hz %d ppm: %u told", rate_hz, clock_ppm, bench.n_told);
		zassert_equal(bench.n_estimated, 0);
	}
	zassert_equal(bench.n_lost, 0);
	bench_stop(&bench);
}

ZTEST(stream_start, test_a_chip_with_a_wrong_clock_has_lost_nothing)
{
	static const enum bench_reader depths[] = {HIRES, PLAIN, DEEP, ODD};

	for (size_t i = 0; i < ARRAY_SIZE(depths); i++) {
		for (size_t j = IS_FAST ? 0 : 3; j < ARRAY_SIZE(rates_hz) && rates_hz[j] <= RATE_MAX_HZ; j++) {
			for (int32_t ppm = -30000; ppm <= 30000; ppm += IS_FAST ? 10000 : 60000) {
				expect_no_loss(depths[i], rates_hz[j], ppm);
			}
		}
	}
}

ZTEST(stream_start, test_a_chip_that_was_sampling_before_has_lost_nothing)
{
	uint32_t seed = 4;

	for (size_t i = IS_FAST ? 0 : 3; i < ARRAY_SIZE(rates_hz) && rates_hz[i] <= RATE_MAX_HZ; i++) {
		struct emlearn_imu_asked asked = asked_of(rates_hz[i], 16, 2000);
		struct emlearn_imu_reader *reader;
		struct bench bench;

		bench_start(&bench, HIRES, &asked, NULL);
		reader = &bench.stream->reader;
		zassert_ok(bench_read(&bench, K_SECONDS(5)));
		for (unsigned int n = 0; n < (IS_FAST ? 50 : 3); n++) {
			emlearn_imu_reader_stop(reader);
			k_sleep(K_USEC(xorshift(&seed) % 100000));
			zassert_ok(emlearn_imu_reader_start(reader, &asked, &bench.got));
			zassert_ok(emlearn_imu_reader_read(reader, &bench.batch, K_SECONDS(5)));
			zassert_equal(bench.batch.n_lost, 0);
			zassert_equal(bench.batch.loss, EMLEARN_LOSS_EXACT);
		}
		bench_stop(&bench);
	}
}
