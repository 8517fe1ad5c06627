/* SPDX-License-Identifier: Apache-2.0 */
/* Frames are those that the chip made, on every grid. */
#include <zephyr/ztest.h>

#include "bench.h"

ZTEST_SUITE(stream_frames, NULL, NULL, NULL, NULL, NULL);

static const uint16_t rates_hz[] = {25, 50, 100, 200, 500, 1000};

/* Both ranges of the models of human activity: 4 g and 500 dps, 16 g and 2000 dps. */
static void expect_frames(enum bench_reader reader, uint32_t acc_range_g, uint32_t gyro_range_dps)
{
	for (size_t i = 0; i < ARRAY_SIZE(rates_hz); i++) {
		struct emlearn_imu_asked asked = asked_of(rates_hz[i], acc_range_g, gyro_range_dps);
		struct bench bench;

		bench_start(&bench, reader, &asked, NULL);
		zassert_equal(bench.got.rate_mhz, asked.rate_mhz);
		zassert_equal(bench.got.watermark_frames, BATCH_FRAMES);
		for (unsigned int n = 0; n < 10; n++) {
			zassert_ok(bench_read(&bench, K_SECONDS(3)), "%u Hz", rates_hz[i]);
			zassert_equal(bench.batch.n_frames, BATCH_FRAMES);
		}
		bench_expect_perfect(&bench);
		zassert_equal(bench.next, bench.n_frames, "the first frame was not the chip's first");
		bench_stop(&bench);
	}
}

ZTEST(stream_frames, test_frames_of_20_bytes_are_those_of_the_chip_at_every_rate)
{
	expect_frames(HIRES, 4, 500);
	expect_frames(HIRES, 16, 2000);
}

ZTEST(stream_frames, test_frames_of_16_bytes_are_those_of_the_chip_at_every_rate)
{
	expect_frames(PLAIN, 4, 500);
	expect_frames(PLAIN, 16, 2000);
}
