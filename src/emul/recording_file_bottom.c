/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: a file into memory, its rate and gaps, and onto a grid. */
#include "recording_file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <emlearn/types.h>

#include "recording_table.h"
#include "recording_time.h"
#include "recording_unit.h"

static const char npy_magic[] = "\x93NUMPY";

static int has_suffix(const char *path, const char *suffix)
{
	size_t n = strlen(path);
	size_t m = strlen(suffix);

	return n >= m && strcasecmp(path + n - m, suffix) == 0;
}

static const char *read_form(FILE *file, const char *path, uint8_t sensors, struct recording_file *table)
{
	char start[sizeof(npy_magic) - 1];
	size_t n = fread(start, 1, sizeof(start), file);

	rewind(file);
	if (n == sizeof(start) && memcmp(start, npy_magic, n) == 0) {
		return recording_npy_read(file, path, sensors, table);
	}
	if (has_suffix(path, ".npy")) {
		return recording_table_fail(path, 0, "does not begin as an NPY file does");
	}
	if (has_suffix(path, ".npz")) {
		return recording_table_fail(path, 0, "is an archive; CSV or NPY is read here");
	}
	return recording_csv_read(file, path, sensors, table);
}

static const char *measure(const char *path, struct recording_file *table)
{
	double rate_hz = 0;
	long n_gaps;

	if (table->n_frames == 0) {
		return recording_table_fail(path, 0, "holds no frames");
	}
	table->gaps = malloc(table->n_frames * sizeof(*table->gaps));
	n_gaps = table->gaps != NULL ? recording_time_measure(table->time_s, table->n_frames, table->gaps, &rate_hz)
				     : -1;
	if (n_gaps < 0) {
		return recording_table_fail(path, 0, "the time stamps give no rate of an IMU; time is in seconds");
	}
	table->n_gaps = (size_t)n_gaps;
	table->rate_mhz = (uint32_t)lround(rate_hz * 1000);
	return NULL;
}

/* Only a file can be read from its start again, and opening a pipe may wait for ever. */
static const char *check_kind(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0) {
		return recording_table_fail(path, 0, "cannot be opened (%s)", strerror(errno));
	}
	if (S_ISDIR(status.st_mode)) {
		return recording_table_fail(path, 0, "is a folder; one recording is played, name its file");
	}
	if (!S_ISREG(status.st_mode)) {
		return recording_table_fail(path, 0, "is no regular file; save what comes from it, and name that");
	}
	return NULL;
}

static const char *read_table(const char *path, uint8_t sensors, struct recording_file *table)
{
	const char *error = check_kind(path);
	FILE *stream;

	if (error != NULL) {
		return error;
	}
	stream = fopen(path, "rb");
	if (stream == NULL) {
		return recording_table_fail(path, 0, "cannot be opened (%s)", strerror(errno));
	}
	error = read_form(stream, path, sensors, table);
	fclose(stream);
	if (error == NULL) {
		error = measure(path, table);
	}
	return error != NULL ? error : recording_unit_check(path, table);
}

const char *recording_file_read(const char *path, uint8_t sensors, struct recording_file **file)
{
	const char *error;

	*file = calloc(1, sizeof(**file));
	if (*file == NULL) {
		return recording_table_fail(path, 0, "is too long for the memory of this host");
	}
	error = read_table(path, sensors, *file);
	if (error != NULL) {
		for (size_t i = 0; i < (*file)->n_spans; i++) {
			free((void *)(*file)->spans[i].label);
		}
		free((*file)->spans);
		free((*file)->gaps);
		recording_file_free(*file);
		*file = NULL;
	}
	return error;
}

void recording_file_free(struct recording_file *file)
{
	free(file->time_s);
	free(file->values);
	free(file);
}

static double count_of(double value, double step)
{
	return floor(value / step + 0.5);
}

static int16_t clip(double count)
{
	return (int16_t)(count > INT16_MAX ? INT16_MAX : count < INT16_MIN ? INT16_MIN : count);
}

/* Is channel k of a file one of the gyroscope? */
static int is_gyro(const struct recording_file *file, unsigned int k)
{
	return (file->sensors & EMLEARN_SENSOR_ACC) == 0 || k >= EMLEARN_AXES;
}

void recording_file_quantise(const struct recording_file *file, struct emlearn_recording *out)
{
	size_t n_values = file->n_frames * file->n_channels;
	int16_t *frames = realloc((void *)out->frames, n_values * sizeof(*frames));

	if (frames == NULL) {
		fputs("error: out of memory\n", stderr);
		exit(1);
	}
	for (size_t i = 0; i < n_values; i++) {
		double step = is_gyro(file, (unsigned int)(i % file->n_channels))
				      ? (double)out->gyro_step_num / (double)out->gyro_step_den
				      : (double)out->acc_step_num / (double)out->acc_step_den;

		frames[i] = clip(count_of(file->values[i], step));
	}
	out->frames = frames;
	out->spans = file->spans;
	out->gaps = file->gaps;
	out->n_frames = (uint32_t)file->n_frames;
	out->n_spans = (uint32_t)file->n_spans;
	out->n_gaps = (uint32_t)file->n_gaps;
	out->rate_mhz = file->rate_mhz;
	out->sensors = file->sensors;
}

unsigned int recording_file_doublings(const struct recording_file *file, uint8_t sensor, uint32_t step_num,
				      uint32_t step_den, unsigned int n_max)
{
	double step = (double)step_num / (double)step_den;
	unsigned int n = 0;

	for (size_t i = 0; i < file->n_frames * file->n_channels && n < n_max; i++) {
		if (is_gyro(file, (unsigned int)(i % file->n_channels)) != (sensor == EMLEARN_SENSOR_GYRO)) {
			continue;
		}
		while (n < n_max && count_of(file->values[i], step) != clip(count_of(file->values[i], step))) {
			step *= 2;
			n++;
		}
	}
	return n;
}
