/* SPDX-License-Identifier: Apache-2.0 */
/* All models that are compiled in. */
#ifndef DECISIONS_MODELS_H_
#define DECISIONS_MODELS_H_

#include <stdint.h>

#include <emlearn/pipeline.h>
#include <emlearn/zephyr/imu_reader.h>

/* A model and the memory to run it. */
struct model {
	const char *name;
	struct emlearn_imu_asked asked;
	struct emlearn_pipeline_state *pipeline;
	const char *(*class_name)(uint8_t class_idx);
};

/* The model of this name, NULL if there is none. */
const struct model *model_find(const char *name);

#endif /* DECISIONS_MODELS_H_ */
