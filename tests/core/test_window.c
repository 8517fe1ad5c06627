/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include <emlearn/window.h>

#include "check.h"

TEST(init_refuses_no_rows_and_lengths_out_of_range_and_does_nothing)
{
	int16_t ring[4];
	struct emlearn_window window, before;

	memset(&window, 0x5a, sizeof(window));
	before = window;
	CHECK_EQ(emlearn_window_init(&window, ring, 0, 4, 1), -EINVAL);
	CHECK_EQ(emlearn_window_init(&window, ring, 1, 0, 1), -EINVAL);
	CHECK_EQ(emlearn_window_init(&window, ring, 1, EMLEARN_WINDOW_LEN_MAX + 1, 1), -EINVAL);
	CHECK_EQ(emlearn_window_init(&window, ring, 1, 4, 0), -EINVAL);
	CHECK_EQ(memcmp(&window, &before, sizeof(window)), 0);
}

TEST(init_takes_the_longest_window_and_hop)
{
	static int16_t ring[EMLEARN_WINDOW_LEN_MAX];
	static int16_t out[EMLEARN_WINDOW_LEN_MAX];
	struct emlearn_window window;
	uint32_t n_windows = 0;

	CHECK_EQ(emlearn_window_init(&window, ring, 1, EMLEARN_WINDOW_LEN_MAX, UINT16_MAX), 0);
	for (uint32_t i = 0; i < EMLEARN_WINDOW_LEN_MAX + 2u * UINT16_MAX; i++) {
		int16_t x = (int16_t)(i % 30000);
		bool complete = emlearn_window_push(&window, &x);

		CHECK_EQ(complete,
			 i + 1 >= EMLEARN_WINDOW_LEN_MAX && (i + 1 - EMLEARN_WINDOW_LEN_MAX) % UINT16_MAX == 0);
		if (complete) {
			n_windows++;
			emlearn_window_copy(&window, 0, out);
			CHECK_EQ(out[0], (i + 1 - EMLEARN_WINDOW_LEN_MAX) % 30000);
			CHECK_EQ(out[EMLEARN_WINDOW_LEN_MAX - 1], x);
		}
	}
	CHECK_EQ(n_windows, 3);
}

/* Feed frames first .. first + n - 1 since the last reset; sample of row r in frame i is 100 r + i. */
static void check_stream(struct emlearn_window *window, uint16_t n_rows, uint16_t len, uint16_t hop_len, int16_t n)
{
	for (int16_t i = 0; i < n; i++) {
		int16_t rows[3] = {i, (int16_t)(100 + i), (int16_t)(200 + i)};
		int16_t out[16];
		bool complete = emlearn_window_push(window, rows);

		CHECK_EQ(complete, i + 1 >= len && (i + 1 - len) % hop_len == 0);
		if (!complete) {
			continue;
		}
		for (uint16_t row = 0; row < n_rows; row++) {
			out[len] = -7;
			emlearn_window_copy(window, row, out);
			CHECK_EQ(out[len], -7);
			for (int16_t k = 0; k < len; k++) {
				CHECK_EQ(out[k], 100 * row + i + 1 - len + k);
			}
		}
	}
}

TEST(windows_come_after_len_frames_and_then_every_hop_with_the_last_samples_in_order)
{
	for (uint16_t len = 1; len <= 9; len++) {
		for (uint16_t hop_len = 1; hop_len <= 2 * len + 1; hop_len++) {
			int16_t ring[3 * 9];
			struct emlearn_window window;

			for (uint16_t n_rows = 1; n_rows <= 3; n_rows++) {
				memset(&window, 0x5a, sizeof(window));
				CHECK_EQ(emlearn_window_init(&window, ring, n_rows, len, hop_len), 0);
				check_stream(&window, n_rows, len, hop_len, 60);
			}
		}
	}
}

TEST(a_reset_forgets_all_samples_wherever_it_comes)
{
	for (int16_t before = 0; before < 20; before++) {
		int16_t ring[2 * 5];
		struct emlearn_window window;

		CHECK_EQ(emlearn_window_init(&window, ring, 2, 5, 3), 0);
		check_stream(&window, 2, 5, 3, before);
		emlearn_window_reset(&window);
		check_stream(&window, 2, 5, 3, 30);
	}
}

TESTS(T(init_refuses_no_rows_and_lengths_out_of_range_and_does_nothing), T(init_takes_the_longest_window_and_hop),
      T(windows_come_after_len_frames_and_then_every_hop_with_the_last_samples_in_order),
      T(a_reset_forgets_all_samples_wherever_it_comes))
