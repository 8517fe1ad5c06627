/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/q.h>

uint32_t emlearn_q_isqrt32(uint32_t x)
{
	return emlearn_q_isqrt64(x);
}

/* Digit by digit in base 4, so that every step is a shift and a subtraction. */
uint32_t emlearn_q_isqrt64(uint64_t x)
{
	uint64_t root = 0;
	uint64_t bit = (uint64_t)1 << 62;

	while (bit > x) {
		bit >>= 2;
	}
	while (bit != 0) {
		if (x >= root + bit) {
			x -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
		bit >>= 2;
	}
	return (uint32_t)root;
}

int32_t emlearn_q_div_round(int32_t num, int32_t den)
{
	int64_t n = (int64_t)num + den / 2;
	int64_t quotient = n / den;

	/* C divides towards zero: step down where that was upwards. */
	return (int32_t)(n % den < 0 ? quotient - 1 : quotient);
}

int16_t emlearn_q_sat16(int32_t x)
{
	if (x > INT16_MAX) {
		return INT16_MAX;
	}
	if (x < INT16_MIN) {
		return INT16_MIN;
	}
	return (int16_t)x;
}
