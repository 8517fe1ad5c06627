/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "noinline.h"
#include "quartiles.h"

/* Bits that the first histogram tells apart; two more share what is left of the 16. */
#define BIN_BITS_MAX 6u
#define N_BINS_MAX (1u << BIN_BITS_MAX)
#define N_LEVELS 3u

/* Up to here sorting is cheaper than a histogram. */
#define SORT_LEN_MAX 12u

/* Samples that one bin holds, and the ranks to find among them. */
struct group {
	uint16_t at; /* where they start in what the level reads */
	uint16_t n;
	int16_t low; /* the smallest sample that the bin can hold */
	uint8_t level;
	uint8_t first; /* the first rank to find, and the one behind the last */
	uint8_t end;
};

/*
 * A search. Each level sorts samples into n_bins of 2^shift values and gathers those that matter; the first reads x,
 * the others what the level before gathered. Ranks count from the smallest sample of the group that holds them.
 */
struct search {
	const int16_t *x;
	int16_t *gathered[2]; /* by even and odd levels */
	uint8_t shift[N_LEVELS];
	uint8_t n_bins[N_LEVELS];
	uint16_t ranks[EMLEARN_N_QUARTILES];
	struct group groups[EMLEARN_N_QUARTILES];
	struct group *top; /* behind the last group */
	uint16_t bins[N_BINS_MAX];
};

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

/* Where the samples of a group stand. */
static inline const int16_t *samples(const struct search *search, const struct group *group)
{
	return group->level == 0u ? search->x : &search->gathered[(group->level - 1u) % 2u][group->at];
}

/* Answer the ranks of the last group and drop it. */
static void sort_group(struct search *search, int16_t *out)
{
	const struct group *group = --search->top;
	int16_t *sorted = &search->gathered[group->level % 2u][group->at];
	uint32_t r = group->first;

	sort(sorted, samples(search, group), group->n);
	do {
		out[r] = sorted[search->ranks[r]];
	} while (++r < group->end);
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
		uint32_t at = *place;

		if (at != 0u) {
			to[at - 1u] = (int16_t)sample;
			*place = (uint16_t)(at + 1u);
		}
	} while (x != end);
}

/* The same for one bin: copy the samples of low .. low + width - 1. */
static NOINLINE void gather_bin(int16_t *to, const int16_t *x, uint32_t n, int32_t low, uint32_t width)
{
	const int16_t *end = x + n;

	do {
		int32_t sample = *x++;

		if ((uint32_t)(sample - low) < width) {
			*to++ = (int16_t)sample;
		}
	} while (x != end);
}

/*
 * Eight at a time, up to 7 more than asked for. Volatile, because compilers turn a plain loop into memset(), which
 * often goes by bytes.
 */
static NOINLINE void clear(volatile uint16_t *bins, uint32_t n_bins)
{
	const volatile uint16_t *end = bins + n_bins;

	do {
		bins[0] = 0;
		bins[1] = 0;
		bins[2] = 0;
		bins[3] = 0;
		bins[4] = 0;
		bins[5] = 0;
		bins[6] = 0;
		bins[7] = 0;
		bins += 8;
	} while (bins < end);
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
static NOINLINE void split_group(struct search *search, int16_t *out)
{
	struct group *part = --search->top;
	uint32_t level = part->level;
	const int16_t *x = samples(search, part);
	uint32_t shift = search->shift[level];
	uint32_t n = part->n;
	uint32_t at = part->at;
	int32_t low = part->low;
	uint32_t end = part->end;
	uint32_t r = part->first;
	uint16_t *bins = search->bins;
	const uint16_t *bin = bins;
	uint32_t n_below = 0;

	clear(search->bins, search->n_bins[level]);
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
		part->level = (uint8_t)(level + 1u);
		part->at = (uint16_t)at;
		at += part->n;
		part++;
	} while (r < end);

	if (shift == 0u) {
		return;
	}
	if (search->top + 1 == part) {
		gather_bin(&search->gathered[level % 2u][search->top->at], x, n, search->top->low, 1u << shift);
		search->top++;
		return;
	}
	clear(search->bins, search->n_bins[level]);
	do {
		bins[(uint32_t)(search->top->low - low) >> shift] = (uint16_t)(search->top->at + 1u);
	} while (++search->top != part);
	gather_bins(search->gathered[level % 2u], bins, x, n, low, shift);
}

void emlearn_quartiles_run(const int16_t *x, uint16_t n, int16_t min, int16_t max, int16_t *scratch_a,
			   int16_t *scratch_b, int16_t out[EMLEARN_N_QUARTILES])
{
	struct search search;
	uint32_t last = n - 1u;
	uint32_t bits = BIN_BITS_MAX;
	uint32_t shift = 0;

	for (uint32_t range = (uint32_t)(max - min); range >= N_BINS_MAX; range >>= 1) {
		shift++;
	}
	for (uint32_t level = 0; level < N_LEVELS; level++) {
		search.shift[level] = (uint8_t)shift;
		search.n_bins[level] = (uint8_t)(1u << bits);
		bits = level == 0u ? (shift + 1u) / 2u : shift;
		shift -= bits;
	}
	search.x = x;
	search.gathered[0] = scratch_b;
	search.gathered[1] = scratch_a;
	search.ranks[0] = (uint16_t)(last / 4u);
	search.ranks[1] = (uint16_t)(last / 2u);
	search.ranks[2] = (uint16_t)(3u * last / 4u);
	search.groups[0] = (struct group){.n = n, .low = min, .end = EMLEARN_N_QUARTILES};
	search.top = &search.groups[1];
	do {
		if (search.top[-1].n > SORT_LEN_MAX) {
			split_group(&search, out);
		} else {
			sort_group(&search, out);
		}
	} while (search.top != search.groups);
}
