/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_reader.h"

#include <errno.h>

#include <zephyr/device.h>
#include <zephyr/drivers/sensor.h>

struct fake_reader fake;

static DEVICE_API(sensor, fake_api) = {0};

DEVICE_DEFINE(fake_imu, "fake-imu", NULL, NULL, NULL, NULL, POST_KERNEL, 99, &fake_api);

/* Never given. */
static K_SEM_DEFINE(fake_ready, 0, 1);

static int fake_start(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	if (fake.start_rc != 0) {
		return fake.start_rc;
	}
	reader->ready = &fake_ready;
	got->rate_mhz = 100000;
	got->watermark_frames = FAKE_BATCH;
	fake.n_starts++;
	fake.thread = k_current_get();
	fake.next_us = emlearn_imu_now_us() - fake.ahead_us;
	return 0;
}

static int fake_read(struct emlearn_imu_reader *reader, struct emlearn_batch *batch, enum emlearn_imu_call call)
{
	int64_t due_us = fake.next_us + FAKE_BATCH * FAKE_PERIOD_US;
	int64_t rest_us = due_us - emlearn_imu_now_us();

	fake.strange = fake.strange || k_current_get() != fake.thread;
	fake.n_reads += call == EMLEARN_IMU_ASKED ? 1 : 0;
	if (fake.n_fail > 0) {
		fake.n_fail -= fake.n_fail == UINT32_MAX ? 0 : 1;
		return fake.read_rc;
	}
	if (fake.n_left == 0) {
		return -ENODATA;
	}
	if (rest_us > 0) {
		reader->look_us = (uint32_t)rest_us;
		return -EAGAIN;
	}
	fake.n_left--;
	for (size_t i = 0; i < ARRAY_SIZE(fake.frames); i++) {
		fake.frames[i] = fake.level;
	}
	*batch = (struct emlearn_batch){
		.frames = fake.frames,
		.n_frames = FAKE_BATCH,
		.t_us = fake.next_us,
		.period_ns = FAKE_PERIOD_US * 1000,
	};
	fake.next_us = due_us;
	return 0;
}

static void fake_stop(struct emlearn_imu_reader *reader)
{
	ARG_UNUSED(reader);
	fake.strange = fake.strange || k_current_get() != fake.thread;
	fake.n_stops++;
}

static const struct emlearn_imu_backend fake_backend = {
	.start = fake_start,
	.read = fake_read,
	.stop = fake_stop,
};

void fake_reset(void)
{
	fake = (struct fake_reader){
		.reader = {.backend = &fake_backend,
			   .dev = DEVICE_GET(fake_imu),
			   .board_mount = {{0, 1}, {1, 1}, {2, 1}}},
		.n_left = UINT32_MAX,
	};
}
