/* SPDX-License-Identifier: Apache-2.0 */
/* Wakeups: switches to threads of reader, RTIO and runner, and edges of the interrupt line. */
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/chip_model.h>

#include "bench.h"
#include "switches.h"

/* Code takes time on QEMU, and what the host needs for it: a part will do. */
#define SECONDS (IS_ENABLED(CONFIG_ARCH_POSIX) ? 60 : 20)
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

static uint32_t in_all(const struct wakeups *wakeups)
{
	return wakeups->n_edges + wakeups->n_switches;
}

/* So many for each watermark, and that is all. */
static void check(const struct bench *bench, uint32_t about_hz, uint32_t a_watermark)
{
	struct wakeups wakeups = shown(bench, about_hz);
	uint32_t n = (uint32_t)((uint64_t)bench_rate_mhz(bench, about_hz) * SECONDS / 1000 / bench->watermark);

	zassert_within(in_all(&wakeups), a_watermark * n, a_watermark);
}

/* The interrupt, and the runner, which reads. */
#define OF_A_FIFO 2
/* The interrupt, RTIO's thread, which reads, and the runner. */
#define OF_A_STREAM 3

ZTEST(imu_wakeups, test_a_fifo_wakes_the_processor_four_times_a_second_at_most)
{
	struct wakeups wakeups = shown(&benches[BENCH_FIFO_96], 100);

	zassert_true(in_all(&wakeups) <= MOST_A_SECOND * SECONDS);
	zassert_within(wakeups.n_told, in_all(&wakeups), 2, "the reader counts as the kernel does");
}

ZTEST(imu_wakeups, test_a_stream_wakes_the_processor_four_times_a_second_at_most)
{
	struct wakeups wakeups = shown(&benches[BENCH_STREAM_80], 100);

	zassert_true(in_all(&wakeups) <= MOST_A_SECOND * SECONDS);
}

ZTEST(imu_wakeups, test_a_fifo_wakes_two_threads_or_handlers_a_watermark)
{
	Z_TEST_SKIP_IFNDEF(CONFIG_ARCH_POSIX);
	check(&benches[BENCH_FIFO], 50, OF_A_FIFO);
	check(&benches[BENCH_FIFO], 100, OF_A_FIFO);
	check(&benches[BENCH_FIFO_64], 50, OF_A_FIFO);
	check(&benches[BENCH_FIFO_64], 100, OF_A_FIFO);
	check(&benches[BENCH_FIFO_96], 50, OF_A_FIFO);
}

ZTEST(imu_wakeups, test_a_stream_wakes_three_threads_or_handlers_a_watermark)
{
	Z_TEST_SKIP_IFNDEF(CONFIG_ARCH_POSIX);
	check(&benches[BENCH_STREAM], 50, OF_A_STREAM);
	check(&benches[BENCH_STREAM], 100, OF_A_STREAM);
	check(&benches[BENCH_STREAM_64], 50, OF_A_STREAM);
	check(&benches[BENCH_STREAM_64], 100, OF_A_STREAM);
	check(&benches[BENCH_STREAM_80], 50, OF_A_STREAM);
}

/* Each frame wakes a thread or more, and each batch the runner. */
static void check_without_fifo(const struct bench *bench, uint32_t about_hz, uint32_t most_a_frame)
{
	struct wakeups wakeups = shown(bench, about_hz);
	uint32_t n_frames = bench_rate_mhz(bench, about_hz) / 1000 * SECONDS;
	uint32_t n_batches = n_frames / BENCH_BATCH;

	zassert_equal(wakeups.n_edges, 0);
	zassert_between_inclusive(wakeups.n_switches, n_frames + n_batches - 3,
				  most_a_frame * n_frames + n_batches + 3);
}

ZTEST(imu_wakeups, test_a_poller_wakes_one_thread_a_frame)
{
	Z_TEST_SKIP_IFNDEF(CONFIG_ARCH_POSIX);
	check_without_fifo(&benches[BENCH_POLL], 50, 1);
	check_without_fifo(&benches[BENCH_POLL], 100, 1);
}

ZTEST(imu_wakeups, test_reading_at_a_timers_pace_wakes_three_threads_a_frame_at_most)
{
	Z_TEST_SKIP_IFNDEF(CONFIG_ARCH_POSIX);
	check_without_fifo(&benches[BENCH_READ], 50, 3);
	check_without_fifo(&benches[BENCH_READ], 100, 3);
}

ZTEST_SUITE(imu_wakeups, NULL, NULL, NULL, NULL, NULL);
