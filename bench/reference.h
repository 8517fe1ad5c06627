/* SPDX-License-Identifier: Apache-2.0 */
/* The same statistics the obvious way: copy each stream, sort it with qsort(), read off what is wanted. */
#ifndef BENCH_REFERENCE_H_
#define BENCH_REFERENCE_H_

#include <stdint.h>

#include <emlearn/window.h>

#include "stage.h"

/*
 * Mean, std, min, max, median, q25, q75, iqr, rms of rows 0, 1, 2 and of their magnitude.
 *
 * scratch: window->len samples. out: STAGE_N_FEATURES.
 */
void bench_reference_run(const struct emlearn_window *window, int16_t *scratch, int16_t *out);

#endif /* BENCH_REFERENCE_H_ */
