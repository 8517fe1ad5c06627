/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Golden vectors: pipelines over the golden signal or over recordings, and what each window must give on every target.
 *
 * generate.py computes the expected values with the tests' own model of the arithmetic, not with the library, and
 * writes vectors_cases.h and vectors_cases.c. Portable; a test program on any target links vectors_run.c and
 * vectors_cases.c and calls vectors_run() for each case and chunk length.
 */
#ifndef EMLEARN_TESTS_VECTORS_H_
#define EMLEARN_TESTS_VECTORS_H_

#include <stddef.h>
#include <stdint.h>

#include <emlearn/pipeline.h>

/** Chunk length that stands for all frames at once (up to the next gap). */
#define VECTORS_CHUNK_ALL 0u

/** Frames that are missing before a frame. */
struct vectors_gap {
	uint32_t frame;
	uint32_t n_lost;
};

/** What one window must give. */
struct vectors_window {
	uint32_t end;           /**< number of its last frame */
	uint32_t features_hash; /**< emlearn_golden_hash() */
	uint32_t votes;         /**< for window_class_idx */
	uint32_t n_lost;
	uint8_t window_class_idx;
	uint8_t class_idx;
	uint8_t warming;
};

/** A pipeline and a signal. */
struct vectors_case {
	const char *name;
	const struct emlearn_pipeline *pipeline;
	const struct vectors_window *windows;
	const struct vectors_gap *gaps; /**< ascending */
	const int16_t *frames;          /**< n_frames frames of a recording; NULL for the golden signal */
	uint32_t seed;                  /**< of the golden signal */
	uint16_t n_frames;
	uint16_t n_windows;
	uint16_t n_gaps;
};

/** Generated: VECTORS_N_CASES of them (vectors_cases.h). */
extern const struct vectors_case vectors_cases[];

/**
 * Run a case. Not reentrant: the buffers are static.
 *
 * @param chunk    frames a batch, 1 or more, or VECTORS_CHUNK_ALL
 * @param n_passed windows that agreed before the first that did not
 * @return NULL if every window agrees and no other came, else what was wrong
 */
const char *vectors_run(const struct vectors_case *vectors, size_t chunk, uint16_t *n_passed);

#endif /* EMLEARN_TESTS_VECTORS_H_ */
