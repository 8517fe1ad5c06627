/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model of InvenSense's mpu6050 and mpu6886 on I2C, from their register maps: a FIFO of bytes, into which the data
 * registers that are asked for are copied at each sample.
 *
 * Not modelled: filters and averaging (but for the rate that they leave), cycling and standby, the auxiliary I2C bus,
 * FSYNC, motion detection, self-test; the temperature is always 25 degrees. Such registers store what is written.
 */
#define DT_DRV_COMPAT invensense_mpu6050

#include <string.h>

#include <zephyr/sys/byteorder.h>

#include "chip.h"
#include "chip_fifo.h"

#define SMPLRT_DIV 0x19
#define CONFIG 0x1a
#define DLPF_CFG(reg) ((reg) & 7)
#define CONFIG_RESET_MPU6886 0x80
#define GYRO_CONFIG 0x1b
#define ACCEL_CONFIG 0x1c
#define FULL_SCALE(reg) ((reg) >> 3 & 3)
#define FIFO_EN 0x23
#define EN_TEMP BIT(7)
#define EN_XG BIT(6)
#define EN_YG BIT(5)
#define EN_ZG BIT(4)
#define EN_ACCEL BIT(3)
#define EN_GYRO_MPU6886 BIT(4)
#define INT_PIN_CFG 0x37
#define INT_LEVEL_LOW BIT(7)
#define LATCH_INT_EN BIT(5)
#define INT_ENABLE 0x38
#define INT_STATUS 0x3a
#define FIFO_OFLOW BIT(4)
#define DATA_RDY BIT(0)
#define ACCEL_XOUT_H 0x3b
#define TEMP_OUT_H 0x41
#define GYRO_XOUT_H 0x43
#define OUT_END 0x49
#define USER_CTRL 0x6a
#define USER_FIFO_EN BIT(6)
#define FIFO_RESET BIT(2)
#define PWR_MGMT_1 0x6b
#define DEVICE_RESET BIT(7)
#define SLEEP BIT(6)
#define FIFO_COUNTH 0x72
#define FIFO_COUNTL 0x73
#define FIFO_R_W 0x74
#define WHO_AM_I 0x75

#define FIFO_BYTES 1024
#define FIFO_BYTES_MPU6886 1008
#define FRAME_BYTES (OUT_END - ACCEL_XOUT_H)

#define FILTERED_MHZ 1000000u
#define UNFILTERED_MHZ 8000000u

struct mpu6050 {
	struct chip chip;
	bool is_mpu6886;
	uint8_t reg[128];
	uint8_t status; /* INT_STATUS */
	bool is_new;    /* a frame has been made since the line was seen to */
	struct chip_fifo fifo;
	uint8_t bytes[FIFO_BYTES];
	uint8_t last;     /* byte read last: what an empty FIFO gives */
	uint8_t count_l;  /* latched with the high byte */
	uint32_t n_ahead; /* bytes in the FIFO that belong to a frame of which some have gone */
	bool is_cut;      /* that frame has been counted as overwritten */
};

struct mpu6050_config {
	struct chip_config chip;
	bool is_mpu6886;
};

static struct mpu6050 *of(struct chip *chip)
{
	return CONTAINER_OF(chip, struct mpu6050, chip);
}

static const struct mpu6050 *of_const(const struct chip *chip)
{
	return CONTAINER_OF(chip, const struct mpu6050, chip);
}

static struct chip_grid acc_grid(const struct mpu6050 *model)
{
	/* 16384 codes a g at 2 g, and half of it at each next */
	return (struct chip_grid){{1u << FULL_SCALE(model->reg[ACCEL_CONFIG]), 16384}, INT16_MIN, INT16_MAX};
}

static struct chip_grid gyro_grid(const struct mpu6050 *model)
{
	static const uint32_t codes_in_10_dps[] = {1310, 655, 328, 164};

	return (struct chip_grid){{10, codes_in_10_dps[FULL_SCALE(model->reg[GYRO_CONFIG])]}, INT16_MIN, INT16_MAX};
}

static void steps(const struct chip *chip, struct emlearn_imu_step *acc_step, struct emlearn_imu_step *gyro_step)
{
	*acc_step = acc_grid(of_const(chip)).step;
	*gyro_step = gyro_grid(of_const(chip)).step;
}

/* Frames a second by the registers. The mpu6886 divides only what went through the filter. */
static uint32_t rate_mhz(const struct mpu6050 *model)
{
	const unsigned int filter = DLPF_CFG(model->reg[CONFIG]);
	const bool is_filtered = filter != 0 && filter != 7;
	const uint32_t divisor = 1u + model->reg[SMPLRT_DIV];

	if ((model->reg[PWR_MGMT_1] & SLEEP) != 0) {
		return 0;
	}
	if (is_filtered) {
		return FILTERED_MHZ / divisor;
	}
	return model->is_mpu6886 ? UNFILTERED_MHZ : UNFILTERED_MHZ / divisor;
}

