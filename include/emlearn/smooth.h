/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Steadier classes: the majority of the last windows, with a minimum share and a hold time.
 */
#ifndef EMLEARN_SMOOTH_H_
#define EMLEARN_SMOOTH_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How to smooth. */
struct emlearn_smooth_config {
	uint8_t n_windows;         /**< windows that vote, 1 (no smoothing) to 255 */
	uint8_t hold_windows;      /**< windows that a new class stays at least, 0 to 255 */
	uint8_t min_share_percent; /**< share of the votes that a class needs to take over, 0 to 100 */
};

/** Memory of one smoother; the fields are private. */
struct emlearn_smooth {
	uint8_t *history;
	uint8_t pos;
	uint8_t count;
	uint8_t held;
	uint8_t class_idx;
};

/**
 * Set up an empty smoother.
 *
 * @param smooth  to fill
 * @param history n_windows bytes, the caller's
 */
void emlearn_smooth_init(struct emlearn_smooth *smooth, uint8_t *history);

/** Forget the past, after a gap. */
void emlearn_smooth_reset(struct emlearn_smooth *smooth);

/**
 * Take the class of one more window.
 *
 * The first window after a reset decides at once. Later the class changes to the one with the most votes among the
 * last n_windows windows (fewer after a reset) when it has more votes than the present one, at least
 * min_share_percent of the votes, and the present one has stood for hold_windows windows. As many votes as the
 * present class are not enough; of several others with equal votes the one seen most recently counts.
 *
 * @param config    the same at every call between resets
 * @param class_idx 0 to 254
 * @return the class after smoothing
 */
uint8_t emlearn_smooth_push(struct emlearn_smooth *smooth, const struct emlearn_smooth_config *config,
			    uint8_t class_idx);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_SMOOTH_H_ */
