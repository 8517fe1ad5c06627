/* SPDX-License-Identifier: Apache-2.0 */
/* Order statistics of a stream, for features.c alone. */
#ifndef EMLEARN_CORE_QUARTILES_H_
#define EMLEARN_CORE_QUARTILES_H_

#include <stdint.h>

#define EMLEARN_N_QUARTILES 3u

/**
 * Find the samples of ranks floor((n - 1) / 4), floor((n - 1) / 2) and floor(3 * (n - 1) / 4), 0 being the smallest.
 *
 * Selection by histograms, each over one bin of the one before, three deep at most: time grows linearly with n,
 * whatever the samples are.
 *
 * @param x         n samples; may be first_half
 * @param n         1 to EMLEARN_WINDOW_LEN_MAX
 * @param min       the smallest sample
 * @param max       the largest
 * @param scratch_a n samples, overwritten
 * @param scratch_b n samples, overwritten; not x
 * @param out       lower quartile, median, upper quartile
 */
void emlearn_quartiles_run(const int16_t *x, uint16_t n, int16_t min, int16_t max, int16_t *scratch_a,
			   int16_t *scratch_b, int16_t out[EMLEARN_N_QUARTILES]);

#endif /* EMLEARN_CORE_QUARTILES_H_ */
