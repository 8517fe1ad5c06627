/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticks of the parts of a pipeline, one line a measurement: `kind|size|name|ticks`. costs.py makes prices of them.
 *
 * features|window_len|which; frame|0|channels sections; trees|n_trees|depth classes vote; smooth|n_windows|.
 */
#include <string.h>

#include <emlearn/pipeline.h>

#include "target.h"
#include "windows.h"

#define N_ROWS_MAX 9u
#define DEPTH_MAX 9u
#define N_TREES_MAX 5u
#define N_CLASSES_MAX 12u
#define N_SMOOTH_MAX 11u

static int16_t ring[N_ROWS_MAX * BENCH_LEN_MAX];
static int16_t scratch[EMLEARN_FEATURES_SCRATCH_LEN(BENCH_LEN_MAX)];
static int16_t out[16];
static struct emlearn_window window;
static const uint8_t row_of[EMLEARN_N_ROWS] = {0, 1, 2, EMLEARN_ROW_NONE, EMLEARN_ROW_NONE, EMLEARN_ROW_NONE, 3, 4, 5};

struct feature_case {
	const char *name;
	uint16_t n;
	uint16_t features[3];
};

static const struct feature_case feature_cases[] = {
	{"", 0, {0}},
	{"acc_x.min", 1, {EMLEARN_FEATURE(ACC_X, MIN)}},
	{"acc_x.min acc_x.max", 2, {EMLEARN_FEATURE(ACC_X, MIN), EMLEARN_FEATURE(ACC_X, MAX)}},
	{"acc_x.mean", 1, {EMLEARN_FEATURE(ACC_X, MEAN)}},
	{"acc_x.std", 1, {EMLEARN_FEATURE(ACC_X, STD)}},
	{"acc_x.rms", 1, {EMLEARN_FEATURE(ACC_X, RMS)}},
	{"acc_x.ptp", 1, {EMLEARN_FEATURE(ACC_X, PTP)}},
	{"acc_x.median", 1, {EMLEARN_FEATURE(ACC_X, MEDIAN)}},
	{"acc_x.iqr", 1, {EMLEARN_FEATURE(ACC_X, IQR)}},
	{"acc_x.crossings", 1, {EMLEARN_FEATURE(ACC_X, CROSSINGS)}},
	{"acc_x.jerk", 1, {EMLEARN_FEATURE(ACC_X, JERK)}},
	{"motion_x.min", 1, {EMLEARN_FEATURE(MOTION_X, MIN)}},
	{"acc_mag.min", 1, {EMLEARN_FEATURE(ACC_MAG, MIN)}},
	{"motion_mag.min", 1, {EMLEARN_FEATURE(MOTION_MAG, MIN)}},
	{"acc_xy.corr", 1, {EMLEARN_FEATURE(ACC_XY, CORR)}},
	{"motion_xy.corr", 1, {EMLEARN_FEATURE(MOTION_XY, CORR)}},
};

static void run_features(void *arg)
{
	const struct feature_case *one = arg;

	emlearn_features_run(&window, row_of, one->features, one->n, scratch, out);
}

static void measure_features(uint16_t len)
{
	emlearn_window_init(&window, ring, 6, len, 1);
	window.pos = (uint16_t)(len / 3u);
	for (uint32_t i = 0; i < sizeof(feature_cases) / sizeof(feature_cases[0]); i++) {
		/* Acceleration, and something like gravity. */
		bench_seeded_fill(ring, 1, len);
		bench_seeded_fill(&ring[BENCH_AXES * (uint32_t)len], 2, len);
		target_report("features", len, feature_cases[i].name,
			      target_ticks(run_features, (void *)&feature_cases[i]));
	}
}

/* Sections that settle on the input: how fast makes no difference to the count. */
static const struct emlearn_filter_section sections[] = {
	{{1 << 28, 1 << 28, 0}, {-(1 << 29), 0}},
	{{1 << 28, 1 << 28, 0}, {-(1 << 29), 0}},
};

struct frame_case {
	const char *name;
	uint8_t sensors;
	uint8_t n_sections;
};

static const struct frame_case frame_cases[] = {
	{"3 0", EMLEARN_SENSOR_ACC, 0},
	{"6 0", EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO, 0},
	{"3 1", EMLEARN_SENSOR_ACC, 1},
	{"3 2", EMLEARN_SENSOR_ACC, 2},
	{"6 2", EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO, 2},
};

static struct emlearn_pipeline_state state;

static void run_frame(void *arg)
{
	struct emlearn_decision decision;

	emlearn_pipeline_push(&state, arg, &decision);
}

