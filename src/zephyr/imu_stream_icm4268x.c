/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of Zephyr's driver of icm42688 and icm42686. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

/* Private headers of the driver. */
#include <icm4268x.h>
#include <icm4268x_decoder.h>
#include <icm4268x_reg.h>

#include "imu_stream_driver.h"

LOG_MODULE_DECLARE(emlearn_imu_reader, CONFIG_EMLEARN_IMU_READER_LOG_LEVEL);

BUILD_ASSERT(sizeof(struct icm4268x_fifo_data) <= EMLEARN_IMU_STREAM_HEADER_BYTES,
	     "a block of the driver has a larger header than the pool was made for");

#define HIRES_BYTES 20

BUILD_ASSERT(HIRES_BYTES <= EMLEARN_IMU_STREAM_HELD_BYTES);

/* First byte of a packet: sensors and size; the two lowest bits tell that a rate has changed. */
#define HEADER_MASK 0xfcu
#define HEADER_HIRES 0x78u
#define HEADER_PLAIN 0x68u
#define HEADER_EMPTY 0x80u

/* The chip's timestamp in a packet counts 30 where 32 us have passed. */
#define STAMP_MUL 30u
#define STAMP_DIV 32000u /* ns */

/* What the driver's decoder multiplies codes by. */
#define Q31_ACC_PLAIN 40168
#define Q31_ACC_HIRES 2511
#define Q31_GYRO_PLAIN 35744
#define Q31_GYRO_HIRES 2235

/* Codes of a degree per second, in tenths, at each range in dps. */
static const struct {
	uint16_t range_dps;
	uint16_t tenths;
} sensitivities[] = {
	{4000, 82},  {2000, 164}, {1000, 328}, {500, 655},  {250, 1310},
	{125, 2620}, {62, 5243},  {31, 10486}, {15, 20972},
};

/* 20 bits give 16 codes to a plain one; of an accelerometer's the lowest two are 0. */
static struct emlearn_imu_step acc_step(uint32_t range_g, bool hires)
{
	return (struct emlearn_imu_step){range_g, 32768u * (hires ? 16u : 1u)};
}

static struct emlearn_imu_step gyro_step(uint32_t range_mdps, bool hires)
{
	for (size_t i = 0; i < ARRAY_SIZE(sensitivities); i++) {
		/* What the driver says of its range is rounded. */
		if (range_mdps + 500u >= sensitivities[i].range_dps * 1000u) {
			return (struct emlearn_imu_step){10u, sensitivities[i].tenths * (hires ? 16u : 1u)};
		}
	}
	return (struct emlearn_imu_step){10u, sensitivities[ARRAY_SIZE(sensitivities) - 1].tenths};
}

static int icm4268x_prepare(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
			    struct emlearn_imu_got *got)
{
	const bool hires = node->packet_bytes == HIRES_BYTES;
	const uint32_t acc_mg = hires ? node->acc_range_g * 1000u : got->acc_range_mg;
	const uint32_t gyro_mdps = hires ? node->gyro_range_dps * 1000u : got->gyro_range_mdps;
	const struct sensor_value rate = {(int32_t)(reader->rate_mhz / 1000u),
					  (int32_t)(reader->rate_mhz % 1000u * 1000u)};
	int rc;

	/* A frame has both sensors: the one that the model does not use has to keep the pace. */
	rc = sensor_attr_set(reader->dev, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &rate);
	if (rc == 0) {
		rc = sensor_attr_set(reader->dev, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &rate);
	}
	if (rc != 0) {
		LOG_ERR("%s: the rate cannot be set (%d)", reader->dev->name, rc);
		return rc;
	}
	got->acc_step = acc_step((acc_mg + 500u) / 1000u, hires);
	got->acc_range_mg = acc_mg;
	got->gyro_step = gyro_step(gyro_mdps, hires);
	got->gyro_range_mdps = gyro_mdps;
	return 0;
}

