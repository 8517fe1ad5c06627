/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include <emlearn/q.h>

#include "reference.h"

static int compare(const void *a, const void *b)
{
	return *(const int16_t *)a - *(const int16_t *)b;
}

static void run_stream(int16_t *x, uint32_t n, int16_t *out)
{
	int32_t sum = 0;
	uint64_t sum_sq = 0;

	for (uint32_t i = 0; i < n; i++) {
		sum += x[i];
		sum_sq += (uint32_t)(x[i] * x[i]);
	}
	qsort(x, n, sizeof(*x), compare);

	int16_t median = x[(n - 1u) / 2u];
	int16_t q25 = x[(n - 1u) / 4u];
	int16_t q75 = x[3u * (n - 1u) / 4u];

	out[0] = (int16_t)emlearn_q_div_round(sum, (int32_t)n);
	out[1] = (int16_t)(emlearn_q_isqrt64(n * sum_sq - (uint64_t)((int64_t)sum * sum)) / n);
	out[2] = x[0];
	out[3] = x[n - 1u];
	out[4] = median;
	out[5] = q25;
	out[6] = q75;
	out[7] = (int16_t)((q75 - q25) >> 1);
	out[8] = emlearn_q_sat16((int32_t)emlearn_q_isqrt32((uint32_t)(sum_sq / n)));
}

void bench_reference_run(const struct emlearn_window *window, int16_t *scratch, int16_t *out)
{
	const int16_t *x = window->ring;
	const int16_t *y = x + window->len;
	const int16_t *z = y + window->len;

	for (uint16_t row = 0; row < 3u; row++) {
		emlearn_window_copy(window, row, scratch);
		run_stream(scratch, window->len, &out[row * STAGE_N_STATS]);
	}
	for (uint32_t i = 0; i < window->len; i++) {
		uint32_t sum_sq = (uint32_t)(x[i] * x[i]) + (uint32_t)(y[i] * y[i]) + (uint32_t)(z[i] * z[i]);

		scratch[i] = (int16_t)emlearn_q_isqrt32(sum_sq >> 2);
	}
	run_stream(scratch, window->len, &out[3u * STAGE_N_STATS]);
}
