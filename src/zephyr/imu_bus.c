/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/zephyr/imu_bus.h>

#define SPI_READ 0x80u

#ifdef CONFIG_I2C
/* What is written is one message: not every controller can join two into one write. */
int emlearn_imu_bus_i2c(const struct emlearn_imu_bus *bus, uint8_t *message, uint8_t *data, size_t n)
{
	struct i2c_msg parts[] = {
		{.buf = message, .len = data != NULL ? 1 : (uint32_t)n, .flags = I2C_MSG_WRITE},
		{.buf = data, .len = (uint32_t)n, .flags = I2C_MSG_RESTART | I2C_MSG_READ | I2C_MSG_STOP},
	};

	if (data == NULL) {
		parts[0].flags |= I2C_MSG_STOP;
	}
	return i2c_transfer_dt(&bus->at.i2c, parts, data != NULL ? 2 : 1);
}
#endif

#ifdef CONFIG_SPI
int emlearn_imu_bus_spi(const struct emlearn_imu_bus *bus, uint8_t *message, uint8_t *data, size_t n)
{
	uint8_t address = message[0] | SPI_READ;
	const struct spi_buf out = {.buf = data != NULL ? &address : message, .len = data != NULL ? 1 : n};
	const struct spi_buf in[] = {{.buf = NULL, .len = 1u + bus->n_dummies}, {.buf = data, .len = n}};
	const struct spi_buf_set tx = {.buffers = &out, .count = 1};
	const struct spi_buf_set rx = {.buffers = in, .count = ARRAY_SIZE(in)};

	return spi_transceive_dt(&bus->at.spi, &tx, data != NULL ? &rx : NULL);
}
#endif
