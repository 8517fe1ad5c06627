/* SPDX-License-Identifier: Apache-2.0 */
/* Between the two halves of the file loader on native_sim: no headers of Zephyr or the host in here. */
#ifndef EMLEARN_EMUL_RECORDING_FILE_H_
#define EMLEARN_EMUL_RECORDING_FILE_H_

#include <stdint.h>

#include <emlearn/zephyr/recording.h>

/* A file as it was read, in physical units. */
struct recording_file;

/*
 * Read a recording: CSV (time, acc_x ... in g, gyro_x ... in degrees per second, label) or NPY (an array with such
 * fields).
 *
 * path: from the working directory. sensors: those that it has to have and that are read; 0 for all that it has.
 * Returns NULL and sets *file, or one line that says what is wrong and where.
 */
const char *recording_file_read(const char *path, uint8_t sensors, struct recording_file **file);

/*
 * Put a file on a grid. out: the steps are set and stay; the rest is filled in. Frames of an earlier call for the same
 * `out` are given back.
 */
void recording_file_quantise(const struct recording_file *file, struct emlearn_recording *out);

/* Free it. What recording_file_quantise() has made of it holds for ever. */
void recording_file_free(struct recording_file *file);

/*
 * How often the step of a sensor has to be doubled, at most `n_max` times, until no value of it is clipped.
 */
unsigned int recording_file_doublings(const struct recording_file *file, uint8_t sensor, uint32_t step_num,
				      uint32_t step_den, unsigned int n_max);

#endif /* EMLEARN_EMUL_RECORDING_FILE_H_ */
