/* SPDX-License-Identifier: Apache-2.0 */
/* Between a streaming reader and RTIO: blocks come and go, the stream is armed and taken back. */
#ifndef EMLEARN_IMU_STREAM_LINK_H_
#define EMLEARN_IMU_STREAM_LINK_H_

#include <stdint.h>

#include <zephyr/kernel.h>

#include <emlearn/zephyr/imu_reader_stream.h>

/* The one place at which a block goes back into the pool. */
void emlearn_imu_stream_release(struct emlearn_imu_reader_stream *stream);

/* From here on frames may be missing. */
void emlearn_imu_stream_doubt(struct emlearn_imu_reader_stream *stream);

/* The completion for which the semaphore was taken: 0 with its block in stream->block, or the error of the stream. */
int emlearn_imu_stream_complete(struct emlearn_imu_reader_stream *stream);

/* Throw away what is complete. */
void emlearn_imu_stream_drain(struct emlearn_imu_reader_stream *stream);

/*
 * Take the stream back from the driver, which never completes one that was cancelled. -EBUSY if it is in a transfer
 * that does not end.
 */
int emlearn_imu_stream_disarm(struct emlearn_imu_reader_stream *stream);

/* When to arm the stream again if nothing is heard: after first_us, or longer if that was in vain before. */
void emlearn_imu_stream_watch(struct emlearn_imu_reader_stream *stream, uint32_t first_us);

/* Set the chip up with its FIFO empty, and stream. */
int emlearn_imu_stream_arm(struct emlearn_imu_reader_stream *stream);

#endif /* EMLEARN_IMU_STREAM_LINK_H_ */
