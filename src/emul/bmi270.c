/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model of Bosch's bmi270 on I2C, from its register map and its maker's driver. Samples come once a configuration is
 * loaded, whatever it is; one of more than 4 kB leaves 2 kB of the FIFO, a shorter one 6 kB.
 *
 * Not modelled: SPI and its dummy byte, features, filters, auxiliary sensor, sensor time, tags of interrupt pins, the
 * repetition of frames that were read in part. Both sensors sample at the faster of their two rates. The FIFO gives
 * nothing as long as saving power is on, where the chip may give something at some rates.
 */
#define DT_DRV_COMPAT bosch_bmi270

#include <string.h>

#include <zephyr/sys/byteorder.h>

#include "chip.h"
#include "chip_fifo.h"

#define CHIP_ID 0x00
#define STATUS 0x03
#define STATUS_DRDY (BIT(7) | BIT(6))
#define DATA_8 0x0c /* acc x, low byte; then the gyroscope */
#define DATA_14 0x12
#define DATA_END 0x18
#define INTERNAL_STATUS 0x21
#define INIT_OK 1
#define FIFO_LENGTH_0 0x24
#define FIFO_LENGTH_1 0x25
#define FIFO_DATA 0x26
#define ACC_CONF 0x40
#define ACC_RANGE 0x41
#define GYR_CONF 0x42
#define GYR_RANGE 0x43
#define ODR(conf) ((conf) & 15)
#define ODR_MAX 13
#define ODR_MAX_MHZ 3200000u
#define FIFO_WTM_0 0x46
#define FIFO_WTM_1 0x47
#define FIFO_CONFIG_0 0x48
#define STOP_ON_FULL BIT(0)
#define FIFO_CONFIG_1 0x49
#define GYR_EN BIT(7)
#define ACC_EN BIT(6)
#define HEADER_EN BIT(4)
#define INT1_IO_CTRL 0x53
#define IO_OUTPUT_EN BIT(3)
#define IO_LVL BIT(1)
#define INT_MAP_DATA 0x58
#define MAP_FFULL BIT(0)
#define MAP_FWM BIT(1)
#define MAP_DRDY BIT(2)
#define MAP_INT2_SHIFT 4
#define INIT_CTRL 0x59
#define INIT_DATA 0x5e
#define PWR_CONF 0x7c
#define ADV_POWER_SAVE BIT(0)
#define PWR_CTRL 0x7d
#define GYR_ON BIT(1)
#define ACC_ON BIT(2)
#define CMD 0x7e
#define CMD_FIFO_FLUSH 0xb0
#define CMD_SOFT_RESET 0xb6

#define HEADER_DATA 0x80
#define HEADER_GYR BIT(3)
#define HEADER_ACC BIT(2)
#define HEADER_SKIP 0x40
#define HEADER_CONFIG 0x48
#define SKIP_BYTES 2
#define OVER_READ 0x80

#define FIFO_BYTES 6144
#define FIFO_BYTES_BASE 2048
#define FIFO_SPARE 32
#define LONG_CONFIGURATION 4096
#define FRAME_BYTES_MAX 13

struct bmi270 {
	struct chip chip;
	uint8_t reg[128];
	bool is_ready; /* a sample since its data was read */
	uint32_t n_loaded;
	struct chip_fifo fifo;
	uint8_t bytes[FIFO_BYTES];
	uint8_t n_skipped; /* frames of which the skip frame in front of the FIFO tells */
	uint8_t skip_left; /* bytes of it that are still to be read */
	uint32_t n_ahead;  /* bytes of a frame of which some have been read */
};

static struct bmi270 *of(struct chip *chip)
{
	return CONTAINER_OF(chip, struct bmi270, chip);
}

static const struct bmi270 *of_const(const struct chip *chip)
{
	return CONTAINER_OF(chip, const struct bmi270, chip);
}

static struct chip_grid acc_grid(const struct bmi270 *model)
{
	return (struct chip_grid){{1u << (model->reg[ACC_RANGE] & 3), 16384}, INT16_MIN, INT16_MAX};
}

static struct chip_grid gyro_grid(const struct bmi270 *model)
{
	return (struct chip_grid){{2000u >> MIN(model->reg[GYR_RANGE] & 7, 4), 32768}, INT16_MIN, INT16_MAX};
}

static void steps(const struct chip *chip, struct emlearn_imu_step *acc_step, struct emlearn_imu_step *gyro_step)
{
	*acc_step = acc_grid(of_const(chip)).step;
	*gyro_step = gyro_grid(of_const(chip)).step;
}

static bool is_initialised(const struct bmi270 *model)
{
	return model->n_loaded > 0 && model->reg[INIT_CTRL] == 1;
}

