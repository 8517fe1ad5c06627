/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of Zephyr's driver of lsm6dsv16x and lsm6dsv32x. */
#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

/* Private headers of the driver. */
#include <lsm6dsv16x.h>
#include <lsm6dsv16x_decoder.h>
#include <zephyr/dt-bindings/sensor/lsm6dsv16x.h>

#include "imu_stream_driver.h"
#include "imu_stream_packets.h"

LOG_MODULE_DECLARE(emlearn_imu_reader, CONFIG_EMLEARN_IMU_READER_LOG_LEVEL);

BUILD_ASSERT(sizeof(struct lsm6dsv16x_fifo_data) <= EMLEARN_IMU_STREAM_HEADER_BYTES,
	     "a block of the driver has a larger header than the pool was made for");
BUILD_ASSERT(LSM6DSV16X_FIFO_ITEM_LEN <= EMLEARN_IMU_STREAM_HELD_BYTES);

/* The FIFO has so many words; at this level some have gone. */
#define FIFO_WORDS 256

#define WORD_BYTES LSM6DSV16X_FIFO_ITEM_LEN

/* The first byte of a word says which sensor, and in the low bits which sample of four. */
#define TAG(word) ((word)[0] >> 3)
#define SLOT(word) ((word)[0] >> 1 & 3)

/* The range of 125 dps; the number of the others is that of the register. */
#define GYRO_CODE_UDPS 4375u

/* A rate is a number of the series of a mode: 1.875, 7.5, 15, 30 Hz and so on by two, or as exact ones from there on.
 */
static uint32_t rate_mhz(uint8_t mode, uint8_t rate)
{
	static const uint16_t thirds_mhz[] = {15000, 15625, 12500};

	if (rate == 0 || mode >= ARRAY_SIZE(thirds_mhz)) {
		return 0;
	}
	if (rate < LSM6DSV16X_DT_ODR_AT_15Hz) {
		return rate == LSM6DSV16X_DT_ODR_AT_7Hz5 ? 7500 : 1875;
	}
	return (uint32_t)thirds_mhz[mode] << (rate - LSM6DSV16X_DT_ODR_AT_15Hz);
}

static uint8_t gyro_factor(uint8_t fs)
{
	return fs == LSM6DSV16X_DT_FS_4000DPS ? 32u : 1u << fs;
}

/* Of both sensors, if they are in the FIFO: the one that the model does not use has to keep the pace. */
static int set_rate(const struct emlearn_imu_reader *reader)
{
	const struct lsm6dsv16x_config *config = reader->dev->config;
	const struct sensor_value rate = {(int32_t)(reader->rate_mhz / 1000u),
					  (int32_t)(reader->rate_mhz % 1000u * 1000u)};
	int rc = 0;

	if (config->accel_batch != 0) {
		rc = sensor_attr_set(reader->dev, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &rate);
	}
	if (rc == 0 && config->gyro_batch != 0) {
		rc = sensor_attr_set(reader->dev, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &rate);
	}
	return rc;
}

/* The sensors in the FIFO run at one rate, that of the property for what goes into it. */
static int settle_rate(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	const struct lsm6dsv16x_config *config = reader->dev->config;
	const struct lsm6dsv16x_data *data = reader->dev->data;
	const uint8_t batch = config->accel_batch != 0 ? config->accel_batch : config->gyro_batch;
	int rc = set_rate(reader);

	if (rc != 0) {
		LOG_ERR("%s: the rate cannot be set (%d)", reader->dev->name, rc);
		return rc;
	}
	if ((config->accel_batch != 0 && (data->accel_freq & 0xf) != batch) ||
	    (config->gyro_batch != 0 && (data->gyro_freq & 0xf) != batch)) {
		LOG_ERR("%s: at %u mHz the properties accel-fifo-batch-rate and gyro-fifo-batch-rate must be %u or, "
			"for a sensor that the model does not use, 0",
			reader->dev->name, reader->rate_mhz,
			(config->accel_batch != 0 ? data->accel_freq : data->gyro_freq) & 0xf);
		return -ENOTSUP;
	}
	/* Setting a rate leaves the mode, and so the series, as the devicetree has it. */
	got->rate_mhz = rate_mhz((config->accel_batch != 0 ? config->accel_odr : config->gyro_odr) >> 4, batch);
	return 0;
}

