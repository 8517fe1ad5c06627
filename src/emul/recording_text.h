/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: a file as text. */
#ifndef EMLEARN_EMUL_RECORDING_TEXT_H_
#define EMLEARN_EMUL_RECORDING_TEXT_H_

#include <stdio.h>

/* Read all of a file that is open at its start. *text: to be freed, without byte order mark. Returns NULL or an error
 * where it is no UTF-8. */
const char *recording_text_read(FILE *file, const char *path, char **text);

#endif /* EMLEARN_EMUL_RECORDING_TEXT_H_ */
