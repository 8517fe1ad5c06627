/* SPDX-License-Identifier: Apache-2.0 */
#include "imu_stream_packets.h"

#include <errno.h>
#include <string.h>

#include <zephyr/logging/log.h>

LOG_MODULE_DECLARE(emlearn_imu_reader, CONFIG_EMLEARN_IMU_READER_LOG_LEVEL);

static bool is_frame(const struct emlearn_imu_stream_layout *layout, const uint8_t *packet, uint16_t n_left)
{
	return n_left >= layout->frame_packets && (layout->is_frame == NULL || layout->is_frame(packet));
}

void emlearn_imu_stream_count(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_layout *layout)
{
	const uint8_t *packet = block->data + layout->header_bytes;
	uint16_t n = block->n_packets;

	while (n > 0) {
		const bool frame = is_frame(layout, packet, n);
		const uint8_t n_taken = frame ? layout->frame_packets : 1;

		block->n_frames += frame ? 1u : 0u;
		block->n_odd += frame ? 0u : 1u;
		packet += n_taken * layout->packet_bytes;
		n -= n_taken;
	}
}

void emlearn_imu_stream_cut(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_layout *layout)
{
	const uint16_t frame_bytes = layout->frame_packets * layout->packet_bytes;
	uint8_t *front = block->data + layout->header_bytes;
	const uint8_t *packet = front + block->n_run * frame_bytes;
	uint16_t n = block->n_packets;

	block->after_break = false;
	while (n > 0 && !is_frame(layout, packet, n)) {
		block->after_break = true;
		packet += layout->packet_bytes;
		n--;
	}
	if (packet != front) {
		memmove(front, packet, (size_t)n * layout->packet_bytes);
	}
	for (block->n_run = 0; is_frame(layout, front + block->n_run * frame_bytes, n); block->n_run++) {
		n -= layout->frame_packets;
	}
	block->n_packets = n;
}

int32_t emlearn_imu_stream_code(q31_t value, int64_t num, int64_t den)
{
	const int64_t twice = INT64_C(2) * value * num;

	return (int32_t)((twice < 0 ? twice - den : twice + den) / (2 * den));
}

int emlearn_imu_stream_has(const struct emlearn_imu_reader *reader, uint8_t sensors)
{
	const uint8_t missing = reader->asked.sensors & (uint8_t)~sensors;

	if (missing == 0) {
		return 0;
	}
	LOG_ERR("%s: the model wants the %s, which is not in this stream", reader->dev->name,
		(missing & EMLEARN_SENSOR_GYRO) != 0 ? "gyroscope" : "accelerometer");
	return -ENOTSUP;
}

/* A submission is free again once it is complete, also where an error before it has cancelled it. */
bool emlearn_imu_stream_is_idle(const struct rtio *bus)
{
	return bus->sqe_pool->pool_free == bus->sqe_pool->pool_size;
}
