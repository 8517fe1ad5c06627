/* SPDX-License-Identifier: Apache-2.0 */
/* The file of --imu-replay=FILE or CONFIG_EMLEARN_REPLAY_IMU_FILE; both exist on native_sim only. */
#ifndef EMLEARN_EMUL_RECORDING_OPTION_H_
#define EMLEARN_EMUL_RECORDING_OPTION_H_

#include <emlearn/zephyr/recording.h>

struct recording_file;

#ifdef CONFIG_ARCH_POSIX
/*
 * Read it; NULL where none is named. Ends the program with one line where it cannot be read.
 *
 * sensors: those that it has to have and that are read; 0 for all that it has.
 */
struct recording_file *recording_option_read(uint8_t sensors);

/* The file to play instead of `array`, on the grid of that one; `array` itself where no file is named. For one device.
 */
const struct emlearn_recording *recording_option(const struct emlearn_recording *array);
#else
#define recording_option(array) (array)
#endif

#endif /* EMLEARN_EMUL_RECORDING_OPTION_H_ */
