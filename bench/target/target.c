/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "target.h"

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xe000e010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xe000e014u)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xe000e018u)

#define SYSTICK_ON_CPU_CLOCK 0x5u
#define SYSTICK_MASK 0xffffffu

#define SEMIHOST_WRITE0 0x04u
#define SEMIHOST_EXIT 0x18u
#define SEMIHOST_EXIT_OK 0x20026u
#define SEMIHOST_EXIT_FAILED 0x20023u

static void semihost(uint32_t operation, uint32_t argument)
{
	register uint32_t r0 __asm__("r0") = operation;
	register uint32_t r1 __asm__("r1") = argument;

	__asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void target_print(const char *text)
{
	semihost(SEMIHOST_WRITE0, (uint32_t)text);
}

void target_print_u32(uint32_t value)
{
	char digits[11];
	char *p = &digits[10];

	*p = '\0';
	do {
		*--p = (char)('0' + value % 10u);
		value /= 10u;
	} while (value != 0u);
	target_print(p);
}

void target_exit(int code)
{
	for (;;) {
		semihost(SEMIHOST_EXIT, code == 0 ? SEMIHOST_EXIT_OK : SEMIHOST_EXIT_FAILED);
	}
}

void target_report(const char *what, uint32_t size, const char *name, uint32_t ticks)
{
	target_print(what);
	target_print("|");
	target_print_u32(size);
	target_print("|");
	target_print(name);
	target_print("|");
	target_print_u32(ticks);
	target_print("\n");
}

/* Executes 2 * n_loops + 1 instructions, n_loops being 1 or more. */
__attribute__((naked, noinline)) static void known_loop(void *n_loops)
{
	(void)n_loops;
	__asm__ volatile(".syntax unified\n"
			 "1: subs r0, r0, #1\n"
			 "bne 1b\n"
			 "bx lr\n");
}

static void nothing(void *arg)
{
	(void)arg;
}

void target_ticks_init(void)
{
	SYSTICK_RELOAD = SYSTICK_MASK;
	SYSTICK_VALUE = 0u;
	SYSTICK_CONTROL = SYSTICK_ON_CPU_CLOCK;

	target_report("nothing", 0, "", target_ticks(nothing, NULL));
	for (uint32_t n_loops = 1; n_loops < 300000u; n_loops = 7u * n_loops + 3u) {
		target_report("loop", n_loops, "", target_ticks(known_loop, (void *)n_loops));
	}
}

__attribute__((noinline)) uint32_t target_ticks(void (*run)(void *arg), void *arg)
{
	uint32_t start = SYSTICK_VALUE;

	run(arg);
	return (start - SYSTICK_VALUE) & SYSTICK_MASK;
}
