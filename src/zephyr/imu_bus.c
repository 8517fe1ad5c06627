/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/zephyr/imu_bus.h>

#define SPI_READ 0x80u

#ifdef CONFIG_I2C
static int read_i2c(const struct emlearn_imu_bus *bus, uint8_t reg, uint8_t *data, size_t n)
{
	return i2c_burst_read_dt(&bus->at.i2c, reg, data, (uint32_t)n);
}

/* One message: not every controller can join two into one write. */
static int write_i2c(const struct emlearn_imu_bus *bus, uint8_t *message, size_t n)
{
	return i2c_write_dt(&bus->at.i2c, message, (uint32_t)n);
}

const struct emlearn_imu_bus_api emlearn_imu_bus_i2c = {.read = read_i2c, .write = write_i2c};
#endif

#ifdef CONFIG_SPI
static int read_spi(const struct emlearn_imu_bus *bus, uint8_t reg, uint8_t *data, size_t n)
{
	uint8_t address = reg | SPI_READ;
	const struct spi_buf out = {.buf = &address, .len = 1};
	const struct spi_buf in[] = {{.buf = NULL, .len = 1u + bus->n_dummies}, {.buf = data, .len = n}};
	const struct spi_buf_set tx = {.buffers = &out, .count = 1};
	const struct spi_buf_set rx = {.buffers = in, .count = ARRAY_SIZE(in)};

	return spi_transceive_dt(&bus->at.spi, &tx, &rx);
}

static int write_spi(const struct emlearn_imu_bus *bus, uint8_t *message, size_t n)
{
	const struct spi_buf out = {.buf = message, .len = n};
	const struct spi_buf_set tx = {.buffers = &out, .count = 1};

	return spi_write_dt(&bus->at.spi, &tx);
}

const struct emlearn_imu_bus_api emlearn_imu_bus_spi = {.read = read_spi, .write = write_spi};
#endif
