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

/* FIFO_STATUS2 */
#define WORDS_HIGH 0x07
#define FIFO_EMPTY 0x10
#define OVER_RUN 0x40

#define WORDS 2048u
#define PATTERN_HIGH 0x03

#define SET_BYTES 6

static int set_up_timer(struct emlearn_imu_reader_fifo *fifo)
{
	int rc = emlearn_imu_fifo_set_bits(fifo, WAKE_UP_DUR, TIMER_HR);

	return rc == 0 ? emlearn_imu_fifo_set_bits(fifo, ST_CTRL10_C, ST_TIMER_EN) : rc;
}

static int set_up(struct emlearn_imu_reader_fifo *fifo, struct emlearn_imu_got *got)
{
	const bool timed = emlearn_imu_fifo_is_timed(fifo);
	const uint16_t words = (uint16_t)(fifo->wiring->watermark * fifo->frame_bytes / 2u);
	int rc = emlearn_imu_fifo_st_see(fifo, got);
	uint8_t ctrl[5] = {
		(uint8_t)words,
		(uint8_t)((words >> 8) | (timed ? TIMER_FIFO_EN : 0)),
		(uint8_t)((emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO) ? GYRO_EACH : 0) |
			  (emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC) ? ACC_EACH : 0)),
		timed ? TIME_EACH : 0,
		ST_MODE_CONTINUOUS,
	};

	if (rc < 0) {
		return rc;
	}
	ctrl[4] |= (uint8_t)(rc << RATE_SHIFT);
	rc = emlearn_imu_fifo_st_route(fifo);
	if (rc == 0 && timed) {
		rc = set_up_timer(fifo);
	}
	return rc == 0 ? emlearn_imu_fifo_write_regs(fifo, FIFO_CTRL1, ctrl, sizeof(ctrl)) : rc;
}

static int level(struct emlearn_imu_reader_fifo *fifo, struct emlearn_imu_fifo_level *out)
{
	uint8_t status[4];
	uint16_t words;
	uint16_t pattern;
	int rc = emlearn_imu_fifo_read_regs(fifo, ST_FIFO_STATUS1, status, sizeof(status));

	if (rc != 0) {
		return rc;
	}
	words = (uint16_t)(status[0] | ((status[1] & WORDS_HIGH) << 8));
	if (words == 0 && (status[1] & FIFO_EMPTY) == 0) {
		words = WORDS; /* 11 bits do not count a full FIFO */
	}
	pattern = (uint16_t)(2 * (status[2] | ((status[3] & PATTERN_HIGH) << 8)) % fifo->frame_bytes);
	out->n_bytes = (uint16_t)(2 * words);
	out->n_stray = (uint16_t)(words == 0 || pattern == 0 ? 0 : fifo->frame_bytes - pattern);
	out->overrun = (status[1] & OVER_RUN) != 0;
	return 0;
}

static bool take(struct emlearn_imu_reader_fifo *fifo, struct emlearn_imu_fifo_sample *sample)
{
	const uint8_t *raw = &fifo->wiring->raw[fifo->raw_pos];

	if (fifo->raw_pos + fifo->frame_bytes > fifo->raw_end) {
		return false;
	}
	fifo->raw_pos = (uint16_t)(fifo->raw_pos + fifo->frame_bytes);
	if (emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO)) {
		emlearn_imu_fifo_axes_le(raw, sample->gyro);
		raw += SET_BYTES;
	}
	if (emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC)) {
		emlearn_imu_fifo_axes_le(raw, sample->acc);
		raw += SET_BYTES;
	}
	if (emlearn_imu_fifo_is_timed(fifo)) {
		/* Bits 8 to 23, a byte of something else, bits 0 to 7. */
		sample->time = (uint32_t)sys_get_le16(raw) << 8 | raw[3];
	}
	return true;
}

const struct emlearn_imu_fifo_chip emlearn_imu_fifo_lsm6dsl = {
	.who_am_i_reg = ST_WHO_AM_I,
	.who_am_i = 0x6A,
	.mode_reg = 0x0A,
	.mode_off = ST_MODE_OFF,
	.data_reg = 0x3E,
	.set_bytes = SET_BYTES,
	.time_bits = 24,
	.ticks_hz = ST_TICKS_HZ,
	.capacity = 2 * WORDS,
	.settings = {{WAKE_UP_DUR, 1}, {ST_INT1_CTRL, 2}, {ST_CTRL1_XL, ST_CTRLS}, {FIFO_CTRL1, 5}},
	.set_up = set_up,
	.level = level,
	.take = take,
};
