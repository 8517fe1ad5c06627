/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: what the header of an NPY file says. */
#ifndef EMLEARN_EMUL_RECORDING_NPY_H_
#define EMLEARN_EMUL_RECORDING_NPY_H_

#include <stddef.h>

#define NPY_FIELDS_MAX 64
#define NPY_NAME_MAX 64

/* A field of a row. */
struct npy_field {
	char name[NPY_NAME_MAX];
	char kind;  /* as in numpy: i u f b S U and others; 0 for an array or structure */
	char order; /* of bytes: '<' or '>' */
	size_t size;
	size_t offset;
};

/* An array of rows. */
struct npy_layout {
	struct npy_field fields[NPY_FIELDS_MAX];
	unsigned int n_fields; /* 0 where it has no named fields */
	size_t row_size;
	size_t n_rows;
	char shape[64]; /* as written */
	int one_dimension;
};

/* Parse the dictionary of the header. Returns 0, or -1 if it is none of an NPY file or beyond the limits above. */
int npy_layout_parse(const char *text, struct npy_layout *layout);

#endif /* EMLEARN_EMUL_RECORDING_NPY_H_ */
