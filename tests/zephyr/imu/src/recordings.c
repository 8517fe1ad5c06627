/* SPDX-License-Identifier: Apache-2.0 */
#include "recordings.h"

#include <emlearn/types.h>

const int16_t walk_frames[WALK_FRAMES][6] = {
	{0, 1, -1, 32767, -32768, 100}, {8192, -8192, 4096, 5, -6, 7}, {1, 2, 3, 4, 5, 6},
	{-1, -2, -3, -4, -5, -6},       {10, 20, 30, 40, 50, 60},      {32767, -32768, 0, 0, 0, 0},
};

static const struct emlearn_recording_span walk_spans[] = {{2, "a"}, {4, "b"}, {6, ""}};
static const struct emlearn_recording_gap walk_gaps[] = {{1, 3}};

const struct emlearn_recording walk_recording = {
	.frames = &walk_frames[0][0],
	.spans = walk_spans,
	.gaps = walk_gaps,
	.n_frames = WALK_FRAMES,
	.n_spans = 3,
	.n_gaps = 1,
	.rate_mhz = 52083,
	.acc_step_num = 1,
	.acc_step_den = 8192,
	.gyro_step_num = 5,
	.gyro_step_den = 82,
	.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
};

/* walk by a chip that sits turned: y, -z, -x of the board are its x, y, z. No gap. */
static const int16_t walk_turned_frames[WALK_FRAMES][6] = {
	{1, 1, 0, -32768, -100, -32767}, {-8192, -4096, -8192, -6, -7, -5},
	{2, -3, -1, 5, -6, -4},          {-2, 3, 1, -5, 6, 4},
	{20, -30, -10, 50, -60, -40},    {-32768, 0, -32767, 0, 0, 0},
};

const struct emlearn_recording walk_turned_recording = {
	.frames = &walk_turned_frames[0][0],
	.n_frames = WALK_FRAMES,
	.rate_mhz = 52083,
	.acc_step_num = 1,
	.acc_step_den = 8192,
	.gyro_step_num = 5,
	.gyro_step_den = 82,
	.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
};

int16_t codes_frames[CODES_FRAMES][CODES_CHANNELS];

const struct emlearn_recording codes_recording = {
	.frames = &codes_frames[0][0],
	.n_frames = CODES_FRAMES,
	.rate_mhz = 50000,
	.acc_step_num = 61,
	.acc_step_den = 1000000,
	.gyro_step_num = 7,
	.gyro_step_den = 1600,
	.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
};

static const int16_t gyro_frame[3] = {1000, -2000, 3000};

const struct emlearn_recording gyro_recording = {
	.frames = gyro_frame,
	.n_frames = 1,
	.rate_mhz = 104000,
	.gyro_step_num = 7,
	.gyro_step_den = 100,
	.sensors = EMLEARN_SENSOR_GYRO,
};
