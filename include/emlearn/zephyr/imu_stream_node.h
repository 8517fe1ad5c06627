/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Which streaming drivers the reader knows, and what devicetree says of their sensors. Errors are told at build time.
 *
 * A driver is added by a row in EMLEARN_IMU_STREAM_KIND_OF(), the macros that end in the name it has there, and a
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

/** Room for what a driver puts before the frames of a block. */
#define EMLEARN_IMU_STREAM_HEADER_BYTES 24

struct emlearn_imu_stream_driver;

/** A sensor as far as it does not change; the fields are private. */
struct emlearn_imu_stream_node {
	const struct emlearn_imu_stream_driver *driver;
	uint32_t rate_mhz;       /* 0: as the driver is set */
	uint16_t gyro_range_dps; /* of the FIFO; 0: as the driver is set */
	uint16_t watermark;      /* in what the driver counts; 0: as the reader sets it */
	uint8_t acc_range_g;
	uint8_t packet_bytes; /* of a frame in the FIFO */
};

/* Most bytes of a FIFO that are kept for the next block. */
#define EMLEARN_IMU_STREAM_HELD_BYTES 20

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
	int16_t n_behind;   /* frames made between the last one and the interrupt; those made after it count negative */
	bool after_break;   /* right before these there was something odd or a hole */
	bool is_watermark;  /* the FIFO had reached its watermark */
	bool is_full;       /* the FIFO has run full */
	uint32_t period_ns; /* as measured */
	/* From here on, of the stream: blocks come and go. */
	uint16_t stamp;                              /* the chip's own time of the last frame */
	uint8_t n_stamps;                            /* 1: there is one, 2: they are seen to run */
	bool is_held;                                /* there is half a frame whose other half is in the next block */
	uint8_t held[EMLEARN_IMU_STREAM_HELD_BYTES]; /* that half; of a chip with stamps, the last frame */
};

/* icm42688 and icm42686: packets of 20 bytes have a range of their own. */
#define EMLEARN_IMU_STREAM_ICM4268X_RANGE(node_id, of_42686, of_42688)                                                 \
	(!DT_PROP(node_id, fifo_hires) ? 0 : DT_NODE_HAS_COMPAT(node_id, invensense_icm42686) ? (of_42686) : (of_42688))
#define EMLEARN_IMU_STREAM_ICM4268X_BYTES(node_id) (DT_PROP(node_id, fifo_hires) ? 20 : 16)
#define EMLEARN_IMU_STREAM_NODE_ICM4268X(node_id)                                                                      \
	{                                                                                                              \
		.driver = &emlearn_imu_stream_icm4268x,                                                                \
		.gyro_range_dps = EMLEARN_IMU_STREAM_ICM4268X_RANGE(node_id, 4000, 2000),                              \
		.acc_range_g = EMLEARN_IMU_STREAM_ICM4268X_RANGE(node_id, 32, 16),                                     \
		.packet_bytes = EMLEARN_IMU_STREAM_ICM4268X_BYTES(node_id),                                            \
	}
/* The driver's own count of bytes ends at 2047. */
#define EMLEARN_IMU_STREAM_CHECK_ICM4268X(node_id, from_id, watermark)                                                 \
	BUILD_ASSERT(IS_ENABLED(CONFIG_ICM4268X_STREAM),                                                               \
		     DT_NODE_PATH(node_id) ": streaming needs CONFIG_ICM4268X_STREAM, and that CONFIG_SPI_RTIO");      \
	BUILD_ASSERT(DT_NODE_HAS_PROP(node_id, int_gpios),                                                             \
		     DT_NODE_PATH(node_id) ": streaming needs the property int-gpios, the interrupt line");            \
	BUILD_ASSERT(DT_PROP(node_id, accel_pwr_mode) != 0 && DT_PROP(node_id, gyro_pwr_mode) == 3,                    \
		     DT_NODE_PATH(node_id) ": the FIFO of this driver always holds both sensors, so the properties "   \
					   "accel-pwr-mode and gyro-pwr-mode must turn both on");                      \
	BUILD_ASSERT((watermark) * EMLEARN_IMU_STREAM_ICM4268X_BYTES(node_id) < 2048,                                  \
		     DT_NODE_PATH(from_id) ": the watermark (a batch, or the property watermark-frames) is larger "    \
					   "than the FIFO of 102 frames with fifo-hires, 127 without")

