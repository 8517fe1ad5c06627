/* SPDX-License-Identifier: Apache-2.0 */
/* As much of an icm45686 as its stream needs: registers, a FIFO of numbered frames at 100 Hz, an interrupt line. */
#ifndef STUB_ICM45686_H_
#define STUB_ICM45686_H_

#include <stdbool.h>
#include <stdint.h>

/* Frames made since the start of the program, also those that no FIFO took. */
uint32_t stub_made(void);

/* As after power has come back. */
void stub_brown_out(void);

/* From its next reset on it makes so many frames later that it is on. */
void stub_start_up(uint32_t n_frames);

/* From now on each transfer fails, or no interrupt is seen, or not. */
void stub_fail(bool transfers, bool interrupts);

#endif /* STUB_ICM45686_H_ */
