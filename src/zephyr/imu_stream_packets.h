/* SPDX-License-Identifier: Apache-2.0 */
/* What drivers that stream have in common: packets of one size, one after the other, and numbers made of codes. */
#ifndef EMLEARN_IMU_STREAM_PACKETS_H_
#define EMLEARN_IMU_STREAM_PACKETS_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/rtio/rtio.h>

#include <emlearn/zephyr/imu_backend.h>
#include <emlearn/zephyr/imu_stream_node.h>

/** How the packets of a block are laid out. A frame is one of them or more; block->n_packets counts packets. */
struct emlearn_imu_stream_layout {
	uint8_t header_bytes; /* before the first packet */
	uint8_t packet_bytes;
	uint8_t frame_packets;
	/* Do frame_packets from here on make a frame? NULL: always. */
	bool (*is_frame)(const uint8_t *packet);
};

/** Count the frames and what makes none; n_packets is given. For the driver's open(). */
void emlearn_imu_stream_count(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_layout *layout);

/** As the driver's next_run(), but for what the driver says of its size: block->n_run frames are at the front. */
void emlearn_imu_stream_cut(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_layout *layout);

/** The code of which a decoder made `value`, to the nearest: value * num / den, which has to fit 63 bits. */
int32_t emlearn_imu_stream_code(q31_t value, int64_t num, int64_t den);

/** -ENOTSUP with a log line if the model wants a sensor that is not in the FIFO. */
int emlearn_imu_stream_has(const struct emlearn_imu_reader *reader, uint8_t sensors);

/** Has the driver nothing under way on its bus? With interrupts locked. */
bool emlearn_imu_stream_is_idle(const struct rtio *bus);

#endif /* EMLEARN_IMU_STREAM_PACKETS_H_ */