static uint32_t rate_mhz(const struct bmi270 *model)
{
	const uint8_t power = model->reg[PWR_CTRL];
	const unsigned int acc = (power & ACC_ON) != 0 ? ODR(model->reg[ACC_CONF]) : 0;
	const unsigned int gyro = (power & GYR_ON) != 0 ? ODR(model->reg[GYR_CONF]) : 0;
	const unsigned int odr = MAX(acc, gyro);

	return !is_initialised(model) || odr == 0 || odr > ODR_MAX ? 0 : ODR_MAX_MHZ >> (ODR_MAX - odr);
}

static void sample(struct chip *chip, int32_t codes[EMLEARN_CHIP_CHANNELS])
{
	struct bmi270 *model = of(chip);
	const struct chip_grid acc = acc_grid(model);
	const struct chip_grid gyro = gyro_grid(model);

	for (unsigned int i = 0; i < EMLEARN_CHIP_CHANNELS; i++) {
		codes[i] = chip_code(chip, i, i < EMLEARN_AXES ? &acc : &gyro);
		sys_put_le16((uint16_t)codes[i], &model->reg[DATA_8 + 2 * i]);
	}
	model->is_ready = true;
}

static uint32_t frame_bytes(const struct bmi270 *model)
{
	const uint8_t config = model->reg[FIFO_CONFIG_1];

	return ((config & HEADER_EN) != 0 ? 1u : 0u) + ((config & GYR_EN) != 0 ? 6u : 0u) +
	       ((config & ACC_EN) != 0 ? 6u : 0u);
}

static bool is_on(const struct bmi270 *model)
{
	return (model->reg[FIFO_CONFIG_1] & (GYR_EN | ACC_EN)) != 0;
}

static uint32_t capacity(const struct bmi270 *model)
{
	return (model->n_loaded > LONG_CONFIGURATION ? FIFO_BYTES_BASE : FIFO_BYTES) - FIFO_SPARE;
}

static uint32_t length(const struct bmi270 *model)
{
	return model->fifo.n + model->skip_left;
}

static void flush(struct chip *chip)
{
	struct bmi270 *model = of(chip);

	chip_fifo_clear(&model->fifo);
	model->n_skipped = 0;
	model->skip_left = 0;
	model->n_ahead = 0;
}

/* The oldest frame goes; with headers a frame in front tells how many have gone. */
static void overwrite(struct bmi270 *model)
{
	const uint32_t n = model->n_ahead != 0 ? model->n_ahead : frame_bytes(model);

	chip_fifo_drop(&model->fifo, MIN(n, model->fifo.n));
	model->n_ahead = 0;
	model->chip.counts.n_overwritten++;
	if ((model->reg[FIFO_CONFIG_1] & HEADER_EN) != 0) {
		model->n_skipped = (uint8_t)MIN(model->n_skipped + 1, UINT8_MAX);
		model->skip_left = SKIP_BYTES;
	}
}

static bool store(struct chip *chip)
{
	struct bmi270 *model = of(chip);
	const uint8_t config = model->reg[FIFO_CONFIG_1];
	uint8_t frame[FRAME_BYTES_MAX];
	uint32_t n = 0;

	while (length(model) + frame_bytes(model) > capacity(model)) {
		if ((model->reg[FIFO_CONFIG_0] & STOP_ON_FULL) != 0) {
			return false;
		}
		overwrite(model);
	}
	if ((config & HEADER_EN) != 0) {
		frame[n++] = (uint8_t)(HEADER_DATA | ((config & GYR_EN) != 0 ? HEADER_GYR : 0) |
				       ((config & ACC_EN) != 0 ? HEADER_ACC : 0));
	}
	if ((config & GYR_EN) != 0) {
		memcpy(&frame[n], &model->reg[DATA_14], 6);
		n += 6;
	}
	if ((config & ACC_EN) != 0) {
		memcpy(&frame[n], &model->reg[DATA_8], 6);
		n += 6;
	}
	chip_fifo_push(&model->fifo, frame, n);
	return true;
}

/* As if a setting had been changed. */
static void store_odd(struct chip *chip)
{
	static const uint8_t config[] = {HEADER_CONFIG, 1, 0, 0, 0};
	struct bmi270 *model = of(chip);

	if (length(model) + sizeof(config) <= capacity(model)) {
		chip_fifo_push(&model->fifo, config, sizeof(config));
	}
}

static int32_t room(const struct chip *chip)
{
	const struct bmi270 *model = of_const(chip);

	return is_on(model) ? (int32_t)((capacity(model) - MIN(length(model), capacity(model))) / frame_bytes(model))
			    : -1;
}

static bool wants(const struct chip *chip)
{
	const uint8_t map = of_const(chip)->reg[INT_MAP_DATA];

	return is_on(of_const(chip)) || ((map | map >> MAP_INT2_SHIFT) & MAP_DRDY) != 0;
}

