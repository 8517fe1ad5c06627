/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <emlearn/window.h>

int emlearn_window_init(struct emlearn_window *window, int16_t *ring, uint16_t n_rows, uint16_t len, uint16_t hop_len)
{
	if (ring == NULL || n_rows == 0 || len == 0 || len > EMLEARN_WINDOW_LEN_MAX || hop_len == 0) {
		return -EINVAL;
	}
	window->ring = ring;
	window->n_rows = n_rows;
	window->len = len;
	window->hop_len = hop_len;
	emlearn_window_reset(window);
	return 0;
}

void emlearn_window_reset(struct emlearn_window *window)
{
	window->pos = 0;
	window->until = window->len;
}

bool emlearn_window_push(struct emlearn_window *window, const int16_t *rows)
{
	int16_t *slot = window->ring + window->pos;

	for (uint16_t row = 0; row < window->n_rows; row++) {
		*slot = rows[row];
		slot += window->len;
	}
	window->pos++;
	if (window->pos == window->len) {
		window->pos = 0;
	}
	window->until--;
	if (window->until > 0) {
		return false;
	}
	window->until = window->hop_len;
	return true;
}

void emlearn_window_copy(const struct emlearn_window *window, uint16_t row, int16_t *out)
{
	const int16_t *samples = window->ring + (size_t)row * window->len;
	size_t n_oldest = (size_t)window->len - window->pos;

	memcpy(out, samples + window->pos, n_oldest * sizeof(*out));
	memcpy(out + n_oldest, samples, window->pos * sizeof(*out));
}
