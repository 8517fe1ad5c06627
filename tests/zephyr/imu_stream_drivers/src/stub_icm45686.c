/* SPDX-License-Identifier: Apache-2.0 */
#define DT_DRV_COMPAT invensense_icm45686

#include "stub_icm45686.h"

#include <errno.h>
#include <string.h>

#include <zephyr/device.h>
#include <zephyr/drivers/emul.h>
#include <zephyr/drivers/gpio/gpio_emul.h>
#include <zephyr/drivers/spi_emul.h>
#include <zephyr/kernel.h>

#define PWR_MGMT0 0x10
#define FIFO_DATA 0x14
#define INT1_CONFIG0 0x16
#define INT1_STATUS0 0x19
#define FIFO_CONFIG1 0x1e
#define FIFO_CONFIG2 0x20
#define FIFO_CONFIG3 0x21
#define WHO_AM_I 0x72
#define MISC2 0x7f

#define FLUSH 0x80
#define SOFT_RESET 0x02
#define THRESHOLD 0x02
#define FULL 0x01
#define BOTH_ON 0x0f
#define ALL_IN_FIFO 0x0f

#define FIFO_FRAMES 102
#define PACKET_BYTES 20

static const struct gpio_dt_spec line = GPIO_DT_SPEC_INST_GET(0, int_gpios);

static uint8_t regs[128];
static uint32_t made;
static uint32_t oldest; /* number of the oldest frame in the FIFO */
static uint32_t n_fifo;
static uint32_t n_silent; /* frames that it does not make before the first in the FIFO */
static uint32_t n_start_up;
static bool fail_transfers;
static bool fail_interrupts;

static void reset(void)
{
	memset(regs, 0, sizeof(regs));
	n_silent = n_start_up;
	regs[WHO_AM_I] = 0xe9;
	n_fifo = 0;
}

static void interrupt(uint8_t status)
{
	regs[INT1_STATUS0] |= status;
	if ((regs[INT1_CONFIG0] & status) != 0 && !fail_interrupts) {
		(void)gpio_emul_input_set_dt(&line, 0);
		(void)gpio_emul_input_set_dt(&line, 1);
	}
}

static void make(struct k_timer *timer)
{
	const uint32_t number = made++;

	if (regs[PWR_MGMT0] != BOTH_ON || regs[FIFO_CONFIG3] != ALL_IN_FIFO) {
		return;
	}
	if (n_silent > 0) {
		n_silent--;
		return;
	}
	if (n_fifo == 0) {
		oldest = number;
	}
	if (n_fifo == FIFO_FRAMES) {
		oldest++;
		interrupt(FULL);
	} else {
		n_fifo++;
	}
	/* With each frame from there on. */
	if (n_fifo >= (regs[FIFO_CONFIG1] | (uint32_t)regs[FIFO_CONFIG1 + 1] << 8)) {
		interrupt(THRESHOLD);
	}
}

static K_TIMER_DEFINE(clock, make, NULL);

/* 20 bits: the lower four of acceleration are those of the number, the upper ones go by the axis. */
static uint8_t packet_byte(unsigned int at)
{
	const uint32_t number = oldest;
	const unsigned int axis = (at - 1) / 2;

	if (n_fifo == 0) {
		return 0xff;
	}
	if (at == 0) {
		return 0x78;
	}
	if (axis < 6) {
		const uint16_t high = (uint16_t)((number >> 4 & 0x3f) + axis * 0x40);

		return (uint8_t)((at & 1) != 0 ? high : high >> 8);
	}
	return at >= 17 ? (uint8_t)((number & 15) << 4 | (number & 15)) : 0;
}

static uint8_t read_reg(uint8_t reg, unsigned int at)
{
	uint8_t value;

	if (reg == FIFO_DATA) {
		value = packet_byte(at % PACKET_BYTES);
		if (at % PACKET_BYTES == PACKET_BYTES - 1 && n_fifo > 0) {
			n_fifo--;
			oldest++;
		}
		return value;
	}
	value = regs[(reg + at) & 0x7f];
	if (reg + at == INT1_STATUS0) {
		regs[INT1_STATUS0] = 0;
	}
	return value;
}

static void write_reg(uint8_t reg, uint8_t value)
{
	if (reg == MISC2 && (value & SOFT_RESET) != 0) {
		reset();
		return;
	}
	if (reg == FIFO_CONFIG2 && (value & FLUSH) != 0) {
		n_fifo = 0;
	}
	regs[reg & 0x7f] = value;
}

/* The bytes of a transfer, whatever buffers they are in. */
static int transfer(const struct emul *target, const struct spi_config *config, const struct spi_buf_set *tx,
		    const struct spi_buf_set *rx)
{
	const uint8_t reg = *(const uint8_t *)tx->buffers[0].buf;
	unsigned int at = 0;

	if (fail_transfers) {
		return -EIO;
	}
	for (size_t i = 0; (reg & 0x80) == 0 && i < tx->count; i++) {
		for (size_t j = 0; j < tx->buffers[i].len; j++, at++) {
			if (at > 0 && tx->buffers[i].buf != NULL) {
				write_reg((uint8_t)(reg + at - 1), ((const uint8_t *)tx->buffers[i].buf)[j]);
			}
		}
	}
	for (size_t i = 0; (reg & 0x80) != 0 && rx != NULL && i < rx->count; i++) {
		for (size_t j = 0; j < rx->buffers[i].len; j++, at++) {
			const uint8_t value = at > 0 ? read_reg(reg & 0x7f, at - 1) : 0;

			if (rx->buffers[i].buf != NULL) {
				((uint8_t *)rx->buffers[i].buf)[j] = value;
			}
		}
	}
	return 0;
}

uint32_t stub_made(void)
{
	return made;
}

void stub_start_up(uint32_t n_frames)
{
	n_start_up = n_frames;
}

void stub_brown_out(void)
{
	reset();
}

void stub_fail(bool transfers, bool interrupts)
{
	fail_transfers = transfers;
	fail_interrupts = interrupts;
}

static int stub_init(const struct emul *target, const struct device *parent)
{
	reset();
	k_timer_start(&clock, K_MSEC(10), K_MSEC(10));
	return 0;
}

static const struct spi_emul_api api = {.io = transfer};

EMUL_DT_INST_DEFINE(0, stub_init, NULL, NULL, &api, NULL);
