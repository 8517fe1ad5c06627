/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mpu6050 and mpu6886: a FIFO of bytes. A frame is a copy of the data registers, high byte first: accelerometer,
 * temperature, gyroscope. There are no tags, no time stamps and, on the mpu6050, no watermark, so the FIFO is counted.
 *
 * The driver knows rate and ranges from devicetree only. It leaves the low-pass filter off, with which the mpu6050
 * divides 8 kHz by 1 + smplrt-div and the mpu6886 does not divide at all; it is turned on here, and both divide 1 kHz.
 */
#include <zephyr/sys/byteorder.h>

#include "imu_fifo_chip.h"

#define SMPLRT_DIV 0x19
#define CONFIG 0x1A
#define ACCEL_CONFIG2 0x1D /* mpu6886 */
#define FIFO_EN 0x23
#define INT_PIN_CFG 0x37
#define USER_CTRL 0x6A
#define PWR_MGMT_1 0x6B
#define FIFO_COUNT_H 0x72
#define FIFO_R_W 0x74
#define WHO_AM_I 0x75

#define ID_MPU6050 0x68
#define ID_MPU6886 0x19

/* SMPLRT_DIV to ACCEL_CONFIG */
#define SEEN_DIV 0
#define SEEN_GYRO 2
#define SEEN_ACC 3
#define N_SEEN 4
#define RANGE(config) (((config) >> 3) & 3u)

#define BASE_MHZ UINT32_C(1000000)

/* FIFO_EN; the mpu6886 writes the temperature unasked, and all of the gyroscope by one bit. */
#define EACH_TEMPERATURE 0x80
#define EACH_GYRO 0x70
#define EACH_GYRO_MPU6886 0x10
#define EACH_ACC 0x08

/* USER_CTRL */
#define FIFO_ON 0x40
#define FIFO_RESET 0x04

/* It is 1 kB; some of the family are full with 72 frames of 14 bytes. */
#define CAPACITY 1008

#define SET_BYTES 6
#define TEMPERATURE_BYTES 2

/* The widest low-pass filter that leaves nothing to speak of beyond half the rate. */
static uint8_t filter_for(uint32_t rate_mhz)
{
	static const uint8_t bandwidths_hz[] = {188, 98, 44, 21, 10, 5};
	uint8_t code = 1;

	while (code < ARRAY_SIZE(bandwidths_hz) && bandwidths_hz[code - 1] * UINT32_C(2000) > rate_mhz) {
		code++;
	}
	return code;
}

/* See rate and ranges. */
static int see(struct emlearn_imu_fifo *fifo, struct emlearn_imu_got *got)
{
	/* 131, 65.5, 32.8 and 16.4 codes a degree per second. */
	static const struct emlearn_imu_step steps[] = {{1, 131}, {2, 131}, {5, 164}, {5, 82}};
	uint8_t seen[N_SEEN] = {0};
	int rc = emlearn_imu_fifo_read_regs(fifo, SMPLRT_DIV, seen, sizeof(seen));
	const unsigned int acc = RANGE(seen[SEEN_ACC]);
	const unsigned int gyro = RANGE(seen[SEEN_GYRO]);

	got->rate_mhz = BASE_MHZ / (1u + seen[SEEN_DIV]);
	got->acc_step = (struct emlearn_imu_step){1u << acc, 16384};
	got->acc_range_mg = 2000u << acc;
	got->gyro_step = steps[gyro];
	got->gyro_range_mdps = 250000u << gyro;
	return rc;
}

static int set_up(struct emlearn_imu_fifo *fifo, struct emlearn_imu_got *got)
{
	const bool acc = emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC);
	const bool gyro = emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO);
	const uint8_t on = FIFO_ON;
	uint8_t each = (uint8_t)(EACH_TEMPERATURE | (gyro ? EACH_GYRO : 0) | (acc ? EACH_ACC : 0));
	uint8_t filter;
	uint8_t id;
	int rc = see(fifo, got);

	if (rc == 0) {
		rc = emlearn_imu_fifo_read_regs(fifo, WHO_AM_I, &id, 1);
	}
	if (rc != 0) {
		return rc;
	}
	fifo->frame_bytes = (uint8_t)(SET_BYTES * (acc + gyro) + TEMPERATURE_BYTES);
	filter = filter_for(got->rate_mhz);
	rc = emlearn_imu_fifo_write_regs(fifo, CONFIG, &filter, 1);
	if (rc == 0 && id == ID_MPU6886) {
		each &= EACH_GYRO_MPU6886 | EACH_ACC;
		rc = emlearn_imu_fifo_write_regs(fifo, ACCEL_CONFIG2, &filter, 1);
	}
	if (rc == 0) {
		rc = emlearn_imu_fifo_write_regs(fifo, FIFO_EN, &each, 1);
	}
	if (rc == 0) {
		rc = emlearn_imu_fifo_write_regs(fifo, USER_CTRL, &on, 1);
	}
	return rc == 0 ? emlearn_imu_fifo_settings(fifo, EMLEARN_IMU_FIFO_READ, fifo->settings) : rc;
}

static int count(struct emlearn_imu_fifo *fifo, uint16_t *n_bytes)
{
	uint8_t raw[2] = {0};
	int rc = emlearn_imu_fifo_read_regs(fifo, FIFO_COUNT_H, raw, sizeof(raw));

	*n_bytes = sys_get_be16(raw);
	return rc;
}

static int level(struct emlearn_imu_fifo *fifo)
{
	uint16_t n;
	int rc = count(fifo, &n);

	if (rc == 0 && n % fifo->frame_bytes != 0) {
		/* A frame that was being written is whole by now. */
		rc = count(fifo, &n);
	}
	if (rc != 0) {
		return rc;
	}
	fifo->overrun = n >= CAPACITY;
	fifo->n_frames = n / fifo->frame_bytes;
	/* Where among the frames the odd bytes are, nothing tells. */
	return n % fifo->frame_bytes == 0 || fifo->overrun ? n % fifo->frame_bytes : n;
}

static void axes_be(const uint8_t *raw, int32_t axes[EMLEARN_AXES])
{
	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		axes[i] = (int16_t)sys_get_be16(&raw[2 * i]);
	}
}

static bool take(struct emlearn_imu_fifo *fifo, struct emlearn_imu_fifo_sample *sample)
{
	const uint8_t *raw = &fifo->wiring->raw[fifo->raw_pos];

	if (fifo->raw_pos + fifo->frame_bytes > fifo->raw_end) {
		return false;
	}
	fifo->raw_pos += fifo->frame_bytes;
	if (emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC)) {
		axes_be(raw, sample->codes[0]);
	}
	if (emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO)) {
		axes_be(&raw[fifo->frame_bytes - SET_BYTES], sample->codes[1]);
	}
	return true;
}

const struct emlearn_imu_fifo_chip emlearn_imu_fifo_mpu6050 = {
	.who_am_i_reg = WHO_AM_I,
	.who_am_i = {ID_MPU6050, ID_MPU6886},
	.mode_reg = USER_CTRL,
	.mode_off = FIFO_RESET,
	.data_reg = FIFO_R_W,
	.set_bytes = SET_BYTES + TEMPERATURE_BYTES / 2,
	.capacity = CAPACITY,
	/* With the interrupt, which the driver may have set up. */
	.settings = {{PWR_MGMT_1, 2}, {SMPLRT_DIV, FIFO_EN - SMPLRT_DIV + 1}, {INT_PIN_CFG, 2}, {USER_CTRL, 1}},
	.set_up = set_up,
	.level = level,
	.take = take,
};
