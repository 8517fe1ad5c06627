/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays a recording through the model of a chip, its unmodified driver, the reader and one of many models, and prints
 * each decision, and in the end how many frames there were and their CRC-32:
 *
 *     zephyr.exe --model=NAME --imu-replay=FILE.csv [--imu=NODE]
 *
 * The chip goes on behind the end of the recording; this does not.
 */
#include <errno.h>
#include <string.h>

#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/crc.h>
#include <zephyr/sys/printk.h>
#include <zephyr/sys/util.h>

#include <posix_board_if.h>

#include <emlearn/pipeline.h>
#include <emlearn/wire.h>
#include <emlearn/zephyr/chip_model.h>
#include <emlearn/zephyr/imu_reader.h>

#include "models.h"
#include "options.h"

/* Known to tests/python/test_chip_decisions.py. */
#define BATCH_FRAMES 32

/* Longer than a batch takes at the slowest rate, so that the reader has time to mend what is wrong. */
#define TIMEOUT K_SECONDS(10)

#define READER(node) EMLEARN_IMU_READER_DEFINE(UTIL_CAT(reader_, DT_NODE_FULL_NAME_TOKEN(node)), node, BATCH_FRAMES);
#define IMU(node)                                                                                                      \
	{                                                                                                              \
		.name = DT_NODE_FULL_NAME(node),                                                                       \
		.chip = DEVICE_DT_GET(DT_PHANDLE(node, sensor)),                                                       \
		.reader = &UTIL_CAT(reader_, DT_NODE_FULL_NAME_TOKEN(node)).reader,                                    \
	},

struct imu {
	const char *name;
	const struct device *chip;
	struct emlearn_imu_reader *reader;
};

DT_FOREACH_STATUS_OKAY(emlearn_imu, READER)

static const struct imu imus[] = {DT_FOREACH_STATUS_OKAY(emlearn_imu, IMU)};

static const struct imu *find_imu(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(imus); i++) {
		if (strcmp(imus[i].name, name) == 0) {
			return &imus[i];
		}
	}
	return NULL;
}

/* Put a batch through the pipeline and print its decisions. */
static int classify(const struct model *model, struct emlearn_batch *batch)
{
	char line[EMLEARN_WIRE_LINE_SIZE];
	struct emlearn_decision decision;
	int rc;

	while ((rc = emlearn_pipeline_push(model->pipeline, batch, &decision)) > 0) {
		rc = emlearn_wire_encode(line, sizeof(line), &decision, model->pipeline->pipeline->digest,
					 model->class_name(decision.class_idx));
		if (rc < 0) {
			return rc;
		}
		printk("%s\n", line);
	}
	return rc;
}

/* The first frame is remembered by the chip for a while, so ask early. */
static int print_start(const struct device *chip)
{
	struct emlearn_chip_frame first;
	int rc = emlearn_chip_truth(chip, 0, &first);

	if (rc == 0) {
		printk("first frame at %lld us\n", (long long)first.t_us);
	}
	return rc;
}

static int play(const struct imu *imu, const struct model *model, uint32_t n_recorded)
{
	const size_t n_channels = emlearn_pipeline_n_channels(model->pipeline->pipeline);
	struct emlearn_batch batch;
	uint32_t n_frames = 0;
	uint32_t n_lost = 0;
	uint32_t crc = 0;
	int rc = 0;

	while (rc == 0 && n_frames + n_lost < n_recorded) {
		rc = emlearn_imu_reader_read(imu->reader, &batch, TIMEOUT);
		if (rc == 0 && n_frames == 0) {
			rc = print_start(imu->chip);
		}
		if (rc == 0) {
			batch.n_frames = MIN(batch.n_frames, n_recorded - n_frames);
			n_frames += (uint32_t)batch.n_frames;
			n_lost += batch.n_lost;
			crc = crc32_ieee_update(crc, (const uint8_t *)batch.frames,
						batch.n_frames * n_channels * sizeof(*batch.frames));
			rc = classify(model, &batch);
		}
	}
	printk("frames %u lost %u crc %08x\n", n_frames, n_lost, crc);
	return rc;
}

static int run(void)
{
	const struct model *model = model_find(option_model());
	const struct imu *imu = find_imu(option_imu());
	struct emlearn_imu_got got;
	uint32_t n_recorded;
	int rc;

	if (model == NULL || imu == NULL) {
		printk("error: no model '%s' or no imu '%s'\n", option_model(), option_imu());
		return -EINVAL;
	}
	n_recorded = emlearn_chip_source(imu->chip)->n_frames;
	if (n_recorded == 0) {
		printk("error: %s plays no recording\n", imu->chip->name);
		return -EINVAL;
	}
	rc = emlearn_pipeline_init(model->pipeline);
	if (rc == 0) {
		rc = emlearn_imu_reader_start(imu->reader, &model->asked, &got);
	}
	if (rc == 0) {
		rc = play(imu, model, n_recorded);
		emlearn_imu_reader_stop(imu->reader);
	}
	return rc;
}

int main(void)
{
	int rc = run();

	if (rc != 0) {
		printk("stopped: %d\n", rc);
	}
	posix_exit(rc != 0);
	return rc;
}
