/* SPDX-License-Identifier: Apache-2.0 */
/* What the two back ends with a pace of their own have in common; each case runs through both. */
#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/rtio/rtio.h>
#include <zephyr/sys/mem_blocks.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/imu_reader.h>
#include <emlearn/zephyr/replay_imu.h>

#include "fake_imu.h"
#include "recordings.h"

#define BATCH 8
#define PERIOD_MS 20
#define PERIOD_US (1000 * PERIOD_MS)

/* Code takes no time on native_sim, and QEMU takes its time over all that is simulated. */
#define LATE_US (IS_ENABLED(CONFIG_ARCH_POSIX) ? 300 : 2000)
#define N_STARTS (IS_ENABLED(CONFIG_ARCH_POSIX) ? 1000 : 50)
#define N_OVERRUNS (IS_ENABLED(CONFIG_ARCH_POSIX) ? 20 : 4)

/* Frames that wait while nobody reads: the poller's ring; the pool of blocks. */
#define POLL_ROOM (BATCH * CONFIG_EMLEARN_IMU_READER_POLL_BATCHES)
#define READ_ROOM (BATCH * CONFIG_EMLEARN_IMU_READER_READ_BATCHES)

EMLEARN_IMU_READER_POLL_DEFINE(poll, DT_NODELABEL(replay_codes), BATCH);
EMLEARN_IMU_READER_READ_DEFINE(read, DT_NODELABEL(replay_codes), BATCH);
EMLEARN_IMU_READER_POLL_DEFINE(poll_walk, DT_NODELABEL(replay_walk), BATCH);
EMLEARN_IMU_READER_READ_DEFINE(read_walk, DT_NODELABEL(replay_walk), BATCH);
EMLEARN_IMU_READER_POLL_DEFINE(poll_turned, DT_NODELABEL(imu_turned), BATCH);
EMLEARN_IMU_READER_READ_DEFINE(read_turned, DT_NODELABEL(imu_turned), BATCH);

static const struct backend {
	const char *name;
	struct emlearn_imu_reader *codes;
	struct emlearn_imu_reader *walk;
	struct emlearn_imu_reader *turned;
	uint32_t room;
	uint32_t errors_max;
} backends[] = {
	{"poll", &poll.reader, &poll_walk.reader, &poll_turned.reader, POLL_ROOM,
	 CONFIG_EMLEARN_IMU_READER_POLL_ERRORS_MAX},
	{"read", &read.reader, &read_walk.reader, &read_turned.reader, READ_ROOM,
	 CONFIG_EMLEARN_IMU_READER_READ_ERRORS_MAX},
};

#define FOR_BOTH(backend) for (const struct backend *backend = backends; backend < &backends[2]; backend++)

static const struct emlearn_imu_asked codes_asked = {
	.rate_mhz = 50000,
	.rate_tolerance_permille = 50,
	.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
	.acc_step = {61, 1000000},
	.gyro_step = {7, 1600},
	.mount = {{0, 1}, {1, 1}, {2, 1}},
};

static const struct emlearn_imu_asked walk_asked = {
	.rate_mhz = 52083,
	.rate_tolerance_permille = 50,
	.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
	.acc_step = {1, 8192},
	.gyro_step = {5, 82},
	.mount = {{0, 1}, {1, 1}, {2, 1}},
};

static struct emlearn_imu_got got;
static struct emlearn_batch batch;
static struct emlearn_imu_stats stats;

static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	fake_imu = (struct fake_imu){.rate_hz = 50, .acc_range_g = 2, .gyro_range_dps = 250, .is_counting = true};
	for (int32_t i = 0; i < CODES_FRAMES; i++) {
		for (int32_t k = 0; k < CODES_CHANNELS; k++) {
			codes_frames[i][k] = (int16_t)(uint16_t)(10923 * k + 257 * i);
		}
	}
	FOR_BOTH(backend)
	{
		backend->codes->dev = DEVICE_DT_GET(DT_NODELABEL(replay_codes));
	}
}

static void after(void *fixture)
{
	ARG_UNUSED(fixture);
	FOR_BOTH(backend)
	{
		emlearn_imu_reader_stop(backend->codes);
		emlearn_imu_reader_stop(backend->walk);
		emlearn_imu_reader_stop(backend->turned);
	}
}

