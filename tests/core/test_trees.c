/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <emlearn/trees.h>

#include "check.h"

#define LEAF(n) ((uint16_t)(EMLEARN_TREES_LEAF | (n)))

TEST(a_value_equal_to_the_threshold_goes_to_the_first_child)
{
	static const int16_t thresholds[] = {INT16_MIN, -1, 0, 1, INT16_MAX};
	static const uint16_t roots[] = {0};
	static const uint8_t leaves[] = {0, 1};

	for (size_t i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++) {
		struct emlearn_trees_node node = {thresholds[i], 1, {LEAF(0), LEAF(1)}};
		struct emlearn_trees trees = {&node, roots, leaves, 1, 2, 2, EMLEARN_TREES_VOTE_HARD};

		for (int32_t d = -1; d <= 1; d++) {
			int32_t x = thresholds[i] + d;
			int16_t features[2] = {0, (int16_t)x};
			uint32_t votes[2] = {99, 99};

			if (x < INT16_MIN || x > INT16_MAX) {
				continue;
			}
			CHECK_EQ(emlearn_trees_run(&trees, features, votes), 1);
			CHECK_EQ(votes[0], x <= thresholds[i]);
			CHECK_EQ(votes[1], x > thresholds[i]);
		}
	}
}

TEST(a_tree_of_one_leaf_needs_no_node)
{
	static const uint16_t roots[] = {LEAF(1), LEAF(0), LEAF(1)};
	static const uint8_t hard_leaves[] = {2, 0};
	static const struct emlearn_trees hard = {NULL, roots, hard_leaves, 3, 1, 3, EMLEARN_TREES_VOTE_HARD};
	static const uint8_t soft_leaves[] = {255, 0, 0, 100, 5, 150};
	static const struct emlearn_trees soft = {NULL, roots, soft_leaves, 3, 1, 3, EMLEARN_TREES_VOTE_SOFT};
	int16_t feature = 0;
	uint32_t votes[3];

	CHECK_EQ(emlearn_trees_run(&hard, &feature, votes), 3);
	CHECK_EQ(votes[0], 2);
	CHECK_EQ(votes[1], 0);
	CHECK_EQ(votes[2], 1);
	CHECK_EQ(emlearn_trees_run(&soft, &feature, votes), 3 * EMLEARN_TREES_SOFT_VOTES);
	CHECK_EQ(votes[0], 455);
	CHECK_EQ(votes[1], 10);
	CHECK_EQ(votes[2], 300);
}

TEST(every_path_of_a_tree_leads_to_its_leaf)
{
	/* x0 <= 10 ? (x2 <= -5 ? 0 : 1) : (x1 <= 0 ? 2 : (x2 <= 7 ? 3 : 4)) */
	static const struct emlearn_trees_node nodes[] = {
		{10, 0, {1, 2}}, {-5, 2, {LEAF(0), LEAF(1)}}, {0, 1, {LEAF(2), 3}}, {7, 2, {LEAF(3), LEAF(4)}}};
	static const uint16_t roots[] = {0};
	static const uint8_t leaves[] = {0, 1, 2, 3, 4};
	static const struct emlearn_trees trees = {nodes, roots, leaves, 1, 3, 5, EMLEARN_TREES_VOTE_HARD};
	static const int16_t rows[][4] = {{10, 0, -5, 0}, {10, 0, -4, 1},
					  {11, 0, 0, 2},  {11, 1, 7, 3},
					  {11, 1, 8, 4},  {INT16_MIN, 0, INT16_MIN, 0},
					  {11, 1, 8, 4},  {INT16_MAX, INT16_MAX, INT16_MAX, 4}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t votes[5];

		CHECK_EQ(emlearn_trees_run(&trees, rows[i], votes), 1);
		CHECK_EQ(emlearn_trees_argmax(votes, 5), rows[i][3]);
	}
}

