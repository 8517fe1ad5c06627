/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: a CSV recording into memory, by the rules of emlearn_tools.loaders and recording. */
#include "replay_file.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <emlearn/types.h>

#include "replay_time.h"

#define COLUMNS_MAX 64
#define CHANNELS_MAX 6
#define LINE_MAX_LEN 4096

/* A table that grows row by row. */
struct table {
	double *time_s;
	int16_t *frames;
	struct emlearn_recording_span *spans;
	size_t n_frames;
	size_t n_spans;
	size_t room_frames;
	size_t room_spans;
};

/* Where things stand in a line. */
struct layout {
	unsigned int n_columns;
	unsigned int n_channels;
	unsigned int time;
	int label; /* -1 without */
	unsigned int channels[CHANNELS_MAX];
	double steps[CHANNELS_MAX];
};

static char message[512];

static const char *fail(const char *path, unsigned long line, const char *format, ...)
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

static char *strip(char *text)
{
	size_t n;

	while (isspace((unsigned char)*text)) {
		text++;
	}
	n = strlen(text);
	while (n > 0 && isspace((unsigned char)text[n - 1])) {
		text[--n] = '\0';
	}
	return text;
}

/* Cut a line at its commas. Returns the number of fields, at most COLUMNS_MAX. */
static unsigned int split(char *line, char *fields[COLUMNS_MAX])
{
	unsigned int n = 0;
	char *next = line;

	while (next != NULL && n < COLUMNS_MAX) {
		char *comma = strchr(next, ',');

		if (comma != NULL) {
			*comma = '\0';
		}
		fields[n++] = strip(next);
		next = comma != NULL ? comma + 1 : NULL;
	}
	return n;
}

static int find(char *const fields[], unsigned int n, const char *name)
{
	for (unsigned int i = 0; i < n; i++) {
		size_t k = 0;

		while (fields[i][k] != '\0' && tolower((unsigned char)fields[i][k]) == name[k]) {
			k++;
		}
		if (fields[i][k] == '\0' && name[k] == '\0') {
			return (int)i;
		}
	}
	return -1;
}

static const char *read_header(const char *path, char *line, const struct emlearn_recording *grid,
			       struct layout *layout)
{
	static const char *const names[] = {"acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"};
	char *fields[COLUMNS_MAX];
	unsigned int n = split(line, fields);
	int column = find(fields, n, "time");

	if (column < 0) {
		return fail(path, 1, "column time is missing");
	}
	layout->n_columns = n;
	layout->n_channels = 0;
	layout->time = (unsigned int)column;
	layout->label = find(fields, n, "label");
	for (unsigned int i = 0; i < CHANNELS_MAX; i++) {
		int is_gyro = i >= EMLEARN_AXES;

		if ((grid->sensors & (is_gyro ? EMLEARN_SENSOR_GYRO : EMLEARN_SENSOR_ACC)) == 0) {
			continue;
		}
		column = find(fields, n, names[i]);
		if (column < 0) {
			return fail(path, 1, "column %s is missing", names[i]);
		}
		layout->channels[layout->n_channels] = (unsigned int)column;
		layout->steps[layout->n_channels] = is_gyro ? (double)grid->gyro_step_num / (double)grid->gyro_step_den
							    : (double)grid->acc_step_num / (double)grid->acc_step_den;
		layout->n_channels++;
	}
	return NULL;
}

/* A finite number and nothing else. */
static int read_number(const char *field, double *value)
{
	char *end;

	*value = strtod(field, &end);
	return end != field && *end == '\0' && isfinite(*value);
}

static int16_t quantise(double value, double step)
{
	double count = floor(value / step + 0.5);

	return (int16_t)(count > INT16_MAX ? INT16_MAX : count < INT16_MIN ? INT16_MIN : count);
}

static void *grow(void *array, size_t *room, size_t n, size_t size)
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