static void start(struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked)
{
	emlearn_replay_imu_rewind(DEVICE_DT_GET(DT_NODELABEL(replay_codes)));
	emlearn_replay_imu_rewind(DEVICE_DT_GET(DT_NODELABEL(replay_walk)));
	emlearn_replay_imu_rewind(DEVICE_DT_GET(DT_NODELABEL(replay_walk_turned)));
	zassert_ok(emlearn_imu_reader_start(reader, asked, &got));
}

/* On the fake device, whose frames tell their number; the first one is 1. */
static void start_fake(const struct backend *backend)
{
	fake_imu.n_made = 0;
	fake_imu.n_fetched = 0;
	backend->codes->dev = fake_imu_device();
	start(backend->codes, &codes_asked);
}

static int read_batch(struct emlearn_imu_reader *reader)
{
	memset(&batch, 0xff, sizeof(batch));
	return emlearn_imu_reader_read(reader, &batch, K_FOREVER);
}

/* Each frame of the batch is the one made after the last one. Returns the number of its last. */
static uint32_t check_follows(const struct backend *backend, uint32_t last)
{
	for (size_t i = 0; i < batch.n_frames; i++) {
		last++;
		zassert_equal(batch.frames[6 * i], (int16_t)last, "%s: frame %u is %d", backend->name, last,
			      batch.frames[6 * i]);
	}
	return last;
}

/* Read all of the recording of codes; let the reader do other things for busy_ms after each batch. */
static void check_codes(const struct backend *backend, const struct emlearn_imu_asked *asked, uint32_t busy_ms)
{
	uint32_t n = 0;
	int64_t first_us = 0;

	start(backend->codes, asked);
	while (read_batch(backend->codes) == 0) {
		zassert_equal(batch.n_lost, 0, "%s", backend->name);
		zassert_true(n + batch.n_frames <= CODES_FRAMES);
		zassert_mem_equal(batch.frames, codes_frames[n], batch.n_frames * CODES_CHANNELS * sizeof(int16_t),
				  "%s", backend->name);
		if (n == 0) {
			first_us = batch.t_us;
		}
		zassert_equal(batch.t_us, first_us + (int64_t)n * PERIOD_US, "%s", backend->name);
		n += (uint32_t)batch.n_frames;
		k_busy_wait(1000 * busy_ms);
	}
	zassert_equal(n, CODES_FRAMES, "%s: %u", backend->name, n);
	emlearn_imu_reader_stats(backend->codes, &stats);
	zassert_equal(stats.n_overruns, 0);
	zassert_equal(stats.n_lost, 0);
	emlearn_imu_reader_stop(backend->codes);
}

ZTEST(imu_reader_paced, test_frames_of_a_recording_are_identical)
{
	FOR_BOTH(backend)
	{
		check_codes(backend, &codes_asked, 0);
	}
}

ZTEST(imu_reader_paced, test_frames_of_an_unpaced_recording_are_identical)
{
	struct emlearn_imu_asked asked = codes_asked;

	asked.unpaced = true;
	FOR_BOTH(backend)
	{
		int64_t start_us = emlearn_imu_now_us();

		check_codes(backend, &asked, 0);
		zassert_true(emlearn_imu_now_us() - start_us < 1000000, "%s took its time", backend->name);
		/* Nobody reads for long, and nothing is lost. */
		check_codes(backend, &asked, 70);
	}
}

ZTEST(imu_reader_paced, test_an_inference_of_60_ms_after_each_batch_loses_nothing)
{
	FOR_BOTH(backend)
	{
		check_codes(backend, &codes_asked, 60);
	}
}

