/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include <emlearn/golden.h>
#include <emlearn/q.h>

/* Marsaglia's xorshift with 32 bits of state, shifts 13, 17, 5. */
static uint32_t next_random(struct emlearn_golden_signal *signal)
{
	uint32_t x = signal->random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	signal->random = x;
	return x;
}

static void next_segment(struct emlearn_golden_signal *signal)
{
	signal->left = 64 + (next_random(signal) & 127);
	signal->noise_bits = (next_random(signal) >> 8) % 11;
	for (uint8_t i = 0; i < EMLEARN_GOLDEN_CHANNELS_MAX; i++) {
		signal->phase[i] = next_random(signal);
		signal->phase_step[i] = next_random(signal) >> 3;
		/* Two statements: C leaves the order of two calls in one expression open. */
		uint32_t largest = next_random(signal) & 16383;

		signal->amplitude[i] = (int32_t)(largest >> (next_random(signal) & 7));
		signal->offset[i] = (int32_t)(next_random(signal) & 32767) - 16384;
	}
}

void emlearn_golden_signal_init(struct emlearn_golden_signal *signal, uint32_t seed)
{
	*signal = (struct emlearn_golden_signal){.random = seed ^ 0x9e3779b9u};
	if (signal->random == 0) {
		signal->random = 1;
	}
}

void emlearn_golden_signal_next(struct emlearn_golden_signal *signal, int16_t *frame, uint8_t n_channels)
{
	if (signal->left == 0) {
		next_segment(signal);
	}
	signal->left--;
	for (uint8_t i = 0; i < n_channels; i++) {
		int32_t ramp = (int32_t)(signal->phase[i] >> 16);
		int32_t triangle = (ramp < 32768 ? ramp : 65535 - ramp) - 16384;
		int32_t span = (int32_t)1 << signal->noise_bits;
		int32_t noise = (int32_t)((next_random(signal) >> 16) & (uint32_t)(span - 1)) - span / 2;

		frame[i] = emlearn_q_sat16(signal->offset[i] + ((triangle * signal->amplitude[i]) >> 14) + noise);
		signal->phase[i] += signal->phase_step[i];
	}
}

uint32_t emlearn_golden_hash(const int16_t *values, uint16_t n_values)
{
	const uint32_t prime = 16777619u;
	uint32_t hash = 2166136261u;

	for (uint16_t i = 0; i < n_values; i++) {
		hash = (hash ^ ((uint16_t)values[i] & 0xffu)) * prime;
		hash = (hash ^ ((uint16_t)values[i] >> 8)) * prime;
	}
	return hash;
}

static bool agrees(const struct emlearn_golden_window *expected, const struct emlearn_pipeline_state *state,
		   const struct emlearn_decision *decision)
{
	uint32_t hash = emlearn_golden_hash(emlearn_pipeline_features(state), state->pipeline->n_features);

	return hash == expected->features_hash && decision->window_class_idx == expected->window_class_idx &&
	       decision->class_idx == expected->class_idx;
}

static int compare(const struct emlearn_golden *golden, struct emlearn_pipeline_state *state, uint16_t *n_passed)
{
	uint8_t n_channels = emlearn_pipeline_n_channels(state->pipeline);
	int16_t frame[EMLEARN_GOLDEN_CHANNELS_MAX];
	struct emlearn_golden_signal signal;

	emlearn_golden_signal_init(&signal, golden->seed);
	while (*n_passed < golden->n_windows) {
		struct emlearn_batch batch = {.frames = frame, .n_frames = 1, .period_ns = 1};
		struct emlearn_decision decision;

		emlearn_golden_signal_next(&signal, frame, n_channels);
		int rc = emlearn_pipeline_push(state, &batch, &decision);

		if (rc < 0) {
			return rc;
		}
		if (rc == 1) {
			if (!agrees(&golden->windows[*n_passed], state, &decision)) {
				return -EILSEQ;
			}
			(*n_passed)++;
		}
	}
	return 0;
}

int emlearn_golden_run(const struct emlearn_golden *golden, struct emlearn_pipeline_state *state, uint16_t *n_passed)
{
	uint16_t n = 0;

	emlearn_pipeline_reset(state);
	int rc = compare(golden, state, &n);

	emlearn_pipeline_reset(state);
	if (n_passed != NULL) {
		*n_passed = n;
	}
	return rc;
}
