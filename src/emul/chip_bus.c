/* SPDX-License-Identifier: Apache-2.0 */
/* A chip on an emulated I2C or SPI bus: transfers as bytes of registers. */
#include "chip.h"

#include <errno.h>

#include <zephyr/drivers/i2c.h>
#include <zephyr/drivers/i2c_emul.h>
#include <zephyr/drivers/spi.h>
#include <zephyr/drivers/spi_emul.h>

#define READ_FLAG BIT(7)

/* A transfer under way. */
struct transfer {
	struct chip *chip;
	uint8_t address;
	uint32_t n_left; /* bytes of data until the bus fails */
};

/*
 * The bus hangs until the FIFO has overrun: as if the application had been away. Not where nobody may wait, and not
 * without a FIFO that fills up.
 */
static void hang(struct chip *chip)
{
	unsigned int key = irq_lock();
	int32_t room;
	int64_t us = 0;
	int32_t n_more = 0;

	chip_catch_up(chip);
	room = chip->ops->room(chip);
	if (room >= 0 && chip->rate_mhz != 0 && k_can_yield() &&
	    chip_fault_strikes(chip, EMLEARN_FAULT_OVERRUN, &n_more)) {
		int64_t own_ns =
			chip->due_own_ns + ((int64_t)room + n_more) * (INT64_C(1000000000000) / chip->rate_mhz);

		us = (chip_clock_uptime_ns(&chip->clock, own_ns) - chip_now_ns()) / 1000 + 1;
	}
	irq_unlock(key);
	if (us > 0) {
		k_sleep(K_USEC(us));
	}
}

static void begin(struct transfer *transfer, struct chip *chip)
{
	int32_t n_before = 0;

	chip_catch_up(chip);
	chip->counts.n_transfers++;
	transfer->chip = chip;
	transfer->n_left = UINT32_MAX;
	if (chip_fault_is_due(chip, EMLEARN_FAULT_NACK, &n_before)) {
		transfer->n_left = (uint32_t)n_before;
	}
}

static bool fails(struct transfer *transfer)
{
	if (transfer->n_left == 0) {
		return true;
	}
	if (transfer->n_left != UINT32_MAX) {
		transfer->n_left--;
	}
	return false;
}

static int read_byte(struct transfer *transfer, uint8_t *value)
{
	struct chip *chip = transfer->chip;

	if (fails(transfer)) {
		return -EIO;
	}
	*value = chip->ops->read(chip, transfer->address);
	transfer->address = chip->ops->next(chip, transfer->address);
	return 0;
}

static int write_byte(struct transfer *transfer, uint8_t value)
{
	struct chip *chip = transfer->chip;

	if (fails(transfer)) {
		return -EIO;
	}
	chip->ops->write(chip, transfer->address, value);
	transfer->address = chip->ops->next(chip, transfer->address);
	return 0;
}

/* Threads that an interrupt made ready while it was locked get their turn. */
static void end(struct chip *chip, int rc, unsigned int key)
{
	if (rc != 0) { /* a transfer that was too short to fail leaves the fault to the next one */
		(void)chip_fault_strikes(chip, EMLEARN_FAULT_NACK, NULL);
	}
	chip->ops->lines(chip);
	chip_plan(chip);
	irq_unlock(key);
	if (k_can_yield()) {
		k_reschedule();
	}
}

static int i2c_transfer_bytes(struct transfer *transfer, const struct i2c_msg *msgs, int n_msgs)
{
	bool addressed = false;
	int rc = transfer->n_left == 0 ? -EIO : 0;

	for (int i = 0; i < n_msgs && rc == 0; i++) {
		const struct i2c_msg *msg = &msgs[i];
		bool is_read = (msg->flags & I2C_MSG_READ) != 0;

		if (!is_read && (i == 0 || (msg->flags & I2C_MSG_RESTART) != 0)) {
			addressed = false;
		}
		for (uint32_t k = 0; k < msg->len && rc == 0; k++) {
			if (is_read) {
				rc = read_byte(transfer, &msg->buf[k]);
			} else if (!addressed) {
				transfer->address = (uint8_t)(msg->buf[k] & ~READ_FLAG); /* of 7 bits on every bus */
				addressed = true;
			} else {
				rc = write_byte(transfer, msg->buf[k]);
			}
		}
	}
	return rc;
}

static int i2c_transfer_chip(const struct emul *emul, struct i2c_msg *msgs, int n_msgs, int addr)
{
	struct chip *chip = emul->data;
	struct transfer transfer;
	unsigned int key;
	int rc;

	ARG_UNUSED(addr);
	hang(chip);
	key = irq_lock();
	begin(&transfer, chip);
	rc = i2c_transfer_bytes(&transfer, msgs, n_msgs);
	end(chip, rc, key);
	return rc;
}

/* A set of buffers as one row of bytes. */
struct row {
	const struct spi_buf_set *set;
	size_t buffer;
	size_t at;
};

/* Where the next byte of the row stands. False behind its end; NULL for a byte that nobody gives or takes. */
static bool step(struct row *row, uint8_t **byte)
{
	while (row->set != NULL && row->buffer < row->set->count) {
		const struct spi_buf *buffer = &row->set->buffers[row->buffer];

		if (row->at < buffer->len) {
			*byte = buffer->buf == NULL ? NULL : (uint8_t *)buffer->buf + row->at;
			row->at++;
			return true;
		}
		row->buffer++;
		row->at = 0;
	}
	*byte = NULL;
	return false;
}

static int spi_transfer_bytes(struct transfer *transfer, const struct spi_buf_set *tx_bufs,
			      const struct spi_buf_set *rx_bufs)
{
	struct row tx = {.set = tx_bufs};
	struct row rx = {.set = rx_bufs};
	bool addressed = false;
	bool is_read = false;
	int rc = transfer->n_left == 0 ? -EIO : 0;

	while (rc == 0) {
		uint8_t *out;
		uint8_t *in;
		bool has_out = step(&tx, &out);
		bool has_in = step(&rx, &in);
		uint8_t sent = out == NULL ? 0 : *out;
		uint8_t got = 0;

		if (!has_out && !has_in) {
			break;
		}
		if (!addressed) {
			is_read = (sent & READ_FLAG) != 0;
			transfer->address = (uint8_t)(sent & ~READ_FLAG);
			addressed = true;
		} else if (is_read) {
			rc = read_byte(transfer, &got); /* clocked out even if nobody takes it */
		} else {
			rc = write_byte(transfer, sent);
		}
		if (in != NULL) {
			*in = got;
		}
	}
	return rc;
}

static int spi_transfer_chip(const struct emul *emul, const struct spi_config *config,
			     const struct spi_buf_set *tx_bufs, const struct spi_buf_set *rx_bufs)
{
	struct chip *chip = emul->data;
	struct transfer transfer;
	unsigned int key;
	int rc;

	ARG_UNUSED(config);
	hang(chip);
	key = irq_lock();
	begin(&transfer, chip);
	rc = spi_transfer_bytes(&transfer, tx_bufs, rx_bufs);
	end(chip, rc, key);
	return rc;
}

const struct i2c_emul_api chip_i2c_api = {.transfer = i2c_transfer_chip};
const struct spi_emul_api chip_spi_api = {.io = spi_transfer_chip};
