/* SPDX-License-Identifier: Apache-2.0 */
/* Between the two halves of the file loader on native_sim: no headers of Zephyr or the host in here. */
#ifndef EMLEARN_EMUL_REPLAY_FILE_H_
#define EMLEARN_EMUL_REPLAY_FILE_H_

#include <emlearn/zephyr/recording.h>

/*
 * Read a CSV recording (time, acc_x ... in g, gyro_x ... in degrees per second, label) on the grid of `out`.
 *
 * path: from the working directory. out: sensors and steps are set and stay; frames, spans, gaps and rate are filled
 * and hold for ever. Returns NULL, or one line that says what is wrong and where.
 */
const char *replay_file_load(const char *path, struct emlearn_recording *out);

#endif /* EMLEARN_EMUL_REPLAY_FILE_H_ */