/* The driver takes ticks, and turns them into bytes by the rate, rounding up. It writes all its registers again. */
static int icm4268x_set_watermark(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
				  uint16_t frames)
{
	const uint64_t ticks_mhz = CONFIG_SYS_CLOCK_TICKS_PER_SEC * UINT64_C(1000);
	const uint64_t bytes = (uint64_t)frames * node->packet_bytes;
	struct sensor_value ticks = {.val1 = (int32_t)(frames * ticks_mhz / reader->rate_mhz)};
	int rc;

	if (DIV_ROUND_UP((uint64_t)ticks.val1 * reader->rate_mhz * node->packet_bytes, ticks_mhz) != bytes) {
		LOG_ERR("%s: no number of ticks is a watermark of %u frames at %u mHz: raise "
			"CONFIG_SYS_CLOCK_TICKS_PER_SEC",
			reader->dev->name, frames, reader->rate_mhz);
		return -ENOTSUP;
	}
	rc = sensor_attr_set(reader->dev, SENSOR_CHAN_ALL, SENSOR_ATTR_BATCH_DURATION, &ticks);
	if (rc == 0) {
		/* The driver falls back to what it had before if a transfer fails, and calls that a success. */
		const struct icm4268x_dev_data *data = reader->dev->data;

		rc = data->cfg.fifo_wm == bytes ? 0 : -EIO;
	}
	return rc;
}

/*
 * A FIFO that nobody read has run full, and says so until its status is read: the driver would throw away the frames
 * behind the first watermark. To fetch is to read the status; there may be no sample, and a transfer that fails here
 * costs a batch.
 */
static void icm4268x_clear(const struct device *dev)
{
	(void)sensor_sample_fetch(dev);
}

static bool icm4268x_take_back(const struct device *dev, const struct rtio_iodev_sqe *stream)
{
	struct icm4268x_dev_data *data = dev->data;

	return data->streaming_sqe == stream && atomic_get(&data->state) == ICM4268X_STREAM_ON;
}

static uint8_t *packets(const struct emlearn_imu_stream_block *block)
{
	return block->data + sizeof(struct icm4268x_fifo_data);
}

/* Is there no code for `axis`? The chip then gives the lowest one, and the decoder leaves such a frame out. */
static bool is_missing(const uint8_t *packet, unsigned int axis, bool hires)
{
	const uint8_t *high = &packet[1 + 2 * axis];
	uint8_t low = hires ? packet[17 + axis % EMLEARN_AXES] : 0;

	return high[0] == 0x80 && high[1] == 0 && (axis < EMLEARN_AXES ? low >> 4 : low & 0x0f) == 0;
}

static bool is_frame(const uint8_t *packet, bool hires)
{
	if ((packet[0] & HEADER_MASK) != (hires ? HEADER_HIRES : HEADER_PLAIN)) {
		return false;
	}
	for (unsigned int axis = 0; axis < EMLEARN_IMU_CHANNELS_MAX; axis++) {
		if (is_missing(packet, axis, hires)) {
			return false;
		}
	}
	return true;
}

/* Where the FIFO was empty, the chip gives this in place of a packet. */
static bool is_empty(const uint8_t *packet)
{
	return (packet[0] & HEADER_EMPTY) != 0;
}

enum packet_kind {
	FRAME,
	FRAME_AFTER_HOLE,
	NO_FRAME, /* also one that stands in the FIFO twice */
};

/*
 * Look at the next packet; the block's stamp goes along.
 *
 * A stamp that stands still tells of a frame that is there twice only once stamps are seen to run; the header says that
 * there are some, but they may be differences. Before that all bytes have to be the same, temperature and stamp
 * included: two frames of a chip that is at rest are not.
 */
static enum packet_kind look(struct emlearn_imu_stream_block *block, const uint8_t *packet, size_t bytes)
{
	const bool hires = bytes == HIRES_BYTES;
	const uint8_t *at = &packet[hires ? 15 : 14];
	const uint16_t stamp = (uint16_t)(at[0] << 8 | at[1]);
	const uint16_t elapsed = (uint16_t)(stamp - block->stamp);
	const uint64_t period = (uint64_t)block->period_ns * STAMP_MUL / STAMP_DIV;
	const int16_t off = (int16_t)(elapsed - (uint16_t)period);
	const uint8_t n_stamps = block->n_stamps;

	if (!is_frame(packet, hires)) {
		return NO_FRAME;
	}
	if (n_stamps > 0 && elapsed == 0 && (n_stamps > 1 || memcmp(packet, block->held, bytes) == 0)) {
		return NO_FRAME;
	}
	memcpy(block->held, packet, bytes);
	block->stamp = stamp;
	block->n_stamps = n_stamps > 0 && elapsed != 0 ? 2 : 1;
	/* 16 bits are 70 ms: some holes are not seen, but none is seen where none is. */
	return n_stamps > 0 && elapsed != 0 && (uint64_t)abs(off) > period / 4 ? FRAME_AFTER_HOLE : FRAME;
}

/* What goes along is as it was before. */
static void forget_look(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_block *before)
{
	const size_t at = offsetof(struct emlearn_imu_stream_block, stamp);

	memcpy((uint8_t *)block + at, (const uint8_t *)before + at, sizeof(*block) - at);
}

