/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stddef.h>

#include <cmdline.h>
#include <posix_native_task.h>

static char *model;
static char *imu;

static void add_options(void)
{
	static struct args_struct_t options[] = {
		{.option = "model",
		 .name = "name",
		 .type = 's',
		 .dest = (void *)&model,
		 .descript = "Which of the models to run"},
		{.option = "imu",
		 .name = "node",
		 .type = 's',
		 .dest = (void *)&imu,
		 .descript = "Which of the nodes emlearn,imu to read; plain by default"},
		ARG_TABLE_ENDMARKER,
	};

	native_add_command_line_opts(options);
}

NATIVE_TASK(add_options, PRE_BOOT_1, 1);

const char *option_model(void)
{
	return model != NULL ? model : "";
}

const char *option_imu(void)
{
	return imu != NULL ? imu : "plain";
}
