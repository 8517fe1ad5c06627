/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of three axes to measure on: an ordinary signal, and the shapes that cost most. */
#ifndef BENCH_WINDOWS_H_
#define BENCH_WINDOWS_H_

#include <stdint.h>

#define BENCH_AXES 3u
#define BENCH_LEN_MAX 400u

/* Seeded windows of an ordinary signal; the mean over them is what the bounds hold for. */
#define BENCH_N_SEEDED 16u

struct bench_shape {
	const char *name;
	/* Fill one axis, len samples. */
	void (*fill)(int16_t *axis, uint32_t axis_idx, uint32_t len);
};

extern const struct bench_shape bench_shapes[];
extern const uint32_t bench_n_shapes;

/*
 * An accelerometer worn by somebody who walks, 4096 counts a g, 50 Hz: gravity, a step frequency with its harmonic,
 * noise, all drawn from the seed.
 *
 * rows: BENCH_AXES * len samples, one axis behind the other.
 */
void bench_seeded_fill(int16_t *rows, uint32_t seed, uint32_t len);

/* Start drawing numbers; every seed but 0 gives its own. */
void bench_draw_init(uint32_t seed);

/* low .. high, both included. */
int32_t bench_draw(int32_t low, int32_t high);

/* All axes of a shape. */
void bench_shape_fill(int16_t *rows, const struct bench_shape *shape, uint32_t len);

#endif /* BENCH_WINDOWS_H_ */
