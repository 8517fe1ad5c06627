/* SPDX-License-Identifier: Apache-2.0 */
/* A back end that reads nothing: what is left is what all readers share. */
#include <errno.h>

#include "read.h"

static struct k_sem never;

static int start(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	k_sem_init(&never, 0, 1);
	reader->ready = &never;
	got->watermark_frames = 1;
	return 0;
}

static int read(struct emlearn_imu_reader *reader, struct emlearn_batch *batch, enum emlearn_imu_call call)
{
	ARG_UNUSED(reader);
	ARG_UNUSED(batch);
	ARG_UNUSED(call);
	return -EAGAIN;
}

static void stop(struct emlearn_imu_reader *reader)
{
	ARG_UNUSED(reader);
}

static const struct emlearn_imu_backend none = {.start = start, .read = read, .stop = stop};
static struct emlearn_imu_reader reader = EMLEARN_IMU_READER_INIT(&none, DT_CHOSEN(emlearn_imu));

int main(void)
{
	return read_all(&reader);
}
