/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of the chip: single ones, and all that make up its settings. */
#include <errno.h>
#include <string.h>

#include <zephyr/sys/byteorder.h>

#include "imu_fifo_drain.h"

/* Of a transfer. */
#define TRIES 4

/* Most bytes that are copied behind the number of their register. */
#define FEW 4

int emlearn_imu_fifo_transfer(struct emlearn_imu_fifo *fifo, uint8_t *message, uint8_t *data, size_t n)
{
	const struct emlearn_imu_bus *bus = &fifo->wiring->bus;
	int rc = bus->transfer(bus, message, data, n);

	if (rc != 0) {
		fifo->reader->stats.n_bus_errors++;
	}
	return rc;
}

int emlearn_imu_fifo_regs(struct emlearn_imu_fifo *fifo, enum emlearn_imu_fifo_direction direction, uint8_t *message,
			  size_t n)
{
	unsigned int tries = TRIES;
	int rc;

	do {
		rc = direction == EMLEARN_IMU_FIFO_READ ? emlearn_imu_fifo_transfer(fifo, message, &message[1], n)
							: emlearn_imu_fifo_transfer(fifo, message, NULL, 1 + n);
	} while (rc != 0 && --tries > 0);
	return rc;
}

int emlearn_imu_fifo_read_regs(struct emlearn_imu_fifo *fifo, uint8_t reg, uint8_t *data, size_t n)
{
	uint8_t message[1 + FEW] = {reg};
	int rc = n <= FEW ? emlearn_imu_fifo_regs(fifo, EMLEARN_IMU_FIFO_READ, message, n) : -EINVAL;

	if (rc == 0) {
		memcpy(data, &message[1], n);
	}
	return rc;
}

int emlearn_imu_fifo_write_regs(struct emlearn_imu_fifo *fifo, uint8_t reg, const uint8_t *data, size_t n)
{
	uint8_t message[1 + FEW] = {reg};

	if (n > FEW) {
		return -EINVAL;
	}
	memcpy(&message[1], data, n);
	return emlearn_imu_fifo_regs(fifo, EMLEARN_IMU_FIFO_WRITE, message, n);
}

int emlearn_imu_fifo_set_bits(struct emlearn_imu_fifo *fifo, uint8_t reg, uint8_t bits)
{
	uint8_t message[] = {reg, 0};
	int rc = emlearn_imu_fifo_regs(fifo, EMLEARN_IMU_FIFO_READ, message, 1);

	message[1] |= bits;
	return rc == 0 ? emlearn_imu_fifo_regs(fifo, EMLEARN_IMU_FIFO_WRITE, message, 1) : rc;
}

void emlearn_imu_fifo_axes_le(const uint8_t *raw, int32_t axes[EMLEARN_AXES])
{
	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		axes[i] = (int16_t)sys_get_le16(&raw[2 * i]);
	}
}

int emlearn_imu_fifo_settings(struct emlearn_imu_fifo *fifo, enum emlearn_imu_fifo_direction direction,
			      uint8_t *settings)
{
	int n = 0;

	for (const struct emlearn_imu_fifo_range *range = fifo->wiring->chip->settings; range->n != 0; range++) {
		int rc;

		settings[n] = range->first;
		rc = emlearn_imu_fifo_regs(fifo, direction, &settings[n], range->n);
		if (rc != 0) {
			return rc;
		}
		n += 1 + range->n;
	}
	fifo->n_settings = (uint8_t)n;
	return 0;
}

int emlearn_imu_fifo_turn_off(struct emlearn_imu_fifo *fifo)
{
	const struct emlearn_imu_fifo_chip *chip = fifo->wiring->chip;
	uint8_t off[] = {chip->mode_reg, chip->mode_off};
	int rc = emlearn_imu_fifo_regs(fifo, EMLEARN_IMU_FIFO_WRITE, off, 1);

	if (EMLEARN_IMU_FIFO_BOSCH && rc == 0 && chip->flush_reg != 0) {
		rc = emlearn_imu_fifo_write_regs(fifo, chip->flush_reg, &chip->flush, 1);
	}
	return rc;
}

int emlearn_imu_fifo_turn_on(struct emlearn_imu_fifo *fifo)
{
	int rc = emlearn_imu_fifo_turn_off(fifo);

	return rc == 0 ? emlearn_imu_fifo_settings(fifo, EMLEARN_IMU_FIFO_WRITE, fifo->settings) : rc;
}
