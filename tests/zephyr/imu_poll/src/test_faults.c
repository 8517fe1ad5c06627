/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include <zephyr/ztest.h>

#include "bench.h"

static struct emlearn_source source;

static void start(const struct bench *bench)
{
	const struct emlearn_imu_asked asked = bench_asked(bench);

	emlearn_source_synthetic(&source, &asked.acc_step, &asked.gyro_step);
	bench_start(bench, bench->reader, &asked, &source);
	zassert_ok(emlearn_imu_reader_read(bench->reader, &batch, K_SECONDS(2)));
}

static void cause(const struct bench *bench, enum emlearn_fault_kind kind, uint32_t n)
{
	const struct emlearn_fault fault = {.kind = kind, .n = n};

	zassert_ok(emlearn_chip_fault(bench->dev, &fault));
}

/* ST's drivers of Zephyr 4.3 return 0 from sample_fetch where the bus failed, and give the values from before. */
static bool hides_errors(const struct bench *bench)
{
	bool hides;

	cause(bench, EMLEARN_FAULT_NACK, UINT32_MAX);
	hides = sensor_sample_fetch(bench->dev) == 0;
	emlearn_chip_heal(bench->dev);
	return hides;
}

ZTEST(imu_poll_faults, test_a_driver_that_hides_a_dead_bus_is_known)
{
	FOR_EACH_BENCH(bench)
	{
		bool hides;

		start(bench);
		emlearn_imu_reader_stop(bench->reader);
		hides = hides_errors(bench);
		TC_PRINT("%s: driver hides errors of the bus: %s\n", bench->chip, hides ? "yes" : "no");
		zassert_true(!hides || strcmp(bench->chip, "lsm6dsl") == 0);
	}
}

ZTEST(imu_poll_faults, test_frames_of_a_bus_that_fails_for_a_while_are_lost_and_counted)
{
	FOR_EACH_BENCH(bench)
	{
		struct emlearn_imu_stats stats;
		uint32_t n_lost = 0;

		start(bench);
		if (hides_errors(bench)) {
			emlearn_imu_reader_stop(bench->reader);
			continue;
		}
		cause(bench, EMLEARN_FAULT_NACK, 5);
		for (int i = 0; i < 4; i++) {
			zassert_ok(emlearn_imu_reader_read(bench->reader, &batch, K_SECONDS(2)));
			n_lost += batch.n_lost;
		}
		emlearn_imu_reader_stats(bench->reader, &stats);
		zassert_true(n_lost >= 1 && n_lost <= 5, "%s, %s: %u", bench->chip, bench->back_end, n_lost);
		zassert_equal(stats.n_bus_errors, n_lost, "%s, %s: %u", bench->chip, bench->back_end,
			      stats.n_bus_errors);
		emlearn_imu_reader_stop(bench->reader);
	}
}

static int64_t newest_us(void)
{
	return batch.t_us + (int64_t)(batch.n_frames - 1) * batch.period_ns / 1000;
}

ZTEST(imu_poll_faults, test_a_dead_bus_is_reported_and_frames_go_on_when_it_heals)
{
	FOR_EACH_BENCH(bench)
	{
		int64_t dead_us;
		int64_t last_us;
		int rc;

		start(bench);
		if (hides_errors(bench)) {
			emlearn_imu_reader_stop(bench->reader);
			continue;
		}
		cause(bench, EMLEARN_FAULT_NACK, UINT32_MAX);
		dead_us = emlearn_imu_now_us();
		do {
			last_us = newest_us();
			rc = emlearn_imu_reader_read(bench->reader, &batch, K_SECONDS(2));
		} while (rc == 0);
		zassert_equal(rc, -EIO, "%s, %s: %d", bench->chip, bench->back_end, rc);
		zassert_true(emlearn_imu_now_us() - dead_us < 200000, "%s, %s", bench->chip, bench->back_end);
		k_msleep(1000);
		emlearn_chip_heal(bench->dev);
		do {
			rc = emlearn_imu_reader_read(bench->reader, &batch, K_SECONDS(2));
			/* from before */
		} while (rc == -EIO);
		zassert_ok(rc, "%s, %s: %d", bench->chip, bench->back_end, rc);
		/* What was lost fills the time in between. */
		zassert_within(batch.t_us - last_us, (int64_t)(batch.n_lost + 1) * batch.period_ns / 1000, 2);
		zassert_true(batch.n_lost >= 100, "%u", batch.n_lost);
		emlearn_imu_reader_stop(bench->reader);
	}
}

ZTEST_SUITE(imu_poll_faults, NULL, NULL, bench_reset, bench_reset, NULL);