static void icm4268x_open(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	const struct icm4268x_fifo_data *data = (const struct icm4268x_fifo_data *)block->data;
	const struct emlearn_imu_stream_block before = *block;
	const uint8_t *packet = packets(block);
	uint32_t room = (block->bytes - (uint32_t)sizeof(*data)) / node->packet_bytes;

	block->taken_ns = data->header.timestamp;
	block->is_watermark = (data->int_status & BIT_FIFO_THS_INT) != 0;
	block->is_full = (data->int_status & BIT_FIFO_FULL_INT) != 0;
	block->n_packets = (uint16_t)MIN(data->fifo_count / node->packet_bytes, room);
	/* The FIFO may have held less than was read: the rest is neither frame nor odd. */
	while (block->n_packets > 0 && is_empty(packets(block) + (block->n_packets - 1u) * node->packet_bytes)) {
		block->n_packets--;
	}
	for (unsigned int i = 0; i < block->n_packets; i++, packet += node->packet_bytes) {
		enum packet_kind kind = look(block, packet, node->packet_bytes);

		block->n_frames += kind != NO_FRAME ? 1u : 0u;
		block->n_odd += kind == NO_FRAME ? 1u : 0u;
		block->n_holes += kind == FRAME_AFTER_HOLE ? 1u : 0u;
	}
	forget_look(block, &before);
}

static void icm4268x_next_run(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	struct icm4268x_fifo_data *data = (struct icm4268x_fifo_data *)block->data;
	const uint8_t *packet = packets(block) + block->n_run * node->packet_bytes;
	enum packet_kind kind = NO_FRAME;
	uint16_t n = block->n_packets;

	block->after_break = false;
	while (n > 0 && (kind = look(block, packet, node->packet_bytes)) == NO_FRAME) {
		block->after_break = true;
		packet += node->packet_bytes;
		n--;
	}
	block->after_break = block->after_break || kind == FRAME_AFTER_HOLE;
	if (packet != packets(block)) {
		memmove(packets(block), packet, (size_t)n * node->packet_bytes);
	}
	block->n_run = n > 0 ? 1 : 0;
	while (block->n_run < n) {
		const struct emlearn_imu_stream_block before = *block;

		if (look(block, packets(block) + block->n_run * node->packet_bytes, node->packet_bytes) != FRAME) {
			forget_look(block, &before);
			break;
		}
		block->n_run++;
	}
	block->n_packets = (uint16_t)(n - block->n_run);
	data->fifo_count = (uint16_t)(block->n_run * node->packet_bytes) & BIT_MASK(11);
}

/*
 * A q31 of 16-bit packets divided by what it was multiplied by. Zephyr 4.3 takes negative codes for 65536 more than
 * they are, and lets the product overflow; neither result can be mistaken for one of a right code.
 */
static int32_t plain_code(int32_t q31, int32_t factor)
{
	if (q31 > INT16_MAX * factor || q31 < INT16_MIN * factor) {
		return (int32_t)((uint32_t)q31 / (uint32_t)factor) - 65536;
	}
	return q31 / factor;
}

static void icm4268x_codes(const struct emlearn_imu_stream_block *block, uint8_t sensor,
			   const q31_t values[EMLEARN_AXES], int32_t codes[EMLEARN_AXES])
{
	const struct icm4268x_fifo_data *data = (const struct icm4268x_fifo_data *)block->data;
	const bool is_acc = sensor == EMLEARN_SENSOR_ACC;
	const bool hires = (packets(block)[0] & HEADER_MASK) == HEADER_HIRES;

	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		const int32_t sign = data->header.axis_align[i].sign;
		/* The driver's sign comes after the overflow. */
		const int32_t q31 = sign < 0 ? (int32_t)(0u - (uint32_t)values[i]) : values[i];
		int32_t code = hires ? q31 / (is_acc ? Q31_ACC_HIRES : Q31_GYRO_HIRES)
				     : plain_code(q31, is_acc ? Q31_ACC_PLAIN : Q31_GYRO_PLAIN);

		codes[i] = sign < 0 ? -code : code;
	}
}

const struct emlearn_imu_stream_driver emlearn_imu_stream_icm4268x = {
	.prepare = icm4268x_prepare,
	.set_watermark = icm4268x_set_watermark,
	.clear = icm4268x_clear,
	.take_back = icm4268x_take_back,
	.open = icm4268x_open,
	.next_run = icm4268x_next_run,
	.codes = icm4268x_codes,
};
