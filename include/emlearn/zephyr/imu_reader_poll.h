/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Back end of the IMU reader for drivers that can do no more than sample_fetch and channel_get.
 *
 * A thread of its own fetches each frame at a deadline, and deadlines follow each other without drift. The batches
 * wait in a ring: whoever reads has CONFIG_EMLEARN_IMU_READER_POLL_BATCHES - 1 batches of time for anything else.
 * A deadline that passed before the thread came to it is a lost frame, and so is a failed fetch and a frame for which
 * the ring had no room. The ring of an unpaced reader is never full: its thread waits.
 *
 * It sees what the driver tells. ST's drivers of Zephyr 4.3 (lsm6dsl, lsm6dso, ism330dhcx) return 0 from sample_fetch
 * where the bus failed, and give the values from before. A driver that says -EBUSY where the chip has no new frame, as
 * that of icm42688 does, makes a lost frame of what others repeat: one whenever the clocks are a period apart.
 *
 * Starting fails with -ENOTSUP where three ticks of the kernel are longer than a sample period: raise
 * CONFIG_SYS_CLOCK_TICKS_PER_SEC.
 */
#ifndef EMLEARN_ZEPHYR_IMU_READER_POLL_H_
#define EMLEARN_ZEPHYR_IMU_READER_POLL_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/atomic.h>

#include <emlearn/zephyr/imu_backend.h>
#include <emlearn/zephyr/imu_pace.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A batch in the ring; the fields are private. */
struct emlearn_imu_poll_slot {
	int64_t t_us;
	uint32_t n_lost;
	uint16_t n_frames;
};

/** Memory of a polling reader; the fields are private. */
struct emlearn_imu_reader_poll {
	struct emlearn_imu_reader reader;
	int16_t *frames; /* batch_frames of each slot */
	k_thread_stack_t *stack;
	uint16_t batch_frames;

	/* Of both threads. */
	struct k_thread thread;
	struct k_sem ready; /* for the reader: look at n_full and status */
	struct k_sem poke;  /* for the poller: look at n_full, parked and stopping */
	atomic_t n_full;    /* slots that the reader has or may have */
	atomic_t status;    /* what read() is to return once all slots are taken */
	atomic_t parked;    /* the poller waits until that was read, and read() called again */
	atomic_t stopping;

	/* Of the poller. */
	struct emlearn_imu_pace pace;
	uint64_t number; /* of the next frame */
	uint32_t n_lost; /* since the frame before */
	uint16_t n_errors;
	uint8_t head;
	bool is_overrun;

	/* Of the reader. */
	uint8_t tail;
	bool has_slot;
	bool has_status;

	struct emlearn_imu_poll_slot slots[CONFIG_EMLEARN_IMU_READER_POLL_BATCHES];
};

extern const struct emlearn_imu_backend emlearn_imu_backend_poll;

/**
 * Define a static polling reader `name`; `&name.reader` goes into the functions of imu_reader.h.
 *
 * @param node_id        of the sensor, or of a node emlearn,imu
 * @param batch_frames_  frames of a full batch, 1 or more; a batch takes that many sample periods to fill
 */
#define EMLEARN_IMU_READER_POLL_DEFINE(name, node_id, batch_frames_)                                                   \
	EMLEARN_IMU_NODE_CHECK(node_id, batch_frames_);                                                                \
	static int16_t emlearn_frames_##name[CONFIG_EMLEARN_IMU_READER_POLL_BATCHES * (batch_frames_) *                \
					     EMLEARN_IMU_CHANNELS_MAX];                                                \
	static K_KERNEL_STACK_DEFINE(emlearn_stack_##name, CONFIG_EMLEARN_IMU_READER_POLL_STACK_SIZE);                 \
	static struct emlearn_imu_reader_poll name = {                                                                 \
		.reader = EMLEARN_IMU_READER_INIT(&emlearn_imu_backend_poll, node_id),                                 \
		.frames = emlearn_frames_##name,                                                                       \
		.stack = emlearn_stack_##name,                                                                         \
		.batch_frames = (batch_frames_),                                                                       \
	}

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_READER_POLL_H_ */
