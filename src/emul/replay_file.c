/* SPDX-License-Identifier: Apache-2.0 */
/* native_sim: which file to play, from the command line or Kconfig. */
#include <zephyr/kernel.h>

#include <cmdline.h>
#include <nsi_tracing.h>
#include <posix_native_task.h>

#include "replay_file.h"
#include "replay_imu.h"

static char *path;

static void add_option(void)
{
	static struct args_struct_t options[] = {
		{.option = "imu-replay",
		 .name = "file",
		 .type = 's',
		 .dest = (void *)&path,
		 .descript = "CSV recording that emlearn,replay-imu plays: time, acc_x.. in g, gyro_x.. in dps, label"},
		ARG_TABLE_ENDMARKER,
	};

	native_add_command_line_opts(options);
}

NATIVE_TASK(add_option, PRE_BOOT_1, 1);

const struct emlearn_recording *replay_file(const struct emlearn_recording *array)
{
	static struct emlearn_recording recording;
	const char *file = path != NULL ? path : EMLEARN_REPLAY_FILE;
	const char *error;

	if (file[0] == '\0') {
		return array;
	}
	recording = *array;
	error = replay_file_load(file, &recording);
	if (error != NULL) {
		nsi_print_error_and_exit("error: %s\n", error);
	}
	return &recording;
}
