/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "quartiles.h"

/* Bits of a sample that one histogram tells apart. */
#define BIN_BITS_MAX 6u
#define N_BINS_MAX (1u << BIN_BITS_MAX)

/* Up to here sorting is cheaper than a histogram. */
#define SORT_LEN_MAX 16u

/* Samples of low and up, and the ranks to find among them. */
struct group {
	const int16_t *from; /* the samples */
	int16_t *to;         /* room for as many */
	int16_t *spare;      /* room for as many, may be from */
	uint16_t n;
	int16_t low;
	uint8_t shift; /* bins of 2^shift values tell the samples apart */
	uint8_t first; /* the first rank to find, and the one behind the last */
	uint8_t end;
};

/* A search: ranks count from the smallest sample of the group that holds them. */
struct search {
	struct group groups[EMLEARN_N_QUARTILES];
	uint16_t ranks[EMLEARN_N_QUARTILES];
	union {
		uint16_t bins[N_BINS_MAX];
		uint32_t pairs[N_BINS_MAX / 2u];
	} counts;
	uint8_t n_groups;
};

#if defined(__GNUC__)
/* Keeps the registers of a hot loop to itself when the compiler optimises for size. */
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE
#endif

/* By insertion. */
static NOINLINE void sort(int16_t *sorted, const int16_t *x, uint32_t n)
{
	const int16_t *end = x + n;
	int16_t *last = sorted;

	*last = *x++;
	while (x != end) {
		int32_t sample = *x++;
		int16_t *at = ++last;

		do {
			int32_t before = at[-1];

			if (before <= sample) {
				break;
			}
			*at-- = (int16_t)before;
		} while (at != sorted);
		*at = (int16_t)sample;
	}
}

/* How many samples fall into each bin of 2^shift values from low on; the last one of an odd number is left out. */
static NOINLINE void count_pairs(uint16_t *counts, const int16_t *x, uint32_t n, int32_t low, uint32_t shift)
{
	const int16_t *end = x + (n & ~1u);

	do {
		int32_t a = *x++;
		int32_t b = *x++;

		counts[(uint32_t)(a - low) >> shift]++;
		counts[(uint32_t)(b - low) >> shift]++;
	} while (x != end);
}

/* Copy the samples of some bins to where places says: 0 for not at all, else one more than the index in to. */
static NOINLINE void gather_bins(int16_t *to, uint16_t *places, const int16_t *x, uint32_t n, int32_t low,
				 uint32_t shift)
{
	const int16_t *end = x + n;

	do {
		int32_t sample = *x++;
		uint16_t *place = &places[(uint32_t)(sample - low) >> shift];

		if (*place != 0u) {
			to[*place - 1u] = (int16_t)sample;
			(*place)++;
		}
	} while (x != end);
}

/* Volatile, because compilers turn a plain loop into memset(), and many of those go byte by byte. */
static NOINLINE void clear(volatile uint32_t *pairs)
{
	const volatile uint32_t *end = pairs + N_BINS_MAX / 2u;

	do {
		pairs[0] = 0;
		pairs[1] = 0;
		pairs[2] = 0;
		pairs[3] = 0;
		pairs += 4;
	} while (pairs != end);
}

/* The bin of a rank that counts from the start of the bins. The rank then counts from the start of that bin. */
static NOINLINE const uint16_t *find_bin(const uint16_t *bin, uint32_t *rank)
{
	int32_t left = (int32_t)*rank;

	do {
		left -= *bin++;
	} while (left >= 0);
	bin--;
	*rank = (uint32_t)(left + *bin);
	return bin;
}

/* Answer the ranks of the last group, or replace it by the groups of the bins that hold them. */
static void split_group(struct search *search, int16_t *out)
{
	struct group *part = &search->groups[--search->n_groups];
	const int16_t *x = part->from;
	uint32_t n = part->n;
	int32_t low = part->low;
	uint32_t shift = part->shift;
	uint32_t end = part->end;
	uint32_t r = part->first;
	int16_t *to = part->to;
	int16_t *spare = part->spare;
	int16_t *gathered = to;
	uint16_t *bins = search->counts.bins;
	const uint16_t *bin = bins;
	uint32_t n_below = 0;

	clear(search->counts.pairs);
	count_pairs(bins, x, n, low, shift);
	bins[(uint32_t)(x[n - 1u] - low) >> shift] += n & 1u;

	do {
		uint32_t rank = search->ranks[r] - n_below;

		bin = find_bin(bin, &rank);
		n_below = search->ranks[r] - rank;
		part->first = (uint8_t)r;
		part->low = (int16_t)(low + (int32_t)((uint32_t)(bin - bins) << shift));
		part->n = *bin;
		do {
			out[r] = part->low;
			search->ranks[r] = (uint16_t)(search->ranks[r] - n_below);
			r++;
		} while (r < end && search->ranks[r] < n_below + part->n);
		part->end = (uint8_t)r;
		part->shift = (uint8_t)(shift > BIN_BITS_MAX ? shift - BIN_BITS_MAX : 0u);
		part->from = to;
		part->to = spare;
		part->spare = to;
		to += part->n;
		spare += part->n;
		part++;
	} while (r < end);

	if (shift == 0u) {
		return;
	}
	clear(search->counts.pairs);
	do {
		const struct group *p = &search->groups[search->n_groups++];

		bins[(uint32_t)(p->low - low) >> shift] = (uint16_t)(p->from - gathered + 1);
	} while (&search->groups[search->n_groups] != part);
	gather_bins(gathered, bins, x, n, low, shift);
}

void emlearn_quartiles_run(const int16_t *x, uint16_t n, int16_t min, int16_t max, int16_t *scratch_a,
			   int16_t *scratch_b, int16_t out[EMLEARN_N_QUARTILES])
{
	struct search search;
	struct group *group = &search.groups[0];
	uint32_t last = n - 1u;
	uint32_t range = (uint32_t)(max - min);

	search.ranks[0] = (uint16_t)(last / 4u);
	search.ranks[1] = (uint16_t)(last / 2u);
	search.ranks[2] = (uint16_t)(3u * last / 4u);
	search.n_groups = 1;
	group->from = x;
	group->to = scratch_b;
	group->spare = scratch_a;
	group->n = n;
	group->low = min;
	group->shift = 0;
	for (; range >= N_BINS_MAX; range >>= 1) {
		group->shift++;
	}
	group->first = 0;
	group->end = EMLEARN_N_QUARTILES;
	do {
		group = &search.groups[search.n_groups - 1u];
		if (group->n <= SORT_LEN_MAX) {
			sort(group->to, group->from, group->n);
			for (uint32_t r = group->first; r < group->end; r++) {
				out[r] = group->to[search.ranks[r]];
			}
			search.n_groups--;
		} else {
			split_group(&search, out);
		}
	} while (search.n_groups > 0u);
}
