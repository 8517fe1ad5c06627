/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of a chip on either bus, for tests that look past the driver. */
#ifndef TEST_CHIP_BUS_H_
#define TEST_CHIP_BUS_H_

#include <stddef.h>
#include <stdint.h>

#include <zephyr/device.h>
#include <zephyr/drivers/i2c.h>
#include <zephyr/drivers/spi.h>

struct chip_under_test {
	const struct device *dev;
	struct i2c_dt_spec i2c; /* bus NULL if it is on SPI */
	struct spi_dt_spec spi;
};

#define CHIP_ON_I2C(node_id) {.dev = DEVICE_DT_GET(node_id), .i2c = I2C_DT_SPEC_GET(node_id)}
#define CHIP_ON_SPI(node_id)                                                                                           \
	{.dev = DEVICE_DT_GET(node_id),                                                                                \
	 .spi = SPI_DT_SPEC_GET(node_id, SPI_WORD_SET(8) | SPI_OP_MODE_MASTER | SPI_MODE_CPOL | SPI_MODE_CPHA)}

int chip_read(const struct chip_under_test *chip, uint8_t address, void *bytes, size_t n);
int chip_write(const struct chip_under_test *chip, uint8_t address, uint8_t value);

/* One register; fails the test if the bus does. */
uint8_t chip_get(const struct chip_under_test *chip, uint8_t address);
void chip_set(const struct chip_under_test *chip, uint8_t address, uint8_t value);

#endif /* TEST_CHIP_BUS_H_ */
