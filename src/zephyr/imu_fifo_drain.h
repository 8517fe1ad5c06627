/* SPDX-License-Identifier: Apache-2.0 */
/* The FIFO of the chip: turn it on, see what is in it, take frames out and know which ones they are. */
#ifndef EMLEARN_ZEPHYR_IMU_FIFO_DRAIN_H_
#define EMLEARN_ZEPHYR_IMU_FIFO_DRAIN_H_

#include <stdbool.h>
#include <stdint.h>

#include "imu_fifo_chip.h"

/* What a survey found: nothing to worry about, a FIFO that did not stand at the beginning of a frame, or one that had
 * run over or lost its settings. */
enum emlearn_imu_fifo_finding {
	EMLEARN_IMU_FIFO_SOUND,
	EMLEARN_IMU_FIFO_MISALIGNED,
	EMLEARN_IMU_FIFO_BROKEN,
};

/* Turn the FIFO on with what the driver has set, and keep the settings. 0 or a negative errno. */
int emlearn_imu_fifo_turn_on(struct emlearn_imu_reader_fifo *fifo, struct emlearn_imu_got *got);

int emlearn_imu_fifo_turn_off(struct emlearn_imu_reader_fifo *fifo);

/* Read the settings into `out`, in their order. How many bytes, or a negative errno. */
int emlearn_imu_fifo_read_settings(struct emlearn_imu_reader_fifo *fifo, uint8_t out[EMLEARN_IMU_FIFO_SNAPSHOT_MAX]);

/* Write them back. 0 or a negative errno. */
int emlearn_imu_fifo_write_settings(struct emlearn_imu_reader_fifo *fifo);

/* Write the settings back and begin with an empty FIFO. 0 or a negative errno. */
int emlearn_imu_fifo_rearm(struct emlearn_imu_reader_fifo *fifo);

/*
 * See whether the chip is set up and how many frames there are, and leave the FIFO at the beginning of one. Frames that
 * went make `lost` true and estimate what the next number is. A finding, or a negative errno.
 */
int emlearn_imu_fifo_survey(struct emlearn_imu_reader_fifo *fifo);

/*
 * Take out what is due, up to a batch and up to a gap, and check that it can be believed. 1 with a batch; 0 if there is
 * none, look again; or a negative errno.
 */
int emlearn_imu_fifo_drain(struct emlearn_imu_reader_fifo *fifo, struct emlearn_batch *batch);

/* How long it takes from the last survey until the FIFO runs over. */
int64_t emlearn_imu_fifo_room_us(const struct emlearn_imu_reader_fifo *fifo);

/* Whole frames that the last survey left in the FIFO, with one of which a part was read. */
static inline uint16_t emlearn_imu_fifo_frames(const struct emlearn_imu_reader_fifo *fifo)
{
	return (uint16_t)((fifo->n_bytes + fifo->part_bytes) / fifo->frame_bytes);
}

/* Are there frames that have left the chip and were not delivered? */
static inline bool emlearn_imu_fifo_has_leftovers(const struct emlearn_imu_reader_fifo *fifo)
{
	return fifo->holds || fifo->raw_pos + fifo->frame_bytes <= fifo->raw_end;
}

#endif /* EMLEARN_ZEPHYR_IMU_FIFO_DRAIN_H_ */
