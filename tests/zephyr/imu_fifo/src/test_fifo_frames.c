/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, times and counts of a reader to which nothing happens. */
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include "bench.h"

#define SECOND_US INT64_C(1000000)

static const uint32_t rates_mhz[] = {26000, 52000, 104000, 208000, 416000, 833000};

/* Nothing was lost or estimated, and times are good to a period. */
static void check_flawless(const struct bench *bench, uint32_t rate_mhz, int64_t run_us)
{
	const struct bench_seen *seen = &bench->seen;

	zassert_equal(seen->n_lost, 0);
	zassert_equal(seen->n_estimated, 0);
	zassert_true(seen->worst_us <= 1000000000 / rate_mhz, "off by %d us at %u mHz", (int)seen->worst_us, rate_mhz);
	zassert_true(seen->n_frames + 2 * 80 >= (uint64_t)run_us * rate_mhz / 1000000000u, "%u frames at %u mHz",
		     (uint32_t)seen->n_frames, rate_mhz);
}

static void run(struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked, uint32_t rate_mhz,
		int64_t run_us)
{
	struct bench bench;

	bench_start(&bench, reader, asked, rate_mhz);
	bench_read_until(&bench, emlearn_imu_now_us() + run_us);
	check_flawless(&bench, rate_mhz, run_us);
	zassert_true(bench.seen.last_ppm < 1000, "period off by %d ppm", (int)bench.seen.last_ppm);
	bench_stop(&bench);
}

ZTEST(fifo_frames, test_frames_are_the_chips_at_every_rate_and_both_ranges)
{
	for (size_t i = 0; i < ARRAY_SIZE(rates_mhz) && rates_mhz[i] <= BENCH_FASTEST_MHZ; i++) {
		run(on_i2c, &asked_4g, rates_mhz[i], 5 * SECOND_US);
		run(on_i2c_untimed, &asked_2g, rates_mhz[i], 5 * SECOND_US);
		run(on_spi, &asked_2g, rates_mhz[i], 5 * SECOND_US);
		run(on_spi_untimed, &asked_4g, rates_mhz[i], 5 * SECOND_US);
	}
}

ZTEST_SUITE(fifo_frames, NULL, NULL, NULL, NULL, NULL);
