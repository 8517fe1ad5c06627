/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lsm6dsl and lsm6ds3tr-c: a FIFO of 2048 words of 16 bits in a pattern that repeats with every frame: gyroscope,
 * accelerometer, time stamp. The chip tells where in the pattern the oldest word stands.
 */
#include <zephyr/sys/byteorder.h>

#include "imu_fifo_st.h"

#define FIFO_CTRL1 0x06

#define WAKE_UP_DUR 0x5C
#define TIMER_HR 0x10 /* ticks of 25 us */

/* FIFO_CTRL2 to 5 */
#define TIMER_FIFO_EN 0x80
#define GYRO_EACH 0x08
#define ACC_EACH 0x01
#define TIME_EACH 0x08
#define RATE_SHIFT 3

/* FIFO_STATUS1 and 2 */
#define WORDS_MASK 0x07FFu
#define FIFO_EMPTY 0x10
#define OVER_RUN 0x40

#define WORDS 2048u
#define PATTERN_MASK 0x03FFu

#define SET_BYTES 6

/* In the settings, all behind the number of the first: the common ones, that of the timer, and the FIFO's. */
#define TIMER_AT ST_END_AT
#define FIFO_AT (IS_ENABLED(CONFIG_EMLEARN_IMU_READER_FIFO_TIMESTAMPS) ? TIMER_AT + 2 : TIMER_AT)
#define FIFO_REGS 5

static int set_up(struct emlearn_imu_fifo *fifo, struct emlearn_imu_got *got)
{
	const unsigned int words = fifo->wiring->watermark * fifo->frame_bytes / 2u;
	uint8_t *ctrl = &fifo->settings[FIFO_AT + 1];
	const unsigned int rate = emlearn_imu_fifo_st_see(fifo, got);

	ctrl[0] = (uint8_t)words;
	ctrl[1] = (uint8_t)(words >> 8);
	ctrl[2] = (uint8_t)((emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO) ? GYRO_EACH : 0) |
			    (emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC) ? ACC_EACH : 0));
	ctrl[3] = 0;
	ctrl[4] = (uint8_t)(rate << RATE_SHIFT | ST_MODE_CONTINUOUS);
	if (emlearn_imu_fifo_is_timed(fifo)) {
		fifo->settings[ST_CTRL_AT(ST_CTRL10_C)] |= ST_TIMER_EN;
		fifo->settings[TIMER_AT + 1] |= TIMER_HR;
		ctrl[1] |= TIMER_FIFO_EN;
		ctrl[3] = TIME_EACH;
	}
	emlearn_imu_fifo_st_route(fifo);
	return 0;
}

static int level(struct emlearn_imu_fifo *fifo)
{
	uint8_t status[5] = {ST_FIFO_STATUS1};
	unsigned int n_bytes;
	unsigned int n_stray = 0;
	unsigned int behind;
	int rc = emlearn_imu_fifo_regs(fifo, EMLEARN_IMU_FIFO_READ, status, 4);

	if (rc != 0) {
		return rc;
	}
	n_bytes = 2 * (sys_get_le16(&status[1]) & WORDS_MASK);
	if (n_bytes == 0 && (status[2] & FIFO_EMPTY) == 0) {
		n_bytes = 2 * WORDS; /* 11 bits do not count a full FIFO */
	}
	behind = 2 * (sys_get_le16(&status[3]) & PATTERN_MASK) % fifo->frame_bytes;
	if (behind != 0) {
		n_stray = MIN(n_bytes, fifo->frame_bytes - behind);
	}
	fifo->n_frames = (n_bytes - n_stray) / fifo->frame_bytes;
	fifo->overrun = (status[2] & OVER_RUN) != 0;
	return (int)n_stray;
}

static bool take(struct emlearn_imu_fifo *fifo, struct emlearn_imu_fifo_sample *sample)
{
	const uint8_t *raw = &fifo->wiring->raw[fifo->raw_pos];

	if (fifo->raw_pos + fifo->frame_bytes > fifo->raw_end) {
		return false;
	}
	fifo->raw_pos += fifo->frame_bytes;
	for (unsigned int i = EMLEARN_IMU_SENSORS; i-- > 0;) {
		if (emlearn_imu_fifo_has(fifo, BIT(i))) {
			emlearn_imu_fifo_axes_le(raw, sample->codes[i]);
			raw += SET_BYTES;
		}
	}
	if (emlearn_imu_fifo_is_timed(fifo)) {
		/* Bits 8 to 23, a byte of something else, bits 0 to 7. */
		sample->time = (uint32_t)sys_get_le16(raw) << 8 | raw[3];
	}
	return true;
}

const struct emlearn_imu_fifo_chip emlearn_imu_fifo_lsm6dsl = {
	.who_am_i = {0x6A, 0x6A},
	.who_am_i_reg = ST_WHO_AM_I,
	.mode_reg = FIFO_CTRL1 + FIFO_REGS - 1,
	.mode_off = ST_MODE_OFF,
	.data_reg = 0x3E,
	.set_bytes = SET_BYTES,
	.time_bits = 24,
	.ticks_hz = ST_TICKS_HZ,
	.capacity = 2 * WORDS,
	.settings =
		{
			ST_RANGES,
#ifdef CONFIG_EMLEARN_IMU_READER_FIFO_TIMESTAMPS
			{WAKE_UP_DUR, 1},
#endif
			{FIFO_CTRL1, FIFO_REGS},
		},
	.set_up = set_up,
	.level = level,
	.take = take,
};
