/* SPDX-License-Identifier: Apache-2.0 */
#include "seeds.h"

#include <stdbool.h>

#include <zephyr/ztest.h>

#define TOLD_EVERY 5000

static uint32_t current;
static bool is_running;

/* Of the command line; the parser puts this where it says nothing. */
#define UNTOLD UINT32_MAX
static uint32_t first_told = UNTOLD;
static uint32_t n_told = UNTOLD;

#ifdef CONFIG_ARCH_POSIX

#include <cmdline.h>
#include <posix_native_task.h>

static void add_options(void)
{
	static struct args_struct_t options[] = {
		{.option = "first-seed",
		 .name = "seed",
		 .type = 'u',
		 .dest = &first_told,
		 .descript = "Seed of the first random run"},
		{.option = "n-seeds", .name = "n", .type = 'u', .dest = &n_told, .descript = "Random runs"},
		ARG_TABLE_ENDMARKER,
	};

	native_add_command_line_opts(options);
}

NATIVE_TASK(add_options, PRE_BOOT_1, 2);

#endif

void seeds_run(uint32_t first, uint32_t n, void (*run)(uint32_t seed))
{
	first = first_told != UNTOLD ? first_told : first;
	n = n_told != UNTOLD ? n_told : n;
	is_running = true;
	for (uint32_t i = 0; i < n; i++) {
		current = first + i;
		run(current);
		if ((i + 1) % TOLD_EVERY == 0) {
			TC_PRINT("%u of %u seeds, the last one %u\n", i + 1, n, current);
		}
	}
	is_running = false;
}

void seeds_after(void *fixture)
{
	ARG_UNUSED(fixture);
	if (is_running) {
		TC_PRINT("it was seed %u\n", current);
		is_running = false;
	}
}
