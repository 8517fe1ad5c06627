/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Decision trees and forests over int16 features.
 */
#ifndef EMLEARN_TREES_H_
#define EMLEARN_TREES_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Votes that one tree casts in a soft vote: the integer weights of a leaf sum to it. */
#define EMLEARN_TREES_SOFT_VOTES 255u

/** A link whose top bit is set leads to leaf (link & 0x7fff), else to that node. */
#define EMLEARN_TREES_LEAF 0x8000u

/** How leaves vote. */
enum emlearn_trees_vote {
	EMLEARN_TREES_VOTE_SOFT, /**< a leaf holds n_classes weights that sum to EMLEARN_TREES_SOFT_VOTES */
	EMLEARN_TREES_VOTE_HARD, /**< a leaf holds a class index, which gets one vote */
};

/** A decision: child[0] if features[feature] <= threshold, else child[1]. */
struct emlearn_trees_node {
	int16_t threshold;
	uint16_t feature;
	uint16_t child[2];
};

/** A forest, written by the converter. Constant and without pointers to RAM; callers use the functions below only. */
struct emlearn_trees {
	const struct emlearn_trees_node *nodes;
	const uint16_t *roots; /**< one link a tree */
	const uint8_t *leaves; /**< n_classes bytes a leaf (soft) or one (hard) */
	uint16_t n_trees;
	uint16_t n_features;
	uint8_t n_classes; /**< 1 to 255 */
	uint8_t vote;      /**< enum emlearn_trees_vote */
};

/**
 * Collect the votes of all trees.
 *
 * @param trees    a valid forest
 * @param features trees->n_features values
 * @param votes    trees->n_classes counters, overwritten
 * @return votes cast in all: n_trees, times EMLEARN_TREES_SOFT_VOTES in a soft vote
 */
uint32_t emlearn_trees_run(const struct emlearn_trees *trees, const int16_t *features, uint32_t *votes);

/**
 * The class with the most votes, the lowest index among equals.
 *
 * @param votes     n_classes counters
 * @param n_classes 1 to 255
 * @return 0 to n_classes - 1
 */
uint8_t emlearn_trees_argmax(const uint32_t *votes, uint8_t n_classes);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_TREES_H_ */
