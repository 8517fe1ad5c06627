/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include <emlearn/features.h>
#include <emlearn/q.h>
#include <emlearn/types.h>

#include "noinline.h"
#include "quartiles.h"

/* How a stream is made from the rows of the window: the kinds of features.def. */
enum stream_kind {
	KIND_ROW,
	KIND_MOTION,
	KIND_MAG,
	KIND_MOTION_MAG,
	KIND_PAIR,
};

struct stream_def {
	uint8_t kind;
	uint8_t a;
	uint8_t b;
};

static const struct stream_def stream_defs[EMLEARN_N_STREAMS] = {
#define EMLEARN_STREAM(id, name, kind, a, b) {KIND_##kind, (uint8_t)(a), (uint8_t)(b)},
#include <emlearn/features.def>
};

/* Statistics of one stream and of two, one bit each. */
#define STAT_BIT(stat) (1u << EMLEARN_STAT_##stat)

static const uint32_t stats_of_arity[] = {[1] = 0u
#define EMLEARN_STAT(id, name, arity) | ((arity) == 1 ? STAT_BIT(id) : 0u)
#include <emlearn/features.def>
					  ,
					  [2] = 0u
#define EMLEARN_STAT(id, name, arity) | ((arity) == 2 ? STAT_BIT(id) : 0u)
#include <emlearn/features.def>
};

/* Statistics that need the quartiles. */
#define STATS_OF_ORDER (STAT_BIT(MEDIAN) | STAT_BIT(Q25) | STAT_BIT(Q75) | STAT_BIT(IQR))

/* Where streams come from. */
struct source {
	const struct emlearn_window *window;
	const uint8_t *row_of;
};

struct moments {
	uint64_t sum_sq;
	int32_t sum;
	int16_t min;
	int16_t max;
};

/* The samples of a row in the order of the ring: the oldest is number window->pos. NULL if the window lacks it. */
static const int16_t *find_row(const struct source *source, uint32_t row)
{
	uint32_t at = source->row_of[row];

	return at == EMLEARN_ROW_NONE ? NULL : &source->window->ring[(size_t)at * source->window->len];
}

/* (acc - gravity) / 2 rounded down: always fits. */
static inline int32_t half_difference(int32_t acc, int32_t gravity)
{
	return (acc - gravity) >> 1;
}

static inline int16_t half_length(int32_t x, int32_t y, int32_t z)
{
	uint32_t sum_sq = (uint32_t)(x * x) + (uint32_t)(y * y) + (uint32_t)(z * z);

	return (int16_t)emlearn_q_isqrt32(sum_sq >> 2);
}

static const int16_t *extract_motion(const struct source *source, const struct stream_def *def, int16_t *out)
{
	const int16_t *acc = find_row(source, def->a);
	const int16_t *gravity = find_row(source, def->b);
	int16_t *to = out;
	const int16_t *end = out + source->window->len;

	if (acc == NULL || gravity == NULL) {
		return NULL;
	}
	do {
		*to++ = (int16_t)half_difference(*acc++, *gravity++);
	} while (to != end);
	return out;
}

static const int16_t *extract_mag(const struct source *source, const struct stream_def *def, int16_t *out)
{
	const int16_t *x = find_row(source, def->a);
	const int16_t *y = find_row(source, def->a + 1u);
	const int16_t *z = find_row(source, def->a + 2u);
	int16_t *to = out;
	const int16_t *end = out + source->window->len;

	if (x == NULL || y == NULL || z == NULL) {
		return NULL;
	}
	do {
		*to++ = half_length(*x++, *y++, *z++);
	} while (to != end);
	return out;
}

static const int16_t *extract_motion_mag(const struct source *source, const struct stream_def *def, int16_t *out)
{
	const int16_t *acc[EMLEARN_AXES];
	const int16_t *gravity[EMLEARN_AXES];
	uint32_t len = source->window->len;

	for (uint32_t axis = 0; axis < EMLEARN_AXES; axis++) {
		const struct stream_def *motion = &stream_defs[def->a + axis];

		acc[axis] = find_row(source, motion->a);
		gravity[axis] = find_row(source, motion->b);
		if (acc[axis] == NULL || gravity[axis] == NULL) {
			return NULL;
		}
	}
	for (uint32_t i = 0; i < len; i++) {
		out[i] = half_length(half_difference(acc[0][i], gravity[0][i]),
				     half_difference(acc[1][i], gravity[1][i]),
				     half_difference(acc[2][i], gravity[2][i]));
	}
	return out;
}

/*
 * Make a stream of one signal, in the order of the ring.
 *
 * Returns the samples, in the ring or in out, or NULL if the window lacks a row for it.
 */
