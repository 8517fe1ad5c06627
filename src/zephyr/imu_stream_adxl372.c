/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of Zephyr's driver of adxl372. */
#include <zephyr/kernel.h>

/* Private header of the driver. */
#include <adxl372.h>

#include "imu_stream_driver.h"
#include "imu_stream_packets.h"

BUILD_ASSERT(sizeof(struct adxl372_fifo_data) <= EMLEARN_IMU_STREAM_HEADER_BYTES,
	     "a block of the driver has a larger header than the pool was made for");

#define ENTRY_BYTES 2
#define FRAME_ENTRIES 3

/* Codes of g, and what the decoder multiplies codes by. */
#define CODES_PER_G 10
#define RANGE_MG 200000u
#define Q31_CODE 1027604

static int adxl372_prepare(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
			   struct emlearn_imu_got *got)
{
	const struct adxl372_data *data = reader->dev->data;

	got->rate_mhz = 400000u << data->odr;
	got->acc_step = (struct emlearn_imu_step){1, CODES_PER_G};
	got->acc_range_mg = RANGE_MG;
	return emlearn_imu_stream_has(reader, EMLEARN_SENSOR_ACC);
}

/*
 * The rate once more, for a chip that has lost its power. The driver forgets what it had set for its stream, so that
 * the stream sets up the FIFO, with the watermark of the devicetree, and lets the chip measure.
 */
static int adxl372_set_watermark(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
				 uint16_t frames)
{
	const struct adxl372_dev_config *config = reader->dev->config;
	struct adxl372_data *data = reader->dev->data;

	data->fifo_full_irq = 0;
	/* Nor does it set up a FIFO that it could not set up the last time. */
	data->fifo_config = config->fifo_config;
	emlearn_imu_set_up_again(reader);
	return 0;
}

/* While the driver reads the FIFO it has forgotten the stream. */
static bool adxl372_take_back(const struct device *dev, const struct rtio_iodev_sqe *stream)
{
	struct adxl372_data *data = dev->data;

	if ((data->sqe != stream && data->sqe != NULL) || !emlearn_imu_stream_is_idle(data->rtio_ctx)) {
		return false;
	}
	data->sqe = NULL;
	return true;
}

/* The lowest bit of an entry marks x. */
static bool adxl372_is_frame(const uint8_t *entry)
{
	return (entry[1] & 1) != 0 && (entry[1 + ENTRY_BYTES] & 1) == 0 && (entry[1 + 2 * ENTRY_BYTES] & 1) == 0;
}

static const struct emlearn_imu_stream_layout layout = {
	.header_bytes = sizeof(struct adxl372_fifo_data),
	.packet_bytes = ENTRY_BYTES,
	.frame_packets = FRAME_ENTRIES,
	.is_frame = adxl372_is_frame,
};

static void adxl372_open(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	const struct adxl372_fifo_data *data = (const struct adxl372_fifo_data *)block->data;
	const uint32_t room = (block->bytes - layout.header_bytes) / ENTRY_BYTES;
	uint16_t n_entries;

	block->taken_ns = data->timestamp;
	block->is_watermark = ADXL372_STATUS_1_FIFO_FULL(data->int_status) != 0;
	block->is_full = ADXL372_STATUS_1_FIFO_OVR(data->int_status) != 0;
	block->n_packets = MIN(data->fifo_byte_count / ENTRY_BYTES, room);
	/* The driver leaves the last frame in the FIFO. */
	n_entries = block->n_packets + FRAME_ENTRIES;
	block->n_behind = 1 - (int16_t)((n_entries - MIN(n_entries, node->watermark)) / FRAME_ENTRIES);
	emlearn_imu_stream_count(block, &layout);
}

static void adxl372_next_run(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	struct adxl372_fifo_data *data = (struct adxl372_fifo_data *)block->data;

	emlearn_imu_stream_cut(block, &layout);
	data->fifo_byte_count = block->n_run * FRAME_ENTRIES * ENTRY_BYTES & BIT_MASK(12);
}

static void adxl372_codes(const struct emlearn_imu_stream_block *block, uint8_t sensor,
			  const q31_t values[EMLEARN_AXES], int32_t codes[EMLEARN_AXES])
{
	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		codes[i] = values[i] / Q31_CODE;
	}
}

const struct emlearn_imu_stream_driver emlearn_imu_stream_adxl372 = {
	.start_up_us = 370000, /* filter, as the driver sets it */
	.prepare = adxl372_prepare,
	.set_watermark = adxl372_set_watermark,
	.take_back = adxl372_take_back,
	.open = adxl372_open,
	.next_run = adxl372_next_run,
	.codes = adxl372_codes,
};
