/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * For back ends of the IMU reader: what one is, and what all of them share. Applications need imu_reader.h only.
 */
#ifndef EMLEARN_ZEPHYR_IMU_BACKEND_H_
#define EMLEARN_ZEPHYR_IMU_BACKEND_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/device.h>
#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>

#include <emlearn/zephyr/imu_node_check.h>
#include <emlearn/zephyr/imu_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The sensor's node: `node_id` itself, or the sensor that a node emlearn,imu stands for. */
#define EMLEARN_IMU_SENSOR(node_id)                                                                                    \
	COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, emlearn_imu), (DT_PHANDLE(node_id, sensor)), (node_id))

/* One axis of the property mount. */
#define EMLEARN_IMU_MOUNT_AXIS(node_id, i)                                                                             \
	{(uint8_t)((EMLEARN_IMU_MOUNT_VALUE(node_id, i) < 0 ? -EMLEARN_IMU_MOUNT_VALUE(node_id, i)                     \
							    : EMLEARN_IMU_MOUNT_VALUE(node_id, i)) -                   \
		   1),                                                                                                 \
	 EMLEARN_IMU_MOUNT_VALUE(node_id, i) < 0 ? -1 : 1}

/** Initialiser of the board's mount: the property of a node emlearn,imu, else the chip's own axes. */
#define EMLEARN_IMU_MOUNT(node_id)                                                                                     \
	COND_CODE_1(UTIL_AND(DT_NODE_HAS_COMPAT(node_id, emlearn_imu), DT_PROP_HAS_IDX(node_id, mount, 2)),            \
		    ({EMLEARN_IMU_MOUNT_AXIS(node_id, 0), EMLEARN_IMU_MOUNT_AXIS(node_id, 1),                          \
		      EMLEARN_IMU_MOUNT_AXIS(node_id, 2)}),                                                            \
		    ({{0, 1}, {1, 1}, {2, 1}}))

/** Frames at which the chip's FIFO asks to be read: the property of a node emlearn,imu, else a batch. */
#define EMLEARN_IMU_WATERMARK(node_id, batch_frames)                                                                   \
	COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, emlearn_imu), (DT_PROP_OR(node_id, watermark_frames, batch_frames)),   \
		    (batch_frames))

struct emlearn_imu_reader;

/** Why a back end is called. */
enum emlearn_imu_call {
	EMLEARN_IMU_ASKED, /**< somebody reads */
	EMLEARN_IMU_READY, /**< reader->ready was given, and is taken */
	EMLEARN_IMU_LOOK,  /**< it is time to look */
};

/** What a back end does. Called by imu_reader.c, which has checked and negotiated what can be. */
struct emlearn_imu_backend {
	/**
	 * For a back end that knows more of the sensor than its driver says: correct what was negotiated in `got`,
	 * rate, ranges and what the codes are worth. A rate of 0 is one of no use. The reader then judges it.
	 *
	 * NULL: there is no more to know, and the reader may go at any pace.
	 *
	 * @return 0 or a negative errno
	 */
	int (*prepare)(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got);
	/**
	 * Start at reader->rate_mhz, set reader->ready, and fill in watermark_frames and stall_us.
	 *
	 * @return 0 or a negative errno, with nothing running
	 */
	int (*start)(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got);
	/**
	 * Give a batch if there is one. Does not wait: the reader does, for reader->ready or for the time to look.
	 *
	 * @return 0 with a batch; -EAGAIN to wait and be called again; another negative errno for the caller
	 */
	int (*read)(struct emlearn_imu_reader *reader, struct emlearn_batch *batch, enum emlearn_imu_call call);
	/** Stop; nothing runs or is borrowed afterwards. */
	void (*stop)(struct emlearn_imu_reader *reader);
};

/** A reader, the first member of each back end's own struct; the fields are private to the reader and its back end. */
struct emlearn_imu_reader {
	const struct emlearn_imu_backend *backend;
	const struct device *dev;
	uint8_t n_channels;
	bool running;
	uint32_t rate_mhz;
	struct k_sem *ready; /* what a call of read() waits for */
	uint32_t look_us;    /* set by the back end: when to call it even if nothing is ready, from now; 0: as before */
	k_timepoint_t look;  /* that time */
	struct emlearn_imu_stats stats;
	struct emlearn_imu_asked asked; /* its mount is the board's and the model's in one */
	struct emlearn_imu_mount_axis board_mount[EMLEARN_AXES];
	struct emlearn_imu_scale acc_scale;
	struct emlearn_imu_scale gyro_scale;
	struct emlearn_imu_ratio codes[EMLEARN_IMU_SENSORS];
};

/* A node that EMLEARN_IMU_NODE_CHECK() refuses makes no second error here. */
#define EMLEARN_IMU_DEVICE(node_id) COND_CODE_1(DT_NODE_HAS_STATUS_OKAY(node_id), (DEVICE_DT_GET(node_id)), (NULL))

/** Initialiser of the reader in a back end's struct. */
#define EMLEARN_IMU_READER_INIT(backend_, node_id)                                                                     \
	{                                                                                                              \
		.backend = (backend_),                                                                                 \
		.dev = EMLEARN_IMU_DEVICE(EMLEARN_IMU_SENSOR(node_id)),                                                \
		.board_mount = EMLEARN_IMU_MOUNT(node_id),                                                             \
	}

/** Microseconds since boot: the clock of all batches. */
int64_t emlearn_imu_now_us(void);

/**
 * Values of the sensor API to the channels of one sensor of a frame.
 *
 * @param sensor EMLEARN_SENSOR_ACC or EMLEARN_SENSOR_GYRO
 * @param values x, y, z of the chip, m/s2 or rad/s
 * @param out    EMLEARN_AXES counts, mounted
 */
void emlearn_imu_from_values(const struct emlearn_imu_reader *reader, uint8_t sensor,
			     const struct sensor_value values[EMLEARN_AXES], int16_t out[EMLEARN_AXES]);

/**
 * Values of a sensor's decoder to the channels of one sensor of a frame.
 *
 * @param sensor EMLEARN_SENSOR_ACC or EMLEARN_SENSOR_GYRO
 * @param values x, y, z of the chip: value * 2^(shift - 31) is m/s2 or rad/s
 * @param out    EMLEARN_AXES counts, mounted
 */
void emlearn_imu_from_q31(const struct emlearn_imu_reader *reader, uint8_t sensor, const int32_t values[EMLEARN_AXES],
			  int8_t shift, int16_t out[EMLEARN_AXES]);

/**
 * Codes of the chip to a frame: the same number where chip and model share their step, else the nearest, halves towards
 * plus infinity; held to int16. For back ends that set the steps in `got`.
 *
 * @param codes x, y, z of the chip for each sensor of EMLEARN_IMU_SENSORS, at most 24 bits; of those that are not asked
 *              for they are not read
 * @param out   the frame, mounted
 */
void emlearn_imu_from_codes(const struct emlearn_imu_reader *reader, int32_t codes[][EMLEARN_AXES], int16_t *out);

/** Set rate and range in the driver again, as at the start: after a chip has lost its power. */
void emlearn_imu_set_up_again(struct emlearn_imu_reader *reader);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_BACKEND_H_ */
