/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Back end of the IMU reader for drivers that can do no more than sample_fetch and channel_get.
 *
 * Each frame is fetched at a deadline, and deadlines follow each other without drift. A deadline that passed while
 * the caller was busy is a lost frame, and so is a failed fetch.
 *
 * Starting fails with -ENOTSUP where three ticks of the kernel are longer than a sample period: raise
 * CONFIG_SYS_CLOCK_TICKS_PER_SEC.
 */
#ifndef EMLEARN_ZEPHYR_IMU_READER_POLL_H_
#define EMLEARN_ZEPHYR_IMU_READER_POLL_H_

#include <emlearn/zephyr/imu_backend.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Memory of a polling reader; the fields are private. */
struct emlearn_imu_reader_poll {
	struct emlearn_imu_reader reader;
	int16_t *frames;
	uint16_t batch_frames;
	uint16_t n_errors;
	uint32_t n_lost;
	uint32_t rest;
	int64_t due_us;
};

extern const struct emlearn_imu_backend emlearn_imu_backend_poll;

/**
 * Define a static polling reader `name`; `&name.reader` goes into the functions of imu_reader.h.
 *
 * @param node_id        of the sensor, or of a node emlearn,imu
 * @param batch_frames_  frames of a full batch, 1 or more; a batch takes that many sample periods to read
 */
#define EMLEARN_IMU_READER_POLL_DEFINE(name, node_id, batch_frames_)                                                   \
	EMLEARN_IMU_NODE_CHECK(node_id, batch_frames_);                                                                \
	static int16_t emlearn_frames_##name[(batch_frames_)*EMLEARN_IMU_CHANNELS_MAX];                                \
	static struct emlearn_imu_reader_poll name = {                                                                 \
		.reader = EMLEARN_IMU_READER_INIT(&emlearn_imu_backend_poll, node_id),                                 \
		.frames = emlearn_frames_##name,                                                                       \
		.batch_frames = (batch_frames_),                                                                       \
	}

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_READER_POLL_H_ */
