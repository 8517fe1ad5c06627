/* SPDX-License-Identifier: Apache-2.0 */
/* native_sim: which file to play, from the command line or Kconfig. */
#include "recording_option.h"

#include <zephyr/kernel.h>

#include <cmdline.h>
#include <nsi_tracing.h>
#include <posix_native_task.h>

#include "recording_file.h"

static char *path;

static void add_option(void)
{
	static struct args_struct_t options[] = {
		{.option = "imu-replay",
		 .name = "file",
		 .type = 's',
		 .dest = (void *)&path,
		 .descript = "Recording that the emulated IMUs play: CSV (time, acc_x.. in g, gyro_x.. in dps, label) "
			     "or NPY with such fields. Chips play it at their own rate, in real time with -rt, as fast "
			     "as possible with -no-rt"},
		ARG_TABLE_ENDMARKER,
	};

	native_add_command_line_opts(options);
}

NATIVE_TASK(add_option, PRE_BOOT_1, 1);

struct recording_file *recording_option_read(uint8_t sensors)
{
	const char *name = path != NULL ? path : EMLEARN_REPLAY_FILE;
	struct recording_file *file;
	const char *error;

	if (name[0] == '\0') {
		return NULL;
	}
	error = recording_file_read(name, sensors, &file);
	if (error != NULL) {
		nsi_print_error_and_exit("error: %s\n", error);
	}
	return file;
}

const struct emlearn_recording *recording_option(const struct emlearn_recording *array)
{
	static struct emlearn_recording recording;
	struct recording_file *file = recording_option_read(array->sensors);

	if (file == NULL) {
		return array;
	}
	recording = *array;
	recording.frames = NULL;
	recording_file_quantise(file, &recording);
	recording_file_free(file);
	return &recording;
}
