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

/* low .. high, both included. */
static int32_t draw(int32_t low, int32_t high)
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
	random_state = seed * 2654435761u + 1u;

	uint32_t step = (uint32_t)draw(2000, 3200);
	uint32_t phase = (uint32_t)draw(0, 65535);

	for (uint32_t axis = 0; axis < BENCH_AXES; axis++) {
		int32_t gravity = draw(-3500, 3500);
		int32_t swing = draw(400, 2400);
		int32_t harmonic = draw(100, 900);
		uint32_t shift = (uint32_t)draw(0, 65535);

		for (uint32_t i = 0; i < len; i++) {
			uint32_t at = phase + shift + i * step;
			int32_t noise = draw(-60, 60) + draw(-60, 60);

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
	random_state = axis_idx + 1u;
	for (uint32_t i = 0; i < len; i++) {
		axis[i] = (int16_t)draw(INT16_MIN, INT16_MAX);
	}
}

/* Samples of noise within `width` counts above `low`, falling as slowly as they must so that sorting them is dear. */
static int16_t dense(int32_t low, int32_t width, uint32_t i, uint32_t len)
{
	return (int16_t)(low + (int32_t)((uint32_t)(width - 1) * (len - 1u - i) / (len - 1u)));
}

/* All samples but two in one bin of the first histogram. */
static void fill_outliers(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	(void)axis_idx;
	for (uint32_t i = 0; i < len; i++) {
		axis[i] = dense(1024, 1024, i, len);
	}
	axis[0] = 0;
	axis[len / 2u] = INT16_MAX;
}

/*
 * n_clusters groups of equal size, each in a bin of its own at every level: outliers spread the first histogram, and
 * two samples at the ends of each cluster's bin spread the next.
 */
static void fill_clusters(int16_t *axis, uint32_t len, uint32_t n_clusters, int32_t width)
{
	for (uint32_t i = 0; i < len; i++) {
		int32_t bin = (int32_t)(8u + 8u * (i % n_clusters)) * 1024;

		axis[i] = dense(bin + 512, width, i, len);
		if (i / n_clusters == 1u) {
			axis[i] = (int16_t)bin;
		} else if (i / n_clusters == 2u) {
			axis[i] = (int16_t)(bin + 1023);
		}
	}
	axis[0] = 0;
	axis[len - 1u] = INT16_MAX;
}

static void fill_one_cluster(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	(void)axis_idx;
	fill_clusters(axis, len, 1, 16);
}

static void fill_two_clusters(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	(void)axis_idx;
	fill_clusters(axis, len, 2, 16);
}

static void fill_three_clusters(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	(void)axis_idx;
	fill_clusters(axis, len, 3, 16);
}

/* Three clusters, each spread over its bin. */
static void fill_three_spread_clusters(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	(void)axis_idx;
	fill_clusters(axis, len, 3, 500);
}

/* At each of the three ranks a descending run just short enough to be sorted, the rest elsewhere. */
static void fill_sorting_runs(int16_t *axis, uint32_t axis_idx, uint32_t len)
{
	const uint32_t run_len = 16;
	uint32_t ranks[3] = {(len - 1u) / 4u, (len - 1u) / 2u, 3u * (len - 1u) / 4u};

	(void)axis_idx;
	for (uint32_t i = 0; i < len; i++) {
		axis[i] = (int16_t)(i * (32767u / len));
	}
	for (uint32_t r = 0; r < 3u; r++) {
		uint32_t start = ranks[r] - run_len / 2u;
		int32_t bin = axis[ranks[r]] & ~511;

		for (uint32_t i = 0; i < run_len; i++) {
			axis[start + i] = dense(bin, 512, i, run_len);
		}
	}
}

const struct bench_shape bench_shapes[] = {
	{"constant", fill_constant},
	{"sorted", fill_sorted},
	{"reversed", fill_reversed},
	{"sawtooth", fill_sawtooth},
	{"extremes", fill_extremes},
	{"full scale noise", fill_full_scale_noise},
	{"outliers", fill_outliers},
	{"one cluster", fill_one_cluster},
	{"two clusters", fill_two_clusters},
	{"three clusters", fill_three_clusters},
	{"three spread clusters", fill_three_spread_clusters},
	{"sorting runs", fill_sorting_runs},
};

const uint32_t bench_n_shapes = sizeof(bench_shapes) / sizeof(bench_shapes[0]);

void bench_shape_fill(int16_t *rows, const struct bench_shape *shape, uint32_t len)
{
	for (uint32_t axis = 0; axis < BENCH_AXES; axis++) {
		shape->fill(&rows[axis * len], axis, len);
	}
}
