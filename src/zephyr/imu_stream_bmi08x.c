/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of Zephyr's driver of the accelerometer of bmi085 and bmi088. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <zephyr/drivers/gpio.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

/* Private headers of the driver. */
#include <bmi08x.h>

#include "imu_stream_driver.h"
#include "imu_stream_packets.h"

LOG_MODULE_DECLARE(emlearn_imu_reader, CONFIG_EMLEARN_IMU_READER_LOG_LEVEL);

BUILD_ASSERT(sizeof(struct bmi08x_accel_encoded_data) <= EMLEARN_IMU_STREAM_HEADER_BYTES + 8,
	     "a block of the driver has a larger header than the pool was made for");

/* The driver's names for what its stream does are in its .c file. */
#define STREAM_OFF 0
#define STREAM_ON 1

/* First byte of a packet; the two lowest bits are those of interrupt inputs. */
#define KIND_MASK 0xfcu
#define KIND_FRAME 0x84u
#define KIND_SKIP 0x40u /* frames have been overwritten */
#define KIND_TIME 0x44u
#define KIND_CONFIG 0x48u
#define KIND_DROP 0x50u
#define KIND_EMPTY 0x80u

/* In the register of the rate 5 is 12.5 Hz, and each step doubles it. */
#define RATE_MASK 0x0fu
#define RATE_FIRST 5u

static uint32_t range_g(uint8_t chip, uint16_t range)
{
	return (chip == BMI085_ACCEL_CHIP_ID ? 2u : 3u) << range;
}

static int bmi08x_prepare(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
			  struct emlearn_imu_got *got)
{
	const struct bmi08x_accel_data *data = reader->dev->data;
	const uint32_t acc_g = range_g(data->accel_chip_id, data->range);
	uint8_t rate = 0;
	int rc = emlearn_imu_stream_has(reader, EMLEARN_SENSOR_ACC);

	if (rc == 0) {
		/* The driver rounds a rate up, and does not say to which. */
		rc = bmi08x_accel_byte_read(reader->dev, BMI08X_REG_ACCEL_CONF, &rate);
		if (rc != 0) {
			LOG_ERR("%s: the rate cannot be read (%d)", reader->dev->name, rc);
			return rc;
		}
		rate &= RATE_MASK;
		got->rate_mhz = rate < RATE_FIRST ? 0 : 12500u << (rate - RATE_FIRST);
		got->acc_step = (struct emlearn_imu_step){acc_g, 32768u};
		got->acc_range_mg = acc_g * 1000u;
	}
	return rc;
}

/*
 * The driver's initialisation turns the sensor on, from its reset on: it runs again, and then what was negotiated is
 * set once more. The stream begins with the watermark of the devicetree if the driver takes it for off.
 */
static int bmi08x_set_watermark(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
				uint16_t frames)
{
	const struct bmi08x_accel_config *config = reader->dev->config;
	struct bmi08x_accel_data *data = reader->dev->data;
	int rc;

	/* The driver's callback counts on a stream, and comes back with the next one. */
	(void)gpio_pin_interrupt_configure_dt(&config->int_gpio, GPIO_INT_DISABLE);
	(void)gpio_remove_callback_dt(&config->int_gpio, &data->gpio_cb);
	rc = reader->dev->ops.init(reader->dev);
	(void)atomic_set(&data->stream.state, STREAM_OFF);
	if (rc == 0) {
		emlearn_imu_set_up_again(reader);
	}
	return rc;
}

/* The driver takes an interrupt without a stream for an error, and turns it off. */
static bool bmi08x_take_back(const struct device *dev, const struct rtio_iodev_sqe *stream)
{
	const struct bmi08x_accel_config *config = dev->config;
	struct bmi08x_accel_data *data = dev->data;

	if (data->stream.iodev_sqe != stream || !emlearn_imu_stream_is_idle(config->rtio_bus.ctx)) {
		return false;
	}
	data->stream.iodev_sqe = NULL;
	return true;
}

static bool bmi08x_is_frame(const uint8_t *packet)
{
	return (packet[0] & KIND_MASK) == KIND_FRAME;
}

static const struct emlearn_imu_stream_layout layout = {
	.header_bytes = offsetof(struct bmi08x_accel_encoded_data, fifo),
	.packet_bytes = sizeof(struct bmi08x_accel_frame),
	.frame_packets = 1,
	.is_frame = bmi08x_is_frame,
};

/* Bytes of a packet that is no frame; 0 if it is not known, or if nothing follows. */
static uint8_t size_of(const uint8_t *packet)
{
	switch (packet[0] & KIND_MASK) {
	case KIND_SKIP:
	case KIND_CONFIG:
	case KIND_DROP:
		return 2;
	case KIND_TIME:
		return 4;
	default:
		return 0;
	}
}

/* Packets have many sizes: put the frames in front, one after the other. What is not known counts as odd. */
static void gather(struct emlearn_imu_stream_block *block, uint16_t bytes)
{
	uint8_t *front = block->data + layout.header_bytes;
	const uint8_t *const end = front + bytes;
	const uint8_t *packet = front;

	while (packet < end) {
		if (bmi08x_is_frame(packet)) {
			if (end - packet < layout.packet_bytes) {
				/* The chip gives a frame that was not read to its end once more. */
				return;
			}
			memmove(front + block->n_packets++ * layout.packet_bytes, packet, layout.packet_bytes);
			packet += layout.packet_bytes;
		} else {
			block->is_full = block->is_full || (packet[0] & KIND_MASK) == KIND_SKIP;
			if (size_of(packet) == 0) {
				block->n_odd += (packet[0] & KIND_MASK) == KIND_EMPTY ? 0u : 1u;
				return;
			}
			packet += size_of(packet);
		}
	}
}

static void bmi08x_open(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	struct bmi08x_accel_encoded_data *data = (struct bmi08x_accel_encoded_data *)block->data;

	block->taken_ns = data->header.timestamp;
	block->is_watermark = data->header.fifo_len >= node->watermark * layout.packet_bytes;
	gather(block, (uint16_t)MIN(data->header.buf_len, block->bytes - layout.header_bytes));
	block->n_behind = -(int16_t)(block->n_packets - MIN(block->n_packets, node->watermark));
	emlearn_imu_stream_count(block, &layout);
}

static void bmi08x_next_run(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	emlearn_imu_stream_cut(block, &layout);
	((struct bmi08x_accel_encoded_data *)block->data)->header.buf_len = block->n_run * layout.packet_bytes;
}

/* The decoder has 2^11 parts of a code of the smallest range in meters a square second, at each range. */
static void bmi08x_codes(const struct emlearn_imu_stream_block *block, uint8_t sensor, const q31_t values[EMLEARN_AXES],
			 int32_t codes[EMLEARN_AXES])
{
	const uint8_t chip = ((const struct bmi08x_accel_encoded_data *)block->data)->header.chip_id;

	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		codes[i] = emlearn_imu_stream_code(values[i], 1000000, ((int64_t)range_g(chip, 0) << 11) * SENSOR_G);
	}
}

const struct emlearn_imu_stream_driver emlearn_imu_stream_bmi08x = {
	.prepare = bmi08x_prepare,
	.set_watermark = bmi08x_set_watermark,
	.take_back = bmi08x_take_back,
	.open = bmi08x_open,
	.next_run = bmi08x_next_run,
	.codes = bmi08x_codes,
};
