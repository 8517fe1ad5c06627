/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Statistics of a window, as int16. Formulas, scales, rounding and ranges: docs/features.md.
 */
#ifndef EMLEARN_FEATURES_H_
#define EMLEARN_FEATURES_H_

#include <stdint.h>

#include <emlearn/window.h>

#ifdef __cplusplus
extern "C" {
#endif

enum emlearn_row {
#define EMLEARN_ROW(id, name) EMLEARN_ROW_##id,
#include <emlearn/features.def>
	EMLEARN_N_ROWS
};

enum emlearn_stream {
#define EMLEARN_STREAM(id, name, kind, a, b) EMLEARN_STREAM_##id,
#include <emlearn/features.def>
	EMLEARN_N_STREAMS
};

enum emlearn_stat {
#define EMLEARN_STAT(id, name, arity) EMLEARN_STAT_##id,
#include <emlearn/features.def>
	EMLEARN_N_STATS
};

/** The number of a feature: which statistic of which stream. */
#define EMLEARN_FEATURE(stream, stat) ((uint16_t)((EMLEARN_STREAM_##stream << 8) | EMLEARN_STAT_##stat))

/** No such row in this window. */
#define EMLEARN_ROW_NONE 0xffu

/** Samples of scratch memory that emlearn_features_run() needs. */
#define EMLEARN_FEATURES_SCRATCH_LEN(window_len) (2u * (window_len))

/**
 * Compute the listed features of a complete window.
 *
 * Features of one stream that stand together share its extraction, so list them stream by stream.
 * Time grows linearly with the window length, whatever the samples are (docs/benchmark.md has counts); the stack
 * stays under 512 bytes.
 *
 * @param window     the window
 * @param row_of     for each enum emlearn_row the row of the window that holds it, or EMLEARN_ROW_NONE
 * @param features   n_features numbers made by EMLEARN_FEATURE()
 * @param n_features 0 to 65535
 * @param scratch    EMLEARN_FEATURES_SCRATCH_LEN(window->len) samples, overwritten
 * @param out        n_features results
 * @return 0; -EINVAL if a number is no feature or needs a row that the window lacks: out then holds rubbish
 */
int emlearn_features_run(const struct emlearn_window *window, const uint8_t row_of[EMLEARN_N_ROWS],
			 const uint16_t *features, uint16_t n_features, int16_t *scratch, int16_t *out);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_FEATURES_H_ */
