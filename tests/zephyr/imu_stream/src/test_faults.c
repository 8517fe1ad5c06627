/* SPDX-License-Identifier: Apache-2.0 */
/* Things go wrong: nothing stale or invented is delivered (bench_read), the fault is counted, and it goes on. */
#include <errno.h>

#include <zephyr/ztest.h>

#include "bench.h"
#include "seeds.h"

static void after(void *fixture)
{
	seeds_after(fixture);
	bench_after(fixture);
}

ZTEST_SUITE(stream_faults, NULL, NULL, NULL, after, NULL);

#define RATE_HZ 100
#define BATCH_MS (BATCH_FRAMES * 1000 / RATE_HZ)
/* Before a fault, and after it. */
#define SETTLE_MS (IS_FAST ? 5000 : 700)
/* Three watermarks in silence, 60 ms of the driver, and a batch. */
#define RECOVERY_MS (4 * BATCH_MS + 70)

static void begin(struct bench *bench, enum bench_reader reader)
{
	struct emlearn_imu_asked asked = asked_of(RATE_HZ, 16, 2000);

	bench_start(bench, reader, &asked, NULL);
	bench_run(bench, SETTLE_MS);
	zassert_equal(bench->n_lost, 0);
}

/* It goes on within `ms`, what is told is near what is lost, and nothing is lost any more. */
static void expect_recovery(struct bench *bench, uint32_t ms)
{
	uint32_t n_lost;
	uint32_t n_told;

	bench_run(bench, ms);
	zassert_ok(bench_read(bench, K_MSEC(BATCH_MS + 10)));
	zassert_within((int)bench->n_told, (int)bench->n_missing, 1, "%u told, %u missing", bench->n_told,
		       bench->n_missing);
	n_lost = bench->n_lost;
	n_told = bench->n_told;
	bench_run(bench, SETTLE_MS);
	zassert_equal(bench->n_lost, n_lost, "more was lost afterwards");
	zassert_equal(bench->n_told, n_told);
}

ZTEST(stream_faults, test_a_failed_transfer_is_counted_and_mended)
{
	for (uint32_t n = 1; n <= 12; n += IS_FAST ? 1 : 12) {
		struct bench bench;

		begin(&bench, n % 2 == 0 ? HIRES : PLAIN);
		bench_fault(&bench, EMLEARN_FAULT_NACK, n, 0);
		expect_recovery(&bench, 3 * RECOVERY_MS);
		zassert_true(bench_stats(&bench).n_bus_errors > 0);
		zassert_true(bench_stats(&bench).n_rearms > 0);
		zassert_true(bench.n_lost > 0 && bench.n_lost < 5 * BATCH_FRAMES, "%u", bench.n_lost);
		bench_stop(&bench);
	}
}

ZTEST(stream_faults, test_a_dead_bus_is_an_error_until_it_lives_again)
{
	ON_HOST_ONLY();

	struct bench bench;
	int64_t begun;
	unsigned int n_errors = 0;
	int rc;

	begin(&bench, HIRES);
	bench_fault(&bench, EMLEARN_FAULT_NACK, UINT32_MAX, 0);
	begun = k_uptime_get();
	do {
		rc = bench_read(&bench, K_SECONDS(30));
	} while (rc == 0);
	zassert_equal(rc, -EIO);
	zassert_true(k_uptime_get() - begun < 2 * 1000, "the error came after %d ms", (int)(k_uptime_get() - begun));
	for (; n_errors < 5; n_errors++) {
		rc = bench_read(&bench, K_SECONDS(30));
		/* Those say that it is stopped, at its end or still waiting; none of them is so. */
		zassert_true(rc < 0 && rc != -EINVAL && rc != -ENODATA && rc != -EAGAIN, "%d", rc);
	}
	/* Nor does the back end say so by itself. */
	zassert_equal(emlearn_imu_backend_stream.read(&bench.stream->reader, &bench.batch, EMLEARN_IMU_LOOK), -EIO);
	zassert_true(k_uptime_get() - begun > 4 * 1000, "a dead bus is tried all the time");
	zassert_true(bench_stats(&bench).n_bus_errors >= n_errors);
	emlearn_chip_heal(bench.chip);
	begun = k_uptime_get();
	while (bench_read(&bench, K_SECONDS(30)) != 0) {
	}
	zassert_true(k_uptime_get() - begun < 1000 + RECOVERY_MS, "it went on after %d ms",
		     (int)(k_uptime_get() - begun));
	expect_recovery(&bench, BATCH_MS);
	bench_stop(&bench);
}