ZTEST(imu_reader_paced, test_a_stall_as_long_as_was_said_loses_nothing_and_a_longer_one_what_it_says)
{
	FOR_BOTH(backend)
	{
		uint32_t n_until_room;
		int64_t t0_us;
		uint32_t last;
		uint32_t n_lost = 0;

		start_fake(backend);
		zassert_ok(read_batch(backend->codes));
		t0_us = batch.t_us;
		last = check_follows(backend, 0);
		k_busy_wait(got.stall_us + 1000);
		for (uint32_t i = 0; i < got.stall_us / PERIOD_US / BATCH; i++) {
			zassert_ok(emlearn_imu_reader_read(backend->codes, &batch, K_NO_WAIT), "%s", backend->name);
			zassert_equal(batch.n_lost, 0, "%s", backend->name);
			last = check_follows(backend, last);
		}

		/* Away until the middle between two deadlines: 100 frames are due by then, frame 0 first. */
		while (emlearn_imu_now_us() < t0_us + 99 * PERIOD_US + PERIOD_US / 2) {
			k_sleep(K_TIMEOUT_ABS_US(t0_us + 99 * PERIOD_US + PERIOD_US / 2));
		}
		/* Poll: the batch that was read last still takes up its place. */
		n_until_room = last + backend->room - (backend->room == POLL_ROOM ? BATCH : 0);
		while (n_lost == 0) {
			zassert_ok(read_batch(backend->codes));
			n_lost = batch.n_lost;
			if (n_lost == 0) {
				last = check_follows(backend, last);
			}
		}
		zassert_equal(last, n_until_room, "%s: %u", backend->name, last);
		zassert_equal(n_lost, 100 - n_until_room, "%s: %u", backend->name, n_lost);
		zassert_equal(batch.t_us, t0_us + 100 * PERIOD_US, "%s", backend->name);
		/* Frames that nobody had room for were not taken from the device. */
		(void)check_follows(backend, last);
		emlearn_imu_reader_stats(backend->codes, &stats);
		zassert_equal(stats.n_overruns, 1, "%s: %u", backend->name, stats.n_overruns);
		zassert_equal(stats.n_lost, n_lost);
		emlearn_imu_reader_stop(backend->codes);
	}
}

ZTEST(imu_reader_paced, test_deadlines_that_the_scheduler_missed_are_lost_frames)
{
	FOR_BOTH(backend)
	{
		int64_t newest_us;

		start_fake(backend);
		zassert_ok(read_batch(backend->codes));
		newest_us = batch.t_us + (BATCH - 1) * PERIOD_US;
		/* The next frames are due 20, 40, 60 and 80 ms after the last. */
		k_sched_lock();
		k_busy_wait(90000);
		k_sched_unlock();
		zassert_ok(read_batch(backend->codes));
		zassert_equal(batch.n_lost, 3, "%s: %u", backend->name, batch.n_lost);
		zassert_equal(batch.t_us, newest_us + 80000, "%s", backend->name);
		zassert_equal(batch.n_frames, BATCH);
		zassert_ok(read_batch(backend->codes));
		zassert_equal(batch.n_lost, 0);
		emlearn_imu_reader_stop(backend->codes);
	}
}

ZTEST(imu_reader_paced, test_a_frame_that_is_late_by_less_than_a_period_is_not_lost)
{
	FOR_BOTH(backend)
	{
		start_fake(backend);
		zassert_ok(read_batch(backend->codes));
		k_sched_lock();
		k_busy_wait(35000);
		k_sched_unlock();
		zassert_ok(read_batch(backend->codes));
		zassert_equal(batch.n_lost, 0, "%s", backend->name);
		emlearn_imu_reader_stop(backend->codes);
	}
}

ZTEST(imu_reader_paced, test_deadlines_that_pass_while_the_driver_is_at_work_are_lost_frames)
{
	FOR_BOTH(backend)
	{
		int64_t start_us;
		uint32_t last;

		start_fake(backend);
		zassert_ok(read_batch(backend->codes));
		last = check_follows(backend, 0);
		start_us = emlearn_imu_now_us();
		fake_imu.slow_ms = 50;
		/* The frame itself, cut off behind it. */
		zassert_ok(read_batch(backend->codes));
		zassert_equal(batch.n_lost, 0);
		zassert_equal(batch.n_frames, 1, "%s: %u", backend->name, (uint32_t)batch.n_frames);
		last = check_follows(backend, last);
		zassert_true(emlearn_imu_now_us() - start_us < 6 * PERIOD_US, "%s: it waited for more frames",
			     backend->name);
		/* Two passed; a poller still fetches the second, as it is late by less than a period. */
		zassert_ok(read_batch(backend->codes));
		zassert_equal(batch.n_lost, backend->codes == &poll.reader ? 1 : 2, "%s: %u", backend->name,
			      batch.n_lost);
		zassert_equal(batch.n_frames, BATCH);
		(void)check_follows(backend, last);
		emlearn_imu_reader_stop(backend->codes);
	}
}