static void lines(struct chip *chip)
{
	struct bmi270 *model = of(chip);
	const uint32_t watermark = sys_get_le16(&model->reg[FIFO_WTM_0]) & 0x1fff;
	const uint32_t n = length(model);
	const bool is_full = n + FRAME_BYTES_MAX > capacity(model);
	const uint8_t flags = (uint8_t)((is_full ? MAP_FFULL : 0) | (watermark != 0 && n >= watermark ? MAP_FWM : 0) |
					(model->is_ready ? MAP_DRDY : 0));

	for (unsigned int i = 0; i < CHIP_LINES; i++) {
		const uint8_t io = model->reg[INT1_IO_CTRL + i];
		const uint8_t map = model->reg[INT_MAP_DATA] >> (MAP_INT2_SHIFT * i);

		chip_line_polarity(chip, i, (io & IO_LVL) == 0);
		chip_line_set(chip, i, (io & IO_OUTPUT_EN) != 0 && (map & flags) != 0);
	}
}

static uint8_t read_fifo(struct bmi270 *model)
{
	if ((model->reg[PWR_CONF] & ADV_POWER_SAVE) != 0) {
		return 0;
	}
	if (model->skip_left > 0) {
		model->skip_left--;
		return model->skip_left > 0 ? HEADER_SKIP : model->n_skipped;
	}
	model->n_skipped = 0;
	if (model->fifo.n == 0) {
		return OVER_READ;
	}
	model->n_ahead = (model->n_ahead != 0 ? model->n_ahead : frame_bytes(model)) - 1;
	chip_mark_read(&model->chip);
	return chip_fifo_pop(&model->fifo);
}

static uint8_t read(struct chip *chip, uint8_t address)
{
	struct bmi270 *model = of(chip);

	switch (address) {
	case CHIP_ID:
		return chip_who_am_i(chip, 0x24);
	case STATUS:
		chip_touch(chip);
		return model->is_ready ? STATUS_DRDY : 0;
	case INTERNAL_STATUS:
		return is_initialised(model) ? INIT_OK : 0;
	case FIFO_LENGTH_0:
		return (uint8_t)length(model);
	case FIFO_LENGTH_1:
		return (uint8_t)(length(model) >> 8);
	case FIFO_DATA:
		return read_fifo(model);
	default:
		if (address >= DATA_8 && address < DATA_END) {
			chip_touch(chip);
			model->is_ready = false;
		}
		return model->reg[address];
	}
}

static void write(struct chip *chip, uint8_t address, uint8_t value)
{
	struct bmi270 *model = of(chip);
	const bool was_on = is_on(model);
	const bool wanted = wants(chip);

	if (address == CMD) {
		if (value == CMD_SOFT_RESET) {
			chip_reset(chip);
		} else if (value == CMD_FIFO_FLUSH) {
			flush(chip);
		}
		return;
	}
	if (address < ACC_CONF) {
		return;
	}
	if (address == INIT_DATA) {
		model->n_loaded++;
	}
	model->reg[address] = value;
	chip_set_rate(chip, rate_mhz(model));
	if ((!was_on && is_on(model)) || (!wanted && wants(chip))) {
		chip_begin(chip);
	}
}

static uint8_t next(struct chip *chip, uint8_t address)
{
	ARG_UNUSED(chip);
	return address == FIFO_DATA || address == INIT_DATA ? address : (address + 1) & 0x7f;
}

static void reset(struct chip *chip)
{
	struct bmi270 *model = of(chip);

	model->fifo.bytes = model->bytes;
	model->fifo.size = sizeof(model->bytes);
	memset(model->reg, 0, sizeof(model->reg));
	model->reg[ACC_CONF] = 0xa8;
	model->reg[ACC_RANGE] = 0x02;
	model->reg[GYR_CONF] = 0xa9;
	model->reg[FIFO_CONFIG_0] = 0x02;
	model->reg[FIFO_CONFIG_1] = HEADER_EN;
	model->reg[PWR_CONF] = 0x03;
	model->is_ready = false;
	model->n_loaded = 0;
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

#define BMI270(n)                                                                                                      \
	static struct bmi270 model_##n;                                                                                \
	static const struct chip_config config_##n = {                                                                 \
		.ops = &ops,                                                                                           \
		.lines = {CHIP_LINE(DT_DRV_INST(n), irq_gpios, 0), CHIP_LINE(DT_DRV_INST(n), irq_gpios, 1)},           \
	};                                                                                                             \
	EMUL_DT_INST_DEFINE(n, chip_init, &model_##n, &config_##n, CHIP_BUS_API(DT_DRV_INST(n)), NULL)

#define BMI270_IF_EMULATED(n)                                                                                          \
	IF_ENABLED(UTIL_AND(CHIP_IS_EMULATED(DT_DRV_INST(n)), DT_INST_ON_BUS(n, i2c)), (BMI270(n)))

DT_INST_FOREACH_STATUS_OKAY(BMI270_IF_EMULATED)