ZTEST(stream_faults, test_a_bus_that_dies_can_be_stopped)
{
	ON_HOST_ONLY();

	struct bench bench;

	for (uint32_t ms = 0; ms < 3000; ms += IS_FAST ? 100 : 2900) {
		begin(&bench, PLAIN);
		bench_fault(&bench, EMLEARN_FAULT_NACK, UINT32_MAX, 0);
		bench_run(&bench, ms);
		bench_stop(&bench);
	}
}

ZTEST(stream_faults, test_lost_interrupts_are_mended)
{
	ON_HOST_ONLY();

	for (uint32_t n = 1; n <= 3; n += IS_FAST ? 1 : 3) {
		struct bench bench;

		begin(&bench, n % 2 == 0 ? HIRES : PLAIN);
		bench_fault(&bench, EMLEARN_FAULT_INT_LOST, n, 0);
		expect_recovery(&bench, (n + 1) * RECOVERY_MS);
		zassert_true(bench_stats(&bench).n_rearms + bench_stats(&bench).n_overruns > 0);
		zassert_true(bench.n_lost > 0 && bench.n_lost < (n + 1) * 4 * BATCH_FRAMES, "%u", bench.n_lost);
		bench_stop(&bench);
	}
}

ZTEST(stream_faults, test_a_fifo_that_ran_full_is_told)
{
	ON_HOST_ONLY();

	struct bench bench;

	/* The FIFO has 102 frames: an interrupt lost at 80 of them is followed by the one that it is full. */
	begin(&bench, DEEP);
	bench_fault(&bench, EMLEARN_FAULT_INT_LOST, 1, 0);
	bench_run(&bench, 3000);
	zassert_equal(bench_stats(&bench).n_overruns, 1);
	zassert_equal(bench_stats(&bench).n_rearms, 0);
	zassert_true(bench.n_lost > 80 && bench.n_lost < 2 * 102, "%u", bench.n_lost);
	zassert_within((int)bench.n_told, (int)bench.n_missing, 1);
	bench_stop(&bench);
}

ZTEST(stream_faults, test_no_interrupts_for_ever_is_an_error_and_no_hang)
{
	ON_HOST_ONLY();

	struct bench bench;
	int64_t begun;
	int rc;

	begin(&bench, HIRES);
	bench_fault(&bench, EMLEARN_FAULT_INT_LOST, UINT32_MAX, 0);
	begun = k_uptime_get();
	do {
		rc = bench_read(&bench, K_FOREVER);
	} while (rc == 0);
	zassert_equal(rc, -EIO);
	zassert_true(k_uptime_get() - begun < 6 * RECOVERY_MS, "after %d ms", (int)(k_uptime_get() - begun));
	emlearn_chip_heal(bench.chip);
	expect_recovery(&bench, 4 * RECOVERY_MS);
	bench_stop(&bench);
}

ZTEST(stream_faults, test_a_stuck_line_is_mended)
{
	ON_HOST_ONLY();

	for (int32_t ms = 100; ms <= 6400; ms *= IS_FAST ? 2 : 64) {
		struct bench bench;

		begin(&bench, HIRES);
		bench_fault(&bench, EMLEARN_FAULT_INT_STUCK, 1, ms);
		expect_recovery(&bench, (uint32_t)ms + 4 * RECOVERY_MS);
		bench_stop(&bench);
	}
}

ZTEST(stream_faults, test_spurious_interrupts_lose_nothing_and_are_counted)
{
	ON_HOST_ONLY();

	for (enum bench_reader reader = HIRES; reader <= PLAIN; reader++) {
		struct bench bench;

		begin(&bench, reader);
		bench_fault(&bench, EMLEARN_FAULT_INT_SPURIOUS, 50, 0);
		bench_run(&bench, 5000);
		bench_expect_perfect(&bench);
		zassert_within((int)bench_stats(&bench).n_spurious, 50, 2);
		zassert_equal(bench_stats(&bench).n_rearms, 0);
		bench_stop(&bench);
	}
}

