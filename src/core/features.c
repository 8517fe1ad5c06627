/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include <emlearn/features.h>
#include <emlearn/q.h>
#include <emlearn/types.h>

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

static const uint8_t stat_arity[EMLEARN_N_STATS] = {
#define EMLEARN_STAT(id, name, arity) arity,
#include <emlearn/features.def>
};

/* Where streams come from. */
struct source {
	const struct emlearn_window *window;
	const uint8_t *row_of;
};

struct moments {
	int32_t sum;
	uint64_t sum_sq;
	int16_t min;
	int16_t max;
};

struct quartiles {
	int16_t q25;
	int16_t median;
	int16_t q75;
};

static bool has_rows(const struct source *source, uint8_t first, uint8_t n_rows)
{
	for (uint8_t i = 0; i < n_rows; i++) {
		if (source->row_of[first + i] == EMLEARN_ROW_NONE) {
			return false;
		}
	}
	return true;
}

static bool extract_row(const struct source *source, uint8_t row, int16_t *out)
{
	if (!has_rows(source, row, 1)) {
		return false;
	}
	emlearn_window_copy(source->window, source->row_of[row], out);
	return true;
}

/* One sample of a row, counted from the oldest. */
static int16_t sample_at(const struct source *source, uint8_t row, uint16_t i)
{
	const struct emlearn_window *window = source->window;
	size_t at = (size_t)window->pos + i;

	if (at >= window->len) {
		at -= window->len;
	}
	return window->ring[(size_t)source->row_of[row] * window->len + at];
}

/* (acc - gravity) / 2 rounded down: always fits. */
static int16_t motion_at(const struct source *source, const struct stream_def *def, uint16_t i)
{
	return (int16_t)((sample_at(source, def->a, i) - sample_at(source, def->b, i)) >> 1);
}

static int16_t half_length(int16_t x, int16_t y, int16_t z)
{
	uint32_t sum_sq = (uint32_t)(x * x) + (uint32_t)(y * y) + (uint32_t)(z * z);

	return (int16_t)emlearn_q_isqrt32(sum_sq >> 2);
}

/* Make a stream of one signal. */
static bool extract(const struct source *source, uint8_t stream, int16_t *out)
{
	const struct stream_def *def = &stream_defs[stream];
	const struct stream_def *motion;
	uint16_t len = source->window->len;

	switch (def->kind) {
	case KIND_ROW:
		return extract_row(source, def->a, out);
	case KIND_MOTION:
		if (!has_rows(source, def->a, 1) || !has_rows(source, def->b, 1)) {
			return false;
		}
		for (uint16_t i = 0; i < len; i++) {
			out[i] = motion_at(source, def, i);
		}
		return true;
	case KIND_MAG:
		if (!has_rows(source, def->a, EMLEARN_AXES)) {
			return false;
		}
		for (uint16_t i = 0; i < len; i++) {
			out[i] = half_length(sample_at(source, def->a, i), sample_at(source, def->a + 1, i),
					     sample_at(source, def->a + 2, i));
		}
		return true;
	case KIND_MOTION_MAG:
		motion = &stream_defs[def->a];
		if (!has_rows(source, motion->a, EMLEARN_AXES) || !has_rows(source, motion->b, EMLEARN_AXES)) {
			return false;
		}
		for (uint16_t i = 0; i < len; i++) {
			out[i] = half_length(motion_at(source, &motion[0], i), motion_at(source, &motion[1], i),
					     motion_at(source, &motion[2], i));
		}
		return true;
	default:
		return false;
	}
}

static struct moments find_moments(const int16_t *x, uint16_t n)
{
	struct moments m = {.min = x[0], .max = x[0]};

	for (uint16_t i = 0; i < n; i++) {
		m.sum += x[i];
		m.sum_sq += (uint32_t)(x[i] * x[i]);
		if (x[i] < m.min) {
			m.min = x[i];
		}
		if (x[i] > m.max) {
			m.max = x[i];
		}
	}
	return m;
}

/* n times the sum of squared deviations from the mean, exactly. */
static uint64_t scatter(const struct moments *m, uint16_t n)
{
	return n * m->sum_sq - (uint64_t)((int64_t)m->sum * m->sum);
}

