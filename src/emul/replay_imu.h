/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the replay device: its state, shared by fetch/get and read/decode. */
#ifndef EMLEARN_EMUL_REPLAY_IMU_H_
#define EMLEARN_EMUL_REPLAY_IMU_H_

#include <stdint.h>

#include <zephyr/device.h>
#include <zephyr/drivers/sensor.h>

#include <emlearn/zephyr/recording.h>

/* Micro-units a count as num / den. */
struct replay_scale {
	int64_t num;
	int64_t den;
};

struct replay_data {
	const struct emlearn_recording *recording;
	const int16_t *frame; /* the one fetched last, NULL before the first */
	struct replay_scale acc;
	struct replay_scale gyro;
	uint32_t n_played;
	uint32_t gap;        /* the next one */
	uint32_t n_gap_left; /* frames of that gap already missed */
	uint8_t n_channels;
};

/* Go to the next frame: 0, -EAGAIN for a frame that is missing, -ENODATA at the end. */
int replay_next(const struct device *dev);

/* Micro-units of a count, to the nearest. count: -32768 to 32768. */
int64_t replay_to_micro(const struct replay_scale *scale, int32_t count);

/* Sensor API: one-shot read and its decoder. */
void replay_submit(const struct device *dev, struct rtio_iodev_sqe *iodev_sqe);
int replay_get_decoder(const struct device *dev, const struct sensor_decoder_api **decoder);

#endif /* EMLEARN_EMUL_REPLAY_IMU_H_ */
