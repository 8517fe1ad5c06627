/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"
#include <vectors_cases.h>

#include "check.h"

static void check_all(size_t chunk)
{
	uint32_t n_windows = 0;

	for (size_t i = 0; i < VECTORS_N_CASES; i++) {
		uint16_t n_passed;
		const char *wrong = vectors_run(&vectors_cases[i], chunk, &n_passed);

		if (wrong != NULL) {
			fprintf(stderr, "%s, chunks of %u, window %u: %s\n", vectors_cases[i].name, (unsigned int)chunk,
				(unsigned int)n_passed, wrong);
			exit(1);
		}
		n_windows += n_passed;
	}
	CHECK_EQ(n_windows, VECTORS_N_WINDOWS);
}

TEST(every_window_is_as_expected_frame_by_frame)
{
	check_all(1);
}

TEST(every_window_is_as_expected_in_chunks_of_7)
{
	check_all(7);
}

TEST(every_window_is_as_expected_in_chunks_of_32)
{
	check_all(32);
}

TEST(every_window_is_as_expected_all_at_once)
{
	check_all(VECTORS_CHUNK_ALL);
}

/* Expect that a copy of the first case with one thing changed fails, and at which window. */
static void check_fails(const struct vectors_case *changed, uint16_t n_expected)
{
	uint16_t n_passed;

	CHECK(vectors_run(changed, 7, &n_passed) != NULL);
	CHECK_EQ(n_passed, n_expected);
}

TEST(a_wrong_expectation_is_noticed)
{
	static struct vectors_window windows[VECTORS_N_WINDOWS];
	struct vectors_case changed = vectors_cases[0];
	uint16_t last = (uint16_t)(changed.n_windows - 1);

	changed.windows = windows;
	for (uint32_t field = 0; field < 7; field++) {
		for (size_t i = 0; i < changed.n_windows; i++) {
			windows[i] = vectors_cases[0].windows[i];
		}
		windows[last].end += field == 0;
		windows[last].features_hash ^= field == 1;
		windows[last].votes += field == 2;
		windows[last].n_lost += field == 3;
		windows[last].window_class_idx = (uint8_t)(windows[last].window_class_idx + (field == 4));
		windows[last].class_idx = (uint8_t)(windows[last].class_idx + (field == 5));
		windows[last].warming ^= field == 6;
		check_fails(&changed, last);
	}
	changed = vectors_cases[0];
	changed.seed++;
	if (changed.frames == NULL) {
		check_fails(&changed, 0);
	}
	changed = vectors_cases[0];
	changed.n_windows--;
	check_fails(&changed, last);
	changed = vectors_cases[0];
	changed.n_frames = (uint16_t)(changed.windows[last].end);
	check_fails(&changed, last);
}

TESTS(T(every_window_is_as_expected_frame_by_frame), T(every_window_is_as_expected_in_chunks_of_7),
      T(every_window_is_as_expected_in_chunks_of_32), T(every_window_is_as_expected_all_at_once),
      T(a_wrong_expectation_is_noticed))
