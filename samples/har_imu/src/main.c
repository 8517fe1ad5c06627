/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an IMU, runs a trained model on it, and prints a line for each decision. */
#include <errno.h>

#include <zephyr/device.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>
#ifdef CONFIG_ARCH_POSIX
#include <posix_board_if.h>
#endif

#include <emlearn/golden.h>
#include <emlearn/pipeline.h>
#include <emlearn/wire.h>
#include <emlearn/zephyr/imu_reader.h>

#include "har.h"
#include "truth.h"

#define IMU DEVICE_DT_GET(DT_CHOSEN(emlearn_imu))

EMLEARN_IMU_READER_DEFINE(reader, DT_CHOSEN(emlearn_imu), CONFIG_HAR_IMU_BATCH_FRAMES);
HAR_PIPELINE_DEFINE(pipeline);

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

/* Put a batch through the pipeline. Returns 0 or an error of the pipeline. */
static int classify(struct emlearn_batch *batch)
{
	struct emlearn_decision decision;
	int rc;

	truth_batch(batch);
	while ((rc = emlearn_pipeline_push(&pipeline, batch, &decision)) > 0) {
		print_decision(&decision);
		truth_decision(IMU, batch, &decision);
	}
	return rc;
}

/* What is left without a model: print the first frame of each hop. */
static int show(struct emlearn_batch *batch)
{
	static uint32_t n_frames;

	for (; batch->n_used < batch->n_frames; batch->n_used++) {
		const int16_t *frame = &batch->frames[batch->n_used * HAR_N_CHANNELS];

		if (n_frames++ % HAR_HOP_LEN == 0) {
			printk("%d,%d,%d\n", frame[0], frame[1], frame[2]);
		}
	}
	return 0;
}

static int run(void)
{
	struct emlearn_imu_asked asked = EMLEARN_IMU_ASKED(HAR);
	struct emlearn_imu_got got;
	struct emlearn_batch batch;
	int rc;

	if (!IS_ENABLED(CONFIG_HAR_IMU_READ_ONLY)) {
		rc = self_test();
		if (rc != 0) {
			return rc;
		}
	}
	asked.unpaced = IS_ENABLED(CONFIG_EMLEARN_REPLAY_IMU) && !IS_ENABLED(CONFIG_HAR_IMU_REAL_TIME);
	rc = emlearn_imu_reader_start(&reader.reader, &asked, &got);
	if (rc != 0) {
		return rc;
	}
	printk("%s: %u mHz, asked for %u\n", IMU->name, got.rate_mhz, asked.rate_mhz);
	do {
		rc = emlearn_imu_reader_read(&reader.reader, &batch, K_FOREVER);
		if (rc == 0) {
			rc = IS_ENABLED(CONFIG_HAR_IMU_READ_ONLY) ? show(&batch) : classify(&batch);
		}
	} while (rc == 0);
	return rc;
}

int main(void)
{
	int rc = run();

	if (rc == -ENODATA) {
		truth_print();
		rc = 0;
	} else {
		printk("stopped: %d\n", rc);
	}
#ifdef CONFIG_ARCH_POSIX
	posix_exit(rc != 0);
#endif
	return rc;
}
