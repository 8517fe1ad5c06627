/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

static const uint16_t features[] = {EMLEARN_FEATURE(ACC_X, MEAN)};
static const struct emlearn_trees_node nodes[] = {
	{.threshold = 0, .feature = 0, .child = {EMLEARN_TREES_LEAF | 0, EMLEARN_TREES_LEAF | 1}},
};
static const uint16_t roots[] = {0};
static const uint8_t leaves[] = {0, 1};
static const struct emlearn_trees trees = {
	.nodes = nodes,
	.roots = roots,
	.leaves = leaves,
	.n_trees = 1,
	.n_features = 1,
	.n_classes = 2,
	.vote = EMLEARN_TREES_VOTE_HARD,
};

void model_set(struct emlearn_pipeline *model, uint8_t sensors, uint32_t rate_mhz, uint16_t frames)
{
	*model = (struct emlearn_pipeline){
		.features = features,
		.trees = &trees,
		.rate_mhz = rate_mhz,
		.format = EMLEARN_MODEL_FORMAT,
		.n_features = 1,
		.window_len = frames,
		.hop_len = frames,
		.sensors = sensors,
		.smooth = {.n_windows = 1},
	};
}