static const int16_t *extract(const struct source *source, uint32_t stream, int16_t *out)
{
	const struct stream_def *def = &stream_defs[stream];

	switch (def->kind) {
	case KIND_ROW:
		return find_row(source, def->a);
	case KIND_MOTION:
		return extract_motion(source, def, out);
	case KIND_MAG:
		return extract_mag(source, def, out);
	default:
		return extract_motion_mag(source, def, out);
	}
}

/* Make room for x between the extremes. One comparison rules out both a new minimum and a new maximum. */
static inline void widen(int32_t *min, uint32_t *range, int32_t x)
{
	if ((uint32_t)(x - *min) > *range) {
		if (x < *min) {
			*range += (uint32_t)(*min - x);
			*min = x;
		} else {
			*range = (uint32_t)(x - *min);
		}
	}
}

/* Sums and extremes. By pairs, because a sum of two squares fits 32 bits; the last sample may have no partner. */
static NOINLINE void find_moments(struct moments *m, const int16_t *x, uint32_t n)
{
	const int16_t *end = x + (n & ~1u);
	int32_t last = x[n - 1u];
	int32_t min = last;
	uint32_t range = 0;
	int32_t sum = n % 2u != 0u ? last : 0;
	uint64_t sum_sq = (uint32_t)(sum * sum);

	if (x != end) {
		do {
			int32_t a = *x++;
			int32_t b = *x++;

			sum += a + b;
			sum_sq += (uint32_t)(a * a) + (uint32_t)(b * b);
			widen(&min, &range, a);
			widen(&min, &range, b);
		} while (x != end);
	}
	m->sum = sum;
	m->sum_sq = sum_sq;
	m->min = (int16_t)min;
	m->max = (int16_t)(min + (int32_t)range);
}

/* n times the sum of squared deviations from the mean, exactly. */
static uint64_t scatter(const struct moments *m, uint16_t n)
{
	return n * m->sum_sq - (uint64_t)((int64_t)m->sum * m->sum);
}

/* Whether a sample is above the mean, from its difference mean - x: the sign bit. */
static inline uint32_t is_above(int32_t difference)
{
	return (uint32_t)difference >> 31;
}

/* Crossings from sample to sample around the ring, but for the step from the newest to the oldest. */
static NOINLINE int16_t count_crossings(const int16_t *x, uint32_t n, uint32_t oldest, int32_t mean)
{
	const int16_t *end = x + n;
	int32_t last = mean - x[n - 1u];
	int32_t around = (mean - x[oldest]) ^ (mean - x[oldest > 0u ? oldest - 1u : n - 1u]);
	uint32_t count = 0;

	do {
		int32_t difference = mean - *x++;

		count += is_above(difference ^ last);
		last = difference;
	} while (x != end);
	return (int16_t)(count - is_above(around));
}

static uint32_t distance(int32_t a, int32_t b)
{
	return (uint32_t)(a < b ? b - a : a - b);
}

/* As with crossings: all steps around the ring but one. */
static NOINLINE int16_t mean_jerk(const int16_t *x, uint32_t n, uint32_t oldest)
{
	const int16_t *end = x + n;
	int32_t last = x[n - 1u];
	uint32_t around = distance(x[oldest > 0u ? oldest - 1u : n - 1u], x[oldest]);
	uint32_t sum = 0;

	if (n < 2u) {
		return 0;
	}
	do {
		int32_t sample = *x++;

		sum += distance(sample, last);
		last = sample;
	} while (x != end);
	return (int16_t)((sum - around) / (2u * (n - 1u)));
}

static uint8_t bit_length(uint64_t x)
{
	uint8_t n = 0;

	for (; x != 0; x >>= 1) {
		n++;
	}
	return n;
}

static NOINLINE int16_t correlation(const int16_t *x, const int16_t *y, uint16_t n)
{
	struct moments mx;
	struct moments my;
	int64_t sum_xy = 0;

	find_moments(&mx, x, n);
	find_moments(&my, y, n);
	for (uint32_t i = 0; i < n; i++) {
		sum_xy += x[i] * y[i];
	}

	int64_t cov = n * sum_xy - (int64_t)mx.sum * my.sum;
	uint64_t size = (uint64_t)(cov < 0 ? -cov : cov);
	uint64_t den = (uint64_t)emlearn_q_isqrt64(scatter(&mx, n)) * emlearn_q_isqrt64(scatter(&my, n));

	if (den == 0) {
		return 0;
	}

	uint8_t bits = bit_length(den);
	uint8_t shift = bits > 48 ? (uint8_t)(bits - 48) : 0;
	uint64_t r = (size >> shift) * INT16_MAX / (den >> shift);

	if (r > INT16_MAX) {
		r = INT16_MAX;
	}
	return (int16_t)(cov < 0 ? -(int32_t)r : (int32_t)r);
}

