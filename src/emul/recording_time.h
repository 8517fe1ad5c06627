/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: rate and gaps from time stamps, by the rules of emlearn_tools.timestamps. */
#ifndef EMLEARN_EMUL_RECORDING_TIME_H_
#define EMLEARN_EMUL_RECORDING_TIME_H_

#include <stddef.h>

#include <emlearn/zephyr/recording.h>

#define RECORDING_TIME_JUMPS (-2)

/*
 * time_s: n stamps in seconds that do not fall. gaps: room for n, filled in order. rate_hz: set on success.
 * Returns the number of gaps, -1 if there are under 2 frames, time stands still or no IMU has such a rate, or
 * RECORDING_TIME_JUMPS if a gap has lost more frames than n_lost can hold.
 */
long recording_time_measure(const double *time_s, size_t n, struct emlearn_recording_gap *gaps, double *rate_hz);

#endif /* EMLEARN_EMUL_RECORDING_TIME_H_ */
