/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of the command line and of CONFIG_EMLEARN_EMUL_FAULT. */
#ifndef EMLEARN_EMUL_FAULT_OPTION_H_
#define EMLEARN_EMUL_FAULT_OPTION_H_

#include <zephyr/device.h>

/* Give them to the chip behind a device. The emulation ends with one line if a text is wrong or the chip cannot. */
void fault_option_apply(const struct device *dev);

#endif /* EMLEARN_EMUL_FAULT_OPTION_H_ */
