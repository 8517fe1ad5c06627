/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_option.h"

#include <errno.h>

#include <emlearn/zephyr/chip_model.h>

#include "chip.h"
#include "emul_fatal.h"
#include "fault_spec.h"

static void refuse(const struct device *dev, const char *text, const struct emlearn_fault *fault, int rc)
{
	int32_t min;
	int32_t max;

	switch (rc) {
	case -ERANGE:
		chip_fault_range(fault->kind, &min, &max);
		EMUL_FATAL("fault '%s': the value is out of range, %d to %d", text, (int)min, (int)max);
		break;
	case -ENOMEM:
		EMUL_FATAL("fault '%s': more than CONFIG_EMLEARN_EMUL_FAULTS=%d", text, CONFIG_EMLEARN_EMUL_FAULTS);
		break;
	default:
		EMUL_FATAL("fault '%s': %s has no interrupt line", text, dev->name);
		break;
	}
}

static void apply(const struct device *dev, const char *list)
{
	while (*list != '\0') {
		struct emlearn_fault fault;
		const char *wrong;
		const char *rest = fault_spec_parse(list, &fault, &wrong);
		int rc;

		if (rest == NULL) {
			EMUL_FATAL("fault '%s' %s", list, wrong);
			return;
		}
		rc = emlearn_chip_fault(dev, &fault);
		if (rc != 0) {
			refuse(dev, list, &fault, rc);
			return;
		}
		list = rest;
	}
}

#ifdef CONFIG_ARCH_POSIX

#include <cmdline.h>
#include <posix_native_task.h>

static char *lists[CONFIG_EMLEARN_EMUL_FAULTS];
static unsigned int n_lists;

static void add_list(char *argv, int offset)
{
	if (n_lists == CONFIG_EMLEARN_EMUL_FAULTS) {
		EMUL_FATAL("more than CONFIG_EMLEARN_EMUL_FAULTS=%u options --imu-fault", n_lists);
		return;
	}
	lists[n_lists++] = &argv[offset];
}

static void add_option(void)
{
	static struct args_struct_t options[] = {
		{.option = "imu-fault",
		 .name = "faults",
		 .type = 's',
		 .call_when_found = add_list,
		 .descript = "Faults of the emulated chips, KIND@FRAME[xN][=VALUE] with commas between, such as "
			     "nack@100x3 brownout@500 clock@0=30000. KIND: " FAULT_SPEC_KINDS
			     ". xN is how often (x* for ever), not for int-stuck, brownout, clock. VALUE: ms of "
			     "int-stuck, ppm of clock, what who-am-i reads as, bytes before a nack, frames after an "
			     "overrun. May be given again"},
		ARG_TABLE_ENDMARKER,
	};

	native_add_command_line_opts(options);
}

NATIVE_TASK(add_option, PRE_BOOT_1, 2);

void fault_option_apply(const struct device *dev)
{
	for (unsigned int i = 0; i < n_lists; i++) {
		apply(dev, lists[i]);
	}
	if (n_lists == 0) {
		apply(dev, CONFIG_EMLEARN_EMUL_FAULT);
	}
}

#else

void fault_option_apply(const struct device *dev)
{
	apply(dev, CONFIG_EMLEARN_EMUL_FAULT);
}

#endif
