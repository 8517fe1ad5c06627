/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_RECORDINGS_H_
#define TEST_RECORDINGS_H_

#include <zephyr/sys/util.h>

#include <emlearn/zephyr/recording.h>

#define WALK_FRAMES 6
/* QEMU takes its time over all that is simulated. */
#define CODES_FRAMES (IS_ENABLED(CONFIG_ARCH_POSIX) ? 256 : 128)
#define CODES_CHANNELS 6

/* 6 frames of both sensors: 3 lost before the second, labels a a b b "" "". */
extern const struct emlearn_recording walk_recording;
extern const int16_t walk_frames[WALK_FRAMES][6];

/* The frames of walk, by a chip under mount <(-3) 1 (-2)>. */
extern const struct emlearn_recording walk_turned_recording;

/* Frames that tests fill. */
extern const struct emlearn_recording codes_recording;
extern int16_t codes_frames[CODES_FRAMES][CODES_CHANNELS];

/* One frame, no accelerometer. */
extern const struct emlearn_recording gyro_recording;

#endif /* TEST_RECORDINGS_H_ */
