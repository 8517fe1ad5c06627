/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between drivers that stream: one struct emlearn_imu_stream_driver each.
 *
 * Zephyr's interface leaves open how the watermark is set, what a block of the FIFO may hold beside frames, what its
 * time means and when a stream can be taken back, so each driver's file knows that driver's private structs.
 */
#ifndef EMLEARN_IMU_STREAM_DRIVER_H_
#define EMLEARN_IMU_STREAM_DRIVER_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/drivers/sensor.h>

#include <emlearn/zephyr/imu_backend.h>
#include <emlearn/zephyr/imu_stream_node.h>

struct emlearn_imu_stream_driver {
	/**
	 * A chip that was just set up may need so long for its first frame, and so many periods more, beside the one
	 * that each frame takes. 0 where the driver waits for that.
	 */
	uint32_t start_up_us;
	uint8_t start_up_frames;
	/**
	 * Learn what the codes are worth, and the rate; of sensors that the model does not use too.
	 *
	 * @param got what was negotiated; its steps, ranges and rate are filled in, 0 for a rate of no use
	 * @return 0, or a negative errno with a log line
	 */
	int (*prepare)(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
		       struct emlearn_imu_got *got);
	/**
	 * Set the chip up anew with its FIFO empty, and ask for an interrupt at `frames` frames. Needed again after a
	 * loss of power too.
	 */
	int (*set_watermark)(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
			     uint16_t frames);
	/** Forget interrupts from before the stream was armed. NULL: the driver does when it begins a stream. */
	void (*clear)(const struct device *dev);
	/**
	 * Take the stream back if it waits for an interrupt, with nothing of it under way on the bus. With interrupts
	 * locked.
	 *
	 * Only then can it be done: drivers never complete a stream that was cancelled.
	 */
	bool (*take_back)(const struct device *dev, const struct rtio_iodev_sqe *stream);
	/**
	 * Fill in what a block holds; data, bytes and period_ns are given, and what is the stream's. The driver's
	 * decoder has not seen the block.
	 */
	void (*open)(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node);
	/**
	 * Go on to the next frames that nothing stands between. The driver's decoder finds these alone in the block:
	 * what it cannot take is cut out before it sees it.
	 *
	 * Moves on block->n_run, n_packets, after_break and stamp. n_run is 0 at the end.
	 */
	void (*next_run)(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node);
	/** Codes of the chip from what the driver's decoder made of them. */
	void (*codes)(const struct emlearn_imu_stream_block *block, uint8_t sensor, const q31_t values[EMLEARN_AXES],
		      int32_t codes[EMLEARN_AXES]);
};

#endif /* EMLEARN_IMU_STREAM_DRIVER_H_ */