#define EMLEARN_IMU_STREAM_BLOCK_ICM4268X(node_id, watermark)                                                          \
	(EMLEARN_IMU_STREAM_HEADER_BYTES + (watermark) * EMLEARN_IMU_STREAM_ICM4268X_BYTES(node_id))

/* Drivers that take the watermark from the property fifo-watermark, which counts `n_units` for a frame. */
#define EMLEARN_IMU_STREAM_FIFO_WATERMARK_CHECK(node_id, from_id, watermark, n_units, most)                            \
	BUILD_ASSERT((watermark) <= (most),                                                                            \
		     DT_NODE_PATH(from_id) ": the watermark (a batch, or the property "                                \
					   "watermark-frames) is larger than the FIFO of " STRINGIFY(most) " frames"); \
	BUILD_ASSERT(DT_PROP_OR(node_id, fifo_watermark, 0) == (watermark) * (n_units),                                \
		     DT_NODE_PATH(node_id) ": the driver takes its watermark from the property fifo-watermark, which " \
					   "must be " #n_units " times the reader's (a batch, or the property "        \
					   "watermark-frames)")

#define EMLEARN_IMU_STREAM_CONFIG_CHECK(node_id, option, needs)                                                        \
	BUILD_ASSERT(IS_ENABLED(option), DT_NODE_PATH(node_id) ": streaming needs " #option ", and that " needs)

#define EMLEARN_IMU_STREAM_INT_CHECK(node_id, has, names)                                                              \
	BUILD_ASSERT(has, DT_NODE_PATH(node_id) ": streaming needs the property " names ", the interrupt line")

/* icm45686: packets of 20 bytes have a range of their own, and nothing can be set but in the devicetree. */
#define EMLEARN_IMU_STREAM_NODE_ICM45686(node_id)                                                                      \
	{                                                                                                              \
		.driver = &emlearn_imu_stream_icm45686,                                                                \
		.rate_mhz = 6400000u >> (DT_PROP(node_id, accel_odr) - 3),                                             \
		.gyro_range_dps = 4000,                                                                                \
		.acc_range_g = 32,                                                                                     \
		.packet_bytes = 20,                                                                                    \
	}
#define EMLEARN_IMU_STREAM_CHECK_ICM45686(node_id, from_id, watermark)                                                 \
	EMLEARN_IMU_STREAM_CONFIG_CHECK(node_id, CONFIG_ICM45686_STREAM, "CONFIG_GPIO");                               \
	EMLEARN_IMU_STREAM_INT_CHECK(node_id, DT_NODE_HAS_PROP(node_id, int_gpios), "int-gpios");                      \
	BUILD_ASSERT(DT_PROP(node_id, accel_pwr_mode) > 1 && DT_PROP(node_id, gyro_pwr_mode) > 1 &&                    \
			     DT_PROP(node_id, accel_odr) == DT_PROP(node_id, gyro_odr),                                \
		     DT_NODE_PATH(node_id) ": the FIFO of this driver always holds both sensors, so the properties "   \
					   "accel-pwr-mode and gyro-pwr-mode must turn both on, and accel-odr and "    \
					   "gyro-odr be the same");                                                    \
	EMLEARN_IMU_STREAM_FIFO_WATERMARK_CHECK(node_id, from_id, watermark, 1, 101)
#define EMLEARN_IMU_STREAM_BLOCK_ICM45686(node_id, watermark) (EMLEARN_IMU_STREAM_HEADER_BYTES + (watermark) * 20)

/* lsm6dsv16x and lsm6dsv32x: a word of 7 bytes a sensor. What came while the driver looked is in the block too. */
#define EMLEARN_IMU_STREAM_LSM6DSV16X_BYTES(node_id)                                                                   \
	((DT_PROP(node_id, accel_fifo_batch_rate) != 0 ? 7 : 0) + (DT_PROP(node_id, gyro_fifo_batch_rate) != 0 ? 7 : 0))
#define EMLEARN_IMU_STREAM_NODE_LSM6DSV16X(node_id)                                                                    \
	{                                                                                                              \
		.driver = &emlearn_imu_stream_lsm6dsv16x,                                                              \
		.watermark = DT_PROP(node_id, fifo_watermark),                                                         \
		.packet_bytes = EMLEARN_IMU_STREAM_LSM6DSV16X_BYTES(node_id),                                          \
	}
#define EMLEARN_IMU_STREAM_CHECK_LSM6DSV16X(node_id, from_id, watermark)                                               \
	EMLEARN_IMU_STREAM_CONFIG_CHECK(node_id, CONFIG_LSM6DSV16X_STREAM, "CONFIG_I2C_RTIO or CONFIG_SPI_RTIO");      \
	EMLEARN_IMU_STREAM_INT_CHECK(node_id,                                                                          \
				     DT_NODE_HAS_PROP(node_id, int1_gpios) || DT_NODE_HAS_PROP(node_id, int2_gpios),   \
				     "int1-gpios or int2-gpios");                                                      \
	BUILD_ASSERT(DT_PROP(node_id, accel_fifo_batch_rate) == DT_PROP(node_id, gyro_fifo_batch_rate) ||              \
			     DT_PROP(node_id, accel_fifo_batch_rate) == 0 ||                                           \
			     DT_PROP(node_id, gyro_fifo_batch_rate) == 0,                                              \
		     DT_NODE_PATH(node_id) ": the properties accel-fifo-batch-rate and gyro-fifo-batch-rate must be "  \
					   "the same, or 0 for a sensor that the model does not use");                 \
	BUILD_ASSERT(EMLEARN_IMU_STREAM_LSM6DSV16X_BYTES(node_id) != 0,                                                \
		     DT_NODE_PATH(node_id) ": nothing goes into the FIFO without the properties "                      \
					   "accel-fifo-batch-rate and gyro-fifo-batch-rate");                          \
	BUILD_ASSERT(DT_PROP(node_id, temp_fifo_batch_rate) == 0 && DT_PROP(node_id, sflp_fifo_enable) == 0,           \
		     DT_NODE_PATH(node_id) ": the properties temp-fifo-batch-rate and sflp-fifo-enable must be 0, "    \
					   "a watermark counts those words too");                                      \
	BUILD_ASSERT(DT_PROP(node_id, fifo_watermark) * 7 ==                                                           \
				     (watermark) * EMLEARN_IMU_STREAM_LSM6DSV16X_BYTES(node_id) &&                     \
			     DT_PROP(node_id, fifo_watermark) < 256,                                                   \
		     DT_NODE_PATH(node_id) ": the driver takes its watermark from the property fifo-watermark, which " \
					   "must be the reader's (a batch, or the property watermark-frames) times "   \
					   "the sensors in the FIFO, and less than 256")
#define EMLEARN_IMU_STREAM_BLOCK_LSM6DSV16X(node_id, watermark)                                                        \
	(EMLEARN_IMU_STREAM_HEADER_BYTES + ((watermark) + 2) * EMLEARN_IMU_STREAM_LSM6DSV16X_BYTES(node_id))

/* lis2dux12 and lis2duxs12: a word of 7 bytes a frame. */
#define EMLEARN_IMU_STREAM_NODE_LIS2DUX12(node_id)                                                                     \
	{                                                                                                              \
		.driver = &emlearn_imu_stream_lis2dux12,                                                               \
		.watermark = DT_PROP(node_id, fifo_watermark),                                                         \
		.packet_bytes = 7,                                                                                     \
	}
#define EMLEARN_IMU_STREAM_CHECK_LIS2DUX12(node_id, from_id, watermark)                                                \
	EMLEARN_IMU_STREAM_CONFIG_CHECK(node_id, CONFIG_LIS2DUX12_STREAM, "CONFIG_I2C_RTIO or CONFIG_SPI_RTIO");       \
	EMLEARN_IMU_STREAM_INT_CHECK(node_id,                                                                          \
				     DT_NODE_HAS_PROP(node_id, int1_gpios) || DT_NODE_HAS_PROP(node_id, int2_gpios),   \
				     "int1-gpios or int2-gpios");                                                      \
	BUILD_ASSERT(DT_PROP(node_id, fifo_mode_sel) != 2,                                                             \
		     DT_NODE_PATH(node_id) ": the property fifo-mode-sel must be 0 or 1, the decoder of Zephyr 4.3 "   \
					   "mixes up the two samples of a word");                                      \
	BUILD_ASSERT(DT_PROP(node_id, accel_fifo_batch_rate) == 0 && DT_PROP(node_id, timestamp_fifo_batch_rate) == 0, \
		     DT_NODE_PATH(node_id) ": the properties accel-fifo-batch-rate and timestamp-fifo-batch-rate "     \
					   "must be 0: each sample in the FIFO, and nothing else");                    \
	EMLEARN_IMU_STREAM_FIFO_WATERMARK_CHECK(node_id, from_id, watermark, 1, 125)
#define EMLEARN_IMU_STREAM_BLOCK_LIS2DUX12(node_id, watermark) (EMLEARN_IMU_STREAM_HEADER_BYTES + ((watermark) + 2) * 7)

/* adxl362: entries of 2 bytes for x, y, z and, by this driver always, temperature. */
#define EMLEARN_IMU_STREAM_NODE_ADXL362(node_id)                                                                       \
	{                                                                                                              \
		.driver = &emlearn_imu_stream_adxl362,                                                                 \
		.watermark = DT_PROP_OR(node_id, fifo_watermark, 0),                                                   \
		.packet_bytes = 8,                                                                                     \
	}
#define EMLEARN_IMU_STREAM_CHECK_ADXL362(node_id, from_id, watermark)                                                  \
	EMLEARN_IMU_STREAM_CONFIG_CHECK(node_id, CONFIG_ADXL362_STREAM, "CONFIG_SPI_RTIO");                            \
	EMLEARN_IMU_STREAM_INT_CHECK(node_id, DT_NODE_HAS_PROP(node_id, int1_gpios), "int1-gpios");                    \
	BUILD_ASSERT(DT_PROP_OR(node_id, fifo_mode, 0) == 2,                                                           \
		     DT_NODE_PATH(node_id) ": the property fifo-mode must be 2, ADXL362_FIFO_MODE_STREAM");            \
	EMLEARN_IMU_STREAM_FIFO_WATERMARK_CHECK(node_id, from_id, watermark, 4, 125)
#define EMLEARN_IMU_STREAM_BLOCK_ADXL362(node_id, watermark) (EMLEARN_IMU_STREAM_HEADER_BYTES + ((watermark) + 2) * 8)

/* adxl372: entries of 2 bytes for x, y, z. Its driver streams on SPI. */
#define EMLEARN_IMU_STREAM_NODE_ADXL372(node_id)                                                                       \
	{                                                                                                              \
		.driver = &emlearn_imu_stream_adxl372,                                                                 \
		.watermark = DT_PROP_OR(node_id, fifo_watermark, 0),                                                   \
		.packet_bytes = 6,                                                                                     \
	}
#define EMLEARN_IMU_STREAM_CHECK_ADXL372(node_id, from_id, watermark)                                                  \
	EMLEARN_IMU_STREAM_CONFIG_CHECK(node_id, CONFIG_ADXL372_STREAM, "CONFIG_SPI_RTIO");                            \
	EMLEARN_IMU_STREAM_INT_CHECK(node_id, DT_NODE_HAS_PROP(node_id, int1_gpios), "int1-gpios");                    \
	BUILD_ASSERT(DT_ON_BUS(node_id, spi),                                                                          \
		     DT_NODE_PATH(node_id) ": the driver of this sensor streams on SPI only");                         \
	BUILD_ASSERT(DT_PROP_OR(node_id, fifo_mode, 0) == 1,                                                           \
		     DT_NODE_PATH(node_id) ": the property fifo-mode must be 1, ADXL372_FIFO_MODE_STREAMED");          \
	EMLEARN_IMU_STREAM_FIFO_WATERMARK_CHECK(node_id, from_id, watermark, 3, 167)
#define EMLEARN_IMU_STREAM_BLOCK_ADXL372(node_id, watermark) (EMLEARN_IMU_STREAM_HEADER_BYTES + ((watermark) + 2) * 6)

/* The accelerometer of bmi085 and bmi088; the driver reads one frame more than its watermark. */
#define EMLEARN_IMU_STREAM_NODE_BMI08X(node_id)                                                                        \
	{                                                                                                              \
		.driver = &emlearn_imu_stream_bmi08x,                                                                  \
		.watermark = DT_PROP_OR(node_id, fifo_watermark, 0),                                                   \
		.packet_bytes = 7,                                                                                     \
	}
#define EMLEARN_IMU_STREAM_CHECK_BMI08X(node_id, from_id, watermark)                                                   \
	EMLEARN_IMU_STREAM_CONFIG_CHECK(node_id, CONFIG_BMI08X_ACCEL_STREAM, "CONFIG_GPIO");                           \
	EMLEARN_IMU_STREAM_INT_CHECK(node_id, DT_NODE_HAS_PROP(node_id, int_gpios), "int-gpios");                      \
	EMLEARN_IMU_STREAM_FIFO_WATERMARK_CHECK(node_id, from_id, watermark, 1, 99)
#define EMLEARN_IMU_STREAM_BLOCK_BMI08X(node_id, watermark)                                                            \
	(EMLEARN_IMU_STREAM_HEADER_BYTES + 8 + ((watermark) + 1) * 7)

/* Sensors whose stream cannot be used, and why. */
#define EMLEARN_IMU_STREAM_REFUSE(node_id, why)                                                                        \
	BUILD_ASSERT(0, DT_NODE_PATH(node_id) ": " why ": use CONFIG_EMLEARN_IMU_READER_USE_POLL")
#define EMLEARN_IMU_STREAM_CHECK_BMA4XX(node_id, from_id, watermark)                                                   \
	BUILD_ASSERT(0, DT_NODE_PATH(node_id) ": the stream of this driver crashes in Zephyr 4.3, its RTIO callbacks " \
					      "have the wrong type: use CONFIG_EMLEARN_IMU_READER_USE_READ")
#define EMLEARN_IMU_STREAM_CHECK_BMI08X_GYRO(node_id, from_id, watermark)                                              \
	BUILD_ASSERT(0, DT_NODE_PATH(node_id) ": the gyroscope of a bmi08x is a device of its own, a reader reads "    \
					      "one device: name the accelerometer's node, for acceleration alone")
#define EMLEARN_IMU_STREAM_CHECK_ADXL345(node_id, from_id, watermark)                                                  \
	EMLEARN_IMU_STREAM_REFUSE(node_id, "after a failed transfer the stream of this driver writes behind its "      \
					   "buffer in Zephyr 4.3")
#define EMLEARN_IMU_STREAM_CHECK_ADXL367(node_id, from_id, watermark)                                                  \
	EMLEARN_IMU_STREAM_REFUSE(node_id, "the stream of this driver crashes in Zephyr 4.3, two arguments of its "    \
					   "RTIO callback are exchanged")
#define EMLEARN_IMU_STREAM_CHECK_UNKNOWN(node_id, from_id, watermark)                                                  \
	BUILD_ASSERT(0, DT_NODE_PATH(node_id) ": the stream back end does not know the driver of this compatible "     \
					      "(docs/readers.md has the list): choose another back end")

/* No sensor's node: EMLEARN_IMU_NODE_CHECK() has said so. */
#define EMLEARN_IMU_STREAM_CHECK_NONE(node_id, from_id, watermark) BUILD_ASSERT(1)

extern const struct emlearn_imu_stream_driver emlearn_imu_stream_icm4268x;
extern const struct emlearn_imu_stream_driver emlearn_imu_stream_icm45686;
extern const struct emlearn_imu_stream_driver emlearn_imu_stream_lsm6dsv16x;
extern const struct emlearn_imu_stream_driver emlearn_imu_stream_lis2dux12;
extern const struct emlearn_imu_stream_driver emlearn_imu_stream_adxl362;
extern const struct emlearn_imu_stream_driver emlearn_imu_stream_adxl372;
extern const struct emlearn_imu_stream_driver emlearn_imu_stream_bmi08x;

/* clang-format off */
#define EMLEARN_IMU_STREAM_KIND(node_id)                                                                               \
	COND_CODE_1(EMLEARN_IMU_IS_SENSOR(node_id), (EMLEARN_IMU_STREAM_KIND_OF(node_id)), (NONE))
#define EMLEARN_IMU_STREAM_KIND_OF(node_id)                                                                            \
	COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, invensense_icm4268x), (ICM4268X),                                      \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, invensense_icm45686), (ICM45686),                                     \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, st_lsm6dsv16x), (LSM6DSV16X),                                         \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, st_lsm6dsv32x), (LSM6DSV16X),                                         \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, st_lis2dux12), (LIS2DUX12),                                           \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, st_lis2duxs12), (LIS2DUX12),                                          \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, adi_adxl362), (ADXL362),                                              \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, bosch_bmi08x_accel), (BMI08X),                                        \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, bosch_bmi08x_gyro), (BMI08X_GYRO),                                    \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, bosch_bma4xx), (BMA4XX),                                              \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, adi_adxl345), (ADXL345),                                              \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, adi_adxl366), (ADXL367),                                              \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, adi_adxl367), (ADXL367),                                              \
	(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, adi_adxl372), (ADXL372),                                              \
	(UNKNOWN))))))))))))))))))))))))))))
