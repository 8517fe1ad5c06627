/* SPDX-License-Identifier: Apache-2.0 */
#include "chip_bus.h"

#include <zephyr/ztest.h>

#define SPI_READ 0x80

int chip_read(const struct chip_under_test *chip, uint8_t address, void *bytes, size_t n)
{
	uint8_t command = address | SPI_READ;
	const struct spi_buf tx_bufs[] = {{&command, 1}, {NULL, n}};
	const struct spi_buf rx_bufs[] = {{NULL, 1}, {bytes, n}};
	const struct spi_buf_set tx = {tx_bufs, ARRAY_SIZE(tx_bufs)};
	const struct spi_buf_set rx = {rx_bufs, ARRAY_SIZE(rx_bufs)};

	if (chip->i2c.bus != NULL) {
		return i2c_burst_read_dt(&chip->i2c, address, bytes, n);
	}
	return spi_transceive_dt(&chip->spi, &tx, &rx);
}

int chip_write(const struct chip_under_test *chip, uint8_t address, uint8_t value)
{
	uint8_t bytes[] = {address, value};
	const struct spi_buf tx_buf = {bytes, sizeof(bytes)};
	const struct spi_buf_set tx = {&tx_buf, 1};

	if (chip->i2c.bus != NULL) {
		return i2c_reg_write_byte_dt(&chip->i2c, address, value);
	}
	return spi_write_dt(&chip->spi, &tx);
}

uint8_t chip_get(const struct chip_under_test *chip, uint8_t address)
{
	uint8_t value = 0;

	zassert_ok(chip_read(chip, address, &value, 1));
	return value;
}

void chip_set(const struct chip_under_test *chip, uint8_t address, uint8_t value)
{
	zassert_ok(chip_write(chip, address, value));
}