ZTEST(imu_reader_paced, test_failed_reads_are_lost_frames_and_counted)
{
	FOR_BOTH(backend)
	{
		int64_t t_us;
		uint32_t last;

		start_fake(backend);
		zassert_ok(read_batch(backend->codes));
		last = check_follows(backend, 0);
		t_us = batch.t_us + BATCH * PERIOD_US;
		fake_imu.fetch_rc = -EIO;
		fake_imu.n_fail = 2;
		zassert_ok(read_batch(backend->codes));
		zassert_equal(batch.n_lost, 2, "%s: %u", backend->name, batch.n_lost);
		zassert_equal(batch.t_us, t_us + 2 * PERIOD_US, "%s", backend->name);
		zassert_equal(batch.n_frames, BATCH);
		(void)check_follows(backend, last);
		emlearn_imu_reader_stats(backend->codes, &stats);
		zassert_equal(stats.n_bus_errors, 2);
		zassert_equal(stats.n_lost, 2);
		emlearn_imu_reader_stop(backend->codes);
	}
}

ZTEST(imu_reader_paced, test_frames_before_a_failed_read_come_first_and_the_loss_behind_them)
{
	FOR_BOTH(backend)
	{
		uint32_t last;

		start_fake(backend);
		zassert_ok(read_batch(backend->codes));
		last = check_follows(backend, 0);
		/* Three frames into the next batch. */
		k_msleep(3 * PERIOD_MS + PERIOD_MS / 2);
		fake_imu.fetch_rc = -EIO;
		fake_imu.n_fail = 1;
		zassert_ok(read_batch(backend->codes));
		zassert_equal(batch.n_lost, 0);
		zassert_equal(batch.n_frames, 3, "%s: %u", backend->name, (uint32_t)batch.n_frames);
		last = check_follows(backend, last);
		zassert_ok(read_batch(backend->codes));
		zassert_equal(batch.n_lost, 1);
		zassert_equal(batch.n_frames, BATCH);
		(void)check_follows(backend, last);
		emlearn_imu_reader_stop(backend->codes);
	}
}

ZTEST(imu_reader_paced, test_a_driver_that_keeps_failing_is_reported_and_mends_by_itself)
{
	FOR_BOTH(backend)
	{
		uint32_t last;
		uint32_t n_failed;

		start_fake(backend);
		zassert_ok(read_batch(backend->codes));
		last = check_follows(backend, 0);
		fake_imu.n_fetched = 0;
		fake_imu.fetch_rc = -EIO;
		fake_imu.n_fail = UINT32_MAX;
		zassert_equal(read_batch(backend->codes), -EIO, "%s", backend->name);
		zassert_equal(fake_imu.n_fetched, backend->errors_max, "%s", backend->name);
		zassert_equal(read_batch(backend->codes), -EIO, "%s", backend->name);
		zassert_equal(fake_imu.n_fetched, 2 * backend->errors_max, "%s", backend->name);
		k_msleep(3 * PERIOD_MS + PERIOD_MS / 2);
		n_failed = fake_imu.n_fetched;
		fake_imu.n_fail = 0;
		zassert_ok(read_batch(backend->codes));
		zassert_equal(batch.n_lost, n_failed, "%s: %u", backend->name, batch.n_lost);
		zassert_equal(batch.n_frames, BATCH);
		(void)check_follows(backend, last);
		emlearn_imu_reader_stats(backend->codes, &stats);
		zassert_equal(stats.n_bus_errors, n_failed);
		emlearn_imu_reader_stop(backend->codes);
	}
}

ZTEST(imu_reader_paced, test_an_unpaced_driver_that_keeps_failing_does_not_take_the_processor)
{
	struct emlearn_imu_asked asked = codes_asked;

	asked.unpaced = true;
	FOR_BOTH(backend)
	{
		fake_imu.fetch_rc = -EIO;
		fake_imu.n_fail = UINT32_MAX;
		backend->codes->dev = fake_imu_device();
		start(backend->codes, &asked);
		zassert_equal(read_batch(backend->codes), -EIO, "%s", backend->name);
		zassert_equal(read_batch(backend->codes), -EIO, "%s", backend->name);
		k_msleep(100);
		fake_imu.n_fail = 0;
		zassert_ok(read_batch(backend->codes));
		zassert_equal(batch.n_lost, 2 * backend->errors_max, "%s: %u", backend->name, batch.n_lost);
		emlearn_imu_reader_stop(backend->codes);
	}
}

