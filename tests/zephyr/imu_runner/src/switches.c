/* SPDX-License-Identifier: Apache-2.0 */
#include "switches.h"

#include <zephyr/kernel.h>
#include <zephyr/sys/atomic.h>
#include <zephyr/tracing/tracing.h>

static atomic_t n_switches;
static k_tid_t observer;

void sys_trace_thread_switched_in_user(void)
{
	k_tid_t thread = k_sched_current_thread_query();

	if (thread != observer && k_thread_priority_get(thread) != K_IDLE_PRIO) {
		atomic_inc(&n_switches);
	}
}

void switches_begin(void)
{
	observer = k_current_get();
	atomic_set(&n_switches, 0);
}

uint32_t switches_counted(void)
{
	return (uint32_t)atomic_get(&n_switches);
}
