/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ST's chips from lsm6dsl to lsm6dso have in common: sensors, output registers, data-ready, interrupt pins.
 * FIFO and timestamp are each model's own.
 */
#ifndef EMLEARN_EMUL_LSM6_H_
#define EMLEARN_EMUL_LSM6_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/sys/util.h>

#include "chip.h"

#define LSM6_INT1_CTRL 0x0d
#define LSM6_INT2_CTRL 0x0e
#define LSM6_WHO_AM_I 0x0f
#define LSM6_CTRL1_XL 0x10
#define LSM6_CTRL2_G 0x11
#define LSM6_CTRL3_C 0x12

/* Bits of INT1_CTRL and INT2_CTRL. */
#define LSM6_INT_DRDY (BIT(0) | BIT(1))
#define LSM6_INT_FTH BIT(3)
#define LSM6_INT_OVERRUN BIT(4)
#define LSM6_INT_FULL BIT(5)

/* Codes of output data rates. */
#define LSM6_ODR_OFF 0
#define LSM6_ODR_1_6_HZ 11

struct lsm6 {
	struct chip chip;
	uint8_t reg[128];
	uint8_t other[128]; /* registers of the other banks, which only store */
	uint8_t ready;      /* STATUS_REG */
	bool is_new;        /* a frame has been made since the lines were seen to */
	bool has_4000;      /* gyro range of 4000 dps in CTRL2_G bit 0 */
	uint8_t identity;   /* WHO_AM_I */
};

static inline struct lsm6 *lsm6_of(struct chip *chip)
{
	return CONTAINER_OF(chip, struct lsm6, chip);
}

static inline const struct lsm6 *lsm6_of_const(const struct chip *chip)
{
	return CONTAINER_OF(chip, const struct lsm6, chip);
}

/* Of struct chip_ops, for all these chips. */
void lsm6_sample(struct chip *chip, int32_t codes[EMLEARN_CHIP_CHANNELS]);
void lsm6_steps(const struct chip *chip, struct emlearn_imu_step *acc_step, struct emlearn_imu_step *gyro_step);

/* Registers as after power-on. */
void lsm6_reset(struct lsm6 *lsm6);

/* The register in another bank if one is selected; NULL if it is one of the chip proper. */
uint8_t *lsm6_elsewhere(struct lsm6 *lsm6, uint8_t address);

/* A byte from WHO_AM_I, STATUS_REG, an output register, or what was written. */
uint8_t lsm6_read(struct lsm6 *lsm6, uint8_t address);

/* Store, and do what the registers named above do. */
void lsm6_write(struct lsm6 *lsm6, uint8_t address, uint8_t value);

/* Does the address count up within a burst? */
bool lsm6_increments(const struct lsm6 *lsm6);

/* A data-ready interrupt is routed to a pin. */
bool lsm6_wants_ready(const struct lsm6 *lsm6);

/* Frames that leave the pins as they are; fifo_frames: that leave the flags of the FIFO as they are. */
uint32_t lsm6_quiet(const struct lsm6 *lsm6, uint32_t fifo_frames);

/* Bring the pins into accord; fifo_flags: of LSM6_INT_FTH, _OVERRUN and _FULL those that stand. */
void lsm6_lines(struct lsm6 *lsm6, uint8_t fifo_flags);

/* Of frames at the rate of the sensors, one in how many comes at the rate of this code; 0 if none does. */
uint32_t lsm6_divider(const struct lsm6 *lsm6, uint8_t odr);

/* Word 0 to 5 of the newest frame as FIFOs have it: gyro x y z, acc x y z. */
uint16_t lsm6_word(const struct lsm6 *lsm6, unsigned int word);

#endif /* EMLEARN_EMUL_LSM6_H_ */
