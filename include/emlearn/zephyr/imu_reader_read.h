/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Back end of the IMU reader that reads and decodes: one sensor_read_async_mempool() a frame, at a timer's pace.
 *
 * For drivers that have a decoder of their own, and through Zephyr's generic one for all others. At most one read is
 * under way; a deadline that comes before it is done is a lost frame, and so is a failed read and a frame for which
 * no memory block was free. Whoever reads has CONFIG_EMLEARN_IMU_READER_READ_BATCHES batches of time for anything
 * else.
 *
 * Reads are submitted from the system work queue and not from the timer's interrupt: what a driver does when it is
 * asked (bus drivers that turn on power, for one) need not be safe there. Work that keeps that queue busy for more
 * than a sample period costs frames.
 *
 * Values are SI units in 31 bits, from which the chip's code is recovered exactly as long as a step is above 2.5
 * millionths of m/s2 or rad/s (0.26 ug, 0.15 mdps): the error of Zephyr's generic decoder is at most 0.2 millionths
 * beside the driver's own 1. Drivers whose decoders multiply by a rounded factor are off by more.
 *
 * Starting fails with -ENOTSUP where three ticks of the kernel are longer than a sample period, or if the device
 * cannot be read this way.
 */
#ifndef EMLEARN_ZEPHYR_IMU_READER_READ_H_
#define EMLEARN_ZEPHYR_IMU_READER_READ_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>
#include <zephyr/rtio/rtio.h>
#include <zephyr/sys/atomic.h>

#include <emlearn/zephyr/imu_backend.h>
#include <emlearn/zephyr/imu_pace.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Frame and its number; the fields are private. */
struct emlearn_imu_read_frame {
	uint64_t number;
	int16_t values[EMLEARN_IMU_CHANNELS_MAX];
};

/** Memory of such a reader; the fields are private. */
struct emlearn_imu_reader_read {
	struct emlearn_imu_reader reader;
	const struct rtio_iodev *iodev;
	struct rtio *rtio;
	int16_t *frames;
	uint16_t batch_frames;
	uint16_t n_blocks;

	/* Of whoever submits and completes reads, and of the reader. */
	struct k_timer timer;
	struct k_work work;
	struct k_sem ready;   /* for the reader: look at the completions */
	atomic_t due;         /* low bits of the number of the newest frame due */
	atomic_t in_flight;   /* a read is under way */
	atomic_t n_waiting;   /* completions, each with a block at most */
	atomic_t n_wanted;    /* completions to wake the reader for */
	atomic_t is_draining; /* wake it for any */
	uint64_t number;      /* of the next deadline */
	uint32_t submitted;   /* low bits of the number of the newest read */
	bool is_overrun;

	/* Of the reader. */
	const struct sensor_decoder_api *decoder;
	struct emlearn_imu_pace pace;
	uint64_t next;  /* number of the frame after the last one */
	uint64_t first; /* number of the first frame of the batch */
	uint32_t n_lost;
	uint16_t n_frames;
	uint16_t n_errors;
	int status; /* to return once the batch is out */
	bool is_delivered;
	bool is_over;
	bool has_held;
	struct emlearn_imu_read_frame held; /* came behind a gap: for the next batch */
};

extern const struct emlearn_imu_backend emlearn_imu_backend_read;

/* The sqe of a read, and of what is done after it; twice, as the last one may not be free yet. */
#define EMLEARN_IMU_READ_SQES 4

/**
 * Define a static reading reader `name`; `&name.reader` goes into the functions of imu_reader.h.
 *
 * @param node_id        of the sensor, or of a node emlearn,imu
 * @param batch_frames_  frames of a full batch, 1 or more; a batch takes that many sample periods to fill
 */
#define EMLEARN_IMU_READER_READ_DEFINE(name, node_id, batch_frames_)                                                   \
	EMLEARN_IMU_NODE_CHECK(node_id, batch_frames_);                                                                \
	BUILD_ASSERT(CONFIG_EMLEARN_IMU_READER_READ_BATCHES *(batch_frames_) < 4096,                                   \
		     "RTIO counts at most 4095 memory blocks: make the batch or "                                      \
		     "CONFIG_EMLEARN_IMU_READER_READ_BATCHES smaller");                                                \
	static int16_t emlearn_frames_##name[(batch_frames_) * EMLEARN_IMU_CHANNELS_MAX];                              \
	EMLEARN_IMU_READ_IODEV(emlearn_iodev_##name, EMLEARN_IMU_SENSOR(node_id));                                     \
	/* A completion for each block, so that none is dropped, and its block with it. */                             \
	RTIO_DEFINE_WITH_MEMPOOL(emlearn_rtio_##name, EMLEARN_IMU_READ_SQES,                                           \
				 CONFIG_EMLEARN_IMU_READER_READ_BATCHES *(batch_frames_),                              \
				 CONFIG_EMLEARN_IMU_READER_READ_BATCHES *(batch_frames_),                              \
				 CONFIG_EMLEARN_IMU_READER_READ_BLOCK_SIZE, 8);                                        \
	static struct emlearn_imu_reader_read name = {                                                                 \
		.reader = EMLEARN_IMU_READER_INIT(&emlearn_imu_backend_read, node_id),                                 \
		.iodev = &emlearn_iodev_##name,                                                                        \
		.rtio = &emlearn_rtio_##name,                                                                          \
		.frames = emlearn_frames_##name,                                                                       \
		.batch_frames = (batch_frames_),                                                                       \
		.n_blocks = CONFIG_EMLEARN_IMU_READER_READ_BATCHES * (batch_frames_),                                  \
	}

/* Room for both sensors; which ones are read is set at the start. */
#define EMLEARN_IMU_READ_IODEV(name, sensor)                                                                           \
	COND_CODE_1(EMLEARN_IMU_IS_SENSOR(sensor),                                                                     \
		    (SENSOR_DT_READ_IODEV(name, sensor, {SENSOR_CHAN_ACCEL_XYZ, 0}, {SENSOR_CHAN_GYRO_XYZ, 0})),       \
		    (static const struct rtio_iodev name))

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_READER_READ_H_ */
