/* SPDX-License-Identifier: Apache-2.0 */
#include "recording_table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <emlearn/types.h>

/* A clock that was set rather than frames that are missing: what is played waits for each of them. */
#define STEP_MAX_S 86400

static const char *const axes[] = {"acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"};

static char message[512];

const char *recording_table_fail(const char *path, unsigned long line, const char *format, ...)
{
	va_list arguments;
	int n = line > 0 ? snprintf(message, sizeof(message), "%s:%lu: ", path, line)
			 : snprintf(message, sizeof(message), "%s: ", path);

	if (n >= 0 && (size_t)n < sizeof(message)) {
		va_start(arguments, format);
		vsnprintf(message + n, sizeof(message) - (size_t)n, format, arguments);
		va_end(arguments);
	}
	return message;
}

int recording_table_find(const char *const names[], unsigned int n, const char *name)
{
	for (unsigned int i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

/* The first in the alphabet of the names that are there more than once; NULL without. */
static const char *find_twice(const char *const names[], unsigned int n)
{
	const char *twice = NULL;

	for (unsigned int i = 0; i < n; i++) {
		if (names[i][0] != '\0' && recording_table_find(names, i, names[i]) >= 0 &&
		    (twice == NULL || strcmp(names[i], twice) < 0)) {
			twice = names[i];
		}
	}
	return twice;
}

const char *recording_table_columns(const char *path, unsigned long line, const char *const names[], unsigned int n,
				    uint8_t sensors, struct recording_columns *columns, struct recording_file *table)
{
	const char *twice = find_twice(names, n);
	int column = recording_table_find(names, n, "time");

	if (twice != NULL) {
		return recording_table_fail(path, line, "column %s is there twice", twice);
	}
	if (column < 0) {
		return recording_table_fail(path, line, "column time is missing");
	}
	columns->time = (unsigned int)column;
	columns->label = recording_table_find(names, n, "label");
	for (unsigned int i = 0; sensors == 0 && i < RECORDING_CHANNELS_MAX; i++) {
		if (recording_table_find(names, n, axes[i]) >= 0) {
			table->sensors |= i < EMLEARN_AXES ? EMLEARN_SENSOR_ACC : EMLEARN_SENSOR_GYRO;
		}
	}
	if (sensors != 0) {
		table->sensors = sensors;
	} else if (table->sensors == 0) {
		return recording_table_fail(path, line, "columns acc_x, acc_y, acc_z are missing");
	}
	for (unsigned int i = 0; i < RECORDING_CHANNELS_MAX; i++) {
		if ((table->sensors & (i < EMLEARN_AXES ? EMLEARN_SENSOR_ACC : EMLEARN_SENSOR_GYRO)) == 0) {
			continue;
		}
		column = recording_table_find(names, n, axes[i]);
		if (column < 0) {
			return recording_table_fail(path, line, "column %s is missing", axes[i]);
		}
		columns->channels[table->n_channels++] = (unsigned int)column;
	}
	return NULL;
}

const char *recording_table_channel(const struct recording_file *table, unsigned int channel)
{
	return axes[channel + ((table->sensors & EMLEARN_SENSOR_ACC) != 0 ? 0 : EMLEARN_AXES)];
}

const char *recording_table_check_time(const char *path, unsigned long line, double time_s,
				       const struct recording_file *table)
{
	const size_t frame = table->n_frames;
	const double before_s = frame > 0 ? table->time_s[frame - 1] : time_s;

	if (time_s < before_s) {
		return recording_table_fail(path, line,
					    "time goes back from %.6g s to %.6g s at frame %zu; one file holds one "
					    "recording; split it where time starts again",
					    before_s, time_s, frame);
	}
	if (time_s - before_s > STEP_MAX_S) {
		return recording_table_fail(path, line,
					    "time jumps by %.4g s at frame %zu, from %.6g s to %.6g s; one file holds "
					    "one recording; split it where the clock was set",
					    time_s - before_s, frame, before_s, time_s);
	}
	return NULL;
}

void *recording_table_grow(void *array, size_t *room, size_t n, size_t size)
{
	if (n < *room) {
		return array;
	}
	*room = *room > 0 ? 2 * *room : 1024;
	array = realloc(array, *room * size);
	if (array == NULL) {
		fputs("error: out of memory\n", stderr);
		exit(1);
	}
	return array;
}

void recording_table_add(struct recording_file *table, double time_s, const double *values, const char *label)
{
	size_t i = table->n_frames;
	size_t room = table->room_frames;

	table->time_s = recording_table_grow(table->time_s, &room, i, sizeof(*table->time_s));
	table->values =
		recording_table_grow(table->values, &table->room_frames, i, table->n_channels * sizeof(*table->values));
	table->time_s[i] = time_s;
	memcpy(&table->values[i * table->n_channels], values, table->n_channels * sizeof(*values));
	table->n_frames++;
	if (table->n_spans == 0 || strcmp(table->spans[table->n_spans - 1].label, label) != 0) {
		table->spans =
			recording_table_grow(table->spans, &table->room_spans, table->n_spans, sizeof(*table->spans));
		table->spans[table->n_spans++].label = strdup(label);
	}
	table->spans[table->n_spans - 1].stop = (uint32_t)table->n_frames;
}
