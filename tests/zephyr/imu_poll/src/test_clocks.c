/* SPDX-License-Identifier: Apache-2.0 */
/* A chip with a clock of its own repeats and misses frames for a poller; it never makes one that the chip did not. */
#include <string.h>

#include <zephyr/ztest.h>

#include "bench.h"

#define RUN_S 30
#define LATE_US 50

/* Compares what a reader delivers with what the chip made. */
struct comparison {
	const struct bench *bench;
	uint32_t newest; /* number of the newest frame of the chip that was delivered */
	bool has_any;
	uint32_t n_frames;
	uint32_t n_repeated;
	uint32_t n_missed;
	uint32_t n_lost;
	uint32_t late_us; /* a deadline may be met this late */
};

static bool is_frame(const struct device *dev, uint32_t number, const int16_t *frame, struct emlearn_chip_frame *truth)
{
	if (emlearn_chip_truth(dev, number, truth) != 0) {
		return false;
	}
	for (size_t k = 0; k < EMLEARN_CHIP_CHANNELS; k++) {
		if (truth->codes[k] != frame[k]) {
			return false;
		}
	}
	return true;
}

/* Find a frame among those that the chip made from the newest one on; it must be the one of its deadline. */
static void compare_frame(struct comparison *all, const int16_t *frame, int64_t due_us)
{
	const struct device *dev = all->bench->dev;
	struct emlearn_chip_frame truth = {0};
	struct emlearn_chip_frame next;
	uint32_t number = all->newest;

	while (!is_frame(dev, number, frame, &truth) && number < all->newest + 20) {
		number++;
	}
	zassert_true(number < all->newest + 20, "%s, %s: a frame that the chip never made", all->bench->chip,
		     all->bench->back_end);
	zassert_true(truth.t_us <= due_us + all->late_us, "%s, %s: from the future", all->bench->chip,
		     all->bench->back_end);
	if (emlearn_chip_truth(dev, number + 1, &next) == 0) {
		zassert_true(next.t_us + LATE_US >= due_us, "%s, %s: stale", all->bench->chip, all->bench->back_end);
	}
	if (all->has_any && number == all->newest) {
		all->n_repeated++;
	} else if (all->has_any) {
		all->n_missed += number - all->newest - 1;
	}
	all->has_any = true;
	all->newest = number;
	all->n_frames++;
}

static void compare_batch(struct comparison *all)
{
	all->n_lost += batch.n_lost;
	for (size_t i = 0; i < batch.n_frames; i++) {
		compare_frame(all, &batch.frames[i * EMLEARN_CHIP_CHANNELS],
			      batch.t_us + (int64_t)i * batch.period_ns / 1000);
	}
}

static void start(struct comparison *all, const struct bench *bench, int32_t ppm)
{
	static struct emlearn_source source;
	const struct emlearn_fault clock = {.kind = EMLEARN_FAULT_CLOCK, .n = 1, .value = ppm};
	const struct emlearn_imu_asked asked = bench_asked(bench);

	*all = (struct comparison){.bench = bench, .late_us = LATE_US};
	emlearn_source_synthetic(&source, &asked.acc_step, &asked.gyro_step);
	/* The chip samples at its rate, and a third of a period goes by before the reader begins. */
	bench_start(bench, bench->reader, &asked, &source);
	emlearn_imu_reader_stop(bench->reader);
	emlearn_chip_rewind(bench->dev, &source);
	zassert_ok(emlearn_chip_fault(bench->dev, &clock));
	(void)sensor_sample_fetch(bench->dev);
	k_usleep((int32_t)(1000000000u / bench->rate_mhz / 3));
	zassert_ok(emlearn_imu_reader_start(bench->reader, &asked, &got));
}

static void check_clock(const struct bench *bench, int32_t ppm)
{
	struct comparison all;
	uint32_t n_due = bench->rate_mhz / 1000 * RUN_S;
	/* Frames that the chip makes more than there are deadlines. */
	int32_t n_more = (int32_t)((int64_t)n_due * ppm / 1000000);

	start(&all, bench, ppm);
	while (all.n_frames + all.n_lost < n_due) {
		zassert_ok(emlearn_imu_reader_read(bench->reader, &batch, K_SECONDS(2)));
		compare_batch(&all);
	}
	TC_PRINT("%s by %s, clock %d ppm off: %u frames, %u repeated, %u missed, %u not there in time\n", bench->chip,
		 bench->back_end, ppm, all.n_frames, all.n_repeated, all.n_missed, all.n_lost);
	zassert_within((int32_t)(all.n_missed - all.n_repeated - all.n_lost), n_more, 3);
	/* No more of either than the clocks differ by. */
	zassert_true(all.n_missed <= (uint32_t)MAX(n_more, 0) + 3);
	emlearn_imu_reader_stop(bench->reader);
	emlearn_chip_heal(bench->dev);
}

ZTEST(imu_poll_clocks, test_no_frame_is_invented_whatever_the_clock_of_the_chip)
{
	static const int32_t ppms[] = {0, 300, -300, 10000, -10000};

	FOR_EACH_BENCH(bench)
	{
		for (size_t i = 0; i < ARRAY_SIZE(ppms); i++) {
			check_clock(bench, ppms[i]);
		}
	}
}

ZTEST(imu_poll_clocks, test_deadlines_that_were_missed_are_counted_as_the_frames_of_the_chip_are)
{
	FOR_EACH_BENCH(bench)
	{
		const uint32_t period_us = 1000000000u / bench->rate_mhz;
		struct comparison all;
		uint32_t before;

		/* The chip is a little fast, so that no frame is missing for another reason. */
		start(&all, bench, 300);
		all.late_us = period_us;
		for (int i = 0; i < 4; i++) {
			zassert_ok(emlearn_imu_reader_read(bench->reader, &batch, K_SECONDS(2)));
			compare_batch(&all);
		}
		all.n_lost = 0;
		all.n_missed = 0;
		before = all.newest;
		k_sched_lock();
		k_busy_wait(20 * period_us - period_us / 2);
		k_sched_unlock();
		while (all.n_lost == 0) {
			zassert_ok(emlearn_imu_reader_read(bench->reader, &batch, K_SECONDS(2)));
			if (batch.n_lost > 0) {
				/* The search goes on behind the gap. */
				before = all.newest;
				all.newest += batch.n_lost - 1;
			}
			compare_batch(&all);
		}
		/* 19 deadlines passed; the last of them is still fetched, late by half a period. */
		zassert_equal(all.n_lost, 18, "%s, %s: %u", bench->chip, bench->back_end, all.n_lost);
		zassert_within(all.newest - before, batch.n_frames + all.n_lost, 1);
		emlearn_imu_reader_stop(bench->reader);
	}
}

ZTEST_SUITE(imu_poll_clocks, NULL, NULL, bench_reset, bench_reset, NULL);
