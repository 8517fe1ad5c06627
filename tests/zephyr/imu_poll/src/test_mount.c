/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <zephyr/ztest.h>

#include "bench.h"

#define N_FRAMES (2 * BATCH)

/* The chips go on playing them after the test. */
static struct emlearn_source straight;
static struct emlearn_source turned;

/* The same motion, for a chip that sits turned: y, -z, -x of the board are its x, y, z. */
static int turned_frame(const struct emlearn_source *self, uint32_t number, int16_t frame[EMLEARN_CHIP_CHANNELS])
{
	int16_t board[EMLEARN_CHIP_CHANNELS];
	int rc = straight.frame(&straight, number, board);

	ARG_UNUSED(self);
	for (size_t k = 0; k < EMLEARN_CHIP_CHANNELS; k += EMLEARN_AXES) {
		frame[k] = board[k + 1];
		frame[k + 1] = (int16_t)-board[k + 2];
		frame[k + 2] = (int16_t)-board[k];
	}
	return rc;
}

static void read_frames(struct emlearn_imu_reader *reader, int16_t frames[N_FRAMES][EMLEARN_CHIP_CHANNELS])
{
	for (size_t n = 0; n < N_FRAMES; n += BATCH) {
		zassert_ok(emlearn_imu_reader_read(reader, &batch, K_SECONDS(2)));
		zassert_equal(batch.n_frames, BATCH);
		memcpy(frames[n], batch.frames, BATCH * sizeof(frames[0]));
	}
	emlearn_imu_reader_stop(reader);
}

ZTEST(imu_poll_mount, test_a_frame_turned_by_mount_is_that_of_a_chip_mounted_that_way)
{
	static int16_t as_is[N_FRAMES][EMLEARN_CHIP_CHANNELS];
	static int16_t as_mounted[N_FRAMES][EMLEARN_CHIP_CHANNELS];

	FOR_EACH_BENCH(bench)
	{
		const struct emlearn_imu_asked asked = bench_asked(bench);

		emlearn_source_synthetic(&straight, &asked.acc_step, &asked.gyro_step);
		turned = straight;
		turned.frame = turned_frame;
		bench_start(bench, bench->reader, &asked, &straight);
		read_frames(bench->reader, as_is);
		bench_start(bench, bench->turned, &asked, &turned);
		read_frames(bench->turned, as_mounted);
		zassert_mem_equal(as_mounted, as_is, sizeof(as_is), "%s, %s", bench->chip, bench->back_end);
		/* They do move. */
		zassert_true(memcmp(as_is[0], as_is[N_FRAMES - 1], sizeof(as_is[0])) != 0);
	}
}

ZTEST_SUITE(imu_poll_mount, NULL, NULL, bench_reset, bench_reset, NULL);
