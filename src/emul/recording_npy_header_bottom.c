/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header is the text of a Python dictionary:
 * {'descr': [('time', '<f8'), ('acc_x', '<f4'), ...], 'fortran_order': False, 'shape': (3000,), }
 */
#include "recording_npy.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Nothing that an IMU writes comes near; keeps products of sizes from wrapping. */
#define SIZE_MAX_BYTES ((size_t)1 << 24)
#define ROWS_MAX ((size_t)UINT32_MAX)

static void skip_spaces(const char **at)
{
	while (isspace((unsigned char)**at)) {
		(*at)++;
	}
}

/* Step over a character. */
static int take(const char **at, char c)
{
	skip_spaces(at);
	if (**at != c) {
		return 0;
	}
	(*at)++;
	return 1;
}

/* A quoted text; -1 if it is none, is longer than the room, or holds escapes. */
static int take_text(const char **at, char *out, size_t room)
{
	size_t n = 0;
	char quote;

	skip_spaces(at);
	quote = **at;
	if (quote != '\'' && quote != '"') {
		return -1;
	}
	for ((*at)++; **at != quote; (*at)++) {
		if (**at == '\0' || **at == '\\' || n + 1 >= room) {
			return -1;
		}
		out[n++] = **at;
	}
	(*at)++;
	out[n] = '\0';
	return 0;
}

static int take_number(const char **at, size_t max, size_t *out)
{
	unsigned long long value;
	char *end;

	skip_spaces(at);
	if (!isdigit((unsigned char)**at)) {
		return -1;
	}
	errno = 0;
	value = strtoull(*at, &end, 10);
	if (errno != 0 || value > max) {
		return -1;
	}
	*at = end;
	*out = (size_t)value;
	return 0;
}

/* (n, m, ...). product: of all; n_dimensions: how many. */
static int take_shape(const char **at, size_t max, size_t *product, unsigned int *n_dimensions)
{
	*product = 1;
	*n_dimensions = 0;
	if (!take(at, '(')) {
		return -1;
	}
	while (!take(at, ')')) {
		size_t n;

		if (take_number(at, max, &n) != 0 || (n > 0 && *product > max / n)) {
			return -1;
		}
		*product *= n;
		(*n_dimensions)++;
		take(at, ',');
	}
	return 0;
}

/* What stands for a type, such as '<f8' or '|S12'. */
static int take_type(const char **at, struct npy_field *field)
{
	char text[NPY_NAME_MAX];
	const char *digits = text + 2;

	if (take_text(at, text, sizeof(text)) != 0 || strlen(text) < 3) {
		return -1;
	}
	field->order = text[0] == '>' ? '>' : '<';
	field->kind = text[1];
	if (take_number(&digits, SIZE_MAX_BYTES, &field->size) != 0) {
		return -1;
	}
	field->size *= field->kind == 'U' ? 4 : 1;
	return 0;
}

static int take_fields(const char **at, struct npy_layout *layout, unsigned int depth);

/* ('name', type) or ('name', type, shape); a type may be a list of fields again, whose insides are of no interest. */
static int take_field(const char **at, struct npy_layout *layout, unsigned int depth)
{
	struct npy_field field = {.offset = layout->row_size};
	unsigned int n_dimensions;
	size_t n = 1;

	if (!take(at, '(')) {
		return -1;
	}
	if (take(at, '(')) { /* ('title', 'name') */
		char title[NPY_NAME_MAX];

		if (take_text(at, title, sizeof(title)) != 0 || !take(at, ',') ||
		    take_text(at, field.name, sizeof(field.name)) != 0 || !take(at, ')')) {
			return -1;
		}
	} else if (take_text(at, field.name, sizeof(field.name)) != 0) {
		return -1;
	}
	if (!take(at, ',')) {
		return -1;
	}
	skip_spaces(at);
	if (**at == '[') {
		static struct npy_layout inside;

		if (depth > 0) {
			return -1;
		}
		inside = (struct npy_layout){0};
		if (take_fields(at, &inside, depth + 1) != 0) {
			return -1;
		}
		field.size = inside.row_size;
	} else if (take_type(at, &field) != 0) {
		return -1;
	}
	if (take(at, ',')) {
		skip_spaces(at);
		if (**at == '(') {
			if (take_shape(at, SIZE_MAX_BYTES, &n, &n_dimensions) != 0) {
				return -1;
			}
			field.kind = 0;
		}
	}
	if (!take(at, ')') || layout->n_fields == NPY_FIELDS_MAX || (n > 0 && field.size > SIZE_MAX_BYTES / n)) {
		return -1;
	}
	field.size *= n;
	layout->row_size += field.size;
	if (layout->row_size > SIZE_MAX_BYTES) {
		return -1;
	}
	layout->fields[layout->n_fields++] = field;
	return 0;
}

static int take_fields(const char **at, struct npy_layout *layout, unsigned int depth)
{
	if (!take(at, '[')) {
		return -1;
	}
	while (!take(at, ']')) {
		if (take_field(at, layout, depth) != 0) {
			return -1;
		}
		take(at, ',');
	}
	return 0;
}

/* The value of one key of the dictionary. */
static int take_value(const char **at, const char *key, struct npy_layout *layout)
{
	struct npy_field plain;
	unsigned int n_dimensions;
	const char *start;
	size_t n;

	skip_spaces(at);
	start = *at;
	if (strcmp(key, "descr") == 0) {
		return **at == '[' ? take_fields(at, layout, 0) : take_type(at, &plain);
	}
	if (strcmp(key, "shape") == 0) {
		if (take_shape(at, ROWS_MAX, &layout->n_rows, &n_dimensions) != 0) {
			return -1;
		}
		n = (size_t)(*at - start);
		n = n < sizeof(layout->shape) ? n : sizeof(layout->shape) - 1;
		memcpy(layout->shape, start, n);
		layout->one_dimension = n_dimensions == 1;
		return 0;
	}
	/* fortran_order, which makes no difference in one dimension */
	while (isalpha((unsigned char)**at)) {
		(*at)++;
	}
	return *at > start ? 0 : -1;
}

int npy_layout_parse(const char *text, struct npy_layout *layout)
{
	const char *at = text;
	char key[NPY_NAME_MAX];
	int has_shape = 0;
	int has_descr = 0;

	*layout = (struct npy_layout){0};
	if (!take(&at, '{')) {
		return -1;
	}
	while (!take(&at, '}')) {
		if (take_text(&at, key, sizeof(key)) != 0 || !take(&at, ':') || take_value(&at, key, layout) != 0) {
			return -1;
		}
		has_shape |= strcmp(key, "shape") == 0;
		has_descr |= strcmp(key, "descr") == 0;
		take(&at, ',');
	}
	return has_shape && has_descr ? 0 : -1;
}
