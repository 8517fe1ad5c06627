/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What crosses the rooms: a batch of frames in, a decision out.
 *
 * A frame is one sample of all channels, interleaved int16: acc x y z, then gyro x y z, of the sensors that the
 * model uses. A count is worth the step that the model declares (NAME_ACC_STEP_*, NAME_GYRO_STEP_*).
 */
#ifndef EMLEARN_TYPES_H_
#define EMLEARN_TYPES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sensors of a frame, in the order in which their channels stand in it. */
#define EMLEARN_SENSOR_ACC 0x01u
#define EMLEARN_SENSOR_GYRO 0x02u

/** Channels of one sensor. */
#define EMLEARN_AXES 3u

/** How a number of lost frames is known. */
enum emlearn_loss {
	EMLEARN_LOSS_EXACT = 0, /**< counted: by the chip's own time stamps, or frame by frame */
	EMLEARN_LOSS_ESTIMATED, /**< from elapsed time and the measured period */
	EMLEARN_LOSS_AT_LEAST,  /**< there may have been more */
};

/**
 * Consecutive frames and their time. The caller fills it, emlearn_pipeline_push() uses it up from the front.
 */
struct emlearn_batch {
	const int16_t *frames;  /**< n_frames * channels values, borrowed until the batch is used up */
	size_t n_frames;        /**< frames in the batch */
	size_t n_used;          /**< frames already consumed; 0 at first */
	int64_t t_us;           /**< time of the first frame */
	uint32_t period_ns;     /**< time from frame to frame, 1 to 4294967295 ns */
	uint32_t n_lost;        /**< frames missing right before the first one; not 0 resets the pipeline */
	enum emlearn_loss loss; /**< how n_lost is known */
};

/** What the model says of one window. */
struct emlearn_decision {
	int64_t t_us;             /**< time of the last frame of the window */
	uint32_t votes;           /**< votes for window_class_idx, 1 to n_votes */
	uint32_t n_votes;         /**< votes cast in all */
	uint32_t n_lost;          /**< frames lost since the decision before, saturating */
	uint8_t class_idx;        /**< class after smoothing */
	uint8_t window_class_idx; /**< class of this window alone */
	bool warming;             /**< the window holds frames from before the gravity filter had settled */
};

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_TYPES_H_ */
