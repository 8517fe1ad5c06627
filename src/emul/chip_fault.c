/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that wait or are under way. */
#include "chip.h"

#include <errno.h>

void chip_fault_range(enum emlearn_fault_kind kind, int32_t *min, int32_t *max)
{
	*min = kind == EMLEARN_FAULT_CLOCK ? -CHIP_CLOCK_PPM_MAX : 0;
	*max = kind == EMLEARN_FAULT_CLOCK      ? CHIP_CLOCK_PPM_MAX
	       : kind == EMLEARN_FAULT_WHO_AM_I ? UINT8_MAX
						: INT32_MAX;
}

/* The first fault of a kind whose frame has come, by its place; n_faults if there is none. */
static uint32_t find(const struct chip *chip, enum emlearn_fault_kind kind)
{
	uint32_t i = 0;

	while (i < chip->n_faults &&
	       (chip->faults[i].what.kind != kind || chip->faults[i].what.at_frame > chip->counts.n_made)) {
		i++;
	}
	return i;
}

static void forget(struct chip *chip, uint32_t i)
{
	chip->n_faults--;
	for (; i < chip->n_faults; i++) {
		chip->faults[i] = chip->faults[i + 1];
	}
}

bool chip_fault_is_due(const struct chip *chip, enum emlearn_fault_kind kind, int32_t *value)
{
	uint32_t i = find(chip, kind);

	if (i < chip->n_faults && value != NULL) {
		*value = chip->faults[i].what.value;
	}
	return i < chip->n_faults;
}

static bool strike(struct chip *chip, enum emlearn_fault_kind kind, int32_t *value, bool once)
{
	struct chip_fault *fault = &chip->faults[find(chip, kind)];

	if (!chip_fault_is_due(chip, kind, value)) {
		return false;
	}
	fault->struck = true;
	if (once || fault->what.n <= 1) {
		forget(chip, (uint32_t)(fault - chip->faults));
	} else if (fault->what.n != UINT32_MAX) {
		fault->what.n--;
	}
	return true;
}

uint32_t chip_frames_before_faults(const struct chip *chip, uint32_t n)
{
	for (uint32_t i = 0; i < chip->n_faults; i++) {
		const struct emlearn_fault *fault = &chip->faults[i].what;

		switch (fault->kind) {
		case EMLEARN_FAULT_NACK:
		case EMLEARN_FAULT_OVERRUN:
		case EMLEARN_FAULT_WHO_AM_I:
		case EMLEARN_FAULT_INT_LOST: /* of an edge */
		case EMLEARN_FAULT_CLIP:
			break;
		default:
			n = MIN(n, fault->at_frame - MIN(fault->at_frame, chip->counts.n_made));
			break;
		}
	}
	return n;
}

bool chip_fault_strikes(struct chip *chip, enum emlearn_fault_kind kind, int32_t *value)
{
	return strike(chip, kind, value, false);
}

bool chip_fault_strikes_once(struct chip *chip, enum emlearn_fault_kind kind, int32_t *value)
{
	return strike(chip, kind, value, true);
}
