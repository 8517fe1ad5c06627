/* SPDX-License-Identifier: Apache-2.0 */
/* The lsm6dsl of the overlay, and its registers as ST's documents (LSM6DSL datasheet, AN5040) name them. */
#ifndef TEST_LSM6DSL_CHIPS_H_
#define TEST_LSM6DSL_CHIPS_H_

#include <emlearn/zephyr/chip_model.h>

#include "chip_bus.h"

#define FIFO_CTRL1 0x06
#define FIFO_CTRL2 0x07
#define FIFO_CTRL3 0x08
#define FIFO_CTRL4 0x09
#define FIFO_CTRL5 0x0a
#define INT1_CTRL 0x0d
#define INT2_CTRL 0x0e
#define WHO_AM_I 0x0f
#define CTRL1_XL 0x10
#define CTRL2_G 0x11
#define CTRL3_C 0x12
#define CTRL4_C 0x13
#define CTRL10_C 0x19
#define STATUS_REG 0x1e
#define OUTX_L_G 0x22
#define OUTX_L_XL 0x28
#define FIFO_STATUS1 0x3a
#define FIFO_STATUS2 0x3b
#define FIFO_STATUS3 0x3c
#define FIFO_DATA_OUT_L 0x3e
#define TIMESTAMP0 0x40
#define TIMESTAMP2 0x42
#define WAKE_UP_DUR 0x5c

/* FIFO_CTRL5: data rate of the FIFO in bits 6:3, mode in 2:0. */
#define FIFO_BYPASS 0
#define FIFO_UNTIL_FULL 1
#define FIFO_CONTINUOUS 6

#define ODR_104_HZ 4

/* One on I2C and one on SPI; the first one has both of its interrupt pins wired. */
extern const struct chip_under_test lsm6dsl_chips[2];
#define FOR_EACH_LSM6DSL(chip)                                                                                         \
	for (const struct chip_under_test *chip = lsm6dsl_chips; chip < lsm6dsl_chips + 2; chip++)

/* Number of a pin of the overlay's GPIO controller that a chip drives first. */
int lsm6dsl_pin(const struct chip_under_test *chip);

/* Power-cycled, set up as the driver does (IF_INC, BDU), 2 g, 250 dps, both sensors at this rate, and rewound. */
void lsm6dsl_set_up(const struct chip_under_test *chip, uint8_t odr, const struct emlearn_source *source);

/* After a test: off, and nothing is played that the test has made. */
void lsm6dsl_leave(void *fixture);

/* Gyroscope and accelerometer into the FIFO at this rate. */
void lsm6dsl_fifo_on(const struct chip_under_test *chip, uint8_t odr, uint8_t mode);

/* DIFF_FIFO with the flags of FIFO_STATUS2 above it. */
uint16_t lsm6dsl_fifo_status(const struct chip_under_test *chip);

/* The next words of the FIFO. */
void lsm6dsl_fifo_words(const struct chip_under_test *chip, int16_t *words, size_t n);

/* Level at an interrupt pin. */
int lsm6dsl_pin_level(int pin);

#endif /* TEST_LSM6DSL_CHIPS_H_ */
