/* SPDX-License-Identifier: Apache-2.0 */
/* `emlearn stats`: what the runners and their readers have counted, a line a counter and a column a runner. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <zephyr/shell/shell.h>
#include <zephyr/sys/iterable_sections.h>
#include <zephyr/sys/util.h>

#include <emlearn/zephyr/imu_runner.h>

#define COUNTER(text_, member) {.text = (text_), .offset = offsetof(struct emlearn_imu_runner_stats, member)}

static const struct {
	const char *text;
	size_t offset; /* of a uint32_t */
} counters[] = {
	COUNTER("frames", reader.n_frames),
	COUNTER("batches", reader.n_batches),
	COUNTER("frames lost", reader.n_lost),
	COUNTER("overruns", reader.n_overruns),
	COUNTER("set up again", reader.n_rearms),
	COUNTER("bus errors", reader.n_bus_errors),
	COUNTER("odd packets", reader.n_odd),
	COUNTER("spurious interrupts", reader.n_spurious),
	COUNTER("wakeups", reader.n_wakeups),
	COUNTER("errors reported", n_errors),
	COUNTER("decisions", n_decisions),
	COUNTER("not published", n_unpublished),
	COUNTER("worst batch latency, us", reader.worst_latency_us),
	COUNTER("worst inference, us", worst_inference_us),
	COUNTER("worst work on a batch, us", worst_batch_us),
	COUNTER("worst decision latency, us", worst_decision_us),
};

/* All runners, or the one of that name. */
static bool is_meant(const struct emlearn_imu_runner *runner, const char *name)
{
	return name == NULL || strcmp(runner->name, name) == 0;
}

static void print_names(const struct shell *sh, const char *name)
{
	shell_fprintf(sh, SHELL_NORMAL, "%-27s", "");
	STRUCT_SECTION_FOREACH(emlearn_imu_runner, runner) {
		if (is_meant(runner, name)) {
			shell_fprintf(sh, SHELL_NORMAL, " %10s", runner->name);
		}
	}
	shell_fprintf(sh, SHELL_NORMAL, "\n");
}

static void print_counter(const struct shell *sh, const char *name, size_t i)
{
	shell_fprintf(sh, SHELL_NORMAL, "%-27s", counters[i].text);
	STRUCT_SECTION_FOREACH(emlearn_imu_runner, runner) {
		if (is_meant(runner, name)) {
			struct emlearn_imu_runner_stats stats;
			uint32_t value;

			emlearn_imu_runner_stats(runner, &stats);
			memcpy(&value, (const uint8_t *)&stats + counters[i].offset, sizeof(value));
			shell_fprintf(sh, SHELL_NORMAL, " %10u", value);
		}
	}
	shell_fprintf(sh, SHELL_NORMAL, "\n");
}

static int stats(const struct shell *sh, size_t argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	unsigned int n_meant = 0;

	STRUCT_SECTION_FOREACH(emlearn_imu_runner, runner) {
		n_meant += is_meant(runner, name) ? 1u : 0u;
	}
	if (n_meant == 0) {
		if (name != NULL) {
			shell_error(sh, "no runner is called '%s'; 'emlearn stats' shows them all", name);
		} else {
			shell_error(sh, "this application has no runner: see EMLEARN_IMU_RUNNER_DEFINE()");
		}
		return -ENOENT;
	}
	print_names(sh, name);
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		print_counter(sh, name, i);
	}
	return 0;
}

/* For completion of the name. */
static void name_at(size_t i, struct shell_static_entry *entry)
{
	size_t n_runners;

	STRUCT_SECTION_COUNT(emlearn_imu_runner, &n_runners);
	*entry = (struct shell_static_entry){0};
	if (i < n_runners) {
		const struct emlearn_imu_runner *runner;

		STRUCT_SECTION_GET(emlearn_imu_runner, i, &runner);
		entry->syntax = runner->name;
	}
}

SHELL_DYNAMIC_CMD_CREATE(names, name_at);

SHELL_STATIC_SUBCMD_SET_CREATE(
	commands,
	SHELL_CMD_ARG(stats, &names,
		      "Show what the runners have counted since they started: frames, losses, faults and times.\n"
		      "Usage: stats [NAME of a runner; all of them without it]",
		      stats, 1, 1),
	SHELL_SUBCMD_SET_END);

SHELL_CMD_REGISTER(emlearn, &commands, "Decisions from sensor signals", NULL);
