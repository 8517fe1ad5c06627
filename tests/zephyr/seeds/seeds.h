/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many runs, each drawn from its seed alone. On native_sim a long run is parted over processes by
 * zephyr.exe --first-seed=50001 --n-seeds=50000 -test=SUITE::TEST
 */
#ifndef SEEDS_H_
#define SEEDS_H_

#include <stdint.h>

/* Run n seeds from the first one on, unless the command line says otherwise; tells how far it is now and then. */
void seeds_run(uint32_t first, uint32_t n, void (*run)(uint32_t seed));

/* After each test of the suite: says at which seed a test has failed. */
void seeds_after(void *fixture);

#endif /* SEEDS_H_ */
