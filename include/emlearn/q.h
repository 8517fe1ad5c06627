/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Integer arithmetic with defined rounding. No floating point, no state; all functions are ISR-safe.
 */
#ifndef EMLEARN_Q_H_
#define EMLEARN_Q_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Square root, rounded down.
 *
 * @param x 0 to UINT32_MAX
 * @return floor(sqrt(x)), 0 to 65535
 */
uint32_t emlearn_q_isqrt32(uint32_t x);

/**
 * Square root, rounded down.
 *
 * @param x 0 to UINT64_MAX
 * @return floor(sqrt(x)), 0 to UINT32_MAX
 */
uint32_t emlearn_q_isqrt64(uint64_t x);

/**
 * Quotient rounded to the nearest integer, halves towards plus infinity: floor(num / den + 1/2).
 *
 * @param num INT32_MIN to INT32_MAX
 * @param den 1 to INT32_MAX
 */
int32_t emlearn_q_div_round(int32_t num, int32_t den);

/**
 * The nearest int16.
 *
 * @return x, or INT16_MIN or INT16_MAX where x lies beyond it
 */
int16_t emlearn_q_sat16(int32_t x);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_Q_H_ */
