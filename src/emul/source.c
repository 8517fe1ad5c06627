/* SPDX-License-Identifier: Apache-2.0 */
/* What chips play: recordings, and motion that is computed. */
#include <errno.h>
#include <string.h>

#include <zephyr/sys/util.h>

#include <emlearn/zephyr/chip_model.h>

/* Within the smallest ranges of the chips, 2 g and 15.6 dps, in thousandths. */
#define ACC_LIMIT_MILLI 1900
#define GYRO_LIMIT_MILLI 15000

static int recorded_frame(const struct emlearn_source *source, uint32_t number, int16_t frame[EMLEARN_CHIP_CHANNELS])
{
	const struct emlearn_recording *recording = source->recording;
	bool has_acc = (recording->sensors & EMLEARN_SENSOR_ACC) != 0;
	bool has_gyro = (recording->sensors & EMLEARN_SENSOR_GYRO) != 0;
	size_t n_channels = EMLEARN_AXES * ((has_acc ? 1u : 0u) + (has_gyro ? 1u : 0u));
	const int16_t *from;

	if (number >= recording->n_frames) {
		return -ENODATA;
	}
	from = &recording->frames[number * n_channels];
	memset(frame, 0, EMLEARN_CHIP_CHANNELS * sizeof(*frame));
	if (has_acc) {
		memcpy(frame, from, EMLEARN_AXES * sizeof(*frame));
		from += EMLEARN_AXES;
	}
	if (has_gyro) {
		memcpy(frame + EMLEARN_AXES, from, EMLEARN_AXES * sizeof(*frame));
	}
	return 0;
}

void emlearn_source_recording(struct emlearn_source *source, const struct emlearn_recording *recording)
{
	*source = (struct emlearn_source){
		.frame = recorded_frame,
		.acc_step = {recording->acc_step_num, recording->acc_step_den},
		.gyro_step = {recording->gyro_step_num, recording->gyro_step_den},
		.n_frames = recording->n_frames,
		.recording = recording,
	};
}

/* A number that looks as if drawn, for every (frame, channel). */
static uint32_t drawn(uint32_t number, uint32_t channel)
{
	uint32_t x = number * EMLEARN_CHIP_CHANNELS + channel + 0x9e3779b9u;

	x = (x ^ (x >> 16)) * 0x85ebca6bu;
	x = (x ^ (x >> 13)) * 0xc2b2ae35u;
	return x ^ (x >> 16);
}

/* The largest count that stays within a limit; 0 without the sensor. */
static uint32_t largest(const struct emlearn_imu_step *step, uint32_t limit_milli)
{
	if (step->num == 0) {
		return 0;
	}
	return (uint32_t)MIN((uint64_t)limit_milli * step->den / (UINT64_C(1000) * step->num), INT16_MAX);
}

/* x has the sign of the frame's parity and is never small, so that neighbours differ on every grid. */
static void synthetic_sensor(uint32_t number, uint32_t first_channel, uint32_t most, int16_t axes[EMLEARN_AXES])
{
	uint32_t size = most - drawn(number, first_channel) % (most / 2 + 1);

	axes[0] = (int16_t)((number & 1) == 0 ? (int32_t)size : -(int32_t)size);
	for (uint32_t i = 1; i < EMLEARN_AXES; i++) {
		axes[i] = (int16_t)((int32_t)(drawn(number, first_channel + i) % (2 * most + 1)) - (int32_t)most);
	}
}

static int synthetic_frame(const struct emlearn_source *source, uint32_t number, int16_t frame[EMLEARN_CHIP_CHANNELS])
{
	synthetic_sensor(number, 0, largest(&source->acc_step, ACC_LIMIT_MILLI), frame);
	synthetic_sensor(number, EMLEARN_AXES, largest(&source->gyro_step, GYRO_LIMIT_MILLI), frame + EMLEARN_AXES);
	return 0;
}

void emlearn_source_synthetic(struct emlearn_source *source, const struct emlearn_imu_step *acc_step,
			      const struct emlearn_imu_step *gyro_step)
{
	*source = (struct emlearn_source){
		.frame = synthetic_frame,
		.acc_step = *acc_step,
		.gyro_step = *gyro_step,
	};
}
