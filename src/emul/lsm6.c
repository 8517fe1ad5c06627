/* SPDX-License-Identifier: Apache-2.0 */
#include "lsm6.h"

#include <string.h>

#include <zephyr/sys/byteorder.h>

#define FUNC_CFG_ACCESS 0x01
#define OTHER_BANKS (BIT(7) | BIT(6))
#define DRDY_PULSE_CFG 0x0b
#define DRDY_PULSED BIT(7)
#define CTRL4_C 0x13
#define INT2_ON_INT1 BIT(5)
#define STATUS_REG 0x1e
#define XLDA BIT(0)
#define GDA BIT(1)
#define OUTX_L_G 0x22
#define OUTX_L_XL 0x28
#define OUT_END 0x2e

#define CTRL3_BOOT BIT(7)
#define CTRL3_H_LACTIVE BIT(5)
#define CTRL3_IF_INC BIT(2)
#define CTRL3_SW_RESET BIT(0)

/* Thousandths of a hertz, by the code of CTRL1_XL and CTRL2_G. */
static const uint32_t rates_mhz[] = {0,      12500,  26000,   52000,   104000,  208000,
				     416000, 833000, 1660000, 3330000, 6660000, 1600};

/* Codes 1 to 10 double the rate from one to the next; 1.6 Hz is three steps below the first. */
static int speed_of(uint8_t odr)
{
	return odr == LSM6_ODR_1_6_HZ ? -2 : odr;
}

static bool is_odr(uint8_t odr)
{
	return odr != LSM6_ODR_OFF && odr < ARRAY_SIZE(rates_mhz);
}

static uint8_t acc_odr(const struct lsm6 *lsm6)
{
	return lsm6->reg[LSM6_CTRL1_XL] >> 4;
}

static uint8_t gyro_odr(const struct lsm6 *lsm6)
{
	return lsm6->reg[LSM6_CTRL2_G] >> 4;
}

/* That of the faster sensor. */
static uint8_t base_odr(const struct lsm6 *lsm6)
{
	uint8_t acc = is_odr(acc_odr(lsm6)) ? acc_odr(lsm6) : LSM6_ODR_OFF;
	uint8_t gyro = is_odr(gyro_odr(lsm6)) ? gyro_odr(lsm6) : LSM6_ODR_OFF;

	if (acc == LSM6_ODR_OFF || gyro == LSM6_ODR_OFF) {
		return MAX(acc, gyro);
	}
	return speed_of(acc) > speed_of(gyro) ? acc : gyro;
}

uint32_t lsm6_divider(const struct lsm6 *lsm6, uint8_t odr)
{
	uint8_t base = base_odr(lsm6);

	if (!is_odr(odr) || base == LSM6_ODR_OFF) {
		return 0;
	}
	return speed_of(odr) >= speed_of(base) ? 1u : 1u << (speed_of(base) - speed_of(odr));
}

/* Sensitivities of the datasheet: 61 ug and 4.375 mdps a code at the smallest range, and twice that at each next. */
static struct chip_grid acc_grid(const struct lsm6 *lsm6)
{
	static const uint8_t times[] = {1, 8, 2, 4}; /* 2, 16, 4, 8 g */
	unsigned int range = lsm6->reg[LSM6_CTRL1_XL] >> 2 & 3;

	return (struct chip_grid){{61u * times[range], 1000000}, INT16_MIN, INT16_MAX};
}

static struct chip_grid gyro_grid(const struct lsm6 *lsm6)
{
	uint8_t ctrl2 = lsm6->reg[LSM6_CTRL2_G];
	uint32_t times = 2u << (ctrl2 >> 2 & 3); /* 250, 500, 1000, 2000 dps */

	if ((ctrl2 & BIT(0)) != 0 && lsm6->has_4000) {
		times = 32;
	} else if ((ctrl2 & BIT(1)) != 0) {
		times = 1;
	}
	return (struct chip_grid){{7u * times, 1600}, INT16_MIN, INT16_MAX};
}

void lsm6_steps(const struct chip *chip, struct emlearn_imu_step *acc_step, struct emlearn_imu_step *gyro_step)
{
	*acc_step = acc_grid(lsm6_of_const(chip)).step;
	*gyro_step = gyro_grid(lsm6_of_const(chip)).step;
}

uint16_t lsm6_word(const struct lsm6 *lsm6, unsigned int word)
{
	return sys_get_le16(&lsm6->reg[OUTX_L_G + 2 * word]);
}

/* Bring a sensor's output registers up to date if this frame is one of its own. */
static void sample_sensor(struct lsm6 *lsm6, uint8_t odr, unsigned int first_channel, uint8_t first_register,
			  const struct chip_grid *grid, uint8_t ready)
{
	uint32_t divider = lsm6_divider(lsm6, odr);

	if (divider == 0 || lsm6->chip.counts.n_made % divider != 0) {
		return;
	}
	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		int32_t code = chip_code(&lsm6->chip, first_channel + i, grid);

		sys_put_le16((uint16_t)code, &lsm6->reg[first_register + 2 * i]);
	}
	lsm6->ready |= ready;
}