ZTEST(stream_faults, test_an_overrun_is_counted_and_told)
{
	for (enum bench_reader reader = HIRES; reader <= PLAIN; reader++) {
		struct bench bench;

		begin(&bench, reader);
		bench_fault(&bench, EMLEARN_FAULT_OVERRUN, 1, 0);
		expect_recovery(&bench, RECOVERY_MS);
		/* The bus hangs until the FIFO is full, so the watchdog may be first. */
		zassert_equal(bench_stats(&bench).n_overruns + bench_stats(&bench).n_rearms, 1);
		zassert_true(bench.n_lost > 0);
		bench_stop(&bench);
	}
}

ZTEST(stream_faults, test_a_brown_out_is_mended_by_setting_the_chip_up_again)
{
	for (uint32_t wait_ms = 0; wait_ms < 320; wait_ms += IS_FAST ? 40 : 200) {
		struct bench bench;
		int64_t begun;

		begin(&bench, wait_ms % 80 == 0 ? HIRES : PLAIN);
		k_sleep(K_MSEC(wait_ms));
		bench_fault(&bench, EMLEARN_FAULT_BROWNOUT, 1, 0);
		begun = k_uptime_get();
		bench_run(&bench, BATCH_MS);
		zassert_ok(bench_read(&bench, K_MSEC(RECOVERY_MS)));
		expect_recovery(&bench, BATCH_MS);
		zassert_equal(bench_stats(&bench).n_rearms, 1);
		bench_stop(&bench);
	}
}

ZTEST(stream_faults, test_odd_packets_are_left_out_and_counted)
{
	for (uint32_t n = 1; n <= 40; n += IS_FAST ? 13 : 39) {
		struct bench bench;

		begin(&bench, n % 2 == 0 ? HIRES : PLAIN);
		bench_fault(&bench, EMLEARN_FAULT_ODD, n, 0);
		expect_recovery(&bench, RECOVERY_MS);
		zassert_equal(bench_stats(&bench).n_odd, n);
		zassert_equal(bench_stats(&bench).n_rearms, 0);
		bench_stop(&bench);
	}
}

ZTEST(stream_faults, test_a_clock_that_changes_loses_nothing)
{
	ON_HOST_ONLY();

	static const int32_t ppm[] = {30000, -30000, 0, 15000, -15000};
	struct bench bench;

	begin(&bench, HIRES);
	for (size_t i = 0; i < ARRAY_SIZE(ppm); i++) {
		bench_fault(&bench, EMLEARN_FAULT_CLOCK, 1, ppm[i]);
		bench_run(&bench, IS_FAST ? 30000 : 2000);
	}
	zassert_equal(bench.n_lost, 0);
	zassert_equal(bench.n_told, 0);
	zassert_equal(bench_stats(&bench).n_rearms, 0);
	bench_stop(&bench);
}

ZTEST(stream_faults, test_frames_that_the_chip_dropped_are_told)
{
	/* The chip's time in the FIFO is too short for seven at once: those pass for none. */
	for (uint32_t n = 1; n <= 20; n += IS_FAST ? 1 : 20) {
		struct bench bench;

		if (n % 7 == 0) {
			continue;
		}
		begin(&bench, n % 2 == 0 ? HIRES : PLAIN);
		bench_fault(&bench, EMLEARN_FAULT_DROP, n, 0);
		expect_recovery(&bench, 2 * BATCH_MS);
		zassert_equal(bench.n_lost, n);
		zassert_equal(bench.n_told, n, "%u told, %u lost", bench.n_told, n);
		zassert_equal(bench_stats(&bench).n_rearms, 0);
		bench_stop(&bench);
	}
}

ZTEST(stream_faults, test_frames_that_the_chip_repeated_are_left_out)
{
	ON_HOST_ONLY();

	for (uint32_t n = 1; n <= 50; n += IS_FAST ? 7 : 50) {
		struct bench bench;

		begin(&bench, n % 2 == 0 ? HIRES : PLAIN);
		bench_fault(&bench, EMLEARN_FAULT_REPEAT, n, 0);
		bench_run(&bench, SETTLE_MS + 1000);
		zassert_equal(bench.n_lost, 0);
		zassert_equal(bench.n_told, 0);
		zassert_equal(bench_stats(&bench).n_odd, n);
		bench_stop(&bench);
	}
}

