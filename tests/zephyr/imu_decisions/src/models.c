/* SPDX-License-Identifier: Apache-2.0 */
#include "models.h"

#include <string.h>

#include <zephyr/sys/util.h>

#include "decisions_models.h"

#define PIPELINE(name_, prefix) prefix##_PIPELINE_DEFINE(name_##_state);
#define MODEL(name_, prefix)                                                                                           \
	{                                                                                                              \
		.name = #name_,                                                                                        \
		.asked = EMLEARN_IMU_ASKED(prefix),                                                                    \
		.pipeline = &name_##_state,                                                                            \
		.class_name = name_##_class_name,                                                                      \
	},

DECISIONS_MODELS(PIPELINE)

static const struct model models[] = {DECISIONS_MODELS(MODEL)};

const struct model *model_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		if (strcmp(models[i].name, name) == 0) {
			return &models[i];
		}
	}
	return NULL;
}