/* The sample of a rank (0 the smallest), by bisection over the values. */
static int16_t select_rank(const int16_t *x, uint16_t n, uint16_t rank, int32_t low, int32_t high)
{
	while (low < high) {
		int32_t middle = low + (high - low) / 2;
		uint16_t n_below = 0;

		for (uint16_t i = 0; i < n; i++) {
			n_below = (uint16_t)(n_below + (x[i] <= middle));
		}
		if (n_below > rank) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return (int16_t)low;
}

static struct quartiles find_quartiles(const int16_t *x, uint16_t n, const struct moments *m)
{
	uint32_t last = n - 1u;

	return (struct quartiles){
		.q25 = select_rank(x, n, (uint16_t)(last / 4), m->min, m->max),
		.median = select_rank(x, n, (uint16_t)(last / 2), m->min, m->max),
		.q75 = select_rank(x, n, (uint16_t)(3 * last / 4), m->min, m->max),
	};
}

static int16_t count_crossings(const int16_t *x, uint16_t n, int16_t mean)
{
	int16_t count = 0;

	for (uint16_t i = 1; i < n; i++) {
		if ((x[i] > mean) != (x[i - 1] > mean)) {
			count++;
		}
	}
	return count;
}

static int16_t mean_jerk(const int16_t *x, uint16_t n)
{
	uint32_t sum = 0;

	if (n < 2) {
		return 0;
	}
	for (uint16_t i = 1; i < n; i++) {
		int32_t step = x[i] - x[i - 1];

		sum += (uint32_t)(step < 0 ? -step : step);
	}
	return (int16_t)(sum / (2u * (n - 1u)));
}

static uint8_t bit_length(uint64_t x)
{
	uint8_t n = 0;

	for (; x != 0; x >>= 1) {
		n++;
	}
	return n;
}

static int16_t correlation(const int16_t *x, const int16_t *y, uint16_t n)
{
	struct moments mx = find_moments(x, n);
	struct moments my = find_moments(y, n);
	int64_t sum_xy = 0;

	for (uint16_t i = 0; i < n; i++) {
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

static int16_t single_stat(uint8_t stat, const int16_t *x, uint16_t n, const struct moments *m,
			   const struct quartiles *q)
{
	int16_t mean = (int16_t)emlearn_q_div_round(m->sum, n);

	switch (stat) {
	case EMLEARN_STAT_MEAN:
		return mean;
	case EMLEARN_STAT_STD:
		return (int16_t)(emlearn_q_isqrt64(scatter(m, n)) / n);
	case EMLEARN_STAT_MIN:
		return m->min;
	case EMLEARN_STAT_MAX:
		return m->max;
	case EMLEARN_STAT_MEDIAN:
		return q->median;
	case EMLEARN_STAT_Q25:
		return q->q25;
	case EMLEARN_STAT_Q75:
		return q->q75;
	case EMLEARN_STAT_IQR:
		return (int16_t)((q->q75 - q->q25) >> 1);
	case EMLEARN_STAT_PTP:
		return (int16_t)((m->max - m->min) >> 1);
	case EMLEARN_STAT_RMS:
		return emlearn_q_sat16((int32_t)emlearn_q_isqrt32((uint32_t)(m->sum_sq / n)));
	case EMLEARN_STAT_CROSSINGS:
		return count_crossings(x, n, mean);
	default:
		return mean_jerk(x, n);
	}
}

static bool needs_order(uint8_t stat)
{
	return stat >= EMLEARN_STAT_MEDIAN && stat <= EMLEARN_STAT_IQR;
}

/* The features of one stream: n of them, listed one behind the other. */
static bool run_stream(const struct source *source, const uint16_t *features, uint16_t n_features, int16_t *scratch,
		       int16_t *out)
{
	uint8_t stream = (uint8_t)(features[0] >> 8);
	uint16_t n = source->window->len;
	const struct stream_def *def = &stream_defs[stream];
	bool pair = def->kind == KIND_PAIR;
	bool order = false;

	for (uint16_t i = 0; i < n_features; i++) {
		uint8_t stat = (uint8_t)features[i];

		if (stat >= EMLEARN_N_STATS || stat_arity[stat] != (pair ? 2 : 1)) {
			return false;
		}
		order = order || needs_order(stat);
	}

	if (pair) {
		if (!extract(source, def->a, scratch) || !extract(source, def->b, scratch + n)) {
			return false;
		}
		for (uint16_t i = 0; i < n_features; i++) {
			out[i] = correlation(scratch, scratch + n, n);
		}
		return true;
	}

	if (!extract(source, stream, scratch)) {
		return false;
	}
	struct moments m = find_moments(scratch, n);
	struct quartiles q = {0};

	if (order) {
		q = find_quartiles(scratch, n, &m);
	}
	for (uint16_t i = 0; i < n_features; i++) {
		out[i] = single_stat((uint8_t)features[i], scratch, n, &m, &q);
	}
	return true;
}

int emlearn_features_run(const struct emlearn_window *window, const uint8_t row_of[EMLEARN_N_ROWS],
			 const uint16_t *features, uint16_t n_features, int16_t *scratch, int16_t *out)
{
	const struct source source = {.window = window, .row_of = row_of};
	uint16_t first = 0;

	while (first < n_features) {
		uint16_t stream = features[first] >> 8;
		uint16_t n = 1;

		while (first + n < n_features && features[first + n] >> 8 == stream) {
			n++;
		}
		if (stream >= EMLEARN_N_STREAMS || !run_stream(&source, &features[first], n, scratch, &out[first])) {
			return -EINVAL;
		}
		first = (uint16_t)(first + n);
	}
	return 0;
}
