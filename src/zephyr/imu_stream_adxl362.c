/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of Zephyr's driver of adxl362. */
#include <zephyr/kernel.h>

/* Private header of the driver. */
#include <adxl362.h>

#include "imu_stream_driver.h"
#include "imu_stream_packets.h"

BUILD_ASSERT(sizeof(struct adxl362_fifo_data) <= EMLEARN_IMU_STREAM_HEADER_BYTES,
	     "a block of the driver has a larger header than the pool was made for");

#define ENTRY_BYTES 2
#define FRAME_ENTRIES 4

/* What the decoder multiplies codes by; codes of g. */
static const struct {
	int32_t q31;
	uint16_t per_g;
	uint8_t range_g;
} ranges[] = {
	[ADXL362_RANGE_2G] = {658338, ADXL362_ACCEL_2G_LSB_PER_G, 2},
	[ADXL362_RANGE_4G] = {658338, ADXL362_ACCEL_4G_LSB_PER_G, 4},
	[ADXL362_RANGE_8G] = {700360, ADXL362_ACCEL_8G_LSB_PER_G, 8},
};

static int adxl362_prepare(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
			   struct emlearn_imu_got *got)
{
	const struct adxl362_data *data = reader->dev->data;

	got->rate_mhz = 12500u << data->accel_odr;
	got->acc_step = (struct emlearn_imu_step){1, ranges[data->selected_range].per_g};
	got->acc_range_mg = ranges[data->selected_range].range_g * 1000u;
	return emlearn_imu_stream_has(reader, EMLEARN_SENSOR_ACC);
}

/*
 * Rate and range once more, and that it measures, for a chip that has lost its power. The driver forgets what it had
 * set for its stream, so that the stream sets up the FIFO, with the watermark of the devicetree.
 */
static int adxl362_set_watermark(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
				 uint16_t frames)
{
	const struct adxl362_config *config = reader->dev->config;
	struct adxl362_data *data = reader->dev->data;

	emlearn_imu_set_up_again(reader);
	data->fifo_wmark_irq = 0;
	data->fifo_full_irq = 0;
	/* Nor does it set up a FIFO that it could not set up the last time. */
	data->fifo_mode = config->fifo_mode;
	data->water_mark_lvl = config->water_mark_lvl;
	return adxl362_reg_write_mask(reader->dev, ADXL362_REG_POWER_CTL, UINT8_MAX, config->power_ctl);
}

/* While the driver reads the FIFO it has forgotten the stream. */
static bool adxl362_take_back(const struct device *dev, const struct rtio_iodev_sqe *stream)
{
	struct adxl362_data *data = dev->data;

	if ((data->sqe != stream && data->sqe != NULL) || !emlearn_imu_stream_is_idle(data->rtio_ctx)) {
		return false;
	}
	data->sqe = NULL;
	return true;
}

/* The upper two bits of an entry say what it is: x, y, z and temperature, in this order. */
static bool adxl362_is_frame(const uint8_t *entry)
{
	for (uint8_t i = 0; i < FRAME_ENTRIES; i++) {
		if (entry[i * ENTRY_BYTES + 1] >> 6 != i) {
			return false;
		}
	}
	return true;
}

static const struct emlearn_imu_stream_layout layout = {
	.header_bytes = sizeof(struct adxl362_fifo_data),
	.packet_bytes = ENTRY_BYTES,
	.frame_packets = FRAME_ENTRIES,
	.is_frame = adxl362_is_frame,
};

static void adxl362_open(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	struct adxl362_fifo_data *data = (struct adxl362_fifo_data *)block->data;
	const uint32_t room = (block->bytes - layout.header_bytes) / ENTRY_BYTES;

	block->taken_ns = data->timestamp;
	block->is_watermark = ADXL362_STATUS_CHECK_FIFO_WTR(data->int_status) != 0;
	block->is_full = ADXL362_STATUS_CHECK_FIFO_OVR(data->int_status) != 0;
	block->n_packets = MIN(data->fifo_byte_count / ENTRY_BYTES, room);
	block->n_behind = -(int16_t)((block->n_packets - MIN(block->n_packets, node->watermark)) / FRAME_ENTRIES);
	/* The driver leaves it as it was in the memory, and its decoder looks up a period by it. */
	data->accel_odr = ADXL362_ODR_12_5_HZ;
	emlearn_imu_stream_count(block, &layout);
}

static void adxl362_next_run(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	emlearn_imu_stream_cut(block, &layout);
	((struct adxl362_fifo_data *)block->data)->fifo_byte_count = block->n_run * FRAME_ENTRIES * ENTRY_BYTES;
}

static void adxl362_codes(const struct emlearn_imu_stream_block *block, uint8_t sensor,
			  const q31_t values[EMLEARN_AXES], int32_t codes[EMLEARN_AXES])
{
	const uint8_t range = ((const struct adxl362_fifo_data *)block->data)->selected_range;

	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		codes[i] = values[i] / ranges[range].q31;
	}
}

const struct emlearn_imu_stream_driver emlearn_imu_stream_adxl362 = {
	.start_up_frames = 4,
	.prepare = adxl362_prepare,
	.set_watermark = adxl362_set_watermark,
	.take_back = adxl362_take_back,
	.open = adxl362_open,
	.next_run = adxl362_next_run,
	.codes = adxl362_codes,
};
