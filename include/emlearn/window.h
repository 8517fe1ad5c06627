/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Overlapping windows over a stream of samples, kept in one ring a row. A row is one int16 signal.
 */
#ifndef EMLEARN_WINDOW_H_
#define EMLEARN_WINDOW_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The longest window; a count of frames in a window always fits int16. */
#define EMLEARN_WINDOW_LEN_MAX 32767

/** A ring of the last len samples of each row. Fill it with emlearn_window_init(); the fields are private. */
struct emlearn_window {
	int16_t *ring;
	uint16_t n_rows;
	uint16_t len;
	uint16_t hop_len;
	uint16_t pos;
	uint16_t until;
};

/**
 * Set up an empty window.
 *
 * @param window  to fill
 * @param ring    n_rows * len samples, the caller's, in use as long as the window is
 * @param n_rows  1 or more
 * @param len     frames in a window, 1 to EMLEARN_WINDOW_LEN_MAX
 * @param hop_len frames from window to window, 1 to 65535; more than len leaves frames out between windows
 * @return 0, or -EINVAL and nothing done
 */
int emlearn_window_init(struct emlearn_window *window, int16_t *ring, uint16_t n_rows, uint16_t len, uint16_t hop_len);

/** Forget all samples: the next window is complete after len more frames. */
void emlearn_window_reset(struct emlearn_window *window);

/**
 * Append one frame.
 *
 * @param rows one sample a row
 * @return true if a window is complete with this frame: read it before the next push
 */
bool emlearn_window_push(struct emlearn_window *window, const int16_t *rows);

/**
 * Copy one row of the window, oldest sample first.
 *
 * @param row 0 to n_rows - 1
 * @param out len samples
 */
void emlearn_window_copy(const struct emlearn_window *window, uint16_t row, int16_t *out);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_WINDOW_H_ */
