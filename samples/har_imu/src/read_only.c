/* SPDX-License-Identifier: Apache-2.0 */
/* What is left without a model: print the first frame of each hop. */
#include <errno.h>

#include <emlearn/zephyr/imu_reader.h>

#include "run.h"

EMLEARN_IMU_READER_DEFINE(imu, DT_CHOSEN(emlearn_imu), CONFIG_HAR_IMU_BATCH_FRAMES);

static int show(struct emlearn_batch *batch, void *user)
{
	static uint32_t n_frames;

	ARG_UNUSED(user);
	for (size_t i = 0; i < batch->n_frames; i++) {
		const int16_t *frame = &batch->frames[i * HAR_N_CHANNELS];

		if (n_frames++ % HAR_HOP_LEN == 0) {
			printk("%d,%d,%d\n", frame[0], frame[1], frame[2]);
		}
	}
	return 0;
}

int run(void)
{
	struct emlearn_imu_asked asked = EMLEARN_IMU_ASKED(HAR);
	struct emlearn_imu_got got;
	int rc;

	asked.unpaced = IS_UNPACED;
	rc = emlearn_imu_reader_start(&imu.reader, &asked, &got);
	if (rc != 0) {
		return rc;
	}
	print_got(&imu.reader, &got);
	rc = emlearn_imu_reader_run(&imu.reader, show, NULL);
	emlearn_imu_reader_stop(&imu.reader);
	return rc == -ENODATA ? 0 : rc;
}