ZTEST(stream_faults, test_clipped_frames_are_delivered)
{
	ON_HOST_ONLY();

	for (enum bench_reader reader = HIRES; reader <= PLAIN; reader++) {
		struct bench bench;

		begin(&bench, reader);
		bench_fault(&bench, EMLEARN_FAULT_CLIP, 20, 0);
		bench_run(&bench, 2000);
		zassert_equal(bench.n_lost, 0);
		zassert_equal(bench.n_told, 0);
		bench_stop(&bench);
	}
}

/*
 * Up to four faults at random moments; whatever they are, it goes on, and no frame is invented. Clipped frames are
 * alike, so where frames are repeated none are clipped: nobody could tell them apart.
 */
static void random_run(uint32_t seed)
{
	/* Never 0, from which nothing can be drawn. */
	uint32_t state = MAX(seed * 2654435761u, 1);
	const enum emlearn_fault_kind alike = xorshift(&state) % 2 == 0 ? EMLEARN_FAULT_REPEAT : EMLEARN_FAULT_CLIP;
	const enum emlearn_fault_kind kinds[] = {
		EMLEARN_FAULT_NACK,     EMLEARN_FAULT_INT_STUCK,
		EMLEARN_FAULT_INT_LOST, EMLEARN_FAULT_INT_SPURIOUS,
		EMLEARN_FAULT_OVERRUN,  EMLEARN_FAULT_BROWNOUT,
		EMLEARN_FAULT_ODD,      EMLEARN_FAULT_CLOCK,
		EMLEARN_FAULT_DROP,     alike,
	};
	static const uint16_t rates_hz[] = {100, 200, 500, 1000};
	const uint16_t drawn_hz = rates_hz[xorshift(&state) % ARRAY_SIZE(rates_hz)];
	const uint16_t rate_hz = MIN(drawn_hz, RATE_MAX_HZ);
	struct emlearn_imu_asked asked = asked_of(rate_hz, 16, 2000);
	const uint32_t batch_ms = BATCH_FRAMES * 1000 / rate_hz;
	struct bench bench;
	uint32_t n_lost;

	bench_start(&bench, xorshift(&state) % 2 == 0 ? HIRES : PLAIN, &asked, NULL);
	bench.holes = true;
	if (xorshift(&state) % 4 != 0) {
		bench_run(&bench, 3 * batch_ms);
	}
	for (unsigned int n = xorshift(&state) % 4 + 1; n > 0; n--) {
		enum emlearn_fault_kind kind = kinds[xorshift(&state) % ARRAY_SIZE(kinds)];
		int32_t value = kind == EMLEARN_FAULT_CLOCK     ? (int32_t)(xorshift(&state) % 60001) - 30000
				: kind == EMLEARN_FAULT_OVERRUN ? (int32_t)(xorshift(&state) % 50)
								: (int32_t)(xorshift(&state) % 500);

		bench_fault(&bench, kind, xorshift(&state) % 40 + 1, value);
		bench_run(&bench, xorshift(&state) % (2 * batch_ms));
		if (xorshift(&state) % 4 == 0) {
			k_sleep(K_MSEC(xorshift(&state) % (8 * batch_ms)));
		}
	}
	bench_run(&bench, 4 * batch_ms);
	emlearn_chip_heal(bench.chip);
	/* Four times the watch is the longest pause between two attempts; a bus that hangs goes on hanging. */
	bench_run(&bench, 18 * batch_ms + 250);
	zassert_equal(bench.n_repeated, 0, "%u frames delivered twice", bench.n_repeated);
	n_lost = bench.n_lost;
	bench_run(&bench, 3 * batch_ms);
	zassert_equal(bench.n_lost, n_lost);
	zassert_ok(bench_read(&bench, K_MSEC(batch_ms + 10)));
	bench_stop(&bench);
}

ZTEST(stream_faults, test_random_faults_never_stop_it)
{
	seeds_run(CONFIG_IMU_STREAM_RANDOM_FIRST, CONFIG_IMU_STREAM_RANDOM_RUNS, random_run);
}
