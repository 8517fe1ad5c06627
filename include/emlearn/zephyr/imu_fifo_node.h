/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the FIFO back end takes from the devicetree: chip table, bus and interrupt line of a sensor's node, and what
 * is wrong with it, as one sentence at build time.
 */
#ifndef EMLEARN_ZEPHYR_IMU_FIFO_NODE_H_
#define EMLEARN_ZEPHYR_IMU_FIFO_NODE_H_

#include <zephyr/devicetree.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/spi.h>
#include <zephyr/sys/util.h>

#include <emlearn/zephyr/imu_bus.h>
#include <emlearn/zephyr/imu_node_check.h>

#ifdef __cplusplus
extern "C" {
#endif

struct emlearn_imu_fifo_chip;

extern const struct emlearn_imu_fifo_chip emlearn_imu_fifo_lsm6dsl;
extern const struct emlearn_imu_fifo_chip emlearn_imu_fifo_lsm6dso;
extern const struct emlearn_imu_fifo_chip emlearn_imu_fifo_ism330dhcx;
extern const struct emlearn_imu_fifo_chip emlearn_imu_fifo_mpu6050;
extern const struct emlearn_imu_fifo_chip emlearn_imu_fifo_bmi270;
extern const struct emlearn_imu_fifo_chip emlearn_imu_fifo_bmi270_base;

/*
 * A chip: its table, mode and dummy bytes on SPI, bytes of its FIFO, bytes that one sensor or a time stamp takes there,
 * whether its driver uses the interrupt line, and whether its FIFO has an interrupt and time stamps.
 */
#define EMLEARN_IMU_FIFO_LSM6DSL                                                                                       \
	&emlearn_imu_fifo_lsm6dsl, SPI_MODE_CPOL | SPI_MODE_CPHA, 0, 4096, 6, IS_ENABLED(CONFIG_LSM6DSL_TRIGGER), 1, 1
#define EMLEARN_IMU_FIFO_LSM6DSO                                                                                       \
	&emlearn_imu_fifo_lsm6dso, SPI_MODE_CPOL | SPI_MODE_CPHA, 0, 3577, 7, IS_ENABLED(CONFIG_LSM6DSO_TRIGGER), 1, 1
#define EMLEARN_IMU_FIFO_ISM330DHCX                                                                                    \
	&emlearn_imu_fifo_ism330dhcx, SPI_MODE_CPOL | SPI_MODE_CPHA, 0, 3577, 7,                                       \
		IS_ENABLED(CONFIG_ISM330DHCX_TRIGGER), 1, 1
#define EMLEARN_IMU_FIFO_BMI270 &emlearn_imu_fifo_bmi270, 0, 1, 6080, 7, IS_ENABLED(CONFIG_BMI270_TRIGGER), 1, 0
#define EMLEARN_IMU_FIFO_BMI270_BASE                                                                                   \
	&emlearn_imu_fifo_bmi270_base, 0, 1, 1984, 7, IS_ENABLED(CONFIG_BMI270_TRIGGER), 1, 0
/* Its driver may have the interrupt line. */
#define EMLEARN_IMU_FIFO_MPU6050 &emlearn_imu_fifo_mpu6050, 0, 0, 1008, 7, 0, 0, 0
#define EMLEARN_IMU_FIFO_NO_CHIP NULL, 0, 0, 0, 1, 0, 0, 1

/* The chip of a sensor's node by its compatible; none for a node that EMLEARN_IMU_NODE_CHECK() refuses. */
#define EMLEARN_IMU_FIFO_CHIP(node_id)                                                                                 \
	COND_CODE_1(EMLEARN_IMU_IS_SENSOR(node_id), (EMLEARN_IMU_FIFO_CHIP_ST(node_id)), (EMLEARN_IMU_FIFO_NO_CHIP))
#define EMLEARN_IMU_FIFO_CHIP_ST(node_id)                                                                              \
	COND_CODE_1(                                                                                                   \
		DT_NODE_HAS_COMPAT(node_id, st_lsm6dsl), (EMLEARN_IMU_FIFO_LSM6DSL),                                   \
		(COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, st_lsm6dso), (EMLEARN_IMU_FIFO_LSM6DSO),                      \
			     (COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, st_ism330dhcx), (EMLEARN_IMU_FIFO_ISM330DHCX),   \
					  (EMLEARN_IMU_FIFO_CHIP_NOT_ST(node_id)))))))
