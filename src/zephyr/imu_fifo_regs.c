/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of the chip: single ones, and all that make up its settings. */
#include <errno.h>

#include <zephyr/sys/byteorder.h>

#include "imu_fifo_drain.h"

/* Of a transfer. */
#define TRIES 4

int emlearn_imu_fifo_read_regs(struct emlearn_imu_reader_fifo *fifo, uint8_t reg, uint8_t *data, size_t n)
{
	int rc = -EIO;

	for (unsigned int i = 0; i < TRIES && rc != 0; i++) {
		rc = emlearn_imu_bus_read(&fifo->wiring->bus, reg, data, n);
		fifo->reader.stats.n_bus_errors += rc != 0 ? 1u : 0u;
	}
	return rc;
}

int emlearn_imu_fifo_write_regs(struct emlearn_imu_reader_fifo *fifo, uint8_t reg, const uint8_t *data, size_t n)
{
	int rc = -EIO;

	for (unsigned int i = 0; i < TRIES && rc != 0; i++) {
		rc = emlearn_imu_bus_write(&fifo->wiring->bus, reg, data, n);
		fifo->reader.stats.n_bus_errors += rc != 0 ? 1u : 0u;
	}
	return rc;
}

int emlearn_imu_fifo_set_bits(struct emlearn_imu_reader_fifo *fifo, uint8_t reg, uint8_t bits)
{
	uint8_t value;
	int rc = emlearn_imu_fifo_read_regs(fifo, reg, &value, 1);

	value |= bits;
	return rc == 0 ? emlearn_imu_fifo_write_regs(fifo, reg, &value, 1) : rc;
}

void emlearn_imu_fifo_axes_le(const uint8_t *raw, int32_t axes[EMLEARN_AXES])
{
	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		axes[i] = (int16_t)sys_get_le16(&raw[2 * i]);
	}
}

int emlearn_imu_fifo_read_settings(struct emlearn_imu_reader_fifo *fifo, uint8_t out[EMLEARN_IMU_FIFO_SNAPSHOT_MAX])
{
	const struct emlearn_imu_fifo_range *ranges = fifo->wiring->chip->settings;
	int n = 0;

	for (unsigned int i = 0; i < EMLEARN_IMU_FIFO_RANGES_MAX; i++) {
		int rc = ranges[i].n == 0 ? 0 : emlearn_imu_fifo_read_regs(fifo, ranges[i].first, &out[n], ranges[i].n);

		if (rc != 0) {
			return rc;
		}
		n += ranges[i].n;
	}
	return n;
}

int emlearn_imu_fifo_write_settings(struct emlearn_imu_reader_fifo *fifo)
{
	const struct emlearn_imu_fifo_range *ranges = fifo->wiring->chip->settings;
	const uint8_t *value = fifo->snapshot;

	for (unsigned int i = 0; i < EMLEARN_IMU_FIFO_RANGES_MAX; i++) {
		int rc = ranges[i].n == 0 ? 0 : emlearn_imu_fifo_write_regs(fifo, ranges[i].first, value, ranges[i].n);

		if (rc != 0) {
			return rc;
		}
		value += ranges[i].n;
	}
	return 0;
}

int emlearn_imu_fifo_turn_off(struct emlearn_imu_reader_fifo *fifo)
{
	const struct emlearn_imu_fifo_chip *chip = fifo->wiring->chip;
	int rc = emlearn_imu_fifo_write_regs(fifo, chip->mode_reg, &chip->mode_off, 1);

	if (EMLEARN_IMU_FIFO_BOSCH && rc == 0 && chip->flush_reg != 0) {
		rc = emlearn_imu_fifo_write_regs(fifo, chip->flush_reg, &chip->flush, 1);
	}
	return rc;
}

int emlearn_imu_fifo_turn_on(struct emlearn_imu_reader_fifo *fifo, struct emlearn_imu_got *got)
{
	int rc = emlearn_imu_fifo_turn_off(fifo);

	if (rc == 0) {
		rc = fifo->wiring->chip->set_up(fifo, got);
	}
	if (rc == 0) {
		rc = emlearn_imu_fifo_read_settings(fifo, fifo->snapshot);
		fifo->n_snapshot = (uint8_t)MAX(rc, 0);
	}
	return MIN(rc, 0);
}
