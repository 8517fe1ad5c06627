/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/smooth.h>

#include "check.h"

#define MAX_WINDOWS 255

/* Push the classes of `in` (letters), compare with `expected`; '|' in both resets. */
static void check_run(uint8_t n_windows, uint8_t hold_windows, uint8_t min_share_percent, const char *in,
		      const char *expected)
{
	const struct emlearn_smooth_config config = {n_windows, hold_windows, min_share_percent};
	uint8_t history[MAX_WINDOWS];
	struct emlearn_smooth smooth;

	emlearn_smooth_init(&smooth, history);
	for (size_t i = 0; in[i] != '\0'; i++) {
		if (in[i] == '|') {
			emlearn_smooth_reset(&smooth);
			continue;
		}
		CHECK_EQ('a' + emlearn_smooth_push(&smooth, &config, (uint8_t)(in[i] - 'a')), expected[i]);
	}
}

TEST(one_window_without_hold_passes_every_class_through)
{
	check_run(1, 0, 0, "abacbbca", "abacbbca");
	check_run(1, 1, 100, "abacbbca", "abacbbca");
}

TEST(the_first_window_decides_at_once_and_again_after_a_reset)
{
	check_run(5, 9, 100, "caaaa|b|a", "ccccc|b|a");
}

TEST(a_class_takes_over_only_with_more_votes_than_the_present_one)
{
	check_run(3, 0, 0, "aaabbb", "aaaabb");
	check_run(2, 0, 0, "aabbaa", "aaabba");
	check_run(4, 0, 0, "aaaabbaa", "aaaaaaaa");
	check_run(4, 0, 0, "aaaabbb", "aaaaaab");
}

TEST(before_the_history_is_full_the_windows_so_far_vote)
{
	check_run(9, 0, 0, "abb", "aab");
	check_run(9, 0, 60, "abb", "aab");
	check_run(9, 0, 67, "abbb", "aaab");
}

TEST(among_equals_the_class_seen_most_recently_takes_over)
{
	/* The last 5 at the end: a b b c c, then a b c b c with b and c level and the a at 1. */
	check_run(5, 0, 0, "aaaabbcc", "aaaaaaac");
	check_run(5, 0, 0, "aaaaccbb", "aaaaaaab");
	check_run(5, 0, 0, "aaaabcbc", "aaaaaaac");
}

TEST(the_minimum_share_is_reached_at_exactly_that_share)
{
	check_run(4, 0, 75, "aaaabbb", "aaaaaab");
	check_run(4, 0, 76, "aaaabbbb", "aaaaaaab");
	check_run(3, 0, 66, "aaabb", "aaaab");
	check_run(3, 0, 67, "aaabbb", "aaaaab");
	check_run(3, 0, 100, "aaabbb", "aaaaab");
}

TEST(a_new_class_stays_for_the_hold_time)
{
	check_run(1, 2, 0, "abbaab", "aabbaa");
	check_run(1, 2, 0, "ababab", "aaabbb");
	check_run(1, 3, 0, "abbbaaab", "aaabbbaa");
	check_run(1, 3, 0, "ab|bcccc", "aa|bbbcc");
}

TEST(the_longest_history_and_hold_work)
{
	const struct emlearn_smooth_config config = {MAX_WINDOWS, MAX_WINDOWS, 100};
	uint8_t history[MAX_WINDOWS];
	struct emlearn_smooth smooth;

	emlearn_smooth_init(&smooth, history);
	for (int i = 0; i < MAX_WINDOWS; i++) {
		CHECK_EQ(emlearn_smooth_push(&smooth, &config, 254), 254);
	}
	/* The 254s have left the history with the 255th 0. */
	for (int i = 1; i < MAX_WINDOWS; i++) {
		CHECK_EQ(emlearn_smooth_push(&smooth, &config, 0), 254);
	}
	CHECK_EQ(emlearn_smooth_push(&smooth, &config, 0), 0);
	for (int i = 0; i < 3 * MAX_WINDOWS; i++) {
		CHECK_EQ(emlearn_smooth_push(&smooth, &config, (uint8_t)(i & 1)), 0);
	}
}

TEST(a_class_that_stood_longer_than_the_counter_reaches_may_still_change)
{
	const struct emlearn_smooth_config config = {1, 255, 0};
	uint8_t history[1];
	struct emlearn_smooth smooth;

	emlearn_smooth_init(&smooth, history);
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(emlearn_smooth_push(&smooth, &config, 4), 4);
	}
	CHECK_EQ(emlearn_smooth_push(&smooth, &config, 5), 5);
	for (int i = 0; i < 254; i++) {
		CHECK_EQ(emlearn_smooth_push(&smooth, &config, 4), 5);
	}
	CHECK_EQ(emlearn_smooth_push(&smooth, &config, 4), 4);
}

TESTS(T(one_window_without_hold_passes_every_class_through),
      T(the_first_window_decides_at_once_and_again_after_a_reset),
      T(a_class_takes_over_only_with_more_votes_than_the_present_one),
      T(before_the_history_is_full_the_windows_so_far_vote), T(among_equals_the_class_seen_most_recently_takes_over),
      T(the_minimum_share_is_reached_at_exactly_that_share), T(a_new_class_stays_for_the_hold_time),
      T(the_longest_history_and_hold_work), T(a_class_that_stood_longer_than_the_counter_reaches_may_still_change))
