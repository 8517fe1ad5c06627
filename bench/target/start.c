/* SPDX-License-Identifier: Apache-2.0 */
/* Vector table and entry: enough for a program that never takes an interrupt. */
#include <stdint.h>

#include "target.h"

extern uint32_t target_stack_top[];
extern uint32_t target_data_load[];
extern uint32_t target_data_start[];
extern uint32_t target_data_end[];
extern uint32_t target_bss_start[];
extern uint32_t target_bss_end[];

int main(void);

void target_reset(void);

void target_reset(void)
{
	const uint32_t *from = target_data_load;

	for (uint32_t *to = target_data_start; to < target_data_end; to++) {
		*to = *from++;
	}
	for (uint32_t *to = target_bss_start; to < target_bss_end; to++) {
		*to = 0;
	}
	target_exit(main());
}

static void fault(void)
{
	target_print("fault\n");
	target_exit(1);
}

union vector {
	uint32_t *stack;
	void (*handler)(void);
};

__attribute__((section(".vectors"), used)) static const union vector vectors[16] = {
	{.stack = target_stack_top},
	{.handler = target_reset},
	{.handler = fault},
	{.handler = fault},
};
