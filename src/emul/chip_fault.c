/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that wait or are under way. */
#include "chip.h"

#include <errno.h>

/* The first fault of a kind whose frame has come; NULL if there is none. */
static struct emlearn_fault *find(struct chip *chip, enum emlearn_fault_kind kind)
{
	for (uint32_t i = 0; i < chip->n_faults; i++) {
		struct emlearn_fault *fault = &chip->faults[i];

		if (fault->kind == kind && fault->at_frame <= chip->counts.n_made) {
			return fault;
		}
	}
	return NULL;
}

static void forget(struct chip *chip, struct emlearn_fault *fault)
{
	chip->n_faults--;
	for (; fault < &chip->faults[chip->n_faults]; fault++) {
		fault[0] = fault[1];
	}
}

static bool strike(struct chip *chip, enum emlearn_fault_kind kind, int32_t *value, bool once)
{
	struct emlearn_fault *fault = find(chip, kind);

	if (fault == NULL) {
		return false;
	}
	if (value != NULL) {
		*value = fault->value;
	}
	if (once || fault->n <= 1) {
		forget(chip, fault);
	} else if (fault->n != UINT32_MAX) {
		fault->n--;
	}
	return true;
}

uint32_t chip_frames_before_faults(const struct chip *chip, uint32_t n)
{
	for (uint32_t i = 0; i < chip->n_faults; i++) {
		const struct emlearn_fault *fault = &chip->faults[i];

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
