/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: is an acceleration in g? */
#ifndef EMLEARN_EMUL_RECORDING_UNIT_H_
#define EMLEARN_EMUL_RECORDING_UNIT_H_

#include "recording_table.h"

/* Returns NULL, or an error if it is certainly in another unit. */
const char *recording_unit_check(const char *path, const struct recording_file *table);

#endif /* EMLEARN_EMUL_RECORDING_UNIT_H_ */
