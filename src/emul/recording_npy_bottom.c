/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: an NPY recording into memory, by the rules of emlearn_tools.loaders.numpy_files. */
#include "recording_npy.h"
#include "recording_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 256
/* Longest header of NPY_FIELDS_MAX fields, with room. */
#define HEADER_MAX 16384

/* The bytes of a number as one. */
static uint64_t read_bits(const struct npy_field *field, const uint8_t *row)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < field->size; i++) {
		bits = bits << 8 | row[field->offset + (field->order == '>' ? i : field->size - 1 - i)];
	}
	return bits;
}

static int is_number(const struct npy_field *field)
{
	switch (field->kind) {
	case 'f':
		return field->size == 4 || field->size == 8;
	case 'i':
	case 'u':
		return field->size == 1 || field->size == 2 || field->size == 4 || field->size == 8;
	default:
		return 0;
	}
}

static int is_label(const struct npy_field *field)
{
	switch (field->kind) {
	case 'S':
		return 1;
	case 'U':
		return field->size % 4 == 0;
	case 'b':
		return field->size == 1;
	case 'i':
	case 'u':
		return is_number(field);
	default:
		return 0;
	}
}

static int64_t read_signed(const struct npy_field *field, const uint8_t *row)
{
	unsigned int spare = 64 - 8 * (unsigned int)field->size;

	return (int64_t)(read_bits(field, row) << spare) >> spare;
}

static double read_number(const struct npy_field *field, const uint8_t *row)
{
	uint64_t bits = read_bits(field, row);
	uint32_t low = (uint32_t)bits;
	double f64;
	float f32;

	switch (field->kind) {
	case 'i':
		return (double)read_signed(field, row);
	case 'u':
		return (double)bits;
	default:
		memcpy(&f32, &low, sizeof(f32));
		memcpy(&f64, &bits, sizeof(f64));
		return field->size == sizeof(f32) ? (double)f32 : f64;
	}
}

/* One character of UTF-8; returns its bytes. */
static size_t encode(uint32_t code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | (code >> 18 & 0x07));
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* Text as numpy makes it of a label. A label that has no room ends early. */
static void read_label(const struct npy_field *field, const uint8_t *row, char out[LABEL_MAX])
{
	size_t n = 0;

	switch (field->kind) {
	case 'S':
		while (n < field->size && n < LABEL_MAX - 1 && row[field->offset + n] != '\0') {
			out[n] = (char)row[field->offset + n];
			n++;
		}
		break;
	case 'U':
		for (size_t i = 0; i < field->size && n + 4 < LABEL_MAX; i += 4) {
			const struct npy_field character = {
				.kind = 'u', .order = field->order, .size = 4, .offset = field->offset + i};
			uint32_t code = (uint32_t)read_bits(&character, row);

			if (code == 0) {
				break;
			}
			n += encode(code, out + n);
		}
		break;
	case 'b':
		n = (size_t)snprintf(out, LABEL_MAX, "%s", row[field->offset] != 0 ? "True" : "False");
		break;
	case 'u':
		n = (size_t)snprintf(out, LABEL_MAX, "%" PRIu64, read_bits(field, row));
		break;
	default:
		n = (size_t)snprintf(out, LABEL_MAX, "%" PRId64, read_signed(field, row));
		break;
	}
	out[n] = '\0';
}

