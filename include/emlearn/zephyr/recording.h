/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A recording on a model's grid, as an array in flash: what emlearn,replay-imu plays. Written by
 * `west emlearn recording` or emlearn_add_recording(); portable C without Zephyr headers.
 */
#ifndef EMLEARN_ZEPHYR_RECORDING_H_
#define EMLEARN_ZEPHYR_RECORDING_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Consecutive frames that carry one label. */
struct emlearn_recording_span {
	uint32_t stop;     /**< number of the first frame behind the span; it starts where the one before stops */
	const char *label; /**< "" where nobody labelled */
};

/** A place where frames are missing. */
struct emlearn_recording_gap {
	uint32_t frame;  /**< number of the frame that follows */
	uint32_t n_lost; /**< frames missing before it, 1 or more */
};

/** A recording. Frames are in the axes of the recording: the mount is the reader's business. */
struct emlearn_recording {
	const int16_t *frames; /**< n_frames * channels counts: acc x y z, gyro x y z, of the sensors present */
	const struct emlearn_recording_span *spans; /**< in order, together all frames */
	const struct emlearn_recording_gap *gaps;   /**< in order of frame */
	uint32_t n_frames;
	uint32_t n_spans;
	uint32_t n_gaps;
	uint32_t rate_mhz;     /**< as measured from its time stamps, thousandths of a hertz */
	uint32_t acc_step_num; /**< what a count is worth, in g; 0 without the sensor */
	uint32_t acc_step_den;
	uint32_t gyro_step_num; /**< the same in degrees per second */
	uint32_t gyro_step_den;
	uint8_t sensors; /**< EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO */
};

/**
 * The label of a frame.
 *
 * @param recording any
 * @param frame     number of the frame, from 0
 * @param n_same    frames that carry this label without a break up to and with this one; may be NULL
 * @return the label, "" where nobody labelled, NULL if there is no such frame
 */
const char *emlearn_recording_label(const struct emlearn_recording *recording, uint32_t frame, uint32_t *n_same);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_RECORDING_H_ */
