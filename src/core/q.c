/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/q.h>

/* Square roots of 16, 17 .. 64 times 2^26, rounded down. */
static const uint16_t root_table[] = {
	32768, 33776, 34755, 35708, 36635, 37540, 38423, 39287, 40132, 40960, 41771, 42566, 43347,
	44115, 44869, 45611, 46340, 47059, 47767, 48464, 49152, 49829, 50498, 51159, 51810, 52454,
	53090, 53718, 54339, 54953, 55560, 56161, 56755, 57344, 57926, 58502, 59073, 59638, 60198,
	60753, 61303, 61848, 62388, 62923, 63454, 63981, 64503, 65021, 65535,
};

/* Even number of bits by which x (not 0) can be shifted left without losing any. */
static uint32_t even_headroom(uint32_t x)
{
#if defined(__ARM_FEATURE_CLZ)
	return (uint32_t)__builtin_clz(x) & ~1u;
#else
	uint32_t n = 0;

	if (x < (uint32_t)1 << 16) {
		x <<= 16;
		n = 16;
	}
	if (x < (uint32_t)1 << 24) {
		x <<= 8;
		n += 8;
	}
	if (x < (uint32_t)1 << 28) {
		x <<= 4;
		n += 4;
	}
	if (x < (uint32_t)1 << 30) {
		n += 2;
	}
	return n;
#endif
}

/* A chord between two entries lies below the root by 6 at most, before it is scaled down: the loop adds the rest. */
uint32_t emlearn_q_isqrt32(uint32_t x)
{
	if (x == 0u) {
		return 0;
	}

	uint32_t shift = even_headroom(x);
	uint32_t scaled = x << shift;
	const uint16_t *low = &root_table[(scaled >> 26) - 16u];
	uint32_t slope = (uint32_t)low[1] - low[0];
	uint32_t root = (low[0] + ((slope * ((scaled >> 10) & 0xffffu)) >> 16)) >> (shift / 2u);

	while (x - root * root > 2u * root) {
		root++;
	}
	return root;
}

/* The upper half of the root from the upper half of x, the lower half from one division (P. Zimmermann, 1999). */
uint32_t emlearn_q_isqrt64(uint64_t x)
{
	uint32_t high = (uint32_t)(x >> 32);

	if (high == 0u) {
		return emlearn_q_isqrt32((uint32_t)x);
	}

	uint32_t shift = even_headroom(high);
	uint64_t scaled = x << shift;

	high = (uint32_t)(scaled >> 32);

	uint32_t root = emlearn_q_isqrt32(high);
	uint32_t rest = high - root * root;
	uint32_t digit = ((rest << 15) | ((uint32_t)scaled >> 17)) / root;

	root = (root << 16) + (digit > 0xffffu ? 0xffffu : digit);
	if ((uint64_t)root * root > scaled) {
		root--;
	}
	return root >> (shift / 2u);
}

int32_t emlearn_q_div_round(int32_t num, int32_t den)
{
	int32_t quotient = num / den;
	int32_t rest = num - quotient * den;

	/* C divides towards zero: step down where that was upwards. */
	if (rest < 0) {
		rest += den;
		quotient--;
	}
	return rest >= den - den / 2 ? quotient + 1 : quotient;
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
