/* SPDX-License-Identifier: Apache-2.0 */
#include "windows.h"

static uint32_t random_state;

/* Marsaglia's xorshift: 32 bits of state, never 0. */
static uint32_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

void bench_draw_init(uint32_t seed)
{
	random_state = seed;
}

int32_t bench_draw(int32_t low, int32_t high)
{
	return low + (int32_t)((next_random() >> 8) % (uint32_t)(high - low + 1));
}

/* -4096 .. 4096: a parabola for each half of the turn, 65536 a turn. */
static int32_t wave(uint32_t phase)
{
	int32_t t = (int32_t)(phase & 0x7fffu) - 0x4000;
	int32_t y = 4096 - ((t * t) >> 16);

	return (phase & 0x8000u) != 0u ? -y : y;
}

void bench_seeded_fill(int16_t *rows, uint32_t seed, uint32_t len)
{
	bench_draw_init(seed * 2654435761u + 1u);

	uint32_t step = (uint32_t)bench_draw(2000, 3200);
	uint32_t phase = (uint32_t)bench_draw(0, 65535);

	for (uint32_t axis = 0; axis < BENCH_AXES; axis++) {
		int32_t gravity = bench_draw(-3500, 3500);
		int32_t swing = bench_draw(400, 2400);
		int32_t harmonic = bench_draw(100, 900);
		uint32_t shift = (uint32_t)bench_draw(0, 65535);

		for (uint32_t i = 0; i < len; i++) {
			uint32_t at = phase + shift + i * step;
			int32_t noise = bench_draw(-60, 60) + bench_draw(-60, 60);

			rows[axis * len + i] = (int16_t)(gravity + ((wave(at) * swing) >> 12) +
							 ((wave(2u * at) * harmonic) >> 12) + noise);
		}
	}
}

static void fill_constant(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		axis[i] = (int16_t)(1000 * (int32_t)axis_idx);
	}
}

static void fill_sorted(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		axis[i] = (int16_t)(-8000 + (int32_t)(i * (40u + axis_idx)));
	}
}

static void fill_reversed(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		axis[i] = (int16_t)(8000 - (int32_t)(i * (40u + axis_idx)));
	}
}

static void fill_sawtooth(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		axis[i] = (int16_t)((int32_t)(i % (17u + axis_idx)) * 1000 - 8000);
	}
}

static void fill_extremes(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		axis[i] = ((i + axis_idx) & 1u) != 0u ? INT16_MAX : INT16_MIN;
	}
}

static void fill_full_scale_noise(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	bench_draw_init(axis_idx + 1u);
	for (uint32_t i = 0; i < len; i++) {
		axis[i] = (int16_t)bench_draw(INT16_MIN, INT16_MAX);
	}
}

/* The rest is made to hurt the selection of quantiles in src/core/quartiles.c. */

/* Samples of the first histogram's bins if the range is that of spread(). */
#define BIN 512

/* The longest run that is sorted by insertion. */
#define RUN_LEN 12u

/* Two outliers that stretch the first histogram over 0 .. INT16_MAX. */
static void spread(int16_t *axis, uint32_t len)
{
	axis[0] = 0;
	axis[len / 2u] = INT16_MAX;
}

/* Sample i of n that fall from low + width - 1 to low, which is the order that takes longest to sort. */
static int16_t falling(int32_t low, int32_t width, uint32_t i, uint32_t n)
{
	return (int16_t)(low + (int32_t)((uint32_t)(width - 1) * (n - 1u - i) / (n - 1u)));
}

/* All samples but two in one bin of the first histogram, all over it. */
static void fill_outliers(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	(void)axis_idx;
	for (uint32_t i = 0; i < len; i++) {
		axis[i] = falling(21 * BIN, BIN, i, len);
	}
	spread(axis, len);
}

/*
 * n_clusters clusters of a few counts, drawn in no order, each in a bin of its own of the first histogram, with two
 * samples at the ends of the bin: all levels of the search have to go over nearly all samples.
 */
static void fill_clusters(int16_t *axis, uint32_t len, uint32_t n_clusters)
{
	bench_draw_init(len);
	for (uint32_t i = 0; i < len; i++) {
		uint32_t cluster = (uint32_t)bench_draw(0, (int32_t)n_clusters - 1);
		int32_t bin = (int32_t)(13u + 9u * cluster) * BIN;

		axis[i] = (int16_t)(bin + BIN / 2 + bench_draw(0, 3));
		if (i % 40u == 7u) {
			axis[i] = (int16_t)(bin + (i % 80u == 7u ? 0 : BIN - 1));
		}
	}
	spread(axis, len);
}

static void fill_one_cluster(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	(void)axis_idx;
	fill_clusters(axis, len, 1);
}

static void fill_two_clusters(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	(void)axis_idx;
	fill_clusters(axis, len, 2);
}

static void fill_three_clusters(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	(void)axis_idx;
	fill_clusters(axis, len, 3);
}

/*
 * At each of the three ranks a falling run that is just short enough to be sorted, in a bin of its own; the other
 * samples between these bins. width: of a bin; low: where the lowest is.
 */
static void fill_runs(int16_t *axis, uint32_t len, int32_t low, int32_t width)
{
	uint32_t rank = 0;

	for (uint32_t quarter = 0; quarter < 4u; quarter++) {
		uint32_t next = (quarter + 1u) * (len - 1u) / 4u;
		int32_t bin = low + (int32_t)(3u * quarter) * width;

		for (; rank < len && (rank + RUN_LEN / 2u < next || quarter == 3u); rank++) {
			axis[rank] = (int16_t)(bin + (int32_t)(rank & 1u) * width);
		}
		for (uint32_t i = 0; i < RUN_LEN && rank < len; i++) {
			axis[rank++] = falling(bin + 2 * width, width, i, RUN_LEN);
		}
	}
}

static void fill_runs_at_once(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	(void)axis_idx;
	fill_runs(axis, len, 10 * BIN, BIN);
	spread(axis, len);
}

/* The same inside one bin of the first histogram. */
static void fill_runs_in_a_bin(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	(void)axis_idx;
	fill_runs(axis, len, 10 * BIN, BIN / 16);
	spread(axis, len);
}

const struct bench_shape bench_shapes[] = {
	{"constant", fill_constant},         {"sorted", fill_sorted},
	{"reversed", fill_reversed},         {"sawtooth", fill_sawtooth},
	{"extremes", fill_extremes},         {"full scale noise", fill_full_scale_noise},
	{"outliers", fill_outliers},         {"one cluster", fill_one_cluster},
	{"two clusters", fill_two_clusters}, {"three clusters", fill_three_clusters},
	{"runs to sort", fill_runs_at_once}, {"runs to sort in a bin", fill_runs_in_a_bin},
};

const uint32_t bench_n_shapes = sizeof(bench_shapes) / sizeof(bench_shapes[0]);

void bench_shape_fill(int16_t *rows, const struct bench_shape *shape, uint32_t len)
{
	for (uint32_t axis = 0; axis < BENCH_AXES; axis++) {
		shape->fill(&rows[axis * len], axis, len);
	}
}