TEST(a_chain_of_32768_nodes_is_walked_to_its_end)
{
	static struct emlearn_trees_node nodes[32768];
	static const uint16_t roots[] = {0};
	static uint8_t leaves[32768];
	static const struct emlearn_trees trees = {nodes, roots, leaves, 1, 1, 255, EMLEARN_TREES_VOTE_HARD};
	int16_t low = INT16_MIN, high = INT16_MAX;
	uint32_t votes[255];

	for (uint16_t i = 0; i < 32768; i++) {
		nodes[i].threshold = INT16_MAX - 1;
		nodes[i].child[0] = i < 32767 ? (uint16_t)(i + 1) : LEAF(32767);
		nodes[i].child[1] = LEAF(0);
	}
	leaves[32767] = 254;
	CHECK_EQ(emlearn_trees_run(&trees, &low, votes), 1);
	CHECK_EQ(votes[254], 1);
	CHECK_EQ(emlearn_trees_run(&trees, &high, votes), 1);
	CHECK_EQ(votes[0], 1);
	CHECK_EQ(votes[254], 0);
}

TEST(many_trees_and_classes_do_not_overflow_the_votes)
{
	static uint16_t roots[65535];
	static uint8_t leaves[255];
	static const struct emlearn_trees trees = {NULL, roots, leaves, 65535, 1, 255, EMLEARN_TREES_VOTE_SOFT};
	int16_t feature = 0;
	uint32_t votes[255];

	for (size_t i = 0; i < 65535; i++) {
		roots[i] = LEAF(0);
	}
	leaves[254] = 255;
	CHECK_EQ(emlearn_trees_run(&trees, &feature, votes), 65535u * 255u);
	CHECK_EQ(votes[254], 65535u * 255u);
	CHECK_EQ(votes[0], 0);
}

TEST(weights_beyond_the_first_65536_are_found)
{
	static const uint16_t roots[] = {LEAF(999), LEAF(656)};
	static uint8_t leaves[1000 * 100];
	static const struct emlearn_trees trees = {NULL, roots, leaves, 2, 1, 100, EMLEARN_TREES_VOTE_SOFT};
	int16_t feature = 0;
	uint32_t votes[100];

	leaves[999 * 100 + 99] = 255;
	leaves[656 * 100 + 3] = 255;
	emlearn_trees_run(&trees, &feature, votes);
	CHECK_EQ(votes[99], 255);
	CHECK_EQ(votes[3], 255);
}

TEST(the_last_of_65535_features_is_read)
{
	static int16_t features[65535];
	static const struct emlearn_trees_node node = {-3, 65534, {LEAF(0), LEAF(1)}};
	static const uint16_t roots[] = {0};
	static const uint8_t leaves[] = {0, 1};
	static const struct emlearn_trees trees = {&node, roots, leaves, 1, 65535, 2, EMLEARN_TREES_VOTE_HARD};
	uint32_t votes[2];

	features[65534] = -3;
	emlearn_trees_run(&trees, features, votes);
	CHECK_EQ(votes[0], 1);
	features[65534] = -2;
	emlearn_trees_run(&trees, features, votes);
	CHECK_EQ(votes[0], 0);
}

TEST(the_lowest_index_wins_among_equal_votes)
{
	static const uint32_t tie[] = {3, 7, 7, 1, 7};
	static const uint32_t all_equal[] = {0, 0, 0};
	static const uint32_t large[] = {UINT32_MAX - 1, 0x80000000u, UINT32_MAX};
	uint32_t votes[255];

	CHECK_EQ(emlearn_trees_argmax(tie, 5), 1);
	CHECK_EQ(emlearn_trees_argmax(all_equal, 3), 0);
	CHECK_EQ(emlearn_trees_argmax(large, 3), 2);
	CHECK_EQ(emlearn_trees_argmax(tie, 1), 0);
	for (uint32_t winner = 0; winner < 255; winner++) {
		memset(votes, 0, sizeof(votes));
		votes[winner] = 1;
		CHECK_EQ(emlearn_trees_argmax(votes, 255), winner);
	}
}

TESTS(T(a_value_equal_to_the_threshold_goes_to_the_first_child), T(a_tree_of_one_leaf_needs_no_node),
      T(every_path_of_a_tree_leads_to_its_leaf), T(a_chain_of_32768_nodes_is_walked_to_its_end),
      T(many_trees_and_classes_do_not_overflow_the_votes), T(weights_beyond_the_first_65536_are_found),
      T(the_last_of_65535_features_is_read), T(the_lowest_index_wins_among_equal_votes))
