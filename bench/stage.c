/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/features.h>

#include "stage.h"

#define NINE(stream)                                                                                                   \
	EMLEARN_FEATURE(stream, MEAN), EMLEARN_FEATURE(stream, STD), EMLEARN_FEATURE(stream, MIN),                     \
		EMLEARN_FEATURE(stream, MAX), EMLEARN_FEATURE(stream, MEDIAN), EMLEARN_FEATURE(stream, Q25),           \
		EMLEARN_FEATURE(stream, Q75), EMLEARN_FEATURE(stream, IQR), EMLEARN_FEATURE(stream, RMS)

static const uint16_t features[STAGE_N_FEATURES] = {NINE(ACC_X), NINE(ACC_Y), NINE(ACC_Z), NINE(ACC_MAG)};

static const uint8_t row_of[EMLEARN_N_ROWS] = {
	0,
	1,
	2,
	EMLEARN_ROW_NONE,
	EMLEARN_ROW_NONE,
	EMLEARN_ROW_NONE,
	EMLEARN_ROW_NONE,
	EMLEARN_ROW_NONE,
	EMLEARN_ROW_NONE,
};

static int16_t scratch[EMLEARN_FEATURES_SCRATCH_LEN(BENCH_LEN_MAX)];

int16_t stage_ring[BENCH_AXES * BENCH_LEN_MAX];
struct emlearn_window stage_window;
int16_t stage_features[STAGE_N_FEATURES];

void stage_init(uint32_t len)
{
	emlearn_window_init(&stage_window, stage_ring, BENCH_AXES, (uint16_t)len, 1);
	stage_window.pos = (uint16_t)(len / 3u);
}

void stage_run(void *arg)
{
	(void)arg;
	emlearn_features_run(&stage_window, row_of, features, STAGE_N_FEATURES, scratch, stage_features);
}