#define EMLEARN_IMU_FIFO_CHIP_NOT_ST(node_id)                                                                          \
	COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, invensense_mpu6050), (EMLEARN_IMU_FIFO_MPU6050),                       \
		    (COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, bosch_bmi270_base), (EMLEARN_IMU_FIFO_BMI270_BASE),       \
				 (COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, bosch_bmi270), (EMLEARN_IMU_FIFO_BMI270),    \
					      (EMLEARN_IMU_FIFO_NO_CHIP))))))

/* One item of a chip. */
#define EMLEARN_IMU_FIFO_TABLE_(table, mode, dummies, fifo, set, trigger, line, times) table
#define EMLEARN_IMU_FIFO_MODE_(table, mode, dummies, fifo, set, trigger, line, times) mode
#define EMLEARN_IMU_FIFO_DUMMIES_(table, mode, dummies, fifo, set, trigger, line, times) dummies
#define EMLEARN_IMU_FIFO_BYTES_(table, mode, dummies, fifo, set, trigger, line, times) fifo
#define EMLEARN_IMU_FIFO_SET_(table, mode, dummies, fifo, set, trigger, line, times) set
#define EMLEARN_IMU_FIFO_TRIGGER_(table, mode, dummies, fifo, set, trigger, line, times) trigger
#define EMLEARN_IMU_FIFO_INT_(table, mode, dummies, fifo, set, trigger, line, times) line
#define EMLEARN_IMU_FIFO_TIMES_(table, mode, dummies, fifo, set, trigger, line, times) times
#define EMLEARN_IMU_FIFO_PICK_(item, ...) item(__VA_ARGS__)
#define EMLEARN_IMU_FIFO_OF(item, node_id)                                                                             \
	EMLEARN_IMU_FIFO_PICK_(EMLEARN_IMU_FIFO_##item##_, EMLEARN_IMU_FIFO_CHIP(node_id))

/** Bytes of a six-axis frame in the FIFO. */
#define EMLEARN_IMU_FIFO_FRAME_BYTES(node_id, timed) ((2 + (timed)) * EMLEARN_IMU_FIFO_OF(SET, node_id))

/** 1 if the FIFO of a sensor's node has time stamps, else 0. */
#define EMLEARN_IMU_FIFO_HAS_TIMES(node_id) EMLEARN_IMU_FIFO_OF(TIMES, node_id)

/** Six-axis frames that the FIFO of a sensor's node holds. */
#define EMLEARN_IMU_FIFO_FRAMES(node_id, timed)                                                                        \
	(EMLEARN_IMU_FIFO_OF(BYTES, node_id) / EMLEARN_IMU_FIFO_FRAME_BYTES(node_id, timed))

/** Initialiser of the bus of a sensor's node. */
#define EMLEARN_IMU_FIFO_BUS(node_id)                                                                                  \
	COND_CODE_0(                                                                                                   \
		EMLEARN_IMU_FIFO_OF(BYTES, node_id), ({0}),                                                            \
		(EMLEARN_IMU_BUS(node_id, EMLEARN_IMU_FIFO_OF(MODE, node_id), EMLEARN_IMU_FIFO_OF(DUMMIES, node_id))))

/* Whichever name the binding of the sensor has for its interrupt line; none where it cannot tell of the FIFO. */
#define EMLEARN_IMU_FIFO_HAS_LINE(node_id)                                                                             \
	UTIL_AND(EMLEARN_IMU_FIFO_OF(INT, node_id), EMLEARN_IMU_FIFO_HAS_GPIO(node_id))
#define EMLEARN_IMU_FIFO_HAS_GPIO(node_id)                                                                             \
	UTIL_OR(UTIL_OR(DT_NODE_HAS_PROP(node_id, irq_gpios), DT_NODE_HAS_PROP(node_id, int_gpios)),                   \
		UTIL_OR(DT_NODE_HAS_PROP(node_id, int1_gpios), DT_NODE_HAS_PROP(node_id, drdy_gpios)))

#ifdef CONFIG_GPIO
/** Initialiser of the interrupt line, with no port where there is none. */
#define EMLEARN_IMU_FIFO_LINE(node_id)                                                                                 \
	COND_CODE_1(EMLEARN_IMU_FIFO_OF(INT, node_id), (EMLEARN_IMU_FIFO_GPIO(node_id)), ({0}))
#define EMLEARN_IMU_FIFO_GPIO(node_id)                                                                                 \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, irq_gpios), (GPIO_DT_SPEC_GET(node_id, irq_gpios)),                      \
		    (COND_CODE_1(DT_NODE_HAS_PROP(node_id, int_gpios), (GPIO_DT_SPEC_GET(node_id, int_gpios)),         \
				 (COND_CODE_1(DT_NODE_HAS_PROP(node_id, int1_gpios),                                   \
					      (GPIO_DT_SPEC_GET(node_id, int1_gpios)),                                 \
					      (GPIO_DT_SPEC_GET_OR(node_id, drdy_gpios, {0})))))))
