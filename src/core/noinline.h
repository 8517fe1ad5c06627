/* SPDX-License-Identifier: Apache-2.0 */
/* For the sources of the core alone. */
#ifndef EMLEARN_CORE_NOINLINE_H_
#define EMLEARN_CORE_NOINLINE_H_

/**
 * Keeps a function on its own, and with it the registers of its loop: a compiler that optimises for size would put a
 * static function with one caller into that, and then keep on loading what the loop needs from the stack.
 */
#if defined(__GNUC__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE
#endif

#endif /* EMLEARN_CORE_NOINLINE_H_ */
