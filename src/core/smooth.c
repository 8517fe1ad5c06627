/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>

#include <emlearn/smooth.h>

void emlearn_smooth_init(struct emlearn_smooth *smooth, uint8_t *history)
{
	smooth->history = history;
	emlearn_smooth_reset(smooth);
}

void emlearn_smooth_reset(struct emlearn_smooth *smooth)
{
	smooth->pos = 0;
	smooth->count = 0;
	smooth->held = 0;
	smooth->class_idx = 0;
}

static uint8_t count_class(const struct emlearn_smooth *smooth, uint8_t class_idx)
{
	uint8_t n = 0;

	for (uint8_t i = 0; i < smooth->count; i++) {
		if (smooth->history[i] == class_idx) {
			n++;
		}
	}
	return n;
}

/* The class with the most votes, from the newest window to the oldest, so that among equals the newest stays. */
static uint8_t find_majority(const struct emlearn_smooth *smooth, uint8_t n_windows)
{
	uint8_t slot = smooth->pos;
	uint8_t best = 0;
	uint8_t best_count = 0;

	for (uint8_t i = 0; i < smooth->count; i++) {
		slot = slot == 0 ? (uint8_t)(n_windows - 1) : (uint8_t)(slot - 1);
		uint8_t n = count_class(smooth, smooth->history[slot]);

		if (n > best_count) {
			best = smooth->history[slot];
			best_count = n;
		}
	}
	return best;
}

uint8_t emlearn_smooth_push(struct emlearn_smooth *smooth, const struct emlearn_smooth_config *config,
			    uint8_t class_idx)
{
	bool first = smooth->count == 0;

	smooth->history[smooth->pos] = class_idx;
	smooth->pos = smooth->pos + 1 == config->n_windows ? 0 : (uint8_t)(smooth->pos + 1);
	if (smooth->count < config->n_windows) {
		smooth->count++;
	}
	if (smooth->held < UINT8_MAX) {
		smooth->held++;
	}

	uint8_t majority = find_majority(smooth, config->n_windows);
	uint8_t n = count_class(smooth, majority);
	bool change = smooth->held >= config->hold_windows && n > count_class(smooth, smooth->class_idx) &&
		      n * 100u >= (uint32_t)smooth->count * config->min_share_percent;

	if (first || change) {
		smooth->class_idx = majority;
		smooth->held = 0;
	}
	return smooth->class_idx;
}
