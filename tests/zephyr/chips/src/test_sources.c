/* SPDX-License-Identifier: Apache-2.0 */
/* What chips play: recordings and computed motion. */
#include <errno.h>
#include <stdlib.h>

#include <zephyr/ztest.h>

#include <emlearn/zephyr/chip_model.h>

#include "lsm6dsl_chips.h"

static const int16_t six_axes[3][6] = {{1, 2, 3, 4, 5, 6}, {-1, -2, -3, -4, -5, -6}, {7, 8, 9, 10, 11, 12}};
static const int16_t three_axes[2][3] = {{1, 2, 3}, {-1, -2, -3}};

static const struct emlearn_recording both = {
	.frames = six_axes[0],
	.n_frames = 3,
	.rate_mhz = 104000,
	.acc_step_num = 61,
	.acc_step_den = 1000000,
	.gyro_step_num = 7,
	.gyro_step_den = 800,
	.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
};

static const struct emlearn_recording gyro_alone = {
	.frames = three_axes[0],
	.n_frames = 2,
	.rate_mhz = 104000,
	.gyro_step_num = 7,
	.gyro_step_den = 800,
	.sensors = EMLEARN_SENSOR_GYRO,
};

ZTEST(sources, test_a_recording_is_played_frame_by_frame_and_ends)
{
	struct emlearn_source source;
	int16_t frame[EMLEARN_CHIP_CHANNELS];

	emlearn_source_recording(&source, &both);
	zassert_equal_ptr(source.recording, &both);
	zassert_equal(source.n_frames, 3);
	for (uint32_t i = 0; i < 3; i++) {
		zassert_ok(source.frame(&source, i, frame));
		zassert_mem_equal(frame, six_axes[i], sizeof(frame));
	}
	zassert_equal(source.frame(&source, 3, frame), -ENODATA);
}

ZTEST(sources, test_a_sensor_that_was_not_recorded_is_zero)
{
	static const int16_t expected[] = {0, 0, 0, -1, -2, -3};
	struct emlearn_source source;
	int16_t frame[EMLEARN_CHIP_CHANNELS] = {9, 9, 9, 9, 9, 9};

	emlearn_source_recording(&source, &gyro_alone);
	zassert_ok(source.frame(&source, 1, frame));
	zassert_mem_equal(frame, expected, sizeof(frame));
}

ZTEST(sources, test_behind_the_end_a_chip_goes_on_with_the_last_frame)
{
	FOR_EACH_LSM6DSL(chip)
	{
		struct emlearn_source source;
		struct emlearn_chip_frame frame;

		emlearn_source_recording(&source, &gyro_alone);
		lsm6dsl_set_up(chip, ODR_104_HZ, &source);
		zassert_equal_ptr(emlearn_chip_source(chip->dev), &source);
		lsm6dsl_fifo_on(chip, ODR_104_HZ, FIFO_CONTINUOUS);
		k_sleep(K_MSEC(100));
		zassert_ok(emlearn_chip_truth(chip->dev, 0, &frame));
		zassert_equal(frame.codes[3], 1);
		for (uint32_t i = 1; i < 9; i++) {
			zassert_ok(emlearn_chip_truth(chip->dev, i, &frame));
			zassert_equal(frame.codes[0], 0);
			zassert_equal(frame.codes[5], -3);
		}
	}
}

ZTEST(sources, test_synthetic_frames_are_repeatable_differ_and_fit_every_range)
{
	const struct emlearn_imu_step acc_step = {61, 1000000};
	const struct emlearn_imu_step gyro_step = {7, 1600};
	struct emlearn_source source;
	struct emlearn_source again;
	int16_t before[EMLEARN_CHIP_CHANNELS] = {0};
	int16_t frame[EMLEARN_CHIP_CHANNELS];
	int16_t same[EMLEARN_CHIP_CHANNELS];

	emlearn_source_synthetic(&source, &acc_step, &gyro_step);
	emlearn_source_synthetic(&again, &acc_step, &gyro_step);
	for (uint32_t n = 0; n < 10000; n++) {
		zassert_ok(source.frame(&source, n, frame));
		zassert_ok(again.frame(&again, n, same));
		zassert_mem_equal(frame, same, sizeof(frame));
		/* Neighbours differ by an eighth of the range or more, in both sensors: in the coarsest range too. */
		zassert_true(n == 0 || abs(frame[0] - before[0]) > 4096);
		zassert_true(n == 0 || abs(frame[3] - before[3]) > 400);
		for (int i = 0; i < 3; i++) {
			zassert_true(abs(frame[i]) * 61 < 2000000);
			/* 15.625 dps is the smallest range of any chip */
			zassert_true(abs(frame[3 + i]) * 4375 < 15625000);
		}
		memcpy(before, frame, sizeof(before));
	}
}

ZTEST_SUITE(sources, NULL, NULL, NULL, lsm6dsl_leave, NULL);
