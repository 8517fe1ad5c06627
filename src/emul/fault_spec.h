/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of chip models as text: KIND@FRAME[xN][=VALUE], such as nack@100x3 or clock@0=-30000. */
#ifndef EMLEARN_EMUL_FAULT_SPEC_H_
#define EMLEARN_EMUL_FAULT_SPEC_H_

#include <emlearn/zephyr/chip_model.h>

/* All kinds, for messages. */
#define FAULT_SPEC_KINDS "nack int-stuck int-lost int-spurious overrun brownout who-am-i odd clock drop repeat clip"

/*
 * Parse the first of a list of faults.
 *
 * N is 1 or more, or * for ever; 1 where it is not given. VALUE is decimal or 0x..., signed; 0 where it is not given,
 * but int-stuck, who-am-i and clock want one.
 *
 * Returns the text behind it and the comma that ends it, or NULL if it is none.
 */
const char *fault_spec_parse(const char *text, struct emlearn_fault *fault);

#endif /* EMLEARN_EMUL_FAULT_SPEC_H_ */