static void sample(struct chip *chip, int32_t codes[EMLEARN_CHIP_CHANNELS])
{
	struct mpu6050 *model = of(chip);
	const struct chip_grid acc = acc_grid(model);
	const struct chip_grid gyro = gyro_grid(model);

	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		codes[i] = chip_code(chip, i, &acc);
		codes[EMLEARN_AXES + i] = chip_code(chip, EMLEARN_AXES + i, &gyro);
		sys_put_be16((uint16_t)codes[i], &model->reg[ACCEL_XOUT_H + 2 * i]);
		sys_put_be16((uint16_t)codes[EMLEARN_AXES + i], &model->reg[GYRO_XOUT_H + 2 * i]);
	}
	model->status |= DATA_RDY;
	model->is_new = true;
}

/* Does the FIFO get the data register? */
static bool is_stored(const struct mpu6050 *model, unsigned int address)
{
	const uint8_t enabled = model->reg[FIFO_EN];

	if (address < TEMP_OUT_H) {
		return (enabled & EN_ACCEL) != 0;
	}
	if (model->is_mpu6886) {
		return (enabled & (address < GYRO_XOUT_H ? EN_ACCEL | EN_GYRO_MPU6886 : EN_GYRO_MPU6886)) != 0;
	}
	if (address < GYRO_XOUT_H) {
		return (enabled & EN_TEMP) != 0;
	}
	return (enabled & EN_XG >> (address - GYRO_XOUT_H) / 2) != 0;
}

static uint32_t frame_bytes(const struct mpu6050 *model)
{
	uint32_t n = 0;

	for (unsigned int address = ACCEL_XOUT_H; address < OUT_END; address++) {
		n += is_stored(model, address) ? 1u : 0u;
	}
	return n;
}

static bool is_on(const struct mpu6050 *model)
{
	return (model->reg[USER_CTRL] & USER_FIFO_EN) != 0 && frame_bytes(model) != 0;
}

static uint32_t capacity(const struct mpu6050 *model)
{
	return model->is_mpu6886 ? FIFO_BYTES_MPU6886 : FIFO_BYTES;
}

/* The oldest byte leaves. */
static uint8_t take(struct mpu6050 *model)
{
	if (model->n_ahead == 0) {
		model->n_ahead = MAX(frame_bytes(model), 1);
		model->is_cut = false;
	}
	model->n_ahead--;
	return chip_fifo_pop(&model->fifo);
}

/* Another byte comes; the oldest makes room for it, and its frame is lost. */
static void push(struct mpu6050 *model, uint8_t byte)
{
	if (model->fifo.n >= capacity(model)) {
		(void)take(model);
		model->chip.counts.n_overwritten += model->is_cut ? 0u : 1u;
		model->is_cut = true;
		model->status |= FIFO_OFLOW;
	}
	chip_fifo_push(&model->fifo, &byte, 1);
}

static bool store(struct chip *chip)
{
	struct mpu6050 *model = of(chip);

	for (unsigned int address = ACCEL_XOUT_H; address < OUT_END; address++) {
		if (is_stored(model, address)) {
			push(model, model->reg[address]);
		}
	}
	return true;
}

/* A byte too many, where a frame should begin. */
static void store_odd(struct chip *chip)
{
	push(of(chip), 0x55);
}

static int32_t room(const struct chip *chip)
{
	const struct mpu6050 *model = of_const(chip);

	return is_on(model) ? (int32_t)((capacity(model) - model->fifo.n) / frame_bytes(model)) : -1;
}

static void flush(struct chip *chip)
{
	struct mpu6050 *model = of(chip);

	chip_fifo_clear(&model->fifo);
	model->n_ahead = 0;
	model->is_cut = false;
}

static bool wants(const struct chip *chip)
{
	return is_on(of_const(chip)) || (of_const(chip)->reg[INT_ENABLE] & DATA_RDY) != 0;
}

/* There is no interrupt for some frames in the FIFO: for each one, and for too many. */
static void lines(struct chip *chip)
{
	struct mpu6050 *model = of(chip);
	const bool active = (model->status & model->reg[INT_ENABLE]) != 0;

	if ((model->reg[INT_PIN_CFG] & LATCH_INT_EN) != 0) {
		chip_line_set(chip, 0, active);
	} else if (active && model->is_new) {
		chip_line_pulse(chip, 0);
	}
	model->is_new = false;
}

static uint8_t read_fifo(struct mpu6050 *model)
{
	if (model->fifo.n > 0) {
		model->last = take(model);
		chip_mark_read(&model->chip);
	}
	return model->last;
}