static int lsm6dsv16x_prepare(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
			      struct emlearn_imu_got *got)
{
	const struct lsm6dsv16x_config *config = reader->dev->config;
	const struct lsm6dsv16x_data *data = reader->dev->data;
	const uint32_t acc_g = config->accel_fs_map[data->accel_fs];
	const uint32_t gyro = gyro_factor(data->gyro_fs);
	int rc = emlearn_imu_stream_has(reader, (config->accel_batch != 0 ? EMLEARN_SENSOR_ACC : 0) |
							(config->gyro_batch != 0 ? EMLEARN_SENSOR_GYRO : 0));

	got->acc_step = (struct emlearn_imu_step){GAIN_UNIT_XL * acc_g, 2000000u};
	got->acc_range_mg = acc_g * 1000u;
	got->gyro_step = (struct emlearn_imu_step){GYRO_CODE_UDPS * gyro, 1000000u};
	got->gyro_range_mdps = 125000u * gyro;
	return rc == 0 ? settle_rate(reader, got) : rc;
}

/*
 * Rate and range once more, for a chip that has lost its power; its other registers are then as after a reset. The
 * driver forgets what it had set for its stream, so that the stream sets up the FIFO, with the watermark of the
 * devicetree.
 */
static int lsm6dsv16x_set_watermark(struct emlearn_imu_reader *reader, const struct emlearn_imu_stream_node *node,
				    uint16_t frames)
{
	struct lsm6dsv16x_data *data = reader->dev->data;
	emlearn_imu_set_up_again(reader);
	data->trig_cfg = (struct trigger_config){0};
	return set_rate(reader);
}

static bool lsm6dsv16x_take_back(const struct device *dev, const struct rtio_iodev_sqe *stream)
{
	struct lsm6dsv16x_data *data = dev->data;

	if (data->streaming_sqe != stream || !emlearn_imu_stream_is_idle(data->rtio_ctx)) {
		return false;
	}
	data->streaming_sqe = NULL;
	return true;
}

static bool is_sensor(const uint8_t *word)
{
	return TAG(word) == LSM6DSV16X_GY_NC_TAG || TAG(word) == LSM6DSV16X_XL_NC_TAG;
}

/* Both sensors of one sample, whichever comes first. */
static bool is_pair(const uint8_t *word)
{
	const uint8_t *second = word + WORD_BYTES;

	return is_sensor(word) && is_sensor(second) && TAG(word) != TAG(second) && SLOT(word) == SLOT(second);
}

static const struct emlearn_imu_stream_layout singles = {
	.header_bytes = sizeof(struct lsm6dsv16x_fifo_data),
	.packet_bytes = WORD_BYTES,
	.frame_packets = 1,
	.is_frame = is_sensor,
};

static const struct emlearn_imu_stream_layout pairs = {
	.header_bytes = sizeof(struct lsm6dsv16x_fifo_data),
	.packet_bytes = WORD_BYTES,
	.frame_packets = 2,
	.is_frame = is_pair,
};

static const struct emlearn_imu_stream_layout *layout_of(const struct emlearn_imu_stream_node *node)
{
	return node->packet_bytes > WORD_BYTES ? &pairs : &singles;
}

