/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <emlearn/trees.h>

static uint16_t find_leaf(const struct emlearn_trees *trees, uint16_t link, const int16_t *features)
{
	while ((link & EMLEARN_TREES_LEAF) == 0) {
		const struct emlearn_trees_node *node = &trees->nodes[link];

		link = node->child[features[node->feature] > node->threshold];
	}
	return (uint16_t)(link & ~EMLEARN_TREES_LEAF);
}

uint32_t emlearn_trees_run(const struct emlearn_trees *trees, const int16_t *features, uint32_t *votes)
{
	memset(votes, 0, trees->n_classes * sizeof(*votes));
	for (uint16_t i = 0; i < trees->n_trees; i++) {
		uint16_t leaf = find_leaf(trees, trees->roots[i], features);

		if (trees->vote == EMLEARN_TREES_VOTE_HARD) {
			votes[trees->leaves[leaf]]++;
			continue;
		}
		const uint8_t *weights = &trees->leaves[(uint32_t)leaf * trees->n_classes];

		for (uint8_t class_idx = 0; class_idx < trees->n_classes; class_idx++) {
			votes[class_idx] += weights[class_idx];
		}
	}
	return trees->vote == EMLEARN_TREES_VOTE_HARD ? trees->n_trees : trees->n_trees * EMLEARN_TREES_SOFT_VOTES;
}

uint8_t emlearn_trees_argmax(const uint32_t *votes, uint8_t n_classes)
{
	uint8_t best = 0;

	for (uint8_t class_idx = 1; class_idx < n_classes; class_idx++) {
		if (votes[class_idx] > votes[best]) {
			best = class_idx;
		}
	}
	return best;
}