/* clang-format on */
#define EMLEARN_IMU_STREAM_OF_(what, kind) EMLEARN_IMU_STREAM_##what##_##kind
#define EMLEARN_IMU_STREAM_OF(what, kind) EMLEARN_IMU_STREAM_OF_(what, kind)

/* A sensor that is refused makes no second error. */
/* clang-format off */
#define EMLEARN_IMU_STREAM_NODE_BMA4XX(node_id)      {0}
#define EMLEARN_IMU_STREAM_NODE_BMI08X_GYRO(node_id) {0}
#define EMLEARN_IMU_STREAM_NODE_ADXL345(node_id)     {0}
#define EMLEARN_IMU_STREAM_NODE_ADXL367(node_id)     {0}
#define EMLEARN_IMU_STREAM_NODE_UNKNOWN(node_id)     {0}
#define EMLEARN_IMU_STREAM_NODE_NONE(node_id)        {0}
#define EMLEARN_IMU_STREAM_BLOCK_BMA4XX(node_id, watermark)      1
#define EMLEARN_IMU_STREAM_BLOCK_BMI08X_GYRO(node_id, watermark) 1
#define EMLEARN_IMU_STREAM_BLOCK_ADXL345(node_id, watermark)     1
#define EMLEARN_IMU_STREAM_BLOCK_ADXL367(node_id, watermark)     1
#define EMLEARN_IMU_STREAM_BLOCK_UNKNOWN(node_id, watermark)     1
#define EMLEARN_IMU_STREAM_BLOCK_NONE(node_id, watermark)        1
/* clang-format on */

