/* SPDX-License-Identifier: Apache-2.0 */
/* Ticks of every row, what it gives, and the stack, of the model in subject.h. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rows.h"
#include "subject.h"
#include "target.h"

#define FPU_ACCESS (*(volatile uint32_t *)0xe000ed88u)
#define FPU_ON 0x00f00000u

#define PAINT 0xa5c3961eu
#define N_PAINTED 2048u

static bench_result_t result;

static void run_row(void *row)
{
	result = bench_run(row);
}

/* Bytes below its own frame that run_row() writes to, the most of all rows. */
__attribute__((noinline)) static uint32_t stack_of_rows(void)
{
	volatile uint32_t *top;
	uint32_t depth = N_PAINTED;

	__asm__ volatile("mov %0, sp" : "=r"(top));
	for (uint32_t i = 1; i <= N_PAINTED; i++) {
		top[-(int32_t)i] = PAINT;
	}
	for (uint32_t i = 0; i < BENCH_N_ROWS; i++) {
		run_row((void *)bench_rows[i]);
	}
	while (depth > 0u && top[-(int32_t)depth] == PAINT) {
		depth--;
	}
	return depth * (uint32_t)sizeof(*top);
}

__attribute__((noinline)) static void measure(void)
{
	for (uint32_t i = 0; i < BENCH_N_ROWS; i++) {
		uint32_t ticks = target_ticks(run_row, (void *)bench_rows[i]);
		uint32_t bits;

		memcpy(&bits, &result, sizeof(bits));
		target_report("row", i, "", ticks);
		target_report("result", i, "", bits);
	}
	target_report("stack", 0, "", stack_of_rows());
}

int main(void)
{
#ifdef __ARM_FP
	FPU_ACCESS |= FPU_ON;
	__asm__ volatile("dsb\nisb" ::: "memory");
#endif
	target_ticks_init();
	measure();
	return 0;
}
