/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: a CSV recording into memory, by the rules of emlearn_tools.loaders.csv_table. */
#include "recording_table.h"
#include "recording_text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 64

/* Where things stand in a line. */
struct layout {
	unsigned int n_columns; /* 0 before the header was read */
	struct recording_columns columns;
};

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

/* Cut a line at its commas. Returns the number of fields, of which COLUMNS_MAX at most are given. */
static unsigned int split(char *line, char *fields[COLUMNS_MAX])
{
	unsigned int n = 0;
	char *next = line;

	while (next != NULL) {
		char *comma = strchr(next, ',');

		if (comma != NULL) {
			*comma = '\0';
		}
		if (n < COLUMNS_MAX) {
			fields[n] = strip(next);
		}
		n++;
		next = comma != NULL ? comma + 1 : NULL;
	}
	return n;
}

static const char *read_header(const char *path, unsigned long number, char *line, uint8_t sensors,
			       struct layout *layout, struct recording_file *table)
{
	char *fields[COLUMNS_MAX];
	unsigned int n;

	for (char *c = line; *c != '\0'; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
	n = split(line, fields);
	if (n > COLUMNS_MAX) {
		return recording_table_fail(path, number, "%u columns, %d at most are read here", n, COLUMNS_MAX);
	}
	if (n == 1 && strchr(fields[0], ';') != NULL) {
		return recording_table_fail(path, number,
					    "fields are separated by `;`; save it with commas, and points in numbers");
	}
	layout->n_columns = n;
	return recording_table_columns(path, number, (const char *const *)fields, n, sensors, &layout->columns, table);
}

/* A number in decimal, as Python's float() reads it but for nan and inf, and finite. Returns NULL or an error. */
static const char *read_number(const char *path, unsigned long line, const char *name, const char *field, double *value)
{
	char *end;

	if (*field == '\0') {
		return recording_table_fail(path, line, "%s is empty", name);
	}
	*value = strtod(field, &end);
	if (end == field || *end != '\0' || strpbrk(field, "xX(") != NULL) {
		return recording_table_fail(path, line, "%s is '%.40s', not a number", name, field);
	}
	if (!isfinite(*value)) {
		return recording_table_fail(path, line, "%s is not a finite number", name);
	}
	return NULL;
}

static const char *read_row(const char *path, unsigned long number, char *line, const struct layout *layout,
			    struct recording_file *table)
{
	const struct recording_columns *columns = &layout->columns;
	double values[RECORDING_CHANNELS_MAX];
	char *fields[COLUMNS_MAX];
	unsigned int n = split(line, fields);
	const char *error;
	double time_s;

	if (n != layout->n_columns) {
		return recording_table_fail(path, number, "%u fields, the header has %u", n, layout->n_columns);
	}
	error = read_number(path, number, "time", fields[columns->time], &time_s);
	if (error == NULL) {
		error = recording_table_check_time(path, number, time_s, table);
	}
	for (unsigned int k = 0; error == NULL && k < table->n_channels; k++) {
		error = read_number(path, number, recording_table_channel(table, k), fields[columns->channels[k]],
				    &values[k]);
	}
	if (error != NULL) {
		return error;
	}
	recording_table_add(table, time_s, values, columns->label >= 0 ? fields[columns->label] : "");
	return NULL;
}

/* Cut off the next line, which any of the usual ends may have; NULL behind the last. */
static char *take_line(char **text)
{
	char *line = *text;
	char *end = line + strcspn(line, "\r\n");

	if (*line == '\0') {
		return NULL;
	}
	*text = end[0] == '\r' && end[1] == '\n' ? end + 2 : *end != '\0' ? end + 1 : end;
	*end = '\0';
	return line;
}

static const char *read_lines(const char *path, char *text, uint8_t sensors, struct recording_file *table)
{
	struct layout layout = {0};
	unsigned long number = 0;
	const char *error = NULL;
	char *line;

	while (error == NULL && (line = take_line(&text)) != NULL) {
		number++;
		line = strip(line);
		if (*line == '\0') {
			continue;
		}
		if (strchr(line, '"') != NULL) {
			return recording_table_fail(path, number, "quoted fields are not read here");
		}
		error = layout.n_columns == 0 ? read_header(path, number, line, sensors, &layout, table)
					      : read_row(path, number, line, &layout, table);
	}
	if (error == NULL && layout.n_columns == 0) {
		return recording_table_fail(path, 0, "is empty");
	}
	if (error == NULL && table->n_frames == 0) {
		return recording_table_fail(path, 0, "has a header and no frames");
	}
	return error;
}

const char *recording_csv_read(FILE *file, const char *path, uint8_t sensors, struct recording_file *table)
{
	char *text;
	const char *error = recording_text_read(file, path, &text);

	if (error == NULL) {
		error = read_lines(path, text, sensors, table);
		free(text);
	}
	return error;
}