/* Put the half that the block before ended with in front, and keep the one that this ends with. */
static void join_halves(struct emlearn_imu_stream_block *block, uint32_t room)
{
	uint8_t *front = block->data + sizeof(struct lsm6dsv16x_fifo_data);
	uint16_t n = 0;

	if (block->is_held && block->n_packets < room) {
		memmove(front + WORD_BYTES, front, block->n_packets * WORD_BYTES);
		memcpy(front, block->held, WORD_BYTES);
		block->n_packets++;
	}
	while (n + 1u < block->n_packets) {
		n += is_pair(front + n * WORD_BYTES) ? 2u : 1u;
	}
	block->is_held = n < block->n_packets && is_sensor(front + n * WORD_BYTES);
	if (block->is_held) {
		memcpy(block->held, front + n * WORD_BYTES, WORD_BYTES);
		block->n_packets--;
	}
}

static void lsm6dsv16x_open(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	const struct lsm6dsv16x_fifo_data *data = (const struct lsm6dsv16x_fifo_data *)block->data;
	const struct emlearn_imu_stream_layout *layout = layout_of(node);
	const uint8_t *words = block->data + layout->header_bytes;
	const uint32_t room = (block->bytes - layout->header_bytes) / WORD_BYTES;

	block->taken_ns = data->header.timestamp;
	block->n_packets = MIN(data->fifo_count, room);
	/* The driver says nothing of the interrupt but that there is this block; with one it reads what is there. */
	block->is_watermark = block->n_packets >= node->watermark;
	block->is_full = block->n_packets >= FIFO_WORDS;
	/* It reads until the memory is full, and so more words if they came meanwhile; an empty FIFO gives tag 0. */
	while (block->n_packets < room && is_sensor(words + block->n_packets * WORD_BYTES)) {
		block->n_packets++;
	}
	block->n_behind =
		-(int16_t)((block->n_packets - MIN(block->n_packets, node->watermark)) / layout->frame_packets);
	if (layout == &pairs) {
		join_halves(block, room);
	}
	emlearn_imu_stream_count(block, layout);
}

static void lsm6dsv16x_next_run(struct emlearn_imu_stream_block *block, const struct emlearn_imu_stream_node *node)
{
	const struct emlearn_imu_stream_layout *layout = layout_of(node);
	struct lsm6dsv16x_fifo_data *data = (struct lsm6dsv16x_fifo_data *)block->data;

	emlearn_imu_stream_cut(block, layout);
	data->fifo_count = block->n_run * layout->frame_packets & BIT_MASK(11);
}

/*
 * The decoder has whole micrometers a square second, or microradians a second, for a code of the smallest range, twice
 * as many or one more for each range above, in parts of a range that doubles with it.
 */
static void lsm6dsv16x_codes(const struct emlearn_imu_stream_block *block, uint8_t sensor,
			     const q31_t values[EMLEARN_AXES], int32_t codes[EMLEARN_AXES])
{
	const struct lsm6dsv16x_fifo_data *data = (const struct lsm6dsv16x_fifo_data *)block->data;
	const uint8_t factor = gyro_factor(data->header.gyro_fs);
	int64_t micro;
	uint8_t shift;

	if (sensor == EMLEARN_SENSOR_ACC) {
		micro = (GAIN_UNIT_XL << data->header.accel_fs_idx) * SENSOR_G / 1000000;
		shift = 5 + data->header.accel_fs_idx;
	} else {
		micro = GAIN_UNIT_G * factor * SENSOR_PI / 180 / 1000000;
		shift = 2 + (uint8_t)(__builtin_ctz(factor));
	}
	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		codes[i] = emlearn_imu_stream_code(values[i], 1000000, micro << (31 - shift));
	}
}

const struct emlearn_imu_stream_driver emlearn_imu_stream_lsm6dsv16x = {
	.start_up_us = 30000, /* gyroscope */
	.prepare = lsm6dsv16x_prepare,
	.set_watermark = lsm6dsv16x_set_watermark,
	.take_back = lsm6dsv16x_take_back,
	.open = lsm6dsv16x_open,
	.next_run = lsm6dsv16x_next_run,
	.codes = lsm6dsv16x_codes,
};