static uint8_t read_status(struct mpu6050 *model)
{
	const uint8_t status = model->status;

	model->status = 0;
	return status;
}

static uint8_t read(struct chip *chip, uint8_t address)
{
	struct mpu6050 *model = of(chip);

	switch (address) {
	case WHO_AM_I:
		return chip_who_am_i(chip, model->is_mpu6886 ? 0x19 : 0x68);
	case INT_STATUS:
		chip_touch(chip);
		return read_status(model);
	case FIFO_COUNTH:
		model->count_l = (uint8_t)model->fifo.n;
		return (uint8_t)(model->fifo.n >> 8);
	case FIFO_COUNTL:
		return model->count_l;
	case FIFO_R_W:
		return read_fifo(model);
	default:
		if (address >= ACCEL_XOUT_H && address < OUT_END) {
			chip_touch(chip);
		}
		return model->reg[address];
	}
}

static void write_user_ctrl(struct mpu6050 *model, uint8_t value)
{
	/* the mpu6050 empties its FIFO only while it is off */
	if ((value & FIFO_RESET) != 0 && (model->is_mpu6886 || (value & USER_FIFO_EN) == 0)) {
		flush(&model->chip);
	}
	model->reg[USER_CTRL] = (uint8_t)(value & ~FIFO_RESET);
}

static void write(struct chip *chip, uint8_t address, uint8_t value)
{
	struct mpu6050 *model = of(chip);
	const bool was_on = is_on(model);
	const bool wanted = wants(chip);

	switch (address) {
	case INT_STATUS:
	case FIFO_COUNTH:
	case FIFO_COUNTL:
	case FIFO_R_W:
	case WHO_AM_I:
		return;
	case PWR_MGMT_1:
		if ((value & DEVICE_RESET) != 0) {
			chip_reset(chip);
			return;
		}
		model->reg[address] = value;
		break;
	case USER_CTRL:
		write_user_ctrl(model, value);
		break;
	default:
		if (address < ACCEL_XOUT_H || address >= OUT_END) {
			model->reg[address] = value;
		}
		break;
	}
	chip_line_polarity(chip, 0, (model->reg[INT_PIN_CFG] & INT_LEVEL_LOW) != 0);
	chip_set_rate(chip, rate_mhz(model));
	if ((!was_on && is_on(model)) || (!wanted && wants(chip))) {
		chip_begin(chip);
	}
}

static uint8_t next(struct chip *chip, uint8_t address)
{
	ARG_UNUSED(chip);
	return address == FIFO_R_W ? address : (address + 1) & 0x7f;
}

static void reset(struct chip *chip)
{
	const struct mpu6050_config *config = CONTAINER_OF(chip->config, struct mpu6050_config, chip);
	struct mpu6050 *model = of(chip);

	model->is_mpu6886 = config->is_mpu6886;
	model->fifo.bytes = model->bytes;
	model->fifo.size = sizeof(model->bytes);
	memset(model->reg, 0, sizeof(model->reg));
	model->reg[PWR_MGMT_1] = SLEEP;
	model->reg[CONFIG] = model->is_mpu6886 ? CONFIG_RESET_MPU6886 : 0;
	/* 25 degrees: 340 codes a degree from 36.53, and 326.8 from 25 */
	sys_put_be16(model->is_mpu6886 ? 0 : (uint16_t)-3920, &model->reg[TEMP_OUT_H]);
	model->status = 0;
	model->is_new = false;
	flush(chip);
}

static const struct chip_ops ops = {
	.reset = reset,
	.read = read,
	.write = write,
	.next = next,
	.sample = sample,
	.room = room,
	.store = store,
	.store_odd = store_odd,
	.flush = flush,
	.wants = wants,
	.lines = lines,
	.steps = steps,
};

#define MPU6050(n)                                                                                                     \
	static struct mpu6050 model_##n;                                                                               \
	static const struct mpu6050_config config_##n = {                                                              \
		.chip = {.ops = &ops, .lines = {CHIP_LINE(DT_DRV_INST(n), int_gpios, 0)}},                             \
		.is_mpu6886 = DT_NODE_HAS_COMPAT(DT_DRV_INST(n), invensense_mpu6886),                                  \
	};                                                                                                             \
	EMUL_DT_INST_DEFINE(n, chip_init, &model_##n, &config_##n, CHIP_BUS_API(DT_DRV_INST(n)), NULL)

#define MPU6050_IF_EMULATED(n) IF_ENABLED(CHIP_IS_EMULATED(DT_DRV_INST(n)), (MPU6050(n)))

DT_INST_FOREACH_STATUS_OKAY(MPU6050_IF_EMULATED)