static void measure_frame(const struct frame_case *one)
{
	static const uint16_t features[] = {0};
	static struct emlearn_filter_state filter_states[2u * EMLEARN_AXES];
	static uint8_t history[1];
	static const int16_t frames[2][6] = {{100, -2000, 3000, 1, 2, 3}, {200, -1900, 3100, 4, 5, 6}};
	struct emlearn_filter gravity = {sections, one->n_sections};
	struct emlearn_pipeline pipeline = {
		.gravity = one->n_sections > 0 ? &gravity : NULL,
		.features = features,
		.format = EMLEARN_MODEL_FORMAT,
		.window_len = 16,
		.hop_len = 16,
		.sensors = one->sensors,
		.smooth = {1, 0, 0},
	};
	struct emlearn_batch batch = {.frames = frames[0], .n_frames = 1, .period_ns = 20000000};

	state = (struct emlearn_pipeline_state){
		.pipeline = &pipeline,
		.ring = ring,
		.scratch = scratch,
		.features = out,
		.history = history,
		.filter_states = filter_states,
	};
	emlearn_pipeline_init(&state);
	/* The first frame starts the filter; the second is like all that follow. */
	run_frame(&batch);
	batch.frames = frames[1];
	batch.n_used = 0;
	target_report("frame", 0, one->name, target_ticks(run_frame, &batch));
}

struct tree_case {
	const char *name;
	uint8_t depth;
	uint8_t n_classes;
	uint8_t vote;
};

static const struct tree_case tree_cases[] = {
	{"1 2 0", 1, 2, EMLEARN_TREES_VOTE_SOFT},   {"9 2 0", 9, 2, EMLEARN_TREES_VOTE_SOFT},
	{"1 12 0", 1, 12, EMLEARN_TREES_VOTE_SOFT}, {"1 2 1", 1, 2, EMLEARN_TREES_VOTE_HARD},
	{"9 2 1", 9, 2, EMLEARN_TREES_VOTE_HARD},   {"1 12 1", 1, 12, EMLEARN_TREES_VOTE_HARD},
	{"5 6 0", 5, 6, EMLEARN_TREES_VOTE_SOFT},
};

static uint32_t votes[N_CLASSES_MAX];

static void run_trees(void *arg)
{
	const struct emlearn_trees *trees = arg;

	emlearn_trees_run(trees, out, votes);
	emlearn_trees_argmax(votes, trees->n_classes);
}

/* n_trees times a chain of decisions that goes left and right in turn, to a leaf of one class. */
static void measure_trees(const struct tree_case *one, uint16_t n_trees)
{
	static struct emlearn_trees_node nodes[DEPTH_MAX];
	static uint8_t leaves[N_CLASSES_MAX];
	static uint16_t roots[N_TREES_MAX];
	struct emlearn_trees trees = {nodes, roots, leaves, n_trees, 2, one->n_classes, one->vote};

	for (uint16_t i = 0; i < one->depth; i++) {
		uint16_t next = i + 1u < one->depth ? (uint16_t)(i + 1u) : EMLEARN_TREES_LEAF;

		nodes[i] = (struct emlearn_trees_node){
			.threshold = 0,
			.feature = i % 2u,
			.child = {i % 2u == 0u ? next : EMLEARN_TREES_LEAF, i % 2u == 0u ? EMLEARN_TREES_LEAF : next},
		};
	}
	memset(leaves, 0, sizeof(leaves));
	leaves[0] = one->vote == EMLEARN_TREES_VOTE_SOFT ? EMLEARN_TREES_SOFT_VOTES : 0u;
	memset(roots, 0, sizeof(roots));
	out[0] = -1;
	out[1] = 1;
	target_report("trees", n_trees, one->name, target_ticks(run_trees, &trees));
}

struct smooth_case {
	struct emlearn_smooth smooth;
	struct emlearn_smooth_config config;
};

static void run_smooth(void *arg)
{
	struct smooth_case *one = arg;

	emlearn_smooth_push(&one->smooth, &one->config, 1);
}

static void measure_smooth(uint8_t n_windows)
{
	static uint8_t history[N_SMOOTH_MAX];
	struct smooth_case one = {.config = {n_windows, 2, 0}};

	emlearn_smooth_init(&one.smooth, history);
	for (uint32_t i = 0; i < N_SMOOTH_MAX; i++) {
		emlearn_smooth_push(&one.smooth, &one.config, (uint8_t)(i % 3u));
	}
	target_report("smooth", n_windows, "", target_ticks(run_smooth, &one));
}

int main(void)
{
	target_ticks_init();
	measure_features(128);
	measure_features(BENCH_LEN_MAX);
	for (uint32_t i = 0; i < sizeof(frame_cases) / sizeof(frame_cases[0]); i++) {
		measure_frame(&frame_cases[i]);
	}
	for (uint32_t i = 0; i < sizeof(tree_cases) / sizeof(tree_cases[0]); i++) {
		measure_trees(&tree_cases[i], 1);
		measure_trees(&tree_cases[i], N_TREES_MAX);
	}
	measure_smooth(1);
	measure_smooth(5);
	measure_smooth(N_SMOOTH_MAX);
	return 0;
}
