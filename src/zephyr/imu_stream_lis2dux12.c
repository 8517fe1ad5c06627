/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of Zephyr's driver of lis2dux12 and lis2duxs12. */
#include <zephyr/kernel.h>

/* Private headers of the driver. */
#include <lis2dux12.h>
#include <lis2dux12_decoder.h>
#include <zephyr/dt-bindings/sensor/lis2dux12.h>

#include "imu_stream_driver.h"
#include "imu_stream_packets.h"

BUILD_ASSERT(sizeof(struct lis2dux12_fifo_data) <= EMLEARN_IMU_STREAM_HEADER_BYTES,
	     "a block of the driver has a larger header than the pool was made for");

/* First status register of the FIFO. */
#define STATUS_WATERMARK 0x80
#define STATUS_FULL 0x40

/* The driver marks a rate by this bit where the chip is in high performance. */
#define RATE_MASK 0x0f

static int lis2dux12_prepare(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
			     struct emlearn_imu_got *got)
{
	static const uint32_t rates_mhz[] = {
		[LIS2DUX12_DT_ODR_1Hz_ULP] = 1600,   [LIS2DUX12_DT_ODR_3Hz_ULP] = 3000,
		[LIS2DUX12_DT_ODR_25Hz_ULP] = 25000, [LIS2DUX12_DT_ODR_6Hz] = 6000,
		[LIS2DUX12_DT_ODR_12Hz5] = 12500,    [LIS2DUX12_DT_ODR_25Hz] = 25000,
		[LIS2DUX12_DT_ODR_50Hz] = 50000,     [LIS2DUX12_DT_ODR_100Hz] = 100000,
		[LIS2DUX12_DT_ODR_200Hz] = 200000,   [LIS2DUX12_DT_ODR_400Hz] = 400000,
		[LIS2DUX12_DT_ODR_800Hz] = 800000,
	};
	const struct lis2dux12_data *data = reader->dev->data;
	const uint8_t rate = data->odr & RATE_MASK;

	got->rate_mhz = rate < ARRAY_SIZE(rates_mhz) ? rates_mhz[rate] : 0;
	got->acc_step = (struct emlearn_imu_step){(uint32_t)GAIN_UNIT << data->range, 1000000u};
	got->acc_range_mg = 2000u << data->range;
	return emlearn_imu_stream_has(reader, EMLEARN_SENSOR_ACC);
}

/*
 * Rate and range once more, for a chip that has lost its power; its other registers are then as after a reset. The
 * driver forgets what it had set for its stream, so that the stream sets up the FIFO, with the watermark of the
 * devicetree.
 */
static int lis2dux12_set_watermark(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
				   uint16_t frames)
{
	struct lis2dux12_data *data = reader->dev->data;

	data->trig_cfg = (struct trigger_config){0};
	emlearn_imu_set_up_again(reader);
	return 0;
}

static bool lis2dux12_take_back(const struct device *dev, const struct rtio_iodev_sqe *stream)
{
	struct lis2dux12_data *data = dev->data;

	if (data->streaming_sqe != stream || !emlearn_imu_stream_is_idle(data->rtio_ctx)) {
		return false;
	}
	data->streaming_sqe = NULL;
	return true;
}

/* One sample, with the temperature or alone. */
static bool lis2dux12_is_frame(const uint8_t *word)
{
	return word[0] >> 3 == LIS2DUXXX_XL_TEMP_TAG;
}

static const struct emlearn_imu_stream_layout layout = {
	.header_bytes = sizeof(struct lis2dux12_fifo_data),
	.packet_bytes = LIS2DUX12_FIFO_ITEM_LEN,
	.frame_packets = 1,
	.is_frame = lis2dux12_is_frame,
};

static void lis2dux12_open(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	const struct lis2dux12_fifo_data *data = (const struct lis2dux12_fifo_data *)block->data;
	const uint8_t *words = block->data + layout.header_bytes;
	const uint32_t room = (block->bytes - layout.header_bytes) / layout.packet_bytes;

	block->taken_ns = data->header.timestamp;
	block->is_watermark = (data->header.int_status & STATUS_WATERMARK) != 0;
	block->is_full = (data->header.int_status & STATUS_FULL) != 0;
	block->n_packets = MIN(data->fifo_count, room);
	/* The driver reads until the memory is full, and so more words if they came meanwhile. */
	while (block->n_packets < room && lis2dux12_is_frame(words + block->n_packets * layout.packet_bytes)) {
		block->n_packets++;
	}
	block->n_behind = -(int16_t)(block->n_packets - MIN(block->n_packets, node->watermark));
	emlearn_imu_stream_count(block, &layout);
}

static void lis2dux12_next_run(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	emlearn_imu_stream_cut(block, &layout);
	((struct lis2dux12_fifo_data *)block->data)->fifo_count = block->n_run & BIT_MASK(7);
}

/* The decoder has whole micrometers a square second for a code, in parts of a range that doubles with the chip's. */
static void lis2dux12_codes(const struct emlearn_imu_stream_block *block, uint8_t sensor,
			    const q31_t values[EMLEARN_AXES], int32_t codes[EMLEARN_AXES])
{
	const uint8_t range = ((const struct lis2dux12_fifo_data *)block->data)->header.range;
	const int64_t micro = (GAIN_UNIT << range) * SENSOR_G / 1000000;

	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		codes[i] = emlearn_imu_stream_code(values[i], 1000000, micro << (26 - range));
	}
}

const struct emlearn_imu_stream_driver emlearn_imu_stream_lis2dux12 = {
	.start_up_frames = 2,
	.prepare = lis2dux12_prepare,
	.set_watermark = lis2dux12_set_watermark,
	.take_back = lis2dux12_take_back,
	.open = lis2dux12_open,
	.next_run = lis2dux12_next_run,
	.codes = lis2dux12_codes,
};
