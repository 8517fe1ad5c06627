/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Self-test of a model on its target: a seeded integer signal goes through the pipeline, and features and classes
 * must be those that the host computed. The signal is made up, so that no model carries a person's recording.
 */
#ifndef EMLEARN_GOLDEN_H_
#define EMLEARN_GOLDEN_H_

#include <stdint.h>

#include <emlearn/pipeline.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most channels that the signal can have. */
#define EMLEARN_GOLDEN_CHANNELS_MAX 6u

/** The generator of the signal; the fields are private. */
struct emlearn_golden_signal {
	uint32_t random;
	uint32_t phase[EMLEARN_GOLDEN_CHANNELS_MAX];
	uint32_t phase_step[EMLEARN_GOLDEN_CHANNELS_MAX];
	int32_t amplitude[EMLEARN_GOLDEN_CHANNELS_MAX];
	int32_t offset[EMLEARN_GOLDEN_CHANNELS_MAX];
	uint32_t noise_bits;
	uint32_t left;
};

/** What one window must give. */
struct emlearn_golden_window {
	uint32_t features_hash; /**< emlearn_golden_hash() of the features */
	uint8_t window_class_idx;
	uint8_t class_idx;
};

/** A self-test: signal and expected results. Written by the converter. */
struct emlearn_golden {
	const struct emlearn_golden_window *windows;
	uint32_t seed;
	uint16_t n_windows;
};

/** Start the signal of a seed, any number. */
void emlearn_golden_signal_init(struct emlearn_golden_signal *signal, uint32_t seed);

/**
 * The next frame: triangle waves of changing frequency, amplitude and offset with noise on them.
 *
 * docs/format.md specifies it to the bit.
 *
 * @param frame      n_channels values
 * @param n_channels 1 to EMLEARN_GOLDEN_CHANNELS_MAX
 */
void emlearn_golden_signal_next(struct emlearn_golden_signal *signal, int16_t *frame, uint8_t n_channels);

/** FNV-1a, 32 bits, over the values as little-endian byte pairs. */
uint32_t emlearn_golden_hash(const int16_t *values, uint16_t n_values);

/**
 * Run the self-test. Resets the pipeline before and after.
 *
 * @param golden   what to run and expect
 * @param state    an initialised pipeline of the same model
 * @param n_passed windows that agreed before the first that did not; may be NULL
 * @return 0 if all agree, -EILSEQ if one does not, -EINVAL from the pipeline
 */
int emlearn_golden_run(const struct emlearn_golden *golden, struct emlearn_pipeline_state *state, uint16_t *n_passed);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_GOLDEN_H_ */
