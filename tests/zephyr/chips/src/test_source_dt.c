/* SPDX-License-Identifier: Apache-2.0 */
/* What chips play from boot on, by devicetree. */
#include <errno.h>
#include <string.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/init.h>
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/chip_model.h>

#define N_FRAMES 50

static const struct device *const plain = DEVICE_DT_GET(DT_NODELABEL(icm42688_plain));
static const struct device *const hires = DEVICE_DT_GET(DT_NODELABEL(icm42688_hires));
static const struct device *const raw = DEVICE_DT_GET(DT_NODELABEL(icm42688_raw));

/* A ramp, to be told from what is computed. */
#define ROW(i, _) 100 + (i), 0, -(i), 7 * (i), 200, -9
static const int16_t frames[N_FRAMES * EMLEARN_CHIP_CHANNELS] = {LISTIFY(50, ROW, (, ))};
static const struct emlearn_recording_span spans[] = {{20, "walk"}, {N_FRAMES, "stand"}};

/* Named by the node; the rate is that of the chip within 5 %. */
const struct emlearn_recording walk_recording = {
	.frames = frames,
	.spans = spans,
	.n_frames = N_FRAMES,
	.n_spans = ARRAY_SIZE(spans),
	.rate_mhz = 104000,
	.acc_step_num = 1,
	.acc_step_den = 2048,
	.gyro_step_num = 10,
	.gyro_step_den = 164,
	.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
};

/* As they were before any test gave another one. */
static const struct emlearn_source *at_boot[3];

static int keep_sources(void)
{
	at_boot[0] = emlearn_chip_source(plain);
	at_boot[1] = emlearn_chip_source(hires);
	at_boot[2] = emlearn_chip_source(raw);
	return 0;
}

SYS_INIT(keep_sources, APPLICATION, 0);

ZTEST(source_dt, test_a_chip_plays_the_recording_that_its_node_names)
{
	const struct sensor_value rate = {100, 0};
	const struct sensor_value acc_range = {160, 0}; /* 16 g and 2000 dps, and a bit */
	const struct sensor_value gyro_range = {35, 0};
	struct emlearn_chip_frame frame;

	zassert_equal_ptr(at_boot[0]->recording, &walk_recording);
	zassert_equal(at_boot[0]->n_frames, N_FRAMES);
	emlearn_chip_rewind(plain, at_boot[0]);
	zassert_ok(sensor_attr_set(plain, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &rate));
	zassert_ok(sensor_attr_set(plain, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &rate));
	zassert_ok(sensor_attr_set(plain, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_FULL_SCALE, &acc_range));
	zassert_ok(sensor_attr_set(plain, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_FULL_SCALE, &gyro_range));
	k_sleep(K_MSEC(605));
	zassert_ok(sensor_sample_fetch(plain));
	for (uint32_t i = 0; i < 55; i++) {
		uint32_t played = MIN(i, N_FRAMES - 1);

		zassert_ok(emlearn_chip_truth(plain, i, &frame));
		for (unsigned int k = 0; k < EMLEARN_CHIP_CHANNELS; k++) {
			zassert_equal(frame.codes[k], frames[played * EMLEARN_CHIP_CHANNELS + k]);
		}
	}
}

ZTEST(source_dt, test_other_chips_play_what_is_computed)
{
	for (size_t i = 1; i < ARRAY_SIZE(at_boot); i++) {
		int16_t before[EMLEARN_CHIP_CHANNELS] = {0};

		zassert_is_null(at_boot[i]->recording);
		zassert_equal(at_boot[i]->n_frames, 0);
		for (uint32_t number = 0; number < 100; number++) {
			int16_t motion[EMLEARN_CHIP_CHANNELS];

			zassert_ok(at_boot[i]->frame(at_boot[i], number, motion));
			zassert_not_equal(memcmp(motion, before, sizeof(motion)), 0);
			memcpy(before, motion, sizeof(before));
		}
	}
}

ZTEST_SUITE(source_dt, NULL, NULL, NULL, NULL, NULL);
