/* SPDX-License-Identifier: Apache-2.0 */
/* A bare Cortex-M under QEMU: text out, exit, and a count of the instructions that a function executes. */
#ifndef BENCH_TARGET_H_
#define BENCH_TARGET_H_

#include <stdint.h>

/* Write text to the host (semihosting). */
void target_print(const char *text);

/* Write a number in decimal. */
void target_print_u32(uint32_t value);

/* End the run; the host sees exit code 0 or 1. */
void target_exit(int code) __attribute__((noreturn));

/*
 * Start the tick counter, and report what driver and counter must agree on: the ticks of a function that returns at
 * once ("nothing|0||ticks"), and of loops of 2 * n + 1 instructions ("loop|n||ticks").
 */
void target_ticks_init(void);

/*
 * Ticks that run(arg) takes, from before the call to after the return.
 *
 * Under `-icount shift=S` an instruction takes 2^S ns and ticks come from the SysTick at the board's clock, so the
 * driver turns ticks into instructions exactly. The counter has 24 bits: 2.6 million instructions at S = 8, 25 MHz.
 */
uint32_t target_ticks(void (*run)(void *arg), void *arg);

/* Write a line `what|size|name|ticks`. */
void target_report(const char *what, uint32_t size, const char *name, uint32_t ticks);

#endif /* BENCH_TARGET_H_ */
