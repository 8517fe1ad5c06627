/* SPDX-License-Identifier: Apache-2.0 */
/* Between a streaming reader and RTIO: blocks come and go, the stream is armed and taken back. */
#include "imu_stream_link.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <zephyr/kernel.h>

#include "imu_stream_driver.h"

/* Waits between attempts grow up to so many times the first. */
#define BACKOFF_MAX 4u

/* The first wait where the driver could not even set up the chip. */
#define RETRY_US 250000u

/* How long a transfer of the driver may take, ms. */
#define TRANSFER_MS 200u

void emlearn_imu_stream_release(struct emlearn_imu_reader_stream *stream)
{
	struct emlearn_imu_stream_block *block = &stream->block;

	/* Some drivers hand out a block also where the transfer into it has failed: it must not hold old frames then.
	 */
	if (block->data != NULL) {
		memset(block->data, 0, block->bytes);
	}
	rtio_release_buffer(stream->rtio, block->data, block->bytes);
	memset(block, 0, offsetof(struct emlearn_imu_stream_block, stamp));
	stream->n_used = 0;
}

void emlearn_imu_stream_doubt(struct emlearn_imu_reader_stream *stream)
{
	stream->gap = true;
	stream->block.n_stamps = 0;
	stream->block.is_held = false;
}

int emlearn_imu_stream_complete(struct emlearn_imu_reader_stream *stream)
{
	struct emlearn_imu_stream_block *block = &stream->block;
	struct rtio_cqe *cqe;
	int result;

	/* Consuming takes it again, and nobody else does: this does not wait. */
	k_sem_give(stream->rtio->consume_sem);
	cqe = rtio_cqe_consume_block(stream->rtio);
	result = cqe->result;
	if (rtio_cqe_get_mempool_buffer(stream->rtio, cqe, &block->data, &block->bytes) != 0) {
		block->data = NULL;
	}
	rtio_cqe_release(stream->rtio, cqe);
	/* The chip's interrupt, and this thread. */
	stream->reader.stats.n_wakeups += 2;
	if (result >= 0) {
		return 0;
	}
	emlearn_imu_stream_release(stream);
	stream->stream = NULL;
	return result;
}

void emlearn_imu_stream_drain(struct emlearn_imu_reader_stream *stream)
{
	emlearn_imu_stream_release(stream);
	while (k_sem_take(stream->rtio->consume_sem, K_NO_WAIT) == 0) {
		(void)emlearn_imu_stream_complete(stream);
		emlearn_imu_stream_release(stream);
	}
}

int emlearn_imu_stream_disarm(struct emlearn_imu_reader_stream *stream)
{
	for (unsigned int i = 0; stream->stream != NULL; i++) {
		struct rtio_iodev_sqe *sqe = CONTAINER_OF(stream->stream, struct rtio_iodev_sqe, sqe);
		unsigned int key = irq_lock();

		if (stream->node.driver->take_back(stream->reader.dev, sqe)) {
			rtio_sqe_cancel(stream->stream);
			rtio_sqe_pool_free(stream->rtio->sqe_pool, sqe);
			stream->stream = NULL;
		}
		irq_unlock(key);
		if (stream->stream != NULL && i >= TRANSFER_MS) {
			return -EBUSY;
		}
		/* Also for a completion that somebody less urgent is about to hand over. */
		k_sleep(K_MSEC(1));
		emlearn_imu_stream_drain(stream);
	}
	return 0;
}

void emlearn_imu_stream_watch(struct emlearn_imu_reader_stream *stream, uint32_t first_us)
{
	stream->reader.look_us = CLAMP(stream->n_silent, 1u, BACKOFF_MAX) * first_us;
}

int emlearn_imu_stream_arm(struct emlearn_imu_reader_stream *stream)
{
	int rc = emlearn_imu_stream_disarm(stream);

	if (rc == 0) {
		rc = stream->node.driver->set_watermark(&stream->reader, &stream->node, stream->watermark_frames);
	}
	if (rc == 0) {
		rc = sensor_stream(stream->iodev, stream->rtio, NULL, &stream->stream);
	}
	if (rc == 0 && stream->node.driver->clear != NULL) {
		stream->node.driver->clear(stream->reader.dev);
	}
	emlearn_imu_stream_watch(stream, rc == 0 ? stream->watch_us : RETRY_US);
	return rc;
}
