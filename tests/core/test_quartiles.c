/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include <emlearn/window.h>

#include "quartiles.h"

#include "check.h"

static int compare(const void *a, const void *b)
{
	return *(const int16_t *)a - *(const int16_t *)b;
}

static int16_t *allocate(uint32_t n)
{
	int16_t *samples = malloc(n * sizeof(int16_t));

	CHECK(samples != NULL);
	return samples;
}

/* Compare with sorting; memory of exactly the size asked for, so that a sanitizer sees any step beyond it. */
static void check_samples(const int16_t *samples, uint16_t n, bool in_place)
{
	int16_t *sorted = allocate(n), *a = allocate(n), *b = allocate(n);
	int16_t out[EMLEARN_N_QUARTILES];
	size_t size = n * sizeof(int16_t);

	memcpy(sorted, samples, size);
	qsort(sorted, n, sizeof(int16_t), compare);
	memcpy(a, samples, in_place ? size : 0);
	emlearn_quartiles_run(in_place ? a : samples, n, sorted[0], sorted[n - 1], a, b, out);
	CHECK_EQ(out[0], sorted[(n - 1) / 4]);
	CHECK_EQ(out[1], sorted[(n - 1) / 2]);
	CHECK_EQ(out[2], sorted[3 * (n - 1) / 4]);
	free(sorted);
	free(a);
	free(b);
}

/* Sample i of n of one of several kinds. */
static int16_t sample(uint32_t kind, uint32_t i, uint32_t n, uint64_t *random)
{
	uint32_t r = check_random(random);

	switch (kind) {
	case 0: /* any */
		return (int16_t)(r >> 16);
	case 1: /* few different ones, about 0 */
		return (int16_t)(r % 5) - 2;
	case 2: /* rising */
		return (int16_t)(i - n / 2);
	case 3: /* falling, from the largest on */
		return (int16_t)(INT16_MAX - (int32_t)i);
	case 4: /* only the ends */
		return r >> 31 ? INT16_MIN : INT16_MAX;
	case 5: /* constant */
		return INT16_MIN;
	case 6: /* crowded about one value, with two far away */
		return i == 0 ? INT16_MIN : i == 1 ? INT16_MAX : (int16_t)(1000 + (r >> 30));
	case 7: /* three crowds, one a quartile, at the edges of bins */
		return (int16_t)((int32_t)(i % 3) * 16384 - 16384 + (int32_t)(r >> 31) - 1);
	case 8: /* powers of two: every histogram finds most of the rest in its first bin */
		return (int16_t)((1u << (r >> 28)) - 1u);
	default: /* a sawtooth */
		return (int16_t)(i * 2039u);
	}
}

#define N_KINDS 10u

TEST(quartiles_are_those_of_sorting_for_every_short_length)
{
	uint64_t random = 8;
	int16_t samples[300];

	for (uint16_t n = 1; n <= 300; n++) {
		for (uint32_t kind = 0; kind < N_KINDS; kind++) {
			for (uint32_t i = 0; i < n; i++) {
				samples[i] = sample(kind, i, n, &random);
			}
			check_samples(samples, n, n % 2 == 0);
		}
	}
}

TEST(quartiles_are_those_of_sorting_for_long_windows)
{
	static const uint16_t lengths[] = {400, 1023, 1024, 4097, EMLEARN_WINDOW_LEN_MAX - 1, EMLEARN_WINDOW_LEN_MAX};
	static int16_t samples[EMLEARN_WINDOW_LEN_MAX];
	uint64_t random = 9;

	for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
		for (uint32_t kind = 0; kind < N_KINDS; kind++) {
			for (uint32_t i = 0; i < lengths[k]; i++) {
				samples[i] = sample(kind, i, lengths[k], &random);
			}
			check_samples(samples, lengths[k], false);
			check_samples(samples, lengths[k], true);
		}
	}
}

TEST(every_order_of_few_samples_gives_the_same)
{
	/* 7 samples in all 7! orders, by counting in the factorial number system. */
	static const int16_t values[7] = {INT16_MIN, -4, -4, 0, 3, 9, INT16_MAX};

	for (uint32_t order = 0; order < 5040; order++) {
		int16_t left[7], samples[7];
		uint32_t code = order;

		memcpy(left, values, sizeof(values));
		for (uint32_t n = 7; n > 0; n--) {
			uint32_t pick = code % n;

			code /= n;
			samples[n - 1] = left[pick];
			memmove(&left[pick], &left[pick + 1], (n - 1 - pick) * sizeof(left[0]));
		}
		check_samples(samples, 7, false);
	}
}

TESTS(T(quartiles_are_those_of_sorting_for_every_short_length), T(quartiles_are_those_of_sorting_for_long_windows),
      T(every_order_of_few_samples_gives_the_same))
