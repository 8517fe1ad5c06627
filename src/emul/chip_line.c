/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupt lines of a chip at pins of an emulated GPIO controller, and the faults that they can have. */
#include "chip.h"

#include <zephyr/drivers/gpio/gpio_emul.h>

static bool is_stuck(const struct chip *chip)
{
	return chip_now_ns() < chip->stuck_until_ns;
}

/* Bring the pin to a level. As long as nobody has made it an input, the pin does not follow. */
static void drive(struct chip *chip, unsigned int index, bool active)
{
	const struct gpio_dt_spec *gpio = &chip->config->lines[index];
	struct chip_line *line = &chip->lines[index];
	bool level = active != line->low;
	gpio_flags_t flags;

	if (gpio->port == NULL || level == line->level || gpio_emul_flags_get_dt(gpio, &flags) != 0 ||
	    (flags & GPIO_INPUT) == 0) {
		return;
	}
	line->level = level;
	chip->counts.n_edges += active ? 1 : 0;
	(void)gpio_emul_input_set_dt(gpio, level);
}

static bool edge_is_lost(struct chip *chip, unsigned int index)
{
	return index == 0 && chip_fault_strikes(chip, EMLEARN_FAULT_INT_LOST, NULL);
}

bool chip_line_is_wired(const struct chip *chip)
{
	return chip->config->lines[0].port != NULL;
}

bool chip_line_is_restless(const struct chip *chip)
{
	for (unsigned int i = 0; i < CHIP_LINES; i++) {
		const struct chip_line *line = &chip->lines[i];

		const bool level = (line->wanted && !line->lost) != line->low;

		if (chip->config->lines[i].port != NULL && line->level != level) {
			return true;
		}
	}
	return is_stuck(chip);
}

void chip_line_set(struct chip *chip, unsigned int index, bool active)
{
	struct chip_line *line = &chip->lines[index];

	if (index == 0 && is_stuck(chip)) {
		return;
	}
	if (!active) {
		line->lost = false;
	} else if (!line->wanted) {
		line->lost = edge_is_lost(chip, index);
	}
	line->wanted = active;
	drive(chip, index, active && !line->lost);
}

void chip_line_pulse(struct chip *chip, unsigned int index)
{
	if ((index == 0 && is_stuck(chip)) || edge_is_lost(chip, index)) {
		return;
	}
	drive(chip, index, true);
	drive(chip, index, false);
}

void chip_line_polarity(struct chip *chip, unsigned int index, bool active_low)
{
	chip->lines[index].low = active_low;
}

void chip_line_spurious(struct chip *chip)
{
	const struct chip_line *line = &chip->lines[0];

	if (is_stuck(chip) || line->level != line->low) { /* an active line cannot become active */
		return;
	}
	if (chip_fault_strikes(chip, EMLEARN_FAULT_INT_SPURIOUS, NULL)) {
		drive(chip, 0, true);
		drive(chip, 0, false);
	}
}

void chip_line_reset(struct chip *chip)
{
	for (unsigned int i = 0; i < CHIP_LINES; i++) {
		struct chip_line *line = &chip->lines[i];

		line->low = false;
		line->wanted = false;
		line->lost = false;
		if (i > 0 || !is_stuck(chip)) {
			drive(chip, i, false);
		}
	}
}
