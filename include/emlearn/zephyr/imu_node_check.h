/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Errors of the devicetree that can be told at build time, each as one sentence that names node and property.
 */
#ifndef EMLEARN_ZEPHYR_IMU_NODE_CHECK_H_
#define EMLEARN_ZEPHYR_IMU_NODE_CHECK_H_

#include <stdint.h>

#include <zephyr/devicetree.h>
#include <zephyr/sys/util.h>
#include <zephyr/toolchain.h>

#define EMLEARN_IMU_REFUSE(node_id, text) BUILD_ASSERT(0, DT_NODE_PATH(node_id) ": " text);

/* One value of the property mount: +-1 to +-3 for x to z of the chip. */
#define EMLEARN_IMU_MOUNT_VALUE(node_id, i) ((int32_t)DT_PROP_BY_IDX(node_id, mount, i))

/* Does axis i, or any axis, of the board come from axis n of the chip? */
#define EMLEARN_IMU_MOUNT_IS(node_id, i, n)                                                                            \
	(EMLEARN_IMU_MOUNT_VALUE(node_id, i) == (n) || EMLEARN_IMU_MOUNT_VALUE(node_id, i) == -(n))
#define EMLEARN_IMU_MOUNT_HAS(node_id, n)                                                                              \
	(EMLEARN_IMU_MOUNT_IS(node_id, 0, n) || EMLEARN_IMU_MOUNT_IS(node_id, 1, n) ||                                 \
	 EMLEARN_IMU_MOUNT_IS(node_id, 2, n))

/* Three values, each axis of the chip once. */
#define EMLEARN_IMU_MOUNT_IS_VALID(node_id)                                                                            \
	COND_CODE_1(DT_PROP_HAS_IDX(node_id, mount, 2),                                                                \
		    (DT_PROP_LEN(node_id, mount) == 3 && EMLEARN_IMU_MOUNT_HAS(node_id, 1) &&                          \
		     EMLEARN_IMU_MOUNT_HAS(node_id, 2) && EMLEARN_IMU_MOUNT_HAS(node_id, 3)),                          \
		    (0))

/* A node emlearn,imu: it and the sensor that it stands for. */
#define EMLEARN_IMU_STAND_IN_CHECK(node_id)                                                                            \
	BUILD_ASSERT(                                                                                                  \
		EMLEARN_IMU_MOUNT_IS_VALID(node_id),                                                                   \
		DT_NODE_PATH(                                                                                          \
			node_id) ": property mount must be 1, 2 and 3 in some order, each with or without a minus");   \
	BUILD_ASSERT(DT_PROP_OR(node_id, watermark_frames, 1) > 0,                                                     \
		     DT_NODE_PATH(node_id) ": property watermark-frames must be 1 or more");                           \
	COND_CODE_1(DT_NODE_HAS_COMPAT(DT_PHANDLE(node_id, sensor), emlearn_imu),                                      \
		    (EMLEARN_IMU_REFUSE(node_id, "property sensor must be a sensor, not a node emlearn,imu")),         \
		    (COND_CODE_1(DT_NODE_HAS_STATUS_OKAY(DT_PHANDLE(node_id, sensor)),                                 \
				 (EMLEARN_IMU_DRIVER_CHECK(DT_PHANDLE(node_id, sensor))),                              \
				 (EMLEARN_IMU_REFUSE(DT_PHANDLE(node_id, sensor),                                      \
						     "property status must be okay, a node emlearn,imu stands for "    \
						     "this sensor")))))

/* Zephyr leaves this driver out without a word. */
#define EMLEARN_IMU_DRIVER_CHECK(node_id)                                                                              \
	BUILD_ASSERT(IS_ENABLED(CONFIG_SENSOR_ASYNC_API) || !DT_NODE_HAS_COMPAT(node_id, bosch_bma4xx),                \
		     DT_NODE_PATH(node_id) ": the driver of this sensor needs CONFIG_SENSOR_ASYNC_API");

#define EMLEARN_IMU_EXISTING_CHECK(node_id)                                                                            \
	COND_CODE_1(DT_NODE_HAS_STATUS_OKAY(node_id),                                                                  \
		    (COND_CODE_1(DT_NODE_HAS_COMPAT(node_id, emlearn_imu), (EMLEARN_IMU_STAND_IN_CHECK(node_id)),      \
				 (EMLEARN_IMU_DRIVER_CHECK(node_id)))),                                                \
		    (EMLEARN_IMU_REFUSE(node_id, "property status must be okay, an IMU reader reads this node")))

/**
 * Check the node of a reader and its batch. Every EMLEARN_IMU_READER_<back end>_DEFINE() begins with this; a semicolon
 * follows.
 */
#define EMLEARN_IMU_NODE_CHECK(node_id, batch_frames)                                                                  \
	COND_CODE_1(DT_NODE_EXISTS(node_id), (EMLEARN_IMU_EXISTING_CHECK(node_id)),                                    \
		    (BUILD_ASSERT(0, "an IMU reader has no node (" STRINGIFY(                                          \
					     node_id) "): set the property emlearn,imu of /chosen to a sensor");))     \
	BUILD_ASSERT((batch_frames) >= 1 && (batch_frames) <= UINT16_MAX,                                              \
		     "a batch of an IMU reader must be 1 to 65535 frames, not " STRINGIFY(batch_frames))

/** 1 for a sensor's node that can be looked at further, 0 for one that the above has refused. */
#define EMLEARN_IMU_IS_SENSOR(node_id)                                                                                 \
	UTIL_AND(DT_NODE_HAS_STATUS_OKAY(node_id), UTIL_NOT(DT_NODE_HAS_COMPAT(node_id, emlearn_imu)))

#endif /* EMLEARN_ZEPHYR_IMU_NODE_CHECK_H_ */
