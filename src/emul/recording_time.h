/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: rate and gaps from time stamps, by the rules of emlearn_tools.timestamps. */
#ifndef EMLEARN_EMUL_RECORDING_TIME_H_
#define EMLEARN_EMUL_RECORDING_TIME_H_

#include <stddef.h>

#include <emlearn/zephyr/recording.h>

/*
 * time_s: n stamps in seconds that do not fall, from one to the next a day at most, so that n_lost can hold what a gap
 * has lost. gaps: room for n, filled in order. rate_hz: set on success.
 * Returns the number of gaps, or -1 if there are under 2 frames, time stands still or no IMU has such a rate.
 */
long recording_time_measure(const double *time_s, size_t n, struct emlearn_recording_gap *gaps, double *rate_hz);

#endif /* EMLEARN_EMUL_RECORDING_TIME_H_ */
