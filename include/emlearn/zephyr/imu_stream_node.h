/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Which streaming drivers the reader knows, and what devicetree says of their sensors. Errors are told at build time.
 *
 * A driver is added by a row in each of the macros EMLEARN_IMU_STREAM_NODE() and EMLEARN_IMU_STREAM_CHECK(), and a
 * struct emlearn_imu_stream_driver in src/zephyr.
 */
#ifndef EMLEARN_ZEPHYR_IMU_STREAM_NODE_H_
#define EMLEARN_ZEPHYR_IMU_STREAM_NODE_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/devicetree.h>
#include <zephyr/sys/util.h>

#include <emlearn/zephyr/imu_node_check.h>

#ifdef __cplusplus
extern "C" {
#endif

struct emlearn_imu_stream_driver;

/** A sensor as far as it does not change; the fields are private. */
struct emlearn_imu_stream_node {
	const struct emlearn_imu_stream_driver *driver;
	uint32_t rate_mhz;       /* 0: as the driver is set */
	uint16_t gyro_range_dps; /* of the FIFO; 0: as the driver is set */
	uint8_t acc_range_g;
	uint8_t packet_bytes; /* of a frame in the FIFO */
};

/** What a driver has read from a FIFO; the fields are private. */
struct emlearn_imu_stream_block {
	uint8_t *data; /* NULL: none is held */
	uint32_t bytes;
	uint64_t taken_ns;  /* sensor clock, at the interrupt */
	uint16_t n_packets; /* not yet looked at */
	uint16_t n_frames;  /* in the whole block */
	uint16_t n_odd;     /* packets that make no frame */
	uint16_t n_holes;   /* places where the chip's own time tells that frames are missing */
	uint16_t n_run;     /* frames that the decoder finds in the block */
	bool after_break;   /* right before these there was something odd or a hole */
	bool is_watermark;  /* the FIFO had reached its watermark */
	bool is_full;       /* the FIFO has run full */
	uint32_t period_ns; /* as measured */
	uint16_t stamp;     /* the chip's own time of the last frame; outlives the block */
	uint8_t n_stamps;   /* 1: there is one, 2: they are seen to run */
};

/* icm42688 and icm42686: packets of 20 bytes have a range of their own. */
#define EMLEARN_IMU_STREAM_ICM4268X_RANGE(node_id, of_42686, of_42688)                                                 \
	(!DT_PROP(node_id, fifo_hires) ? 0 : DT_NODE_HAS_COMPAT(node_id, invensense_icm42686) ? (of_42686) : (of_42688))
#define EMLEARN_IMU_STREAM_ICM4268X_BYTES(node_id) (DT_PROP(node_id, fifo_hires) ? 20 : 16)
#define EMLEARN_IMU_STREAM_ICM4268X(node_id)                                                                           \
	{                                                                                                              \
		.driver = &emlearn_imu_stream_icm4268x,                                                                \
		.gyro_range_dps = EMLEARN_IMU_STREAM_ICM4268X_RANGE(node_id, 4000, 2000),                              \
		.acc_range_g = EMLEARN_IMU_STREAM_ICM4268X_RANGE(node_id, 32, 16),                                     \
		.packet_bytes = EMLEARN_IMU_STREAM_ICM4268X_BYTES(node_id),                                            \
	}
/* The driver's own count of bytes ends at 2047. */
#define EMLEARN_IMU_STREAM_ICM4268X_CHECK(node_id, watermark)                                                          \
	BUILD_ASSERT(IS_ENABLED(CONFIG_ICM4268X_STREAM),                                                               \
		     DT_NODE_PATH(node_id) ": streaming needs CONFIG_ICM4268X_STREAM, and that CONFIG_SPI_RTIO");      \
	BUILD_ASSERT(DT_NODE_HAS_PROP(node_id, int_gpios),                                                             \
		     DT_NODE_PATH(node_id) ": streaming needs the property int-gpios, the interrupt line");            \
	BUILD_ASSERT(DT_PROP(node_id, accel_pwr_mode) != 0 && DT_PROP(node_id, gyro_pwr_mode) == 3,                    \
		     DT_NODE_PATH(node_id) ": the FIFO of this driver always holds both sensors, so the properties "   \
					   "accel-pwr-mode and gyro-pwr-mode must turn both on");                      \
	BUILD_ASSERT((watermark)*EMLEARN_IMU_STREAM_ICM4268X_BYTES(node_id) < 2048,                                    \
		     DT_NODE_PATH(node_id) ": the watermark (a batch, or the property watermark-frames) is larger "    \
					   "than the FIFO of 102 frames with fifo-hires, 127 without")

extern const struct emlearn_imu_stream_driver emlearn_imu_stream_icm4268x;

/** Initialiser of struct emlearn_imu_stream_node. */
#define EMLEARN_IMU_STREAM_NODE(node_id)                                                                               \
	COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, invensense_icm4268x), (EMLEARN_IMU_STREAM_ICM4268X(node_id)), ({0}))

#define EMLEARN_IMU_STREAM_UNKNOWN(node_id)                                                                            \
	COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, bosch_bma4xx),                                                         \
		    (BUILD_ASSERT(0, DT_NODE_PATH(node_id) ": the stream of this driver crashes in Zephyr 4.3, its "   \
							   "RTIO callbacks have the wrong type: use "                  \
							   "CONFIG_EMLEARN_IMU_READER_USE_READ")),                     \
		    (BUILD_ASSERT(0, DT_NODE_PATH(node_id) ": the stream back end does not know the driver of this "   \
							   "compatible (docs/readers.md has the list): choose "        \
							   "another back end")))

/** Refuse what cannot work, in one sentence; a semicolon follows. */
#define EMLEARN_IMU_STREAM_CHECK(node_id, watermark)                                                                   \
	COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, invensense_icm4268x),                                                  \
		    (EMLEARN_IMU_STREAM_ICM4268X_CHECK(node_id, watermark)), (EMLEARN_IMU_STREAM_UNKNOWN(node_id)))

/** Bytes of a frame in a block. */
#define EMLEARN_IMU_STREAM_BYTES(node_id)                                                                              \
	COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, invensense_icm4268x), (EMLEARN_IMU_STREAM_ICM4268X_BYTES(node_id)),    \
		    (20))

/** Room for what a driver puts before the frames of a block. */
#define EMLEARN_IMU_STREAM_HEADER_BYTES 24

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_STREAM_NODE_H_ */
