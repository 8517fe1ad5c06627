/* SPDX-License-Identifier: Apache-2.0 */
/* An inference of 60 ms every second, at the priorities that are the default. */
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/chip_model.h>

#include "bench.h"

#define SECONDS (IS_ENABLED(CONFIG_ARCH_POSIX) ? 600 : 20)
#define INFERENCE_US 60000

static int64_t next_us; /* when the first frame of the next batch is due */
static uint32_t n_off;  /* batches that began elsewhere */

static void on_batch(const struct emlearn_batch *batch, void *user)
{
	ARG_UNUSED(user);
	if (next_us != 0 && llabs(batch->t_us - next_us) > batch->period_ns / 1000) {
		n_off++;
	}
	next_us = batch->t_us + (int64_t)batch->n_frames * batch->period_ns / 1000;
}

static void on_decision(const struct emlearn_decision *decision, void *user)
{
	ARG_UNUSED(decision);
	ARG_UNUSED(user);
	k_busy_wait(INFERENCE_US);
}

static const struct emlearn_imu_handlers handlers = {.on_batch = on_batch, .on_decision = on_decision};

static void check(const struct bench *bench)
{
	const uint32_t n_due = SECONDS * (bench_rate_mhz(bench, 100) / 1000);
	struct emlearn_imu_runner_stats stats;
	struct emlearn_chip_counts counts;
	struct emlearn_imu_got got;

	next_us = 0;
	n_off = 0;
	zassert_ok(bench_start(bench, 100, &got, &handlers, NULL));
	k_sleep(K_SECONDS(SECONDS));
	emlearn_imu_runner_stats(bench->runner, &stats);
	emlearn_chip_counts(bench->chip, &counts);
	emlearn_imu_runner_stop(bench->runner);

	zassert_equal(stats.reader.n_lost, 0, "%u lost", stats.reader.n_lost);
	zassert_equal(stats.reader.n_overruns + stats.reader.n_rearms + stats.reader.n_bus_errors + stats.reader.n_odd,
		      0);
	zassert_equal(n_off, 0, "%u batches off", n_off);
	/* What is not delivered yet is a batch that fills, and what came during an inference. */
	zassert_within(stats.reader.n_frames, n_due, 2 * BENCH_BATCH, "%u of %u", stats.reader.n_frames, n_due);
	zassert_within(stats.n_decisions, SECONDS, 1, "%u decisions", stats.n_decisions);
	/* QEMU needs time for the pipeline too. */
	zassert_between_inclusive(stats.worst_batch_us, INFERENCE_US, INFERENCE_US + 20000);
	zassert_true(stats.worst_batch_us < got.stall_us, "%u us, and a stall may take %u", stats.worst_batch_us,
		     got.stall_us);
	if (bench->has_fifo) {
		zassert_equal(counts.n_overwritten, 0);
	}
	TC_PRINT("inference of 60 ms: %-6s %u frames, 0 lost, worst latency of a batch %u us, of a decision %u us\n",
		 bench->back_end, stats.reader.n_frames, stats.reader.worst_latency_us, stats.worst_decision_us);
}

ZTEST(imu_inference, test_an_inference_costs_a_poller_no_frame)
{
	Z_TEST_SKIP_IFNDEF(CONFIG_ARCH_POSIX);
	check(&benches[BENCH_POLL]);
}

ZTEST(imu_inference, test_an_inference_costs_a_timed_reader_no_frame)
{
	Z_TEST_SKIP_IFNDEF(CONFIG_ARCH_POSIX);
	check(&benches[BENCH_READ]);
}

ZTEST(imu_inference, test_an_inference_costs_a_fifo_no_frame)
{
	check(&benches[BENCH_FIFO]);
}

ZTEST(imu_inference, test_an_inference_costs_a_stream_no_frame)
{
	check(&benches[BENCH_STREAM]);
}

ZTEST_SUITE(imu_inference, NULL, NULL, NULL, NULL, NULL);
