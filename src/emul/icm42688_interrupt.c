/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts of the icm42688: its status bits, and the lines that they are routed to. */
#include "icm42688.h"

static uint8_t line_config(const struct icm42688 *icm, unsigned int line)
{
	return (uint8_t)(icm42688_get(icm, ICM_INT_CONFIG) >> (line * ICM_INT2_SHIFT));
}

static uint8_t line_sources(const struct icm42688 *icm, unsigned int line)
{
	return icm42688_get(icm, line == 0 ? ICM_INT_SOURCE0 : ICM_INT_SOURCE3);
}

/* Lines do not work properly before the reset value of this bit was changed. */
static bool lines_work(const struct icm42688 *icm)
{
	return (icm42688_get(icm, ICM_INT_CONFIG1) & ICM_INT_ASYNC_RESET) == 0;
}

static bool is_latching(const struct icm42688 *icm, unsigned int line)
{
	return (line_config(icm, line) & ICM_INT1_LATCHED) != 0;
}

bool icm42688_is_routed(const struct icm42688 *icm, uint8_t bits)
{
	return ((line_sources(icm, 0) | line_sources(icm, 1)) & bits) != 0;
}

void icm42688_raise(struct icm42688 *icm, uint8_t bits)
{
	icm->status |= bits;
	icm->latched |= bits;
	for (unsigned int line = 0; line < CHIP_LINES; line++) {
		if (lines_work(icm) && (line_sources(icm, line) & bits) != 0 && !is_latching(icm, line)) {
			chip_line_pulse(&icm->chip, line);
		}
	}
}

void icm42688_lines(struct chip *chip)
{
	struct icm42688 *icm = CONTAINER_OF(chip, struct icm42688, chip);

	icm42688_fifo_end_transfer(icm);
	if (!lines_work(icm)) {
		return;
	}
	for (unsigned int line = 0; line < CHIP_LINES; line++) {
		chip_line_polarity(chip, line, (line_config(icm, line) & ICM_INT1_ACTIVE_HIGH) == 0);
		chip_line_set(chip, line, is_latching(icm, line) && (line_sources(icm, line) & icm->latched) != 0);
	}
}

void icm42688_clear(struct icm42688 *icm, uint8_t bits, bool by_data)
{
	static const struct {
		uint8_t bit;
		uint8_t shift;
	} options[] = {
		{ICM_FIFO_FULL_INT, ICM_FIFO_FULL_CLEAR_SHIFT},
		{ICM_FIFO_THS_INT, ICM_FIFO_THS_CLEAR_SHIFT},
		{ICM_DATA_RDY_INT, ICM_DATA_RDY_CLEAR_SHIFT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		uint8_t option = icm42688_get(icm, ICM_INT_CONFIG0) >> options[i].shift & ICM_CLEAR_MASK;
		bool clears = by_data ? option >= ICM_CLEAR_BY_DATA : option != ICM_CLEAR_BY_DATA;

		if ((bits & options[i].bit) != 0 && clears) {
			icm->latched &= (uint8_t)~options[i].bit;
		}
	}
	if (!by_data) {
		icm->latched &= (uint8_t)~ICM_RESET_DONE_INT;
	}
}
