/* SPDX-License-Identifier: Apache-2.0 */
/* How often threads were switched to, from the kernel's tracing hooks. */
#ifndef TEST_SWITCHES_H_
#define TEST_SWITCHES_H_

#include <stdint.h>

/* Count from 0, all threads but the idle one and the one that calls this. */
void switches_begin(void);

/* Since then. */
uint32_t switches_counted(void);

#endif /* TEST_SWITCHES_H_ */
