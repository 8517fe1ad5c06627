/* SPDX-License-Identifier: Apache-2.0 */
/* Wakeups: switches to threads of reader, RTIO and runner, and edges of the interrupt line. */
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/chip_model.h>

#include "bench.h"
#include "switches.h"

#define SECONDS 60
#define MOST_A_SECOND 4

struct wakeups {
	uint32_t n_edges;
	uint32_t n_switches;
	uint32_t n_told; /* by the reader */
};

static uint32_t told(const struct bench *bench)
{
	struct emlearn_imu_runner_stats stats;

	emlearn_imu_runner_stats(bench->runner, &stats);
	zassert_equal(stats.reader.n_lost, 0, "%u lost", stats.reader.n_lost);
	return stats.reader.n_wakeups;
}

static struct wakeups measure(const struct bench *bench, uint32_t about_hz)
{
	static const struct emlearn_imu_handlers none;
	struct emlearn_chip_counts before;
	struct emlearn_chip_counts after;
	struct emlearn_imu_got got;
	struct wakeups wakeups;

	zassert_ok(bench_start(bench, about_hz, &got, &none, NULL));
	zassert_equal(got.watermark_frames, bench->watermark);
	k_sleep(K_SECONDS(5));
	emlearn_chip_counts(bench->chip, &before);
	wakeups.n_told = told(bench);
	switches_begin();
	k_sleep(K_SECONDS(SECONDS));
	wakeups.n_switches = switches_counted();
	wakeups.n_told = told(bench) - wakeups.n_told;
	emlearn_chip_counts(bench->chip, &after);
	wakeups.n_edges = after.n_edges - before.n_edges;
	emlearn_imu_runner_stop(bench->runner);
	return wakeups;
}

static void print_rate(const char *before, uint32_t n, const char *behind)
{
	const uint32_t hundredths = n * 100 / SECONDS;

	TC_PRINT("%s%u.%02u%s", before, hundredths / 100, hundredths % 100, behind);
}

static struct wakeups shown(const struct bench *bench, uint32_t about_hz)
{
	struct wakeups wakeups = measure(bench, about_hz);

	TC_PRINT("wakeups: %s, %u Hz, watermark %u: ", bench->back_end, bench_rate_mhz(bench, about_hz) / 1000,
		 bench->watermark);
	print_rate("", wakeups.n_edges + wakeups.n_switches, " a second");
	print_rate(" (edges ", wakeups.n_edges, "");
	print_rate(", switches ", wakeups.n_switches, "");
	print_rate(", told by the reader ", wakeups.n_told, ")\n");
	return wakeups;
}

static uint32_t in_all(const struct bench *bench, uint32_t about_hz)
{
	struct wakeups wakeups = shown(bench, about_hz);

	return wakeups.n_edges + wakeups.n_switches;
}

/* One batch for each of so many frames, and that is all. */
static uint32_t batches(const struct bench *bench, uint32_t about_hz, uint32_t frames)
{
	return (uint32_t)((uint64_t)bench_rate_mhz(bench, about_hz) * SECONDS / 1000 / frames);
}

ZTEST(imu_wakeups, test_a_poller_wakes_for_each_frame_and_its_runner_for_each_batch)
{
	const struct bench *bench = &benches[BENCH_POLL];
	uint32_t n = in_all(bench, 100);

	zassert_within(n, batches(bench, 100, 1) + batches(bench, 100, BENCH_BATCH), 3);
	in_all(bench, 50);
}

ZTEST(imu_wakeups, test_reading_at_a_timers_pace_wakes_at_least_once_a_frame)
{
	const struct bench *bench = &benches[BENCH_READ];

	zassert_true(in_all(bench, 100) >= batches(bench, 100, 1));
	in_all(bench, 50);
}

ZTEST(imu_wakeups, test_a_fifo_wakes_the_processor_four_times_a_second_at_most)
{
	in_all(&benches[BENCH_FIFO], 50);
	zassert_true(in_all(&benches[BENCH_FIFO_64], 50) <= MOST_A_SECOND * SECONDS);
	zassert_true(in_all(&benches[BENCH_FIFO_64], 100) <= MOST_A_SECOND * SECONDS);
	zassert_true(in_all(&benches[BENCH_FIFO_80], 100) <= MOST_A_SECOND * SECONDS);
}

ZTEST(imu_wakeups, test_a_fifo_reader_counts_its_wakeups_as_the_kernel_does)
{
	struct wakeups wakeups = shown(&benches[BENCH_FIFO], 100);

	zassert_within(wakeups.n_told, wakeups.n_edges + wakeups.n_switches, 2);
}

ZTEST(imu_wakeups, test_a_stream_wakes_the_processor_four_times_a_second_at_most)
{
	in_all(&benches[BENCH_STREAM], 50);
	in_all(&benches[BENCH_STREAM], 100);
	zassert_true(in_all(&benches[BENCH_STREAM_64], 50) <= MOST_A_SECOND * SECONDS);
	in_all(&benches[BENCH_STREAM_64], 100);
	zassert_true(in_all(&benches[BENCH_STREAM_80], 100) <= MOST_A_SECOND * SECONDS);
}

ZTEST_SUITE(imu_wakeups, NULL, NULL, NULL, NULL, NULL);
