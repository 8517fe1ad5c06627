/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Batches of frames from an IMU, whatever its driver can do: asked is what the model wants, got what the chip gives.
 *
 * One back end a way of reading. A back end's header has the macro that defines a reader; all else is done by the
 * functions here, from one thread.
 */
#ifndef EMLEARN_ZEPHYR_IMU_READER_H_
#define EMLEARN_ZEPHYR_IMU_READER_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/device.h>

#include <emlearn/types.h>
#include <emlearn/zephyr/imu_units.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most channels of a frame. */
#define EMLEARN_IMU_CHANNELS_MAX (2u * EMLEARN_AXES)

/** Where one axis of the model comes from. */
struct emlearn_imu_mount_axis {
	uint8_t axis; /**< axis of the chip, 0 to 2 for x to z */
	int8_t sign;  /**< 1 or -1 */
};

/** What a model wants. EMLEARN_IMU_ASKED() fills it from a generated header. */
struct emlearn_imu_asked {
	uint32_t rate_mhz;                /**< thousandths of a hertz, 1 or more */
	uint16_t rate_tolerance_permille; /**< how far the true rate may be off, in thousandths of rate_mhz */
	uint8_t sensors;                  /**< EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO */
	bool unpaced;                     /**< read as fast as possible; for devices that give a new frame each time */
	struct emlearn_imu_step acc_step; /**< of the model's grid; not read without the sensor */
	struct emlearn_imu_step gyro_step;
	struct emlearn_imu_mount_axis mount[EMLEARN_AXES]; /**< for x, y, z of the model; each axis of the chip once */
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

/** What the chip gives: as its driver says, else as it accepted what was set; 0 where neither is known. */
struct emlearn_imu_got {
	uint32_t rate_mhz;        /**< sample rate; frames are read at it, or at the rate asked for if it is 0 */
	uint32_t acc_range_mg;    /**< range, +-; the chip's step is about range / 32768 where it has 16 bits */
	uint32_t gyro_range_mdps; /**< range, +- */
};

struct emlearn_imu_reader;

/** A back end. */
struct emlearn_imu_reader_api {
	int (*start)(struct emlearn_imu_reader *reader);
	int (*read)(struct emlearn_imu_reader *reader, struct emlearn_batch *batch);
	void (*stop)(struct emlearn_imu_reader *reader);
};

/** A reader, the first member of each back end's own struct; the fields are private. */
struct emlearn_imu_reader {
	const struct emlearn_imu_reader_api *api;
	const struct device *dev;
	struct emlearn_imu_asked asked;
	struct emlearn_imu_scale acc_scale;
	struct emlearn_imu_scale gyro_scale;
	uint32_t rate_mhz;
	bool running;
};

/**
 * Set up the driver for a model and start reading.
 *
 * Tries to set the rate, or else one of the usual rates within the tolerance, and the nominal range; leaves as it is
 * what the driver cannot set, and checks what it can learn.
 *
 * @param reader defined by a back end, stopped
 * @param asked  copied
 * @param got    filled as far as it is known, also where the return value is -ERANGE
 * @return 0; -EINVAL if `asked` is no valid wish; -ENODEV if the device is not ready; -EALREADY if it runs;
 *         -ENOTSUP if the back end cannot read this device or not at this rate; -ERANGE if the chip's rate lies
 *         outside of the tolerance or its range is under three quarters of the model's; or the driver's error.
 *         After an error the reader is stopped.
 */
int emlearn_imu_reader_start(struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked,
			     struct emlearn_imu_got *got);

/**
 * Wait for frames.
 *
 * @param reader running
 * @param batch  filled on success: 1 frame or more, mounted, on the model's grid, with n_lost frames missing right
 *               before the first. The frames are the reader's and hold until the next call.
 * @return 0; -ENODATA at the end of a recording; -EINVAL if the reader is stopped; or the error of a driver that
 *         keeps failing: reading on is allowed
 */
int emlearn_imu_reader_read(struct emlearn_imu_reader *reader, struct emlearn_batch *batch);

/** Stop reading. Nothing happens if the reader is stopped. */
void emlearn_imu_reader_stop(struct emlearn_imu_reader *reader);

/**
 * For back ends: turn values of the sensor API into channels of a frame.
 *
 * @param sensor EMLEARN_SENSOR_ACC or EMLEARN_SENSOR_GYRO
 * @param values x, y, z of the chip, m/s2 or rad/s
 * @param out    EMLEARN_AXES counts, mounted
 */
void emlearn_imu_reader_convert(const struct emlearn_imu_reader *reader, uint8_t sensor,
				const struct sensor_value values[EMLEARN_AXES], int16_t out[EMLEARN_AXES]);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_READER_H_ */
