/* SPDX-License-Identifier: Apache-2.0 */
/* An emulation that cannot go on: one line says why, and on native_sim the program ends with 1. */
#ifndef EMLEARN_EMUL_EMUL_FATAL_H_
#define EMLEARN_EMUL_EMUL_FATAL_H_

#ifdef CONFIG_ARCH_POSIX
#include <nsi_tracing.h>
#define EMUL_FATAL(format, ...) nsi_print_error_and_exit("error: " format "\n", __VA_ARGS__)
#else
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>
#define EMUL_FATAL(format, ...)                                                                                        \
	do {                                                                                                           \
		printk("error: " format "\n", __VA_ARGS__);                                                            \
		k_panic();                                                                                             \
	} while (false)
#endif

#endif /* EMLEARN_EMUL_EMUL_FATAL_H_ */
