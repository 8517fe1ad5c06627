/* SPDX-License-Identifier: Apache-2.0 */
/* Frames are those that the chip made, on every grid. */
#include <string.h>

#include <zephyr/ztest.h>

#include "bench.h"

ZTEST_SUITE(stream_frames, NULL, NULL, NULL, bench_after, NULL);

static const uint16_t rates_hz[] = {25, 50, 100, 200, 500, 1000};

/* Both ranges of the models of human activity: 4 g and 500 dps, 16 g and 2000 dps. */
static void expect_frames(enum bench_reader reader, uint32_t acc_range_g, uint32_t gyro_range_dps)
{
	for (size_t i = IS_FAST ? 0 : 2; i < ARRAY_SIZE(rates_hz) && rates_hz[i] <= RATE_MAX_HZ; i++) {
		struct emlearn_imu_asked asked = asked_of(rates_hz[i], acc_range_g, gyro_range_dps);
		struct bench bench;

		bench_start(&bench, reader, &asked, NULL);
		zassert_equal(bench.got.rate_mhz, asked.rate_mhz);
		zassert_equal(bench.got.watermark_frames, BATCH_FRAMES);
		for (unsigned int n = 0; n < (IS_FAST ? 10 : 3); n++) {
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
	if (IS_FAST) {
		expect_frames(HIRES, 4, 500);
	}
	expect_frames(HIRES, 16, 2000);
}

ZTEST(stream_frames, test_frames_of_16_bytes_are_those_of_the_chip_at_every_rate)
{
	expect_frames(PLAIN, 4, 500);
	if (IS_FAST) {
		expect_frames(PLAIN, 16, 2000);
	}
}

/* Every code once in each channel, in another order in each. */
static int every_code(const struct emlearn_source *source, uint32_t number, int16_t frame[EMLEARN_CHIP_CHANNELS])
{
	static const uint16_t factors[EMLEARN_CHIP_CHANNELS] = {1, 3, 5, 40503, 52711, 65535};

	ARG_UNUSED(source);
	for (unsigned int i = 0; i < EMLEARN_CHIP_CHANNELS; i++) {
		frame[i] = (int16_t)(uint16_t)(number * factors[i] + 7919 * i);
	}
	return 0;
}

/*
 * All codes of a range through chip, FIFO and driver. The two lowest are not the chip's: they mean that there is no
 * sample, so the chip ends at -32766.
 */
static void expect_every_code(enum bench_reader reader, uint32_t acc_range_g, uint32_t gyro_range_dps)
{
	struct emlearn_imu_asked asked = asked_of(RATE_MAX_HZ, acc_range_g, gyro_range_dps);
	static struct emlearn_source source; /* the chip goes on with it afterwards */
	uint32_t number = 0;
	struct bench bench;

	source = (struct emlearn_source){every_code, asked.acc_step, asked.gyro_step, 0, NULL};
	bench_start(&bench, reader, &asked, &source);
	while (number < (IS_FAST ? UINT16_MAX : 500)) {
		zassert_ok(emlearn_imu_reader_read(&bench.stream->reader, &bench.batch, K_SECONDS(1)));
		zassert_equal(bench.batch.n_lost, 0);
		for (size_t i = 0; i < bench.batch.n_frames; i++, number++) {
			int16_t frame[EMLEARN_CHIP_CHANNELS];

			(void)every_code(&source, number, frame);
			for (unsigned int c = 0; c < EMLEARN_CHIP_CHANNELS; c++) {
				zassert_equal(bench.batch.frames[i * EMLEARN_CHIP_CHANNELS + c], MAX(frame[c], -32766),
					      "%u g %u dps, channel %u: %d", acc_range_g, gyro_range_dps, c, frame[c]);
			}
		}
	}
	bench_stop(&bench);
}

ZTEST(stream_frames, test_every_code_of_every_range_is_recovered_from_16_bytes)
{
	static const uint16_t acc_ranges_g[] = {16, 8, 4, 2};
	/* The driver cuts what it is asked for to whole degrees: it cannot be set to 62.5 and 31.25. */
	static const uint16_t gyro_ranges_dps[] = {2000, 1000, 500, 250, 125, 15};

	for (size_t i = 0; i < (IS_FAST ? ARRAY_SIZE(gyro_ranges_dps) : 1); i++) {
		expect_every_code(PLAIN, acc_ranges_g[i % 4], gyro_ranges_dps[i]);
	}
}

ZTEST(stream_frames, test_every_code_is_recovered_from_20_bytes)
{
	ON_HOST_ONLY();

	expect_every_code(HIRES, 16, 2000);
}

ZTEST(stream_frames, test_a_mounted_frame_is_that_of_a_chip_mounted_so)
{
	static const struct emlearn_imu_mount_axis mounts[][EMLEARN_AXES] = {
		{{1, 1}, {0, -1}, {2, 1}}, /* the property of the node alone */
		{{0, -1}, {1, -1}, {2, 1}},
	};
	struct emlearn_imu_asked asked = asked_of(100, 16, 2000);
	struct bench bench;

	for (unsigned int i = 0; i < 2; i++) {
		if (i == 1) {
			/* And the model's: its x is y of the board, its y is -x. */
			asked.mount[0] = (struct emlearn_imu_mount_axis){1, 1};
			asked.mount[1] = (struct emlearn_imu_mount_axis){0, -1};
		}
		bench_start(&bench, TURNED, &asked, NULL);
		memcpy(bench.mount, mounts[i], sizeof(bench.mount));
		for (unsigned int n = 0; n < (IS_FAST ? 10 : 3); n++) {
			zassert_ok(bench_read(&bench, K_SECONDS(1)));
		}
		bench_expect_perfect(&bench);
		bench_stop(&bench);
	}
}

ZTEST(stream_frames, test_one_sensor_can_be_read_alone)
{
	ON_HOST_ONLY();

	for (uint8_t sensors = EMLEARN_SENSOR_ACC; sensors <= EMLEARN_SENSOR_GYRO; sensors++) {
		for (enum bench_reader reader = HIRES; reader <= PLAIN; reader++) {
			struct emlearn_imu_asked asked = asked_of(200, 16, 2000);
			struct bench bench;

			/* Both were faster before: the one that is not asked for has to follow. */
			bench_start(&bench, reader, &asked, NULL);
			bench_stop(&bench);
			asked.rate_mhz = 50000;
			asked.sensors = sensors;
			bench_start(&bench, reader, &asked, NULL);
			for (unsigned int n = 0; n < (IS_FAST ? 10 : 3); n++) {
				zassert_ok(bench_read(&bench, K_SECONDS(1)));
			}
			bench_expect_perfect(&bench);
			bench_stop(&bench);
		}
	}
}

ZTEST(stream_frames, test_codes_are_right_where_the_driver_turns_an_axis)
{
	struct emlearn_imu_asked asked = asked_of(100, 16, 2000);
	struct bench bench;

	bench_start(&bench, ALIGNED, &asked, NULL);
	bench.mount[0].sign = -1;
	for (unsigned int n = 0; n < (IS_FAST ? 100 : 10); n++) {
		zassert_ok(bench_read(&bench, K_SECONDS(1)));
	}
	bench_expect_perfect(&bench);
	bench_stop(&bench);
}
