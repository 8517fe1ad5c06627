/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, stopping, waiting and being refused. */
#include <errno.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/ztest.h>

#include "bench.h"
#include "imu_stream_driver.h"

ZTEST_SUITE(stream_life, NULL, NULL, NULL, bench_after, NULL);

ZTEST(stream_life, test_starting_and_stopping_leaks_nothing)
{
	struct emlearn_imu_asked asked = asked_of(RATE_MAX_HZ, 16, 2000);
	uint32_t seed = 1;

	for (unsigned int i = 0; i < (IS_FAST ? 1000 : 10); i++) {
		struct bench bench;

		bench_start(&bench, HIRES, &asked, NULL);
		/* Stopped at any moment, with up to three blocks that nobody has asked for, or in a transfer. */
		if (i % 3 != 0) {
			zassert_ok(bench_read(&bench, K_SECONDS(1)));
		}
		k_sleep(K_USEC(xorshift(&seed) % 100000));
		bench_stop(&bench);
	}
}

ZTEST(stream_life, test_a_fifo_that_ran_full_before_costs_nothing)
{
	struct emlearn_imu_asked asked = asked_of(RATE_MAX_HZ, 16, 2000);
	struct bench bench;

	for (unsigned int i = 0; i < 3; i++) {
		bench_start(&bench, HIRES, &asked, NULL);
		for (unsigned int n = 0; n < 5; n++) {
			zassert_ok(bench_read(&bench, K_SECONDS(1)));
		}
		bench_expect_perfect(&bench);
		zassert_equal(bench.next, bench.n_frames, "the first frame was not the chip's first");
		zassert_equal(bench_stats(&bench).n_overruns, 0);
		bench_stop(&bench);
		k_sleep(K_MSEC(IS_FAST ? 500 : 1000));
	}
}

ZTEST(stream_life, test_starting_on_a_failing_bus_is_an_error_or_works)
{
	struct emlearn_imu_asked asked = asked_of(RATE_MAX_HZ, 16, 2000);
	struct emlearn_imu_reader *reader = &readers[PLAIN]->reader;
	const struct device *chip = reader->dev;

	for (uint32_t n = 1; n <= 100; n += IS_FAST ? 3 : 40) {
		const struct emlearn_fault fault = {.kind = EMLEARN_FAULT_NACK, .n = n};
		struct emlearn_imu_got got;
		struct emlearn_batch batch;

		zassert_ok(emlearn_chip_fault(chip, &fault));
		if (emlearn_imu_reader_start(reader, &asked, &got) == 0) {
			zassert_ok(emlearn_imu_reader_read(reader, &batch, K_SECONDS(2)), "%u", n);
			emlearn_imu_reader_stop(reader);
		}
		emlearn_chip_heal(chip);
		zassert_equal(free_blocks(readers[PLAIN]), CONFIG_EMLEARN_IMU_READER_STREAM_BATCHES);
	}
}

ZTEST(stream_life, test_a_second_start_and_reads_while_stopped_are_refused)
{
	struct emlearn_imu_asked asked = asked_of(100, 16, 2000);
	struct emlearn_imu_got got;
	struct bench bench;

	bench_start(&bench, HIRES, &asked, NULL);
	zassert_equal(emlearn_imu_reader_start(&bench.stream->reader, &asked, &got), -EALREADY);
	bench_stop(&bench);
	zassert_equal(bench_read(&bench, K_NO_WAIT), -EINVAL);
	emlearn_imu_reader_stop(&bench.stream->reader);
}

ZTEST(stream_life, test_a_timeout_ends_on_time)
{
	struct emlearn_imu_asked asked = asked_of(100, 16, 2000);
	struct bench bench;
	int64_t before;

	bench_start(&bench, HIRES, &asked, NULL);
	before = k_uptime_get();
	zassert_equal(bench_read(&bench, K_NO_WAIT), -EAGAIN);
	zassert_within(k_uptime_get(), before, 1);
	zassert_equal(bench_read(&bench, K_MSEC(100)), -EAGAIN);
	zassert_within(k_uptime_get(), before + 100, 2);
	zassert_ok(bench_read(&bench, K_MSEC(300)));
	zassert_equal(bench_read(&bench, K_NO_WAIT), -EAGAIN);
	k_sleep(K_MSEC(350));
	zassert_ok(bench_read(&bench, K_NO_WAIT), "what has come is there without waiting");
	bench_expect_perfect(&bench);
	bench_stop(&bench);
}

