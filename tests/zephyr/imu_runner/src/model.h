/* SPDX-License-Identifier: Apache-2.0 */
/* A model by hand: is the mean of the accelerometer's x above 0? */
#ifndef TEST_MODEL_H_
#define TEST_MODEL_H_

#include <emlearn/pipeline.h>

/* Longest window. */
#define MODEL_FRAMES_MAX 104

/* The model at a rate, with windows of `frames` frames one behind the other. */
void model_set(struct emlearn_pipeline *model, uint8_t sensors, uint32_t rate_mhz, uint16_t frames);

/* A pipeline `name` of a model `name_model` that model_set() fills. */
#define MODEL_PIPELINE_DEFINE(name)                                                                                    \
	static struct emlearn_pipeline name##_model;                                                                   \
	EMLEARN_PIPELINE_DEFINE(name, name##_model, 6, 0, MODEL_FRAMES_MAX, 1, 2, 1)

#endif /* TEST_MODEL_H_ */