#else
#define EMLEARN_IMU_FIFO_LINE(node_id) {0}
#endif

/**
 * Check the node of a sensor whose FIFO is to be read, behind EMLEARN_IMU_NODE_CHECK(); a semicolon follows.
 *
 * @param node_id  of the sensor
 * @param from_id  what the reader was given: this node, or the node emlearn,imu that stands for it
 */
#define EMLEARN_IMU_FIFO_NODE_CHECK(node_id, from_id, watermark, timed)                                                \
	COND_CODE_1(EMLEARN_IMU_IS_SENSOR(node_id),                                                                    \
		    (COND_CODE_0(EMLEARN_IMU_FIFO_OF(BYTES, node_id), (EMLEARN_IMU_FIFO_REFUSE(node_id)),              \
				 (EMLEARN_IMU_FIFO_KNOWN_CHECK(node_id, from_id, watermark, timed)))),                 \
		    (BUILD_ASSERT(1)))

#define EMLEARN_IMU_FIFO_REFUSE(node_id)                                                                               \
	BUILD_ASSERT(0, DT_NODE_PATH(node_id) ": property compatible names no chip whose FIFO this library knows, "    \
					      "choose another back end for it")

/* In words: the room of a FIFO, of so many bytes and so many for a part of a frame. */
#define EMLEARN_IMU_FIFO_ROOM(bytes, set)                                                                              \
	"what the FIFO of " STRINGIFY(bytes) " bytes holds, " STRINGIFY(                                               \
		set) " for each sensor and time stamp of a frame"

#define EMLEARN_IMU_FIFO_KNOWN_CHECK(node_id, from_id, watermark, timed)                                               \
	BUILD_ASSERT((watermark) < EMLEARN_IMU_FIFO_FRAMES(node_id, timed),                                            \
		     DT_NODE_PATH(from_id) ": the watermark (a batch, or the property watermark-frames) must be less " \
					   "than " EMLEARN_IMU_FIFO_ROOM(EMLEARN_IMU_FIFO_OF(BYTES, node_id),          \
									 EMLEARN_IMU_FIFO_OF(SET, node_id)));          \
	BUILD_ASSERT(!IS_ENABLED(CONFIG_EMLEARN_IMU_READER_FIFO_INTERRUPT_ONLY) ||                                     \
			     (IS_ENABLED(CONFIG_GPIO) && EMLEARN_IMU_FIFO_HAS_LINE(node_id)),                          \
		     DT_NODE_PATH(node_id) ": no interrupt line (property irq-gpios, int-gpios, int1-gpios or "        \
					   "drdy-gpios) or none that tells of the FIFO, and "                          \
					   "CONFIG_EMLEARN_IMU_READER_FIFO_INTERRUPT_ONLY wants one");                 \
	BUILD_ASSERT(!(timed) || EMLEARN_IMU_FIFO_HAS_TIMES(node_id),                                                  \
		     DT_NODE_PATH(node_id) ": the FIFO of this chip has no time stamps");                              \
	BUILD_ASSERT(!(EMLEARN_IMU_FIFO_OF(TRIGGER, node_id) && EMLEARN_IMU_FIFO_HAS_LINE(node_id)),                   \
		     DT_NODE_PATH(node_id) ": the driver uses the interrupt line of this sensor itself, "              \
					   "disable its trigger mode in Kconfig")

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_FIFO_NODE_H_ */