ZTEST(imu_reader_paced, test_frames_that_are_missing_in_a_recording_are_lost_frames_but_no_fault)
{
	for (int unpaced = 0; unpaced < 2; unpaced++) {
		struct emlearn_imu_asked asked = walk_asked;

		asked.unpaced = unpaced != 0;
		FOR_BOTH(backend)
		{
			start(backend->walk, &asked);
			zassert_ok(read_batch(backend->walk));
			zassert_equal(batch.n_lost, 0);
			zassert_equal(batch.n_frames, 1, "%s: %u", backend->name, (uint32_t)batch.n_frames);
			zassert_mem_equal(batch.frames, walk_frames[0], sizeof(walk_frames[0]));
			zassert_ok(read_batch(backend->walk));
			zassert_equal(batch.n_lost, 3, "%s: %u", backend->name, batch.n_lost);
			zassert_equal(batch.n_frames, WALK_FRAMES - 1);
			zassert_mem_equal(batch.frames, walk_frames[1], 5 * sizeof(walk_frames[0]));
			zassert_equal(read_batch(backend->walk), -ENODATA);
			zassert_equal(read_batch(backend->walk), -ENODATA, "%s: the end is told each time",
				      backend->name);
			emlearn_imu_reader_stats(backend->walk, &stats);
			zassert_equal(stats.n_bus_errors, 0);
			emlearn_imu_reader_stop(backend->walk);
		}
	}
}

ZTEST(imu_reader_paced, test_a_recording_that_was_wound_back_is_read_again_without_a_loss)
{
	FOR_BOTH(backend)
	{
		start(backend->walk, &walk_asked);
		while (read_batch(backend->walk) == 0) {
		}
		emlearn_replay_imu_rewind(backend->walk->dev);
		k_msleep(1000);
		zassert_ok(read_batch(backend->walk));
		zassert_equal(batch.n_lost, 0, "%s: %u", backend->name, batch.n_lost);
		zassert_mem_equal(batch.frames, walk_frames[0], sizeof(walk_frames[0]));
		emlearn_imu_reader_stop(backend->walk);
	}
}

ZTEST(imu_reader_paced, test_a_wait_that_ends_early_loses_nothing)
{
	FOR_BOTH(backend)
	{
		uint32_t n = 0;
		uint32_t n_early = 0;

		start(backend->codes, &codes_asked);
		while (n < CODES_FRAMES) {
			int rc = emlearn_imu_reader_read(backend->codes, &batch, n % 16 == 0 ? K_NO_WAIT : K_MSEC(7));

			if (rc == -EAGAIN) {
				n_early++;
				k_msleep(3);
				continue;
			}
			zassert_ok(rc);
			zassert_equal(batch.n_lost, 0);
			zassert_equal(batch.n_frames, BATCH);
			zassert_mem_equal(batch.frames, codes_frames[n],
					  batch.n_frames * CODES_CHANNELS * sizeof(int16_t), "%s", backend->name);
			n += (uint32_t)batch.n_frames;
		}
		zassert_true(n_early > CODES_FRAMES, "%s: %u", backend->name, n_early);
		emlearn_imu_reader_stop(backend->codes);
	}
}

ZTEST(imu_reader_paced, test_deadlines_follow_each_other_without_drift)
{
	struct emlearn_imu_asked asked = codes_asked;

	/* 104.167 Hz: 9599.97 us, so a drift of a tick a frame would be seen. The driver does not say better. */
	asked.rate_mhz = 104167;
	fake_imu.attr_rc = -ENOTSUP;
	FOR_BOTH(backend)
	{
		int64_t first_us;

		fake_imu.n_fetched = 0;
		backend->codes->dev = fake_imu_device();
		start(backend->codes, &asked);
		zassert_ok(read_batch(backend->codes));
		first_us = batch.t_us;
		for (int i = 1; i < 100; i++) {
			zassert_ok(read_batch(backend->codes));
			zassert_equal(batch.n_frames, BATCH);
			zassert_equal(batch.n_lost, 0);
			zassert_within(batch.t_us - first_us, INT64_C(8000000000) * i / 104167, 1);
		}
		zassert_within(emlearn_imu_now_us(), batch.t_us + 7 * INT64_C(9600), LATE_US, "%s", backend->name);
		zassert_equal(fake_imu.n_fetched, 100 * BATCH, "%s", backend->name);
		emlearn_imu_reader_stats(backend->codes, &stats);
		zassert_true(stats.worst_latency_us <= LATE_US, "%s: %u", backend->name, stats.worst_latency_us);
		emlearn_imu_reader_stop(backend->codes);
	}
}