ZTEST(stream_life, test_a_deep_watermark_comes_in_several_batches)
{
	ON_HOST_ONLY();

	struct emlearn_imu_asked asked = asked_of(200, 16, 2000);
	struct bench bench;

	bench_start(&bench, DEEP, &asked, NULL);
	zassert_equal(bench.got.watermark_frames, 80);
	for (unsigned int i = 0; i < 10; i++) {
		zassert_ok(bench_read(&bench, K_MSEC(450)));
		zassert_equal(bench.batch.n_frames, 32);
		zassert_ok(bench_read(&bench, K_NO_WAIT));
		zassert_equal(bench.batch.n_frames, 32);
		zassert_ok(bench_read(&bench, K_NO_WAIT));
		zassert_equal(bench.batch.n_frames, 16);
	}
	bench_expect_perfect(&bench);
	/* A block that is half read goes back too. */
	zassert_ok(bench_read(&bench, K_MSEC(450)));
	bench_stop(&bench);
}

ZTEST(stream_life, test_an_odd_watermark_is_whole_frames)
{
	ON_HOST_ONLY();

	static const uint16_t rates_hz[] = {25, 50, 100, 200, 500, 1000};

	for (size_t i = 0; i < ARRAY_SIZE(rates_hz); i++) {
		struct emlearn_imu_asked asked = asked_of(rates_hz[i], 16, 2000);
		struct bench bench;

		bench_start(&bench, ODD, &asked, NULL);
		zassert_equal(bench.got.watermark_frames, 7);
		for (unsigned int n = 0; n < (IS_FAST ? 100 : 5); n++) {
			zassert_ok(bench_read(&bench, K_SECONDS(1)));
			zassert_equal(bench.batch.n_frames, 7);
		}
		bench_expect_perfect(&bench);
		bench_stop(&bench);
	}
}

ZTEST(stream_life, test_what_a_stream_cannot_do_is_refused)
{
	ON_HOST_ONLY();

	struct emlearn_imu_asked asked = asked_of(100, 16, 2000);
	struct emlearn_imu_reader *reader = &readers[HIRES]->reader;
	struct emlearn_imu_got got;

	asked.unpaced = true;
	zassert_equal(emlearn_imu_reader_start(reader, &asked, &got), -ENOTSUP);
	asked.unpaced = false;
	asked.rate_mhz = 300000;
	zassert_equal(emlearn_imu_reader_start(reader, &asked, &got), -ERANGE, "no such rate");
	asked = asked_of(100, 32, 2000);
	zassert_equal(emlearn_imu_reader_start(reader, &asked, &got), -ERANGE, "no such range");
	asked = asked_of(100, 16, 4000);
	asked.gyro_step = (struct emlearn_imu_step){10, 82};
	zassert_equal(emlearn_imu_reader_start(reader, &asked, &got), -ERANGE, "no such range");
	zassert_equal(free_blocks(readers[HIRES]), CONFIG_EMLEARN_IMU_READER_STREAM_BATCHES);
}

ZTEST(stream_life, test_a_watermark_that_is_no_number_of_ticks_is_refused)
{
	const struct emlearn_imu_reader_stream *stream = readers[ODD];
	struct emlearn_imu_reader reader = stream->reader;

	/*
	 * 16 bytes a frame and 100000 ticks a second: a tick is 5 bytes, and 7 frames are none of its multiples. No
	 * model wants that rate: with fewer ticks a second it is one of those that are wanted.
	 */
	reader.rate_mhz = 32000000;
	zassert_equal(stream->node.driver->set_watermark(&reader, &stream->node, 7), -ENOTSUP);
}

ZTEST(stream_life, test_a_chip_of_the_wrong_kind_is_refused)
{
	const struct device *chip = readers[BROKEN]->reader.dev;
	const struct emlearn_fault fault = {.kind = EMLEARN_FAULT_WHO_AM_I, .n = 1, .value = 0x46};
	struct emlearn_imu_asked asked = asked_of(100, 16, 2000);
	struct emlearn_imu_got got;

	zassert_ok(emlearn_chip_fault(chip, &fault));
	zassert_not_ok(device_init(chip));
	zassert_equal(emlearn_imu_reader_start(&readers[BROKEN]->reader, &asked, &got), -ENODEV);
}
