/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Batches of frames from an IMU, whatever its driver can do: asked is what the model wants, got what the sensor gives.
 *
 *     EMLEARN_IMU_READER_DEFINE(imu, DT_CHOSEN(emlearn_imu), 32);
 *
 *     emlearn_imu_reader_start(&imu.reader, &asked, &got);
 *     while ((rc = emlearn_imu_reader_read(&imu.reader, &batch, K_FOREVER)) == 0) { ... }
 *
 * A reader goes on by itself after faults of bus, chip or interrupt line and says in n_lost what they cost;
 * docs/readers.md tells which back end does what.
 */
#ifndef EMLEARN_ZEPHYR_IMU_READER_H_
#define EMLEARN_ZEPHYR_IMU_READER_H_

#include <zephyr/kernel.h>

#include <emlearn/zephyr/imu_backend.h>
#include <emlearn/zephyr/imu_types.h>

#ifdef CONFIG_EMLEARN_IMU_READER_POLL
#include <emlearn/zephyr/imu_reader_poll.h>
#endif
#ifdef CONFIG_EMLEARN_IMU_READER_READ
#include <emlearn/zephyr/imu_reader_read.h>
#endif
#ifdef CONFIG_EMLEARN_IMU_READER_STREAM
#include <emlearn/zephyr/imu_reader_stream.h>
#endif
#ifdef CONFIG_EMLEARN_IMU_READER_FIFO
#include <emlearn/zephyr/imu_reader_fifo.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Set up the driver for a model and start reading.
 *
 * Tries to set the rate, or else one of the usual rates within the tolerance, and the nominal range; leaves as it is
 * what the driver cannot set, and checks what it can learn.
 *
 * @param reader made by EMLEARN_IMU_READER_DEFINE(), stopped
 * @param asked  copied; from 1 Hz to 10 kHz
 * @param got    filled as far as it is known, also where the return value is -ERANGE
 * @return 0; -EINVAL if `asked` is no valid wish; -ENODEV if the device is no sensor or not ready; -EALREADY if it
 * runs; -ENOTSUP if the back end cannot read this device or not at this rate; -ERANGE if the chip's rate lies outside
 * of the tolerance or its range is under three quarters of the model's; or the driver's error. After an error the
 * reader is stopped, and a log line names the device and what was wrong.
 */
int emlearn_imu_reader_start(struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked,
			     struct emlearn_imu_got *got);

/**
 * Wait for frames. A reader is started, read and stopped by one thread.
 *
 * @param reader  running
 * @param batch   filled on success: 1 frame or more, mounted, on the model's grid, with n_lost frames missing right
 *                before the first. The frames are the reader's and hold until the next call.
 * @param timeout how long to wait. Faults of the chip are seen and mended in here, so read again soon
 * @return 0; -EAGAIN if no batch was ready in time; -ENODATA at the end of a recording; -EINVAL if the reader is
 *         stopped; or another error, of a driver, bus or chip that keeps failing: reading on is allowed
 */
int emlearn_imu_reader_read(struct emlearn_imu_reader *reader, struct emlearn_batch *batch, k_timeout_t timeout);

/** Takes a batch, as emlearn_imu_reader_read() gives it. Anything but 0 ends emlearn_imu_reader_run(). */
typedef int (*emlearn_imu_on_batch)(struct emlearn_batch *batch, void *user);

/**
 * Read without end, and hand each batch to a function, in the calling thread.
 *
 * @return what `on_batch` returned if it was not 0, or an error of emlearn_imu_reader_read()
 */
int emlearn_imu_reader_run(struct emlearn_imu_reader *reader, emlearn_imu_on_batch on_batch, void *user);

/** Stop reading, from the thread that reads. Nothing happens if the reader is stopped. */
void emlearn_imu_reader_stop(struct emlearn_imu_reader *reader);

/** What the reader has counted since it started; from any thread. */
void emlearn_imu_reader_stats(const struct emlearn_imu_reader *reader, struct emlearn_imu_stats *stats);

/* The same back end for every node: that of the choice EMLEARN_IMU_READER_USE, which follows from the chosen one. */
#if defined(CONFIG_EMLEARN_IMU_READER_USE_POLL)
#define EMLEARN_IMU_READER_OF(node_id) EMLEARN_IMU_READER_POLL_DEFINE
#elif defined(CONFIG_EMLEARN_IMU_READER_USE_READ)
#define EMLEARN_IMU_READER_OF(node_id) EMLEARN_IMU_READER_READ_DEFINE
#elif defined(CONFIG_EMLEARN_IMU_READER_USE_STREAM)
#define EMLEARN_IMU_READER_OF(node_id) EMLEARN_IMU_READER_STREAM_DEFINE
#elif defined(CONFIG_EMLEARN_IMU_READER_USE_FIFO)
#define EMLEARN_IMU_READER_OF(node_id) EMLEARN_IMU_READER_FIFO_DEFINE
#endif

/**
 * Define a static reader `name`; `&name.reader` goes into the functions above.
 *
 * By the back end of CONFIG_EMLEARN_IMU_READER_USE_...; for another one use its own macro, such as
 * EMLEARN_IMU_READER_POLL_DEFINE().
 *
 * @param node_id       of the sensor, or of a node emlearn,imu that stands for it (mount, watermark)
 * @param batch_frames_ most frames in a batch, 1 or more
 */
#define EMLEARN_IMU_READER_DEFINE(name, node_id, batch_frames_)                                                        \
	EMLEARN_IMU_READER_OF(node_id)(name, node_id, batch_frames_)

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_READER_H_ */
