/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bmi270: frames of a header, gyroscope and accelerometer, low byte first. Other frames, which tell of settings that
 * were changed or of an overrun, have other lengths, so what is in the FIFO tells that there is one. It cannot be read
 * while the chip saves power between samples, as its driver leaves it, so that is turned off. With the configuration
 * that the driver loads the FIFO is of 6 kB, and for bosch,bmi270-base of 2 kB.
 */
#include <errno.h>

#include <zephyr/device.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/byteorder.h>

#include "imu_fifo_chip.h"

#define CHIP_ID 0x00
#define FIFO_LENGTH_0 0x24
#define FIFO_DATA 0x26
#define ACC_CONF 0x40
#define FIFO_WTM_0 0x46
#define FIFO_CONFIG_1 0x49
#define INT1_IO_CTRL 0x53
#define INT_MAP_DATA 0x58
#define PWR_CONF 0x7C
#define PWR_CTRL 0x7D
#define CMD 0x7E

#define LENGTH_HIGH 0x3F

/* ACC_CONF to GYR_RANGE */
#define SEEN_ACC_CONF 0
#define SEEN_ACC_RANGE 1
#define SEEN_GYR_CONF 2
#define SEEN_GYR_RANGE 3
#define N_SEEN 4
#define RATE(conf) ((conf) & 0x0Fu)
#define RATE_TOP 13u
#define RATE_TOP_MHZ UINT32_C(3200000)

#define ACC_RANGE(range) ((range) & 3u)
#define GYR_RANGE(range) ((range) & 7u)
#define GYR_RANGE_125 4u

/* FIFO_CONFIG_1 */
#define GYR_EACH 0x80
#define ACC_EACH 0x40
#define HEADER 0x10

/* Header of a frame with these; bits 0 and 1 tell of interrupt pins. */
#define HEADER_OF_DATA 0x80
#define HEADER_GYR 0x08
#define HEADER_ACC 0x04
#define HEADER_MASK 0xFC

/* INT1_IO_CTRL and INT2_IO_CTRL, INT_MAP_DATA */
#define PIN_OUTPUT 0x08
#define PIN_ACTIVE_HIGH 0x02
#define MAP_WATERMARK_INT1 0x02
#define MAP_WATERMARK_INT2 0x20

/* PWR_CONF without saving power; PWR_CTRL */
#define FIFO_WAKES 0x02
#define GYR_ON 0x02
#define ACC_ON 0x04
#define PAUSE_US 450

#define FLUSH 0xB0

#define SET_BYTES 6
#define HEADER_BYTES 1

/* Full is less than all: 32 bytes and a frame stay free. */
#define SPARE 64

static int stay_awake(struct emlearn_imu_fifo *fifo)
{
	const uint8_t conf = FIFO_WAKES;
	int rc = emlearn_imu_fifo_write_regs(fifo, PWR_CONF, &conf, 1);

	k_usleep(PAUSE_US);
	return rc;
}

/* Without power it forgets what its driver has loaded into it: without that there are no samples. */
static int revive(struct emlearn_imu_fifo *fifo)
{
	const struct device *dev = fifo->reader->dev;
	int rc = dev->ops.init(dev);

	if (rc == 0) {
		emlearn_imu_set_up_again(fifo->reader);
		rc = stay_awake(fifo);
	}
	return rc;
}

/* Thousandths of a hertz; 0 for a sensor that is off. */
static uint32_t rate_mhz(uint8_t conf, bool on)
{
	const unsigned int code = RATE(conf);

	return on && code != 0 && code <= RATE_TOP ? RATE_TOP_MHZ >> (RATE_TOP - code) : 0;
}

static void see(const struct emlearn_imu_fifo *fifo, const uint8_t seen[N_SEEN], uint8_t power,
		struct emlearn_imu_got *got)
{
	const bool acc = emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC);
	const bool gyro = emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO);
	const uint32_t acc_mhz = rate_mhz(seen[SEEN_ACC_CONF], (power & ACC_ON) != 0);
	const uint32_t gyro_mhz = rate_mhz(seen[SEEN_GYR_CONF], (power & GYR_ON) != 0);
	const unsigned int acc_shift = ACC_RANGE(seen[SEEN_ACC_RANGE]);
	const unsigned int gyro_dps = 2000u >> MIN(GYR_RANGE(seen[SEEN_GYR_RANGE]), GYR_RANGE_125);

	/* Sensors at two rates make no frames: no rate. */
	got->rate_mhz = acc && gyro && acc_mhz != gyro_mhz ? 0 : acc ? acc_mhz : gyro_mhz;
	got->acc_step = (struct emlearn_imu_step){1u << acc_shift, 16384};
	got->acc_range_mg = 2000u << acc_shift;
	got->gyro_step = (struct emlearn_imu_step){gyro_dps, 32768};
	got->gyro_range_mdps = gyro_dps * 1000u;
}