static void add_label(struct table *table, const char *label)
{
	if (table->n_spans == 0 || strcmp(table->spans[table->n_spans - 1].label, label) != 0) {
		table->spans = grow(table->spans, &table->room_spans, table->n_spans, sizeof(*table->spans));
		table->spans[table->n_spans++].label = strdup(label);
	}
	table->spans[table->n_spans - 1].stop = (uint32_t)table->n_frames;
}

static const char *read_row(const char *path, unsigned long number, char *line, const struct layout *layout,
			    struct table *table)
{
	char *fields[COLUMNS_MAX];
	unsigned int n = split(line, fields);
	size_t i = table->n_frames;
	size_t room = table->room_frames;
	double value;

	if (n != layout->n_columns) {
		return fail(path, number, "%u fields, the header has %u", n, layout->n_columns);
	}
	table->time_s = grow(table->time_s, &room, i, sizeof(*table->time_s));
	table->frames = grow(table->frames, &table->room_frames, i, layout->n_channels * sizeof(*table->frames));
	if (!read_number(fields[layout->time], &table->time_s[i])) {
		return fail(path, number, "time is '%s', not a number", fields[layout->time]);
	}
	if (i > 0 && table->time_s[i] < table->time_s[i - 1]) {
		return fail(path, number, "time goes back");
	}
	for (unsigned int k = 0; k < layout->n_channels; k++) {
		if (!read_number(fields[layout->channels[k]], &value)) {
			return fail(path, number, "'%s' is not a number", fields[layout->channels[k]]);
		}
		table->frames[i * layout->n_channels + k] = quantise(value, layout->steps[k]);
	}
	table->n_frames++;
	add_label(table, layout->label >= 0 ? fields[layout->label] : "");
	return NULL;
}

static const char *read_lines(FILE *file, const char *path, const struct emlearn_recording *grid, struct table *table)
{
	static char line[LINE_MAX_LEN];
	struct layout layout = {0};
	unsigned long number = 0;
	const char *error = NULL;

	while (error == NULL && fgets(line, sizeof(line), file) != NULL) {
		char *text = line;

		number++;
		if (strchr(line, '\n') == NULL && !feof(file)) {
			return fail(path, number, "the line is longer than %d characters", LINE_MAX_LEN - 2);
		}
		if (number == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0) {
			text += 3;
		}
		text = strip(text);
		if (*text == '\0') {
			continue;
		}
		if (strchr(text, '"') != NULL) {
			return fail(path, number, "quoted fields are not read here");
		}
		error = layout.n_columns == 0 ? read_header(path, text, grid, &layout)
					      : read_row(path, number, text, &layout, table);
	}
	if (error == NULL && ferror(file)) {
		return fail(path, 0, "cannot be read (%s)", strerror(errno));
	}
	if (error == NULL && table->n_frames == 0) {
		return fail(path, 0, "holds no frames");
	}
	return error;
}

const char *replay_file_load(const char *path, struct emlearn_recording *out)
{
	struct table table = {0};
	struct emlearn_recording_gap *gaps;
	const char *error;
	double rate_hz = 0;
	long n_gaps;
	FILE *file = fopen(path, "r");

	if (file == NULL) {
		return fail(path, 0, "cannot be opened (%s)", strerror(errno));
	}
	error = read_lines(file, path, out, &table);
	fclose(file);
	if (error != NULL) {
		return error;
	}
	gaps = malloc(table.n_frames * sizeof(*gaps));
	n_gaps = gaps != NULL ? replay_time_measure(table.time_s, table.n_frames, gaps, &rate_hz) : -1;
	free(table.time_s);
	if (n_gaps == REPLAY_TIME_JUMPS) {
		return fail(path, 0, "time jumps by years; one file holds one recording");
	}
	if (n_gaps < 0) {
		return fail(path, 0, "the time stamps give no rate of an IMU; time is in seconds");
	}
	out->frames = table.frames;
	out->spans = table.spans;
	out->gaps = gaps;
	out->n_frames = (uint32_t)table.n_frames;
	out->n_spans = (uint32_t)table.n_spans;
	out->n_gaps = (uint32_t)n_gaps;
	out->rate_mhz = (uint32_t)lround(rate_hz * 1000);
	return NULL;
}
