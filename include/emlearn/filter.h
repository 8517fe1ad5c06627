/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Biquad cascade in fixed point, direct form I, second-order sections as scipy.signal writes them (a0 = 1).
 *
 * Samples run through the cascade as int32 with EMLEARN_FILTER_FRAC_BITS bits below the int16 unit, products are
 * summed in int64, and what rounding leaves over is carried into the next sample (first-order error feedback), so
 * a constant input comes out exactly, however near the poles are to the unit circle.
 */
#ifndef EMLEARN_FILTER_H_
#define EMLEARN_FILTER_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Binary point of the coefficients: 1.0 is 1 << 30. */
#define EMLEARN_FILTER_COEF_BITS 30

/** Binary point of the signal between sections: one count is 1 << 14. */
#define EMLEARN_FILTER_FRAC_BITS 14

/**
 * y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2].
 *
 * Stable, and the absolute impulse response up to each section sums to less than 4: signals then stay in int32. The
 * host tools refuse other filters.
 */
struct emlearn_filter_section {
	int32_t b[3];
	int32_t a[2];
};

/** A cascade. */
struct emlearn_filter {
	const struct emlearn_filter_section *sections;
	uint8_t n_sections; /**< 1 or more */
};

/** Memory of one section for one signal. */
struct emlearn_filter_state {
	int32_t x[2];
	int32_t y[2];
	uint32_t rest;
};

/**
 * Start in the steady state of a signal that has been x0 for ever.
 *
 * @param filter the cascade
 * @param state  n_sections entries
 * @param x0     the first sample; pass it to emlearn_filter_push() as well
 */
void emlearn_filter_reset(const struct emlearn_filter *filter, struct emlearn_filter_state *state, int16_t x0);

/**
 * Filter one sample.
 *
 * @return the output, rounded to the nearest count, halves up, held to int16
 */
int16_t emlearn_filter_push(const struct emlearn_filter *filter, struct emlearn_filter_state *state, int16_t x);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_FILTER_H_ */
