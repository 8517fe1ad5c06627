/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/shell/shell.h>
#include <zephyr/shell/shell_dummy.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/imu_runner.h>

#include "fake_reader.h"
#include "model.h"

/* Two runners whose readers only have counters. */
static struct emlearn_imu_reader left_reader;
static struct emlearn_imu_reader right_reader;

MODEL_PIPELINE_DEFINE(left_pipeline);
MODEL_PIPELINE_DEFINE(right_pipeline);
EMLEARN_IMU_RUNNER_DEFINE(left, &left_reader, &left_pipeline);
EMLEARN_IMU_RUNNER_DEFINE(right, &right_reader, &right_pipeline);

static const char *said(const char *command, int rc)
{
	const struct shell *sh = shell_backend_dummy_get_ptr();
	size_t size;

	shell_backend_dummy_clear_output(sh);
	zassert_equal(shell_execute_cmd(sh, command), rc, "%s", command);
	return shell_backend_dummy_get_output(sh, &size);
}

/* Numbers of the line that begins with a counter's name. Returns how many there are. */
static int numbers(const char *text, const char *name, uint32_t value[2])
{
	const char *line = strstr(text, name);

	zassert_not_null(line, "no '%s' in:\n%s", name, text);
	zassert_true(line == text || line[-1] == '\n', "'%s' does not begin a line", name);
	line += strlen(name);
	value[0] = value[1] = UINT32_MAX;

	char *end;
	int n = 0;

	for (; n < 2; n++) {
		while (*line == ' ') {
			line++;
		}
		if (*line < '0' || *line > '9') {
			break;
		}
		value[n] = (uint32_t)strtoul(line, &end, 10);
		line = end;
	}
	return n;
}

static void set_up(struct emlearn_imu_stats *stats, uint32_t base)
{
	*stats = (struct emlearn_imu_stats){
		.n_frames = base + 1,
		.n_batches = base + 2,
		.n_lost = base + 3,
		.n_overruns = base + 4,
		.n_rearms = base + 5,
		.n_bus_errors = base + 6,
		.n_odd = base + 7,
		.n_spurious = base + 8,
		.n_wakeups = base + 9,
		.worst_latency_us = base + 10,
	};
}

static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	shell_backend_dummy_get_ptr();
	set_up(&left_reader.stats, 100);
	set_up(&right_reader.stats, 4000000000);
}

static const char *const in_order[] = {
	"frames ",     "batches ",     "frames lost ",         "overruns ", "set up again ",
	"bus errors ", "odd packets ", "spurious interrupts ", "wakeups ",  "worst batch latency, us ",
};

ZTEST(imu_shell, test_each_counter_stands_under_its_name)
{
	const char *text = said("emlearn stats left", 0);
	uint32_t value[2];

	for (uint32_t i = 0; i < ARRAY_SIZE(in_order); i++) {
		zassert_equal(numbers(text, in_order[i], value), 1, "%s", in_order[i]);
		zassert_equal(value[0], 101 + i, "%s", in_order[i]);
	}
	zassert_not_null(strstr(text, "left"));
	zassert_is_null(strstr(text, "right"));
}

ZTEST(imu_shell, test_all_runners_stand_side_by_side)
{
	const char *text = said("emlearn stats", 0);
	const char *const names[] = {" left", " right", " runner", " publisher"};

	/* Those of other files of this test too. Their order is the linker's. */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *name = strstr(text, names[i]);

		zassert_not_null(name, "%s", names[i]);
		zassert_true(name < strstr(text, "frames "), "%s stands above the counters", names[i]);
	}
}

ZTEST(imu_shell, test_a_number_beyond_2_to_the_31_is_shown_as_it_is)
{
	uint32_t value[2];

	zassert_equal(numbers(said("emlearn stats right", 0), "frames ", value), 1);
	zassert_equal(value[0], 4000000001);
}

ZTEST(imu_shell, test_an_unknown_name_is_a_clear_error)
{
	zassert_not_null(strstr(said("emlearn stats middle", -ENOENT), "no runner is called 'middle'"));
}

ZTEST(imu_shell, test_help_tells_what_the_command_shows)
{
	zassert_not_null(strstr(said("emlearn stats --help", SHELL_CMD_HELP_PRINTED), "since they started"));
	zassert_not_null(strstr(said("emlearn", SHELL_CMD_HELP_PRINTED), "stats"));
	said("emlearn stats left right", -EINVAL);
}

static void *wait_for_the_shell(void)
{
	/* The backend starts in a thread of its own. */
	WAIT_FOR(shell_ready(shell_backend_dummy_get_ptr()), 1000000, k_msleep(1));
	return NULL;
}

ZTEST_SUITE(imu_shell, NULL, wait_for_the_shell, before, NULL, NULL);
