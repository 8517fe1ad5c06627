/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <emlearn/filter.h>

#include "check.h"

#define ONE (INT32_C(1) << EMLEARN_FILTER_COEF_BITS)

/* Butterworth low-pass of order 2, 0.3 Hz at 50 Hz, b1 set for a gain of exactly 1 at 0 Hz. */
static const struct emlearn_filter_section low_pass[] = {{{371559, 743118, 371559}, {-2090250568, 1017994980}}};

static const int16_t corners[] = {INT16_MIN, -32767, -12345, -1, 0, 1, 2, 16384, 32766, INT16_MAX};

#define N_CORNERS (sizeof(corners) / sizeof(corners[0]))

TEST(a_gain_of_one_passes_every_sample_unchanged)
{
	static const struct emlearn_filter_section section = {{ONE, 0, 0}, {0, 0}};
	static const struct emlearn_filter filter = {&section, 1};
	struct emlearn_filter_state state;

	emlearn_filter_reset(&filter, &state, 0);
	for (int32_t x = INT16_MIN; x <= INT16_MAX; x++) {
		CHECK_EQ(emlearn_filter_push(&filter, &state, (int16_t)x), x);
	}
}

TEST(two_delays_in_a_cascade_delay_by_their_sum_and_start_in_steady_state)
{
	static const struct emlearn_filter_section sections[] = {{{0, ONE, 0}, {0, 0}}, {{0, 0, ONE}, {0, 0}}};
	static const struct emlearn_filter filter = {sections, 2};
	static const int16_t expected[] = {5, 5, 5, 5, -6, 7, INT16_MIN};
	static const int16_t input[] = {5, -6, 7, INT16_MIN, INT16_MAX, 1, 2};
	struct emlearn_filter_state states[2];

	emlearn_filter_reset(&filter, states, 5);
	for (size_t i = 0; i < 7; i++) {
		CHECK_EQ(emlearn_filter_push(&filter, states, input[i]), expected[i]);
	}
}

TEST(the_output_is_rounded_to_nearest_halves_up)
{
	static const struct emlearn_filter_section section = {{ONE / 2, 0, 0}, {0, 0}};
	static const struct emlearn_filter filter = {&section, 1};
	struct emlearn_filter_state state;

	emlearn_filter_reset(&filter, &state, 0);
	CHECK_EQ(emlearn_filter_push(&filter, &state, 1), 1);
	CHECK_EQ(emlearn_filter_push(&filter, &state, -1), 0);
	CHECK_EQ(emlearn_filter_push(&filter, &state, 3), 2);
	CHECK_EQ(emlearn_filter_push(&filter, &state, -3), -1);
	CHECK_EQ(emlearn_filter_push(&filter, &state, INT16_MIN), INT16_MIN / 2);
}

TEST(the_output_is_held_to_int16)
{
	static const struct emlearn_filter_section section = {{ONE / 2 * 3, 0, 0}, {0, 0}};
	static const struct emlearn_filter filter = {&section, 1};
	struct emlearn_filter_state state;

	emlearn_filter_reset(&filter, &state, INT16_MAX);
	CHECK_EQ(emlearn_filter_push(&filter, &state, INT16_MAX), INT16_MAX);
	CHECK_EQ(emlearn_filter_push(&filter, &state, INT16_MIN), INT16_MIN);
	CHECK_EQ(emlearn_filter_push(&filter, &state, 21845), INT16_MAX);
	CHECK_EQ(emlearn_filter_push(&filter, &state, 21844), 32766);
}

TEST(a_constant_comes_out_exactly_from_the_first_sample_on)
{
	static const struct emlearn_filter filter = {low_pass, 1};
	struct emlearn_filter_state state;

	for (size_t c = 0; c < N_CORNERS; c++) {
		emlearn_filter_reset(&filter, &state, corners[c]);
		for (int i = 0; i < 2000; i++) {
			CHECK_EQ(emlearn_filter_push(&filter, &state, corners[c]), corners[c]);
		}
	}
}

TEST(after_a_step_the_output_settles_at_the_input_exactly)
{
	static const struct emlearn_filter filter = {low_pass, 1};
	struct emlearn_filter_state state;

	for (size_t from = 0; from < N_CORNERS; from++) {
		for (size_t to = 0; to < N_CORNERS; to++) {
			emlearn_filter_reset(&filter, &state, corners[from]);
			for (int i = 0; i < 3000; i++) {
				int16_t y = emlearn_filter_push(&filter, &state, corners[to]);

				if (i > 2000) {
					CHECK_EQ(y, corners[to]);
				}
			}
		}
	}
}

TEST(a_reset_leaves_nothing_of_the_past)
{
	static const struct emlearn_filter_section twice[] = {{{371559, 743118, 371559}, {-2090250568, 1017994980}},
							      {{371559, 743118, 371559}, {-2090250568, 1017994980}}};
	static const struct emlearn_filter filter = {twice, 2};
	struct emlearn_filter_state used[2], fresh[2];
	uint64_t random = 1;

	memset(fresh, 0, sizeof(fresh));
	for (size_t c = 0; c < N_CORNERS; c++) {
		emlearn_filter_reset(&filter, used, 77);
		for (int i = 0; i < 50; i++) {
			emlearn_filter_push(&filter, used, (int16_t)(check_random(&random) >> 16));
		}
		emlearn_filter_reset(&filter, used, corners[c]);
		emlearn_filter_reset(&filter, fresh, corners[c]);
		for (int i = 0; i < 50; i++) {
			int16_t x = (int16_t)(check_random(&random) >> 16);

			CHECK_EQ(emlearn_filter_push(&filter, used, x), emlearn_filter_push(&filter, fresh, x));
		}
	}
}

TEST(a_reset_forgets_what_rounding_left_over)
{
	/* The first section needs three large samples for one unit of 2^-14; 14 times -2 make a count of that. */
	enum {
		N_SECTIONS = 15
	};
	struct emlearn_filter_section sections[N_SECTIONS] = {{{1, 0, 0}, {0, 0}}};
	const struct emlearn_filter filter = {sections, N_SECTIONS};
	struct emlearn_filter_state states[N_SECTIONS];

	for (int i = 1; i < N_SECTIONS; i++) {
		sections[i].b[0] = INT32_MIN;
	}
	for (int round = 0; round < 3; round++) {
		emlearn_filter_reset(&filter, states, 0);
		CHECK_EQ(emlearn_filter_push(&filter, states, INT16_MAX), 0);
		CHECK_EQ(emlearn_filter_push(&filter, states, INT16_MAX), 0);
		if (round == 2) {
			CHECK_EQ(emlearn_filter_push(&filter, states, INT16_MAX), 1);
		}
	}
}

TESTS(T(a_gain_of_one_passes_every_sample_unchanged),
      T(two_delays_in_a_cascade_delay_by_their_sum_and_start_in_steady_state),
      T(the_output_is_rounded_to_nearest_halves_up), T(the_output_is_held_to_int16),
      T(a_constant_comes_out_exactly_from_the_first_sample_on), T(after_a_step_the_output_settles_at_the_input_exactly),
      T(a_reset_leaves_nothing_of_the_past), T(a_reset_forgets_what_rounding_left_over))
