/* SPDX-License-Identifier: Apache-2.0 */
/* The feature stage that is measured: nine statistics of three axes and their magnitude. */
#ifndef BENCH_STAGE_H_
#define BENCH_STAGE_H_

#include <stdint.h>

#include <emlearn/window.h>

#include "windows.h"

#define STAGE_N_STATS 9u
#define STAGE_N_FEATURES (4u * STAGE_N_STATS)

/* Rows of the window, one behind the other. */
extern int16_t stage_ring[BENCH_AXES * BENCH_LEN_MAX];
extern struct emlearn_window stage_window;
extern int16_t stage_features[STAGE_N_FEATURES];

/* Get ready for windows of len samples. The oldest sample is not the first in the ring. */
void stage_init(uint32_t len);

/* Compute stage_features; the argument is not used. */
void stage_run(void *arg);

#endif /* BENCH_STAGE_H_ */
