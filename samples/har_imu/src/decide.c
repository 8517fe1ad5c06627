/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the IMU through the model, in the thread of a runner. */
#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include <emlearn/golden.h>
#include <emlearn/pipeline.h>
#include <emlearn/wire.h>
#include <emlearn/zephyr/imu_runner.h>

#include "har.h"
#include "run.h"
#include "truth.h"

EMLEARN_IMU_READER_DEFINE(imu, DT_CHOSEN(emlearn_imu), CONFIG_HAR_IMU_BATCH_FRAMES);
HAR_PIPELINE_DEFINE(pipeline);
EMLEARN_IMU_RUNNER_DEFINE(har, &imu.reader, &pipeline);

static K_SEM_DEFINE(ended, 0, 1);
static int end_rc;
static int error_rc; /* printed last, since the last batch */

static int self_test(void)
{
	uint16_t n_passed = 0;
	int rc = emlearn_pipeline_init(&pipeline);

	if (rc == 0) {
		rc = emlearn_golden_run(&har_golden, &pipeline, &n_passed);
	}
	printk("self-test: %u of %u windows\n", n_passed, har_golden.n_windows);
	return rc;
}

static void print_decision(const struct emlearn_decision *decision)
{
	char line[EMLEARN_WIRE_LINE_SIZE];

	if (emlearn_wire_encode(line, sizeof(line), decision, HAR_DIGEST, har_class_name(decision->class_idx)) > 0) {
		printk("%s\n", line);
	}
}

static void on_batch(const struct emlearn_batch *batch, void *user)
{
	ARG_UNUSED(user);
	error_rc = 0;
	if (!truth_batch(batch)) {
		emlearn_imu_runner_stop(&har);
	}
}

static void on_decision(const struct emlearn_decision *decision, void *user)
{
	ARG_UNUSED(user);
	if (truth_decision(decision)) {
		print_decision(decision);
	}
}

static void on_error(int rc, void *user)
{
	ARG_UNUSED(user);
	if (rc == error_rc) {
		return;
	}
	error_rc = rc;
	printk("%s: error %d, trying again\n", imu.reader.dev->name, rc);
}

static void on_end(int rc, void *user)
{
	ARG_UNUSED(user);
	end_rc = rc;
	k_sem_give(&ended);
}

static const struct emlearn_imu_handlers handlers = {
	.on_batch = on_batch,
	.on_decision = on_decision,
	.on_error = on_error,
	.on_end = on_end,
};

static int wait_for_end(void)
{
	while (k_sem_take(&ended, TRUTH_LOOK) != 0) {
		if (truth_is_overdue()) {
			return -ETIMEDOUT;
		}
	}
	return 0;
}

int run(void)
{
	struct emlearn_imu_asked asked = EMLEARN_IMU_ASKED(HAR);
	struct emlearn_imu_got got;
	int rc = self_test();

	if (rc != 0) {
		return rc;
	}
	asked.unpaced = IS_UNPACED;
	rc = emlearn_imu_runner_start(&har, &asked, &got, &handlers, NULL);
	if (rc != 0) {
		return rc;
	}
	print_got(&imu.reader, &got);
	rc = wait_for_end();
	emlearn_imu_runner_stop(&har);
	if (rc == 0 && end_rc != 0 && end_rc != -ENODATA) {
		return end_rc;
	}
	truth_print();
	return rc;
}
