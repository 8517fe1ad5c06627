/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What is said about an IMU: what a model asks for, what the sensor gives, how it is mounted, and what was counted.
 */
#ifndef EMLEARN_ZEPHYR_IMU_TYPES_H_
#define EMLEARN_ZEPHYR_IMU_TYPES_H_

#include <stdbool.h>
#include <stdint.h>

#include <emlearn/types.h>
#include <emlearn/zephyr/imu_units.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Accelerometer and gyroscope: bits 0 and 1 of EMLEARN_SENSOR_*, in the order of a frame. */
#define EMLEARN_IMU_SENSORS 2u

/** Most channels of a frame. */
#define EMLEARN_IMU_CHANNELS_MAX (EMLEARN_IMU_SENSORS * EMLEARN_AXES)

/** Where one axis comes from. */
struct emlearn_imu_mount_axis {
	uint8_t axis; /**< axis of the source, 0 to 2 for x to z */
	int8_t sign;  /**< 1 or -1 */
};

/** What a model wants. EMLEARN_IMU_ASKED() fills it from a generated header. */
struct emlearn_imu_asked {
	uint32_t rate_mhz;                /**< thousandths of a hertz, 1000 to 10000000 */
	uint16_t rate_tolerance_permille; /**< how far the true rate may be off, in thousandths of rate_mhz */
	uint8_t sensors;                  /**< EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO */
	bool unpaced;                     /**< read as fast as possible; for devices that give a new frame each time */
	struct emlearn_imu_step acc_step; /**< of the model's grid; not read without the sensor */
	struct emlearn_imu_step gyro_step;
	struct emlearn_imu_mount_axis mount[EMLEARN_AXES]; /**< for x, y, z of the model; each axis once */
};

/**
 * Initialiser of struct emlearn_imu_asked for the model whose constants begin with `prefix`, with the mount of the
 * recordings that it was trained on.
 */
#define EMLEARN_IMU_ASKED(prefix)                                                                                      \
	{                                                                                                              \
		.rate_mhz = prefix##_RATE_MHZ,                                                                         \
		.rate_tolerance_permille = prefix##_RATE_TOLERANCE_PERMILLE,                                           \
		.sensors = prefix##_SENSORS,                                                                           \
		.acc_step = {prefix##_ACC_STEP_NUM, prefix##_ACC_STEP_DEN},                                            \
		.gyro_step = {prefix##_GYRO_STEP_NUM, prefix##_GYRO_STEP_DEN},                                         \
		.mount = {{prefix##_MOUNT_X_AXIS, prefix##_MOUNT_X_SIGN},                                              \
			  {prefix##_MOUNT_Y_AXIS, prefix##_MOUNT_Y_SIGN},                                              \
			  {prefix##_MOUNT_Z_AXIS, prefix##_MOUNT_Z_SIGN}},                                             \
	}

/** What the sensor gives: as the chip or its driver says, else as it accepted what was set; 0 where neither is known.
 */
struct emlearn_imu_got {
	uint32_t rate_mhz;                 /**< nominal sample rate, thousandths of a hertz */
	uint32_t acc_range_mg;             /**< range, +- */
	uint32_t gyro_range_mdps;          /**< range, +- */
	struct emlearn_imu_step acc_step;  /**< what a code of the chip is worth, g; {0, 0} where it is not known */
	struct emlearn_imu_step gyro_step; /**< the same in degrees per second */
	uint32_t watermark_frames;         /**< frames that the chip gathers before it is read; 1 without a FIFO */
	uint32_t stall_us;                 /**< how long nobody need read without a frame being lost */
};

/** What a reader has counted since it started; each number wraps at 2^32. */
struct emlearn_imu_stats {
	uint32_t n_frames;         /**< delivered */
	uint32_t n_batches;        /**< delivered */
	uint32_t n_lost;           /**< frames, the sum over all batches */
	uint32_t n_overruns;       /**< times that a FIFO or pool was full and frames went */
	uint32_t n_rearms;         /**< times that chip or stream was set up again */
	uint32_t n_bus_errors;     /**< transfers, fetches or streams that failed */
	uint32_t n_odd;            /**< FIFO packets that made no frame and were left out */
	uint32_t n_spurious;       /**< interrupts with nothing behind them */
	uint32_t n_wakeups;        /**< interrupts, and times that a thread of the reader woke up */
	uint32_t worst_latency_us; /**< from the newest frame of a batch to its delivery */
};

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_TYPES_H_ */
