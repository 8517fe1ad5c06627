/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: the unit of an acceleration, by the rules of emlearn_tools.units. */
#include "recording_unit.h"

#include <math.h>
#include <stdlib.h>

#include <emlearn/types.h>

/* Named and explained in emlearn_tools/units.py. */
#define G_M_S2 9.80665
#define IN_G_MIN 0.6
#define IN_G_MAX 2.2
#define MAX_MEDIAN_G 4.0
#define IN_MG_MAX 1.5

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median length of the finite accelerations; 0 without any, negative without memory. */
static double median_acc(const struct recording_file *table)
{
	double *lengths = malloc((table->n_frames + 1) * sizeof(*lengths));
	double median = 0;
	size_t n = 0;

	if (lengths == NULL) {
		return -1;
	}
	for (size_t i = 0; i < table->n_frames; i++) {
		const double *acc = &table->values[i * table->n_channels];
		double length = sqrt(acc[0] * acc[0] + acc[1] * acc[1] + acc[2] * acc[2]);

		if (isfinite(length)) {
			lengths[n++] = length;
		}
	}
	qsort(lengths, n, sizeof(*lengths), compare);
	if (n > 0) {
		median = n % 2 == 1 ? lengths[n / 2] : (lengths[n / 2 - 1] + lengths[n / 2]) / 2;
	}
	free(lengths);
	return median;
}

/* For a median above MAX_MEDIAN_G. */
static const char *looks_like(double median)
{
	if (median / G_M_S2 >= IN_G_MIN && median / G_M_S2 <= IN_G_MAX) {
		return ", which looks like m/s2; divide the acceleration by 9.80665";
	}
	if (median / 1000 >= IN_G_MIN && median / 1000 <= IN_MG_MAX) {
		return ", which looks like mg; divide the acceleration by 1000";
	}
	if (median > 1500 || (median > 100 && median < 600)) {
		return ", which looks like raw counts; multiply the acceleration by the chip's step in g, as in full "
		       "scale / 32768";
	}
	return "; give the acceleration in g, gravity included";
}

const char *recording_unit_check(const char *path, const struct recording_file *table)
{
	double median;

	if ((table->sensors & EMLEARN_SENSOR_ACC) == 0) {
		return NULL;
	}
	median = median_acc(table);
	if (median < 0) {
		return recording_table_fail(path, 0, "is too long for the memory of this host");
	}
	if (median <= MAX_MEDIAN_G) {
		return NULL;
	}
	return recording_table_fail(path, 0, "median |acc| is %.4g, not near 1 g%s", median, looks_like(median));
}
