/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of chip models as text: KIND@FRAME[xN][=VALUE], such as nack@100x3 or clock@0=-30000. */
#ifndef EMLEARN_EMUL_FAULT_SPEC_H_
#define EMLEARN_EMUL_FAULT_SPEC_H_

#include <stddef.h>

#include <emlearn/zephyr/chip_model.h>

/* All kinds, for messages. */
#define FAULT_SPEC_KINDS "nack int-stuck int-lost int-spurious overrun brownout who-am-i odd clock drop repeat clip"

/*
 * Parse the first of a list of faults.
 *
 * N is 1 or more, or * for ever; 1 where it is not given. VALUE is decimal or 0x..., signed; 0 where it is not given.
 * What the kind does not use is refused, and int-stuck, who-am-i and clock want a VALUE.
 *
 * Returns the text behind it and the comma that ends it; or NULL, and *wrong says what is wrong, as a predicate.
 */
const char *fault_spec_parse(const char *text, struct emlearn_fault *fault, const char **wrong);

/* The text of a fault. Returns its length, as snprintk() does. */
int fault_spec_print(const struct emlearn_fault *fault, char *text, size_t size);

#endif /* EMLEARN_EMUL_FAULT_SPEC_H_ */