/* Every statistic in `wanted` (bits by number) of a stream of one signal, at its number in stats. */
static void run_single(const int16_t *x, const struct source *source, uint32_t wanted, int16_t *scratch,
		       int16_t stats[EMLEARN_N_STATS])
{
	uint16_t n = source->window->len;
	uint16_t oldest = source->window->pos;
	struct moments m;
	int16_t quartiles[EMLEARN_N_QUARTILES];

	find_moments(&m, x, n);
	stats[EMLEARN_STAT_MIN] = m.min;
	stats[EMLEARN_STAT_MAX] = m.max;
	stats[EMLEARN_STAT_PTP] = (int16_t)((m.max - m.min) >> 1);
	if ((wanted & (STAT_BIT(MEAN) | STAT_BIT(CROSSINGS))) != 0u) {
		stats[EMLEARN_STAT_MEAN] = (int16_t)emlearn_q_div_round(m.sum, n);
	}
	if ((wanted & STAT_BIT(STD)) != 0u) {
		stats[EMLEARN_STAT_STD] = (int16_t)(emlearn_q_isqrt64(scatter(&m, n)) / n);
	}
	if ((wanted & STAT_BIT(RMS)) != 0u) {
		/* isqrt(Q / n), without a division of 64 bits. */
		stats[EMLEARN_STAT_RMS] = emlearn_q_sat16((int32_t)(emlearn_q_isqrt64(n * m.sum_sq) / n));
	}
	if ((wanted & STAT_BIT(CROSSINGS)) != 0u) {
		stats[EMLEARN_STAT_CROSSINGS] = count_crossings(x, n, oldest, stats[EMLEARN_STAT_MEAN]);
	}
	if ((wanted & STAT_BIT(JERK)) != 0u) {
		stats[EMLEARN_STAT_JERK] = mean_jerk(x, n, oldest);
	}
	if ((wanted & STATS_OF_ORDER) != 0u) {
		/* Last, because it uses up a stream that is not in the ring. */
		emlearn_quartiles_run(x, n, m.min, m.max, scratch, scratch + n, quartiles);
		stats[EMLEARN_STAT_Q25] = quartiles[0];
		stats[EMLEARN_STAT_MEDIAN] = quartiles[1];
		stats[EMLEARN_STAT_Q75] = quartiles[2];
		stats[EMLEARN_STAT_IQR] = (int16_t)((quartiles[2] - quartiles[0]) >> 1);
	}
}

/* The statistics, one bit each, of the features of one stream that stand at the front of the list. */
static NOINLINE uint32_t collect(const uint16_t **features, const uint16_t *end)
{
	const uint16_t *feature = *features;
	uint32_t stream = *feature >> 8;
	uint32_t wanted = 0;

	do {
		wanted |= 1u << (*feature & 31u);
		if ((*feature & 0xffu) >= EMLEARN_N_STATS) {
			return 0;
		}
		feature++;
	} while (feature != end && *feature >> 8 == stream);
	*features = feature;
	return wanted;
}

/* The wanted statistics of a stream, each at its number in stats. False if there is no such stream. */
static bool run_stream(const struct source *source, uint32_t stream, uint32_t wanted, int16_t *scratch, int16_t *stats)
{
	const struct stream_def *def = &stream_defs[stream];
	const int16_t *x;
	const int16_t *y;

	if (def->kind != KIND_PAIR) {
		x = extract(source, stream, scratch);
		if (x == NULL || (wanted & ~stats_of_arity[1]) != 0u) {
			return false;
		}
		run_single(x, source, wanted, scratch, stats);
		return true;
	}
	x = extract(source, def->a, scratch);
	y = extract(source, def->b, scratch + source->window->len);
	if (x == NULL || y == NULL || (wanted & ~stats_of_arity[2]) != 0u) {
		return false;
	}
	stats[EMLEARN_STAT_CORR] = correlation(x, y, source->window->len);
	return true;
}

static NOINLINE void copy_stats(const int16_t *stats, const uint16_t *features, const uint16_t *end, int16_t *out)
{
	do {
		*out++ = stats[*features++ & 0xffu];
	} while (features != end);
}

int emlearn_features_run(const struct emlearn_window *window, const uint8_t row_of[EMLEARN_N_ROWS],
			 const uint16_t *features, uint16_t n_features, int16_t *scratch, int16_t *out)
{
	const struct source source = {.window = window, .row_of = row_of};
	const uint16_t *end = features + n_features;
	int16_t stats[EMLEARN_N_STATS];

	while (features != end) {
		const uint16_t *next = features;
		uint32_t stream = *features >> 8;
		uint32_t wanted = collect(&next, end);

		if (stream >= EMLEARN_N_STREAMS || wanted == 0u ||
		    !run_stream(&source, stream, wanted, scratch, stats)) {
			return -EINVAL;
		}
		copy_stats(stats, features, next, out);
		out += next - features;
		features = next;
	}
	return 0;
}
