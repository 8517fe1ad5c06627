/* SPDX-License-Identifier: Apache-2.0 */
#include "lsm6dsl_chips.h"

#include <zephyr/drivers/gpio.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/ztest.h>

#include "sources.h"

#define BDU_AND_IF_INC 0x44
#define GYRO_AND_ACC_UNDECIMATED ((1 << 3) | 1)
#define N_PINS 3

const struct chip_under_test lsm6dsl_chips[2] = {
	CHIP_ON_I2C(DT_NODELABEL(lsm6dsl_i2c)),
	CHIP_ON_SPI(DT_NODELABEL(lsm6dsl_spi)),
};

static const struct device *const gpio = DEVICE_DT_GET(DT_NODELABEL(chip_gpio));

int lsm6dsl_pin(const struct chip_under_test *chip)
{
	return chip == &lsm6dsl_chips[0] ? 0 : 2;
}

void lsm6dsl_set_up(const struct chip_under_test *chip, uint8_t odr, const struct emlearn_source *source)
{
	for (gpio_pin_t pin = 0; pin < N_PINS; pin++) {
		zassert_ok(gpio_pin_configure(gpio, pin, GPIO_INPUT));
	}
	emlearn_chip_power_cycle(chip->dev);
	chip_set(chip, CTRL3_C, BDU_AND_IF_INC);
	chip_set(chip, CTRL1_XL, (uint8_t)(odr << 4));
	chip_set(chip, CTRL2_G, (uint8_t)(odr << 4));
	emlearn_chip_rewind(chip->dev, source);
}

void lsm6dsl_leave(void *fixture)
{
	ARG_UNUSED(fixture);
	FOR_EACH_LSM6DSL(chip)
	{
		emlearn_chip_power_cycle(chip->dev);
		emlearn_chip_rewind(chip->dev, &counting_source);
	}
}

void lsm6dsl_fifo_on(const struct chip_under_test *chip, uint8_t odr, uint8_t mode)
{
	chip_set(chip, FIFO_CTRL3, GYRO_AND_ACC_UNDECIMATED);
	chip_set(chip, FIFO_CTRL5, (uint8_t)(odr << 3 | mode));
}

uint16_t lsm6dsl_fifo_status(const struct chip_under_test *chip)
{
	uint8_t bytes[2];

	zassert_ok(chip_read(chip, FIFO_STATUS1, bytes, sizeof(bytes)));
	return sys_get_le16(bytes);
}

void lsm6dsl_fifo_words(const struct chip_under_test *chip, int16_t *words, size_t n)
{
	zassert_ok(chip_read(chip, FIFO_DATA_OUT_L, words, 2 * n));
	for (size_t i = 0; i < n; i++) {
		words[i] = (int16_t)sys_le16_to_cpu((uint16_t)words[i]);
	}
}

int lsm6dsl_pin_level(int pin)
{
	return gpio_pin_get_raw(gpio, (gpio_pin_t)pin);
}
