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

/**
 * One transfer.
 *
 * @param message number of the first register, and what goes into it and those behind; in RAM
 * @param data    what is read from there on, registers or bytes of a FIFO; NULL to write
 * @param n       bytes of what is read, or of the message that is written
 * @return 0 or the bus driver's error
 */
typedef int (*emlearn_imu_bus_transfer)(const struct emlearn_imu_bus *bus, uint8_t *message, uint8_t *data, size_t n);

/** Where a chip is wired; constant. */
struct emlearn_imu_bus {
	emlearn_imu_bus_transfer transfer;
	union {
		struct i2c_dt_spec i2c;
#ifdef CONFIG_SPI
		struct spi_dt_spec spi;
#endif
	} at;
	uint8_t n_dummies; /**< bytes that the chip sends on SPI before the first register */
};

int emlearn_imu_bus_i2c(const struct emlearn_imu_bus *bus, uint8_t *message, uint8_t *data, size_t n);
int emlearn_imu_bus_spi(const struct emlearn_imu_bus *bus, uint8_t *message, uint8_t *data, size_t n);

/**
 * Initialiser of the bus of a sensor's node.
 *
 * @param spi_mode   SPI_MODE_* of the chip
 * @param n_dummies_ bytes of the chip before the first register on SPI
 */
#define EMLEARN_IMU_BUS(node_id, spi_mode, n_dummies_)                                                                 \
	COND_CODE_1(DT_ON_BUS(node_id, spi),                                                                           \
		    ({                                                                                                 \
			    .transfer = emlearn_imu_bus_spi,                                                           \
			    .at.spi = SPI_DT_SPEC_GET(node_id, SPI_WORD_SET(8) | SPI_OP_MODE_MASTER | (spi_mode)),     \
			    .n_dummies = (n_dummies_),                                                                 \
		    }),                                                                                                \
		    ({                                                                                                 \
			    .transfer = emlearn_imu_bus_i2c,                                                           \
			    .at.i2c = I2C_DT_SPEC_GET(node_id),                                                        \
		    }))

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_BUS_H_ */
