/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Registers of a chip on I2C or SPI, beside its driver. For back ends.
 */
#ifndef EMLEARN_ZEPHYR_IMU_BUS_H_
#define EMLEARN_ZEPHYR_IMU_BUS_H_

#include <stddef.h>
#include <stdint.h>

#include <zephyr/devicetree.h>
#include <zephyr/drivers/i2c.h>
#include <zephyr/drivers/spi.h>
#include <zephyr/sys/util.h>

#ifdef __cplusplus
extern "C" {
#endif

struct emlearn_imu_bus;

/** What I2C and SPI do each in their own way. 0 or the bus driver's error; one transfer each. */
struct emlearn_imu_bus_api {
	int (*read)(const struct emlearn_imu_bus *bus, uint8_t reg, uint8_t *data, size_t n);
	int (*write)(const struct emlearn_imu_bus *bus, uint8_t *message, size_t n);
};

/** Where a chip is wired; constant. */
struct emlearn_imu_bus {
	const struct emlearn_imu_bus_api *api;
	union {
		struct i2c_dt_spec i2c;
		struct spi_dt_spec spi;
	} at;
	uint8_t n_dummies; /**< bytes that the chip sends on SPI before the first register */
};

extern const struct emlearn_imu_bus_api emlearn_imu_bus_i2c;
extern const struct emlearn_imu_bus_api emlearn_imu_bus_spi;

/**
 * Initialiser of the bus of a sensor's node.
 *
 * @param spi_mode   SPI_MODE_* of the chip
 * @param n_dummies_ bytes of the chip before the first register on SPI
 */
#define EMLEARN_IMU_BUS(node_id, spi_mode, n_dummies_)                                                                 \
	COND_CODE_1(DT_ON_BUS(node_id, spi),                                                                           \
		    ({                                                                                                 \
			    .api = &emlearn_imu_bus_spi,                                                               \
			    .at.spi = SPI_DT_SPEC_GET(node_id, SPI_WORD_SET(8) | SPI_OP_MODE_MASTER | (spi_mode)),     \
			    .n_dummies = (n_dummies_),                                                                 \
		    }),                                                                                                \
		    ({                                                                                                 \
			    .api = &emlearn_imu_bus_i2c,                                                               \
			    .at.i2c = I2C_DT_SPEC_GET(node_id),                                                        \
		    }))

/** Read n registers, or n bytes of a FIFO. */
static inline int emlearn_imu_bus_read(const struct emlearn_imu_bus *bus, uint8_t reg, uint8_t *data, size_t n)
{
	return bus->api->read(bus, reg, data, n);
}

/**
 * Write registers.
 *
 * @param message number of the first register, and what goes into them; in RAM
 * @param n       bytes of both
 */
static inline int emlearn_imu_bus_write(const struct emlearn_imu_bus *bus, uint8_t *message, size_t n)
{
	return bus->api->write(bus, message, n);
}

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_BUS_H_ */
