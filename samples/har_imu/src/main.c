/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an IMU, runs a trained model on it, and prints a line for each decision. */
#include <zephyr/sys/printk.h>
#ifdef CONFIG_ARCH_POSIX
#include <posix_board_if.h>
#endif

#include "run.h"

int main(void)
{
	int rc = run();

	if (rc != 0) {
		printk("stopped: %d\n", rc);
	}
#ifdef CONFIG_ARCH_POSIX
	posix_exit(rc != 0);
#endif
	return rc;
}
