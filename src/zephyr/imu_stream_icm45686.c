/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of Zephyr's driver of icm45686. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <zephyr/drivers/gpio.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

/* Private headers of the driver. */
#include <icm45686.h>
#include <icm45686_reg.h>

#include "imu_stream_driver.h"
#include "imu_stream_packets.h"

LOG_MODULE_DECLARE(emlearn_imu_reader, CONFIG_EMLEARN_IMU_READER_LOG_LEVEL);

BUILD_ASSERT(offsetof(struct icm45686_encoded_data, fifo_payload) <= EMLEARN_IMU_STREAM_HEADER_BYTES,
	     "a block of the driver has a larger header than the pool was made for");

/* The driver's names for what its stream does are in its .c file. */
#define STREAM_OFF 0
#define STREAM_ON 1

/* First byte of a packet: both sensors with 20 bits, no second byte; then what the driver's decoder does not ask for.
 */
#define HEADER_MASK                                                                                                    \
	(FIFO_HEADER_EXT_HEADER_EN(1) | FIFO_HEADER_ACCEL_EN(1) | FIFO_HEADER_GYRO_EN(1) | FIFO_HEADER_HIRES_EN(1))
#define HEADER_FRAME (FIFO_HEADER_ACCEL_EN(1) | FIFO_HEADER_GYRO_EN(1) | FIFO_HEADER_HIRES_EN(1))

/*
 * What a q31 has to be multiplied by to be a code again. It is micrometers a square second in 2^22 parts of a million,
 * at 16384 codes for g; and microradians a second in 2^19 parts, at 131 codes for a degree a second, where the chip's
 * 131.072 are meant: the driver divides without a remainder.
 */
#define ACC_NUM INT64_C(1000000)
#define ACC_DEN (256 * SENSOR_G)
#define GYRO_NUM (INT64_C(1000000) * 131 * 180 / 256)
#define GYRO_DEN (2048 * SENSOR_PI)

/* The interrupt comes with the frame after the watermark, which stays in the FIFO. */
#define N_BEHIND 1

static int icm45686_prepare(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
			    struct emlearn_imu_got *got)
{
	got->rate_mhz = node->rate_mhz;
	got->acc_step = (struct emlearn_imu_step){1, 16384};
	got->acc_range_mg = node->acc_range_g * 1000u;
	got->gyro_step = (struct emlearn_imu_step){125, 16384};
	got->gyro_range_mdps = node->gyro_range_dps * 1000u;
	return 0;
}

/*
 * No attribute sets up this chip, but the driver's initialisation does, from its reset on: it runs again. It forgets
 * what it had set for its stream, so that the stream sets up the FIFO with the watermark of the devicetree.
 */
static int icm45686_set_watermark(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
				  uint16_t frames)
{
	const struct icm45686_config *config = reader->dev->config;
	struct icm45686_data *data = reader->dev->data;

	/* The driver's callback counts on a stream, and comes back with the initialisation. */
	(void)gpio_pin_interrupt_configure_dt(&config->int_gpio, GPIO_INT_DISABLE);
	(void)gpio_remove_callback_dt(&config->int_gpio, &data->stream.cb);
	memset(&data->stream.settings, 0, sizeof(data->stream.settings));
	return reader->dev->ops.init(reader->dev);
}

/* The driver tells by a mark on the stream that it was taken back. After a failed transfer it stays busy for ever. */
static bool icm45686_take_back(const struct device *dev, const struct rtio_iodev_sqe *stream)
{
	struct icm45686_data *data = dev->data;

	if (data->stream.iodev_sqe != stream ||
	    (atomic_get(&data->stream.state) != STREAM_ON && !emlearn_imu_stream_is_idle(data->bus.rtio.ctx))) {
		return false;
	}
	(void)atomic_set(&data->stream.state, STREAM_OFF);
	return true;
}

/* An axis without a code: the decoder leaves such a frame out. */
static bool icm45686_is_frame(const uint8_t *packet)
{
	if ((packet[0] & HEADER_MASK) != HEADER_FRAME) {
		return false;
	}
	for (unsigned int axis = 0; axis < EMLEARN_IMU_CHANNELS_MAX; axis++) {
		if (packet[1 + 2 * axis] == 0 && packet[2 + 2 * axis] == 0x80) {
			return false;
		}
	}
	return true;
}

static const struct emlearn_imu_stream_layout layout = {
	.header_bytes = offsetof(struct icm45686_encoded_data, fifo_payload),
	.packet_bytes = sizeof(struct icm45686_encoded_fifo_payload),
	.frame_packets = 1,
	.is_frame = icm45686_is_frame,
};

static void icm45686_open(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	struct icm45686_encoded_data *data = (struct icm45686_encoded_data *)block->data;
	const uint32_t room = (block->bytes - layout.header_bytes) / layout.packet_bytes;

	block->taken_ns = data->header.timestamp;
	block->is_watermark = (data->header.events & REG_INT1_STATUS0_FIFO_THS(1)) != 0;
	block->is_full = (data->header.events & REG_INT1_STATUS0_FIFO_FULL(1)) != 0;
	block->n_behind = N_BEHIND;
	block->n_packets = MIN(data->header.fifo_count, room);
	/* An interrupt with little behind it: the FIFO was read beyond its end. */
	while (block->n_packets > 0 &&
	       (data->fifo_payload[block->n_packets - 1u].header & FIFO_HEADER_EXT_HEADER_EN(1)) != 0) {
		block->n_packets--;
	}
	/* The decoder takes a block without an interrupt for a single sample. */
	data->header.events |= REG_INT1_STATUS0_FIFO_THS(1);
	emlearn_imu_stream_count(block, &layout);
}

static void icm45686_next_run(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	emlearn_imu_stream_cut(block, &layout);
	((struct icm45686_encoded_data *)block->data)->header.fifo_count = block->n_run;
}

static void icm45686_codes(const struct emlearn_imu_stream_block *block, uint8_t sensor,
			   const q31_t values[EMLEARN_AXES], int32_t codes[EMLEARN_AXES])
{
	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		codes[i] = sensor == EMLEARN_SENSOR_ACC ? emlearn_imu_stream_code(values[i], ACC_NUM, ACC_DEN)
							: emlearn_imu_stream_code(values[i], GYRO_NUM, GYRO_DEN);
	}
}

const struct emlearn_imu_stream_driver emlearn_imu_stream_icm45686 = {
	.start_up_us = 40000, /* gyroscope */
	.prepare = icm45686_prepare,
	.set_watermark = icm45686_set_watermark,
	.take_back = icm45686_take_back,
	.open = icm45686_open,
	.next_run = icm45686_next_run,
	.codes = icm45686_codes,
};
