/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Back end of the IMU reader for drivers that stream the FIFO of their chip (sensor_stream() with a watermark).
 *
 * The driver reads the chip at each watermark, in interrupts and RTIO's work queue, into a pool of
 * CONFIG_EMLEARN_IMU_READER_STREAM_BATCHES blocks; the reader decodes what has come when it is called. RTIO's threads
 * have to be more urgent than whoever computes (CONFIG_RTIO_WORKQ_THREADS_POOL_PRIO, by default -1 here).
 *
 * A stream that has ended or gone silent is armed again in emlearn_imu_reader_read(): at once after an error, after
 * three times the time of a watermark if nothing was heard. That takes the driver's time to set up the chip, some 60 ms
 * for icm4268x, whatever the timeout. Three attempts in a row without a frame make read() return -EIO, and each one
 * after that. What was lost is told from the time that passed (EMLEARN_LOSS_ESTIMATED): FIFOs do not count.
 *
 * That time begins when the stream is armed. Until the first block nothing is known of the chip's clock: of frames that
 * were lost before it without another sign, one and 3 % of the block may go untold, but none is told that was not lost.
 *
 * Starting fails with -ENOTSUP where a tick of the kernel is too long for the driver to set the watermark: raise
 * CONFIG_SYS_CLOCK_TICKS_PER_SEC.
 */
#ifndef EMLEARN_ZEPHYR_IMU_READER_STREAM_H_
#define EMLEARN_ZEPHYR_IMU_READER_STREAM_H_

#include <zephyr/drivers/sensor.h>
#include <zephyr/rtio/rtio.h>

#include <emlearn/zephyr/imu_backend.h>
#include <emlearn/zephyr/imu_clock.h>
#include <emlearn/zephyr/imu_stream_node.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Memory of a streaming reader; the fields are private. */
struct emlearn_imu_reader_stream {
	struct emlearn_imu_reader reader;
	struct emlearn_imu_stream_node node;
	struct rtio *rtio;
	const struct rtio_iodev *iodev;
	int16_t *frames;
	uint16_t batch_frames;
	uint16_t watermark_frames;

	const struct sensor_decoder_api *decoder;
	struct rtio_sqe *stream; /* NULL: none is under way */
	struct emlearn_imu_clock clock;
	struct emlearn_imu_stream_block block;
	uint32_t fits[2];       /* of the decoder, by sensor */
	uint64_t number;        /* of the next frame, lost ones included */
	uint32_t watch_us;      /* how long that is */
	uint32_t n_lost;        /* before the next frame */
	uint16_t n_used;        /* frames of the block's run that were delivered */
	uint32_t n_lost_inside; /* frames, at the first break inside of the block */
	uint8_t n_silent;       /* times that the stream was armed again since the last frame */
	bool begun;             /* there was a frame */
	bool gap;               /* frames may be missing before the next block */
	bool is_estimated;      /* n_lost is */
};

extern const struct emlearn_imu_backend emlearn_imu_backend_stream;

/* A block takes one watermark; pools want powers of two. */
#define EMLEARN_IMU_STREAM_BLOCK_BYTES(node_id, watermark) NHPOT(EMLEARN_IMU_STREAM_BLOCK(node_id, watermark))

/*
 * Two submissions, so that the driver never holds on to the one that is being filled in. Completions: one a block, one
 * for the error that ends a stream, and one to spare: what does not fit is dropped by RTIO, and its block with it.
 */
#define EMLEARN_IMU_READER_STREAM_DEFINE_OF(name, node_id, sensor_id, batch_frames_, watermark)                        \
	EMLEARN_IMU_STREAM_CHECK(sensor_id, node_id, watermark);                                                       \
	EMLEARN_IMU_STREAM_IODEV(emlearn_iodev_##name, sensor_id);                                                     \
	RTIO_DEFINE_WITH_MEMPOOL(emlearn_rtio_##name, 2, CONFIG_EMLEARN_IMU_READER_STREAM_BATCHES + 2,                 \
				 CONFIG_EMLEARN_IMU_READER_STREAM_BATCHES,                                             \
				 EMLEARN_IMU_STREAM_BLOCK_BYTES(sensor_id, watermark), 8);                             \
	static int16_t emlearn_frames_##name[(batch_frames_) * EMLEARN_IMU_CHANNELS_MAX];                              \
	static struct emlearn_imu_reader_stream name = {                                                               \
		.reader = EMLEARN_IMU_READER_INIT(&emlearn_imu_backend_stream, node_id),                               \
		.node = EMLEARN_IMU_STREAM_NODE(sensor_id),                                                            \
		.rtio = &emlearn_rtio_##name,                                                                          \
		.iodev = &emlearn_iodev_##name,                                                                        \
		.frames = emlearn_frames_##name,                                                                       \
		.batch_frames = (batch_frames_),                                                                       \
		.watermark_frames = (watermark),                                                                       \
	}

/**
 * Define a static streaming reader `name`; `&name.reader` goes into the functions of imu_reader.h.
 *
 * @param node_id       of the sensor, or of a node emlearn,imu
 * @param batch_frames_ most frames in a batch, 1 or more; the watermark too unless a node emlearn,imu says otherwise
 */
#define EMLEARN_IMU_READER_STREAM_DEFINE(name, node_id, batch_frames_)                                                 \
	EMLEARN_IMU_NODE_CHECK(node_id, batch_frames_);                                                                \
	EMLEARN_IMU_READER_STREAM_DEFINE_OF(name, node_id, EMLEARN_IMU_SENSOR(node_id), batch_frames_,                 \
					    EMLEARN_IMU_WATERMARK(node_id, batch_frames_))

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_READER_STREAM_H_ */