ZTEST(imu_reader_paced, test_a_period_of_less_than_three_ticks_is_refused)
{
	struct emlearn_imu_asked asked = codes_asked;

	FOR_BOTH(backend)
	{
		backend->codes->dev = fake_imu_device();
		asked.rate_mhz = CONFIG_SYS_CLOCK_TICKS_PER_SEC / 3 * 1000u;
		asked.unpaced = false;
		fake_imu.rate_hz = CONFIG_SYS_CLOCK_TICKS_PER_SEC / 3;
		start(backend->codes, &asked);
		emlearn_imu_reader_stop(backend->codes);
		fake_imu.rate_hz++;
		zassert_equal(emlearn_imu_reader_start(backend->codes, &asked, &got), -ENOTSUP);
		asked.unpaced = true;
		start(backend->codes, &asked);
		emlearn_imu_reader_stop(backend->codes);
	}
}

static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 16) % n;
}

/* Blocks that can be taken from the pool of a stopped reader. */
static uint32_t count_blocks(const struct emlearn_imu_reader_read *reader)
{
	static void *blocks[READ_ROOM + 1];
	uint32_t n = 0;

	while (sys_mem_blocks_alloc(reader->rtio->block_pool, 1, &blocks[n]) == 0) {
		n++;
	}
	for (uint32_t i = 0; i < n; i++) {
		zassert_ok(sys_mem_blocks_free(reader->rtio->block_pool, 1, &blocks[i]));
	}
	return n;
}

ZTEST(imu_reader_paced, test_many_starts_and_stops_leave_nothing_behind)
{
	FOR_BOTH(backend)
	{
		random_state = 3;
		for (int i = 0; i < N_STARTS; i++) {
			start_fake(backend);
			fake_imu.n_fail = random_below(3);
			fake_imu.fetch_rc = -EIO;
			fake_imu.slow_ms = random_below(4) == 0 ? 30 : 0;
			k_msleep((int32_t)random_below(40));
			if (random_below(4) == 0) {
				(void)emlearn_imu_reader_read(backend->codes, &batch, K_MSEC(random_below(200)));
			}
			emlearn_imu_reader_stop(backend->codes);
			fake_imu.slow_ms = 0;
			fake_imu.n_fail = 0;
		}
		zassert_equal(count_blocks(&read), READ_ROOM);
		start_fake(backend);
		zassert_ok(read_batch(backend->codes));
		(void)check_follows(backend, 0);
		zassert_equal(batch.n_frames, BATCH);
		emlearn_imu_reader_stop(backend->codes);
		/* Nothing runs on. */
		fake_imu.n_fetched = 0;
		k_msleep(200);
		zassert_equal(fake_imu.n_fetched, 0, "%s", backend->name);
	}
}

ZTEST(imu_reader_paced, test_blocks_are_free_again_after_overruns_and_faults)
{
	start_fake(&backends[1]);
	for (int i = 0; i < N_OVERRUNS; i++) {
		k_msleep(READ_ROOM * PERIOD_MS * 3 / 2);
		fake_imu.fetch_rc = -EIO;
		fake_imu.n_fail = 3;
		for (int k = 0; k < 4; k++) {
			(void)read_batch(&read.reader);
		}
	}
	emlearn_imu_reader_stats(&read.reader, &stats);
	zassert_equal(stats.n_overruns, N_OVERRUNS, "%u", stats.n_overruns);
	zassert_equal(stats.n_bus_errors, 3 * N_OVERRUNS, "%u", stats.n_bus_errors);
	emlearn_imu_reader_stop(&read.reader);
	zassert_equal(count_blocks(&read), READ_ROOM);
}

ZTEST(imu_reader_paced, test_a_frame_turned_by_mount_is_that_of_a_chip_mounted_that_way)
{
	struct emlearn_imu_asked asked = walk_asked;

	asked.unpaced = true;
	FOR_BOTH(backend)
	{
		/* The other source: the same walk by a chip that sits turned, under a node emlearn,imu that says so. */
		start(backend->turned, &asked);
		zassert_ok(read_batch(backend->turned));
		zassert_equal(batch.n_frames, WALK_FRAMES);
		for (int i = 0; i < WALK_FRAMES; i++) {
			zassert_mem_equal(&batch.frames[6 * i], walk_frames[i], sizeof(walk_frames[i]), "%s, frame %d",
					  backend->name, i);
		}
		emlearn_imu_reader_stop(backend->turned);
	}
}

ZTEST_SUITE(imu_reader_paced, NULL, NULL, before, after, NULL);