/** Initialiser of struct emlearn_imu_stream_node. */
#define EMLEARN_IMU_STREAM_NODE(node_id) EMLEARN_IMU_STREAM_OF(NODE, EMLEARN_IMU_STREAM_KIND(node_id))(node_id)

/**
 * Refuse what cannot work, in one sentence; a semicolon follows.
 *
 * @param node_id  of the sensor
 * @param from_id  what the reader was given: this node, or the node emlearn,imu that stands for it
 */
#define EMLEARN_IMU_STREAM_CHECK(node_id, from_id, watermark)                                                          \
	EMLEARN_IMU_STREAM_OF(CHECK, EMLEARN_IMU_STREAM_KIND(node_id))(node_id, from_id, watermark)

/** Bytes of a block of one watermark. */
#define EMLEARN_IMU_STREAM_BLOCK(node_id, watermark)                                                                   \
	EMLEARN_IMU_STREAM_OF(BLOCK, EMLEARN_IMU_STREAM_KIND(node_id))(node_id, watermark)

/** The triggers of a stream: the driver of bmi08x takes no other than the watermark. */
#define EMLEARN_IMU_STREAM_IODEV(name, node_id)                                                                        \
	COND_CODE_1(EMLEARN_IMU_IS_SENSOR(node_id), (EMLEARN_IMU_STREAM_IODEV_OF(name, node_id)),                      \
		    (static const struct rtio_iodev name))
#define EMLEARN_IMU_STREAM_IODEV_OF(name, node_id)                                                                     \
	COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, bosch_bmi08x_accel),                                                   \
		    (SENSOR_DT_STREAM_IODEV(name, node_id, {SENSOR_TRIG_FIFO_WATERMARK, SENSOR_STREAM_DATA_INCLUDE})), \
		    (SENSOR_DT_STREAM_IODEV(name, node_id, {SENSOR_TRIG_FIFO_WATERMARK, SENSOR_STREAM_DATA_INCLUDE},   \
					    {SENSOR_TRIG_FIFO_FULL, SENSOR_STREAM_DATA_NOP})))

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_STREAM_NODE_H_ */
