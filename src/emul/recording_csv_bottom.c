/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: a CSV recording into memory, by the rules of emlearn_tools.loaders.csv_table. */
#include "recording_table.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 64
#define LINE_MAX_LEN 4096

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

static const char *read_header(const char *path, char *line, uint8_t sensors, struct layout *layout,
			       struct recording_file *table)
{
	char *fields[COLUMNS_MAX];
	unsigned int n;

	for (char *c = line; *c != '\0'; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
	n = split(line, fields);
	layout->n_columns = n;
	return recording_table_columns(path, 1, (const char *const *)fields, n, sensors, &layout->columns, table);
}

/* A finite number and nothing else. */
static int read_number(const char *field, double *value)
{
	char *end;

	*value = strtod(field, &end);
	return end != field && *end == '\0' && isfinite(*value);
}

static const char *read_row(const char *path, unsigned long number, char *line, const struct layout *layout,
			    struct recording_file *table)
{
	const struct recording_columns *columns = &layout->columns;
	double values[RECORDING_CHANNELS_MAX];
	char *fields[COLUMNS_MAX];
	unsigned int n = split(line, fields);
	double time_s;

	if (n != layout->n_columns) {
		return recording_table_fail(path, number, "%u fields, the header has %u", n, layout->n_columns);
	}
	if (!read_number(fields[columns->time], &time_s)) {
		return recording_table_fail(path, number, "time is '%s', not a number", fields[columns->time]);
	}
	if (table->n_frames > 0 && time_s < table->time_s[table->n_frames - 1]) {
		return recording_table_fail(path, number, "time goes back");
	}
	for (unsigned int k = 0; k < table->n_channels; k++) {
		if (!read_number(fields[columns->channels[k]], &values[k])) {
			return recording_table_fail(path, number, "'%s' is not a number", fields[columns->channels[k]]);
		}
	}
	recording_table_add(table, time_s, values, columns->label >= 0 ? fields[columns->label] : "");
	return NULL;
}

const char *recording_csv_read(FILE *file, const char *path, uint8_t sensors, struct recording_file *table)
{
	static char line[LINE_MAX_LEN];
	struct layout layout = {0};
	unsigned long number = 0;
	const char *error = NULL;

	while (error == NULL && fgets(line, sizeof(line), file) != NULL) {
		char *text = line;

		number++;
		if (strchr(line, '\n') == NULL && !feof(file)) {
			return recording_table_fail(path, number, "the line is longer than %d characters",
						    LINE_MAX_LEN - 2);
		}
		if (number == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0) {
			text += 3;
		}
		text = strip(text);
		if (*text == '\0') {
			continue;
		}
		if (strchr(text, '"') != NULL) {
			return recording_table_fail(path, number, "quoted fields are not read here");
		}
		error = layout.n_columns == 0 ? read_header(path, text, sensors, &layout, table)
					      : read_row(path, number, text, &layout, table);
	}
	if (error == NULL && ferror(file)) {
		return recording_table_fail(path, 0, "cannot be read (%s)", strerror(errno));
	}
	return error;
}
