/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: rows of a recording, whatever the form of the file they stand in. */
#ifndef EMLEARN_EMUL_RECORDING_TABLE_H_
#define EMLEARN_EMUL_RECORDING_TABLE_H_

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "recording_file.h"

#define RECORDING_CHANNELS_MAX 6

/* A table that grows row by row. */
struct recording_file {
	double *time_s;
	double *values; /* n_frames * n_channels: g, degrees per second */
	struct emlearn_recording_span *spans;
	struct emlearn_recording_gap *gaps;
	size_t n_frames;
	size_t n_spans;
	size_t n_gaps;
	size_t room_frames;
	size_t room_spans;
	unsigned int n_channels;
	uint8_t sensors;
	uint32_t rate_mhz;
};

/* Which columns of a file are what. */
struct recording_columns {
	unsigned int time;
	int label; /* -1 without */
	unsigned int channels[RECORDING_CHANNELS_MAX];
};

/* One line that begins with the file's name, and with the line's number where it is not 0. */
const char *recording_table_fail(const char *path, unsigned long line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The place of a name, -1 where it is not there. */
int recording_table_find(const char *const names[], unsigned int n, const char *name);

/*
 * Find the columns and set sensors and channels of the table.
 *
 * sensors: those that have to be there; 0 for each of which there is an axis, at least one. Returns NULL or an error.
 */
const char *recording_table_columns(const char *path, unsigned long line, const char *const names[], unsigned int n,
				    uint8_t sensors, struct recording_columns *columns, struct recording_file *table);

/* The name of a channel of the table. */
const char *recording_table_channel(const struct recording_file *table, unsigned int channel);

/* Can a row of that time follow? Returns NULL or an error. */
const char *recording_table_check_time(const char *path, unsigned long line, double time_s,
				       const struct recording_file *table);

/* Append a row; values: of the table's channels. */
void recording_table_add(struct recording_file *table, double time_s, const double *values, const char *label);

/* An array with room for more than n elements. */
void *recording_table_grow(void *array, size_t *room, size_t n, size_t size);

/* Read what the file holds; it is open at its start. Returns NULL or an error. */
const char *recording_csv_read(FILE *file, const char *path, uint8_t sensors, struct recording_file *table);
const char *recording_npy_read(FILE *file, const char *path, uint8_t sensors, struct recording_file *table);

#endif /* EMLEARN_EMUL_RECORDING_TABLE_H_ */