/* Magic, version, length of the text and the text. */
static const char *read_header(FILE *file, const char *path, struct npy_layout *layout)
{
	static char text[HEADER_MAX + 1];
	uint8_t start[12];
	size_t size;
	int is_v1;

	if (fread(start, 1, 10, file) != 10) {
		return recording_table_fail(path, 0, "ends within its header");
	}
	is_v1 = start[6] == 1;
	if (start[6] < 1 || start[6] > 3) {
		return recording_table_fail(path, 0, "is NPY of version %u; 1 to 3 are read here", start[6]);
	}
	if (!is_v1 && fread(start + 10, 1, 2, file) != 2) {
		return recording_table_fail(path, 0, "ends within its header");
	}
	size = (size_t)start[8] | (size_t)start[9] << 8;
	size |= is_v1 ? 0 : (size_t)start[10] << 16 | (size_t)start[11] << 24;
	if (size > HEADER_MAX) {
		return recording_table_fail(path, 0, "has a header of more than %d bytes", HEADER_MAX);
	}
	if (fread(text, 1, size, file) != size) {
		return recording_table_fail(path, 0, "ends within its header");
	}
	text[size] = '\0';
	if (npy_layout_parse(text, layout) != 0) {
		return recording_table_fail(path, 0, "has a header that is not read here; fields are time, acc_x, ...");
	}
	if (layout->n_fields == 0 || !layout->one_dimension) {
		return recording_table_fail(path, 0,
					    "holds a plain array of shape %s, not named columns; save a structured "
					    "array with fields time, acc_x, ...",
					    layout->shape);
	}
	return NULL;
}

static const char *check_types(const char *path, const struct npy_layout *layout,
			       const struct recording_columns *columns, const struct recording_file *table)
{
	const struct npy_field *label = columns->label >= 0 ? &layout->fields[columns->label] : NULL;

	for (unsigned int k = 0; k <= table->n_channels; k++) {
		const struct npy_field *field =
			&layout->fields[k < table->n_channels ? columns->channels[k] : columns->time];

		if (!is_number(field)) {
			return recording_table_fail(path, 0, "%s is not of a type i1 to i8, u1 to u8, f4 or f8",
						    field->name);
		}
	}
	if (label != NULL && !is_label(label)) {
		return recording_table_fail(path, 0, "label is not of a type that is text or whole numbers");
	}
	return NULL;
}

static const char *read_row(const char *path, const uint8_t *row, const struct npy_layout *layout,
			    const struct recording_columns *columns, struct recording_file *table)
{
	double values[RECORDING_CHANNELS_MAX];
	double time_s = read_number(&layout->fields[columns->time], row);
	char label[LABEL_MAX] = "";
	const char *error;

	if (!isfinite(time_s)) {
		return recording_table_fail(path, 0, "frame %zu: time is not a finite number", table->n_frames);
	}
	error = recording_table_check_time(path, 0, time_s, table);
	if (error != NULL) {
		return error;
	}
	for (unsigned int k = 0; k < table->n_channels; k++) {
		const struct npy_field *field = &layout->fields[columns->channels[k]];

		values[k] = read_number(field, row);
		if (!isfinite(values[k])) {
			return recording_table_fail(path, 0, "frame %zu: %s is not a finite number", table->n_frames,
						    field->name);
		}
	}
	if (columns->label >= 0) {
		read_label(&layout->fields[columns->label], row, label);
	}
	recording_table_add(table, time_s, values, label);
	return NULL;
}

const char *recording_npy_read(FILE *file, const char *path, uint8_t sensors, struct recording_file *table)
{
	static struct npy_layout layout;
	struct recording_columns columns;
	const char *names[NPY_FIELDS_MAX];
	const char *error = read_header(file, path, &layout);
	uint8_t *row;

	if (error != NULL) {
		return error;
	}
	for (unsigned int i = 0; i < layout.n_fields; i++) {
		names[i] = layout.fields[i].name;
	}
	error = recording_table_columns(path, 0, names, layout.n_fields, sensors, &columns, table);
	if (error == NULL) {
		error = check_types(path, &layout, &columns, table);
	}
	row = error == NULL ? malloc(layout.row_size) : NULL;
	for (size_t i = 0; error == NULL && i < layout.n_rows; i++) {
		if (row == NULL || fread(row, 1, layout.row_size, file) != layout.row_size) {
			error = recording_table_fail(path, 0, "ends behind %zu of %zu frames", i, layout.n_rows);
		} else {
			error = read_row(path, row, &layout, &columns, table);
		}
	}
	free(row);
	return error;
}
