/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look for the window that takes the feature stage longest: many windows of a few clusters with outliers, then small
 * changes to the worst of them, kept if they make it worse. Seeded, so every run finds the same.
 *
 * One line: `search|window_len||ticks`.
 */
#include <string.h>

#include <emlearn/features.h>

#include "stage.h"
#include "target.h"

#define N_DRAWN 3000u
#define N_CHANGED 9000u

#define N_CLUSTERS_MAX 4u

static int16_t worst[BENCH_LEN_MAX];
static int16_t tried[BENCH_LEN_MAX];

/* The same samples on all axes: the magnitude then has the same shape. */
static uint32_t ticks_of(const int16_t *samples, uint32_t len)
{
	for (uint32_t axis = 0; axis < BENCH_AXES; axis++) {
		memcpy(&stage_ring[axis * len], samples, len * sizeof(*samples));
	}
	return target_ticks(stage_run, NULL);
}

static int16_t held(int32_t sample)
{
	return (int16_t)(sample < 0 ? 0 : sample > INT16_MAX ? INT16_MAX : sample);
}

/* One to four clusters of 1 to 1024 counts, one behind the other, rising, falling, or in no order; outliers. */
static void draw_window(int16_t *samples, uint32_t len)
{
	int32_t low[N_CLUSTERS_MAX];
	int32_t width[N_CLUSTERS_MAX];
	uint32_t n_clusters = (uint32_t)bench_draw(1, N_CLUSTERS_MAX);
	uint32_t per_cluster = (len + n_clusters - 1u) / n_clusters;
	int32_t order = bench_draw(0, 2);
	int32_t n_outliers = bench_draw(0, 5);

	for (uint32_t i = 0; i < n_clusters; i++) {
		low[i] = bench_draw(0, 31000);
		width[i] = bench_draw(1, 1 << bench_draw(0, 10));
	}
	for (uint32_t i = 0; i < len; i++) {
		uint32_t cluster = order == 2 ? (uint32_t)bench_draw(0, (int32_t)n_clusters - 1) : i / per_cluster;
		int32_t rise = (width[cluster] - 1) * (int32_t)(i % per_cluster) / (int32_t)per_cluster;

		if (order == 1) {
			rise = width[cluster] - 1 - rise;
		} else if (order == 2) {
			rise = bench_draw(0, width[cluster] - 1);
		}
		samples[i] = held(low[cluster] + rise);
	}
	for (int32_t i = 0; i < n_outliers; i++) {
		samples[bench_draw(0, (int32_t)len - 1)] = bench_draw(0, 1) == 1 ? INT16_MAX : 0;
	}
}

/* One to four samples: copied, moved a little, moved a lot, drawn anew, or exchanged. */
static void change_window(int16_t *samples, uint32_t len)
{
	for (int32_t n = bench_draw(1, 4); n > 0; n--) {
		int16_t *a = &samples[bench_draw(0, (int32_t)len - 1)];
		int16_t *b = &samples[bench_draw(0, (int32_t)len - 1)];
		int16_t before = *a;

		switch (bench_draw(0, 4)) {
		case 0:
			*a = *b;
			break;
		case 1:
			*a = held(before + bench_draw(-16, 16));
			break;
		case 2:
			*a = held(before + bench_draw(-1024, 1024));
			break;
		case 3:
			*a = (int16_t)bench_draw(0, INT16_MAX);
			break;
		default:
			*a = *b;
			*b = before;
			break;
		}
	}
}

static void search(uint32_t len)
{
	uint32_t most = 0;

	stage_init(len);
	bench_draw_init(len);
	for (uint32_t i = 0; i < N_DRAWN + N_CHANGED; i++) {
		if (i < N_DRAWN) {
			draw_window(tried, len);
		} else {
			memcpy(tried, worst, len * sizeof(*tried));
			change_window(tried, len);
		}

		uint32_t ticks = ticks_of(tried, len);

		if (ticks >= most) {
			most = ticks;
			memcpy(worst, tried, len * sizeof(*worst));
		}
	}
	target_report("search", len, "", most);
}

int main(void)
{
	target_ticks_init();
	search(128);
	search(BENCH_LEN_MAX);
	return 0;
}