void lsm6_sample(struct chip *chip, int32_t codes[EMLEARN_CHIP_CHANNELS])
{
	struct lsm6 *lsm6 = lsm6_of(chip);
	struct chip_grid acc = acc_grid(lsm6);
	struct chip_grid gyro = gyro_grid(lsm6);

	sample_sensor(lsm6, acc_odr(lsm6), 0, OUTX_L_XL, &acc, XLDA);
	sample_sensor(lsm6, gyro_odr(lsm6), EMLEARN_AXES, OUTX_L_G, &gyro, GDA);
	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		codes[i] = (int16_t)lsm6_word(lsm6, EMLEARN_AXES + i);
		codes[EMLEARN_AXES + i] = (int16_t)lsm6_word(lsm6, i);
	}
	lsm6->is_new = true;
}

void lsm6_reset(struct lsm6 *lsm6)
{
	memset(lsm6->reg, 0, sizeof(lsm6->reg));
	memset(lsm6->other, 0, sizeof(lsm6->other));
	lsm6->reg[LSM6_CTRL3_C] = CTRL3_IF_INC;
	lsm6->ready = 0;
	lsm6->is_new = false;
}

uint8_t *lsm6_elsewhere(struct lsm6 *lsm6, uint8_t address)
{
	if (address == FUNC_CFG_ACCESS || (lsm6->reg[FUNC_CFG_ACCESS] & OTHER_BANKS) == 0) {
		return NULL;
	}
	return &lsm6->other[address];
}

uint8_t lsm6_read(struct lsm6 *lsm6, uint8_t address)
{
	if (address == LSM6_WHO_AM_I) {
		return chip_who_am_i(&lsm6->chip, lsm6->identity);
	}
	if (address == STATUS_REG) {
		chip_touch(&lsm6->chip);
		return lsm6->ready;
	}
	if (address >= OUTX_L_G && address < OUT_END) {
		chip_touch(&lsm6->chip);
		if ((address & 1) != 0) { /* the high byte of any axis */
			lsm6->ready &= (uint8_t) ~(address < OUTX_L_XL ? GDA : XLDA);
		}
	}
	return lsm6->reg[address];
}

void lsm6_write(struct lsm6 *lsm6, uint8_t address, uint8_t value)
{
	bool wanted = lsm6_wants_ready(lsm6);

	if (address == LSM6_WHO_AM_I || (address >= STATUS_REG && address < OUT_END)) {
		return;
	}
	if (address == LSM6_CTRL3_C && (value & (CTRL3_BOOT | CTRL3_SW_RESET)) != 0) {
		chip_reset(&lsm6->chip);
		return;
	}
	lsm6->reg[address] = value;
	switch (address) {
	case LSM6_CTRL1_XL:
	case LSM6_CTRL2_G:
		chip_set_rate(&lsm6->chip, rates_mhz[base_odr(lsm6)]);
		break;
	case LSM6_CTRL3_C:
		chip_line_polarity(&lsm6->chip, 0, (value & CTRL3_H_LACTIVE) != 0);
		chip_line_polarity(&lsm6->chip, 1, (value & CTRL3_H_LACTIVE) != 0);
		break;
	default:
		break;
	}
	if (!wanted && lsm6_wants_ready(lsm6)) {
		chip_begin(&lsm6->chip);
	}
}

bool lsm6_increments(const struct lsm6 *lsm6)
{
	return (lsm6->reg[LSM6_CTRL3_C] & CTRL3_IF_INC) != 0;
}

bool lsm6_wants_ready(const struct lsm6 *lsm6)
{
	return ((lsm6->reg[LSM6_INT1_CTRL] | lsm6->reg[LSM6_INT2_CTRL]) & LSM6_INT_DRDY) != 0;
}

uint32_t lsm6_quiet(const struct lsm6 *lsm6, uint32_t fifo_frames)
{
	const uint8_t routed = lsm6->reg[LSM6_INT1_CTRL] | lsm6->reg[LSM6_INT2_CTRL];

	if ((routed & LSM6_INT_DRDY) != 0) {
		return 0;
	}
	return (routed & (LSM6_INT_FTH | LSM6_INT_OVERRUN | LSM6_INT_FULL)) != 0 ? fifo_frames : UINT32_MAX;
}

static void set_line(struct lsm6 *lsm6, unsigned int line, uint8_t routed, uint8_t flags)
{
	bool pulsed = (lsm6->reg[DRDY_PULSE_CFG] & DRDY_PULSED) != 0;
	uint8_t levels = pulsed ? (uint8_t)(flags & ~LSM6_INT_DRDY) : flags;

	if (pulsed && lsm6->is_new && (routed & flags & LSM6_INT_DRDY) != 0) {
		chip_line_pulse(&lsm6->chip, line);
	}
	chip_line_set(&lsm6->chip, line, (routed & levels) != 0);
}

void lsm6_lines(struct lsm6 *lsm6, uint8_t fifo_flags)
{
	/* XLDA and GDA stand where their interrupts do */
	uint8_t flags = fifo_flags | lsm6->ready;
	uint8_t int1 = lsm6->reg[LSM6_INT1_CTRL];
	uint8_t int2 = lsm6->reg[LSM6_INT2_CTRL];

	if ((lsm6->reg[CTRL4_C] & INT2_ON_INT1) != 0) {
		int1 |= int2;
		int2 = 0;
	}
	set_line(lsm6, 0, int1, flags);
	set_line(lsm6, 1, int2, flags);
	lsm6->is_new = false;
}
