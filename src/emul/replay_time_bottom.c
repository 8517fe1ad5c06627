/* SPDX-License-Identifier: Apache-2.0 */
#include "replay_time.h"

#include <math.h>
#include <stdlib.h>

#define BLOCK_FRAMES 16
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

/* The median of the mean period over blocks of steps; negative without memory. */
static double block_period(const double *time_s, size_t n)
{
	size_t block = n - 1 < BLOCK_FRAMES ? n - 1 : BLOCK_FRAMES;
	size_t m = n - block;
	double *spans = malloc(m * sizeof(*spans));
	double median;

	if (spans == NULL) {
		return -1;
	}
	for (size_t i = 0; i < m; i++) {
		spans[i] = time_s[i + block] - time_s[i];
	}
	qsort(spans, m, sizeof(*spans), compare);
	median = m % 2 == 1 ? spans[m / 2] : (spans[m / 2 - 1] + spans[m / 2]) / 2;
	free(spans);
	return median / (double)block;
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

static size_t find_gaps(const double *time_s, size_t n, double period_s, struct emlearn_recording_gap *gaps)
{
	size_t n_gaps = 0;

	for (size_t frame = 1; frame < n; frame++) {
		size_t settled = frame;
		double least;
		double lost;

		if (!(time_s[frame] - time_s[frame - 1] > GAP_PERIODS * period_s)) {
			continue;
		}
		/* A frame that only came late is no gap: the ones behind it then follow faster. */
		for (size_t i = frame; i < frame + CATCH_UP_FRAMES && i + 1 < n; i++) {
			if (time_s[i + 1] - time_s[i] < CATCH_UP_PERIODS * period_s) {
				settled = i + 1;
			}
		}
		least = late(time_s, frame, period_s);
		for (size_t i = frame + 1; i <= settled; i++) {
			least = fmin(least, late(time_s, i, period_s));
		}
		lost = least - late(time_s, frame - 1, period_s);
		if (lost > GAP_PERIODS - 1) {
			gaps[n_gaps].frame = (uint32_t)frame;
			gaps[n_gaps].n_lost = (uint32_t)fmax(1, rint(lost));
			n_gaps++;
		}
	}
	return n_gaps;
}

long replay_time_measure(const double *time_s, size_t n, struct emlearn_recording_gap *gaps, double *rate_hz)
{
	double period;
	size_t n_gaps;

	if (n < 2) {
		return -1;
	}
	period = block_period(time_s, n);
	if (period <= 0) {
		period = (time_s[n - 1] - time_s[0]) / (double)(n - 1);
	}
	if (!is_plausible(period)) {
		return -1;
	}
	n_gaps = find_gaps(time_s, n, period, gaps);
	if (n_gaps < n - 1) {
		double whole = time_s[n - 1] - time_s[0];
		double missing = 0;

		for (size_t i = 0; i < n_gaps; i++) {
			missing += time_s[gaps[i].frame] - time_s[gaps[i].frame - 1];
		}
		period = (whole - missing) / (double)(n - 1 - n_gaps);
		if (!is_plausible(period)) {
			return -1;
		}
		n_gaps = find_gaps(time_s, n, period, gaps);
	}
	*rate_hz = 1 / period;
	return (long)n_gaps;
}