/* Let the pin that is wired follow the watermark. */
static int route(struct emlearn_imu_fifo *fifo)
{
	const struct gpio_dt_spec *line = &fifo->wiring->line;
	const bool second = fifo->wiring->int_pin == 2;
	const uint8_t pin = (uint8_t)(PIN_OUTPUT | ((line->dt_flags & GPIO_ACTIVE_LOW) != 0 ? 0 : PIN_ACTIVE_HIGH));
	int rc;

	if (line->port == NULL) {
		return 0;
	}
	rc = emlearn_imu_fifo_write_regs(fifo, (uint8_t)(INT1_IO_CTRL + (second ? 1 : 0)), &pin, 1);
	return rc == 0 ? emlearn_imu_fifo_set_bits(fifo, INT_MAP_DATA, second ? MAP_WATERMARK_INT2 : MAP_WATERMARK_INT1)
		       : rc;
}

static int set_up(struct emlearn_imu_fifo *fifo, struct emlearn_imu_got *got)
{
	const bool acc = emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC);
	const bool gyro = emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO);
	const uint8_t frame_bytes = (uint8_t)(HEADER_BYTES + SET_BYTES * (acc + gyro));
	const uint16_t watermark = (uint16_t)(fifo->wiring->watermark * frame_bytes);
	const uint8_t ctrl[] = {
		(uint8_t)watermark,
		(uint8_t)(watermark >> 8),
		0,
		(uint8_t)(HEADER | (gyro ? GYR_EACH : 0) | (acc ? ACC_EACH : 0)),
	};
	uint8_t seen[N_SEEN];
	uint8_t power;
	int rc = stay_awake(fifo);

	fifo->frame_bytes = frame_bytes;
	if (rc == 0) {
		rc = emlearn_imu_fifo_read_regs(fifo, ACC_CONF, seen, sizeof(seen));
	}
	if (rc == 0) {
		rc = emlearn_imu_fifo_read_regs(fifo, PWR_CTRL, &power, 1);
	}
	if (rc == 0) {
		see(fifo, seen, power, got);
		rc = route(fifo);
	}
	if (rc == 0) {
		rc = emlearn_imu_fifo_write_regs(fifo, FIFO_WTM_0, ctrl, sizeof(ctrl));
	}
	return rc == 0 ? emlearn_imu_fifo_settings(fifo, EMLEARN_IMU_FIFO_READ, fifo->settings) : rc;
}

static int level(struct emlearn_imu_fifo *fifo)
{
	uint8_t raw[2];
	int n_stray;
	int n;
	int rc = emlearn_imu_fifo_read_regs(fifo, FIFO_LENGTH_0, raw, sizeof(raw));

	if (rc != 0) {
		return rc;
	}
	n = raw[0] | ((raw[1] & LENGTH_HIGH) << 8);
	fifo->overrun = n >= fifo->wiring->chip->capacity;
	fifo->n_frames = (uint32_t)n / fifo->frame_bytes;
	n_stray = n % fifo->frame_bytes;
	/* That of an overrun comes first; where another one is, its length does not tell. */
	return n_stray == 0 || fifo->overrun ? n_stray : n;
}

static bool take(struct emlearn_imu_fifo *fifo, struct emlearn_imu_fifo_sample *sample)
{
	const bool acc = emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC);
	const bool gyro = emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO);
	const uint8_t *raw = &fifo->wiring->raw[fifo->raw_pos];

	if (fifo->raw_pos + fifo->frame_bytes > fifo->raw_end) {
		return false;
	}
	fifo->raw_pos += fifo->frame_bytes;
	sample->garbled = (raw[0] & HEADER_MASK) != (HEADER_OF_DATA | (gyro ? HEADER_GYR : 0) | (acc ? HEADER_ACC : 0));
	if (gyro) {
		emlearn_imu_fifo_axes_le(&raw[HEADER_BYTES], sample->codes[1]);
	}
	if (acc) {
		emlearn_imu_fifo_axes_le(&raw[fifo->frame_bytes - SET_BYTES], sample->codes[0]);
	}
	return true;
}

#define CHIP(bytes)                                                                                                    \
	{                                                                                                              \
		.who_am_i_reg = CHIP_ID,                                                                               \
		.who_am_i = {0x24, 0x24},                                                                              \
		.mode_reg = FIFO_CONFIG_1,                                                                             \
		.mode_off = 0,                                                                                         \
		.flush_reg = CMD,                                                                                      \
		.flush = FLUSH,                                                                                        \
		.data_reg = FIFO_DATA,                                                                                 \
		.set_bytes = SET_BYTES + HEADER_BYTES,                                                                 \
		.capacity = (bytes) - SPARE,                                                                           \
		.settings = {{PWR_CONF, 2},                                                                            \
			     {INT1_IO_CTRL, INT_MAP_DATA - INT1_IO_CTRL + 1},                                          \
			     {ACC_CONF, FIFO_CONFIG_1 - ACC_CONF + 1}},                                                \
		.revive = revive,                                                                                      \
		.set_up = set_up,                                                                                      \
		.level = level,                                                                                        \
		.take = take,                                                                                          \
	}

const struct emlearn_imu_fifo_chip emlearn_imu_fifo_bmi270 = CHIP(6144);
const struct emlearn_imu_fifo_chip emlearn_imu_fifo_bmi270_base = CHIP(2048);
