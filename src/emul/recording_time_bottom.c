/* SPDX-License-Identifier: Apache-2.0 */
#include "recording_time.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Named and explained in emlearn_tools/timestamps.py. */
#define BLOCK_FRAMES 16
#define EVEN_SHARE 0.8
#define GAP_PERIODS 1.5
#define CATCH_UP_FRAMES 8
#define CATCH_UP_PERIODS 0.5
#define RATE_MIN_HZ 1.0
#define RATE_MAX_HZ 20000.0

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of the times that `span` steps take; negative without memory. */
static double median_span(const double *time_s, size_t n, size_t span)
{
	size_t m = n - span;
	double *spans = malloc(m * sizeof(*spans));
	double median;

	if (spans == NULL) {
		return -1;
	}
	for (size_t i = 0; i < m; i++) {
		spans[i] = time_s[i + span] - time_s[i];
	}
	qsort(spans, m, sizeof(*spans), compare);
	median = m % 2 == 1 ? spans[m / 2] : (spans[m / 2 - 1] + spans[m / 2]) / 2;
	free(spans);
	return median;
}

/* The median step, or where stamps come in bursts the median over blocks of steps. */
static double first_period(const double *time_s, size_t n)
{
	size_t n_steps = n - 1;
	size_t block = n_steps < BLOCK_FRAMES ? n_steps : BLOCK_FRAMES;
	double median = median_span(time_s, n, 1);
	double in_blocks;
	size_t n_even = 0;

	for (size_t i = 0; i < n_steps; i++) {
		n_even += fabs(time_s[i + 1] - time_s[i] - median) <= 0.5 * median;
	}
	if (median > 0 && (double)n_even / (double)n_steps >= EVEN_SHARE) {
		return median;
	}
	in_blocks = median_span(time_s, n, block) / (double)block;
	return in_blocks > 0 ? in_blocks : (time_s[n - 1] - time_s[0]) / (double)n_steps;
}

static int is_plausible(double period_s)
{
	return period_s > 0 && 1 / period_s >= RATE_MIN_HZ && 1 / period_s <= RATE_MAX_HZ;
}

/* Periods by which frame i comes later than frame 0 and a steady rate would have it. */
static double late(const double *time_s, size_t i, double period_s)
{
	return (time_s[i] - time_s[0]) / period_s - (double)i;
}

/* The frame at or behind `frame`, which came after a long step, that is on time again. */
static size_t settle(const double *time_s, size_t n, size_t frame, double period_s)
{
	size_t last = frame;
	size_t settled = frame;

	for (size_t i = frame; i < frame + CATCH_UP_FRAMES && i + 1 < n; i++) {
		if (time_s[i + 1] - time_s[i] < CATCH_UP_PERIODS * period_s) {
			last = i + 1;
		}
	}
	for (size_t i = frame + 1; i <= last; i++) {
		if (late(time_s, i, period_s) < late(time_s, settled, period_s)) {
			settled = i;
		}
	}
	return settled;
}

/* Fill gaps; outside_s and n_outside: time and number of the steps that belong to none. Returns the number of gaps. */
static long find_gaps(const double *time_s, size_t n, double period_s, struct emlearn_recording_gap *gaps,
		      double *outside_s, size_t *n_outside)
{
	long n_gaps = 0;
	size_t behind = 0; /* steps up to this frame belong to a gap */

	*outside_s = 0;
	*n_outside = 0;
	for (size_t frame = 1; frame < n; frame++) {
		double step_s = time_s[frame] - time_s[frame - 1];

		if (step_s > GAP_PERIODS * period_s) {
			size_t settled = settle(time_s, n, frame, period_s);
			double lost = late(time_s, settled, period_s) - late(time_s, frame - 1, period_s);

			if (lost > GAP_PERIODS - 1) {
				gaps[n_gaps].frame = (uint32_t)frame;
				gaps[n_gaps].n_lost = (uint32_t)fmax(1, rint(lost));
				n_gaps++;
				behind = settled > behind ? settled : behind;
			}
		}
		if (frame > behind) {
			*outside_s += step_s;
			*n_outside += 1;
		}
	}
	return n_gaps;
}

long recording_time_measure(const double *time_s, size_t n, struct emlearn_recording_gap *gaps, double *rate_hz)
{
	double period;
	double outside_s;
	size_t n_outside;
	long n_gaps;

	if (n < 2) {
		return -1;
	}
	period = first_period(time_s, n);
	if (!is_plausible(period)) {
		return -1;
	}
	n_gaps = find_gaps(time_s, n, period, gaps, &outside_s, &n_outside);
	if (outside_s > 0) {
		period = outside_s / (double)n_outside;
		if (!is_plausible(period)) {
			return -1;
		}
		n_gaps = find_gaps(time_s, n, period, gaps, &outside_s, &n_outside);
	}
	*rate_hz = 1 / period;
	return n_gaps;
}
