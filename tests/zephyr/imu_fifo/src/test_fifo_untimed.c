/* SPDX-License-Identifier: Apache-2.0 */
/* mpu6050 and mpu6886: a small FIFO without an interrupt, tags or time stamps, at rates and ranges of the devicetree.
 */
#include <errno.h>
#include <string.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include "bench.h"

#define SECOND_US INT64_C(1000000)
#define N_CHIPS 5
#define MPU6050 0
#define MPU6886 1
#define BMI270 3
#define BMI270_BASE 4
#define N_DRAWN 20

EMLEARN_IMU_READER_FIFO_DEFINE(mpu6050_reader, DT_NODELABEL(mpu6050), BENCH_BATCH);
EMLEARN_IMU_READER_FIFO_DEFINE(mpu6886_reader, DT_NODELABEL(mpu6886), BENCH_BATCH);
EMLEARN_IMU_READER_FIFO_DEFINE(fast_reader, DT_NODELABEL(fast), BENCH_BATCH);
EMLEARN_IMU_READER_FIFO_DEFINE(bmi270_reader, DT_NODELABEL(bmi270), BENCH_BATCH);
EMLEARN_IMU_READER_FIFO_DEFINE(bmi270_base_reader, DT_NODELABEL(bmi270_base), BENCH_BATCH);

struct emlearn_imu_reader *const bench_readers[] = {
	&mpu6050_reader.reader, &mpu6886_reader.reader,     &fast_reader.reader,
	&bmi270_reader.reader,  &bmi270_base_reader.reader,
};
const size_t n_bench_readers = ARRAY_SIZE(bench_readers);
BUILD_ASSERT(ARRAY_SIZE(bench_readers) == N_CHIPS);

const struct emlearn_imu_step bench_finest_acc = {1, 16384};
const struct emlearn_imu_step bench_finest_gyro = {1, 131};

#define ASKED(rate_mhz_, acc_den, gyro_num, gyro_den)                                                                  \
	{                                                                                                              \
		.rate_mhz = (rate_mhz_),                                                                               \
		.rate_tolerance_permille = 10,                                                                         \
		.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,                                                   \
		.acc_step = {1, (acc_den)},                                                                            \
		.gyro_step = {(gyro_num), (gyro_den)},                                                                 \
		.mount = {{0, 1}, {1, 1}, {2, 1}},                                                                     \
	}

/* Codes of a model as the chip's. */
static const struct emlearn_imu_asked asked[N_CHIPS] = {
	ASKED(100000, 8192, 10, 164),
	ASKED(50000, 16384, 1, 131),
	ASKED(1000000, 2048, 10, 328),
	/* What it has after a reset: its driver takes ranges in g and degrees, which no other does. */
	ASKED(100000, 4096, 2000, 32768),
	ASKED(200000, 4096, 2000, 32768),
};

static void start(struct bench *bench, size_t chip)
{
	bench_start(bench, bench_readers[chip], &asked[chip], asked[chip].rate_mhz);
}

static int64_t period_us(size_t chip)
{
	return 1000000000 / asked[chip].rate_mhz;
}

static void read_on(struct bench *bench, int64_t us)
{
	bench_read_until(bench, emlearn_imu_now_us() + us);
}

/* Clock errors of +-3 %, the same in each run. */
static int32_t drawn_ppm(uint32_t i)
{
	return (int32_t)((i + 1) * 2654435761u % 60001u) - 30000;
}

ZTEST(fifo_untimed, test_frames_are_the_chips)
{
	for (size_t i = 0; i < N_CHIPS; i++) {
		struct bench bench;
		struct emlearn_imu_stats stats;
		uint32_t n_wakeups;

		start(&bench, i);
		read_on(&bench, 60 * SECOND_US);
		stats = bench_stats(&bench);
		/* An edge and a thread each; or a thread, and one more where it came too early. */
		n_wakeups = i == BMI270 ? 2 * stats.n_batches + 1 : stats.n_batches + stats.n_batches / 8 + 2;
		zassert_equal(bench.seen.n_lost, 0);
		zassert_equal(bench.seen.n_truly_lost, 0);
		zassert_true(bench.seen.worst_us <= period_us(i), "off by %d us", (int)bench.seen.worst_us);
		zassert_true(bench.seen.last_ppm < 1000, "period off by %d ppm", (int)bench.seen.last_ppm);
		zassert_true(bench.seen.n_frames + 2 * BENCH_BATCH >= 60u * asked[i].rate_mhz / 1000);
		zassert_true(stats.n_wakeups <= n_wakeups, "%u wakeups for %u", stats.n_wakeups, stats.n_batches);
		bench_stop(&bench);
	}
}

ZTEST(fifo_untimed, test_times_follow_a_clock_that_is_off)
{
	for (size_t i = 0; i < N_CHIPS; i++) {
		struct bench bench;

		start(&bench, i);
		bench_fault(&bench, EMLEARN_FAULT_CLOCK, 1, i % 2 == 0 ? 30000 : -30000);
		read_on(&bench, 60 * SECOND_US);
		zassert_equal(bench.seen.n_lost, 0);
		zassert_true(bench.seen.last_us <= period_us(i), "off by %d us", (int)bench.seen.last_us);
		zassert_true(bench.seen.last_ppm < 1000, "period off by %d ppm", (int)bench.seen.last_ppm);
		bench_stop(&bench);
	}
}

/* Read some batches of a model that wants one sensor only, and hold them against the truth. */
static void check_sensor(size_t chip, uint8_t sensor)
{
	const size_t from = sensor == EMLEARN_SENSOR_ACC ? 0 : EMLEARN_AXES;
	struct emlearn_imu_asked one = asked[chip];
	struct emlearn_imu_got got;
	struct bench bench;
	uint32_t number = 0;

	start(&bench, chip); /* for the source */
	bench_stop(&bench);
	emlearn_chip_rewind(bench.chip, emlearn_chip_source(bench.chip));
	one.sensors = sensor;
	zassert_ok(emlearn_imu_reader_start(bench.reader, &one, &got));
	while (number < 200) {
		struct emlearn_batch batch;

		zassert_ok(emlearn_imu_reader_read(bench.reader, &batch, K_SECONDS(2)));
		zassert_equal(batch.n_lost, 0);
		for (size_t i = 0; i < batch.n_frames; i++, number++) {
			struct emlearn_chip_frame truth;

			zassert_ok(emlearn_chip_truth(bench.chip, number, &truth));
			for (size_t axis = 0; axis < EMLEARN_AXES; axis++) {
				zassert_equal(batch.frames[i * EMLEARN_AXES + axis], truth.codes[from + axis]);
			}
		}
	}
	emlearn_imu_reader_stop(bench.reader);
}

ZTEST(fifo_untimed, test_one_sensor_alone_takes_less_of_the_fifo)
{
	for (size_t i = 0; i < N_CHIPS; i++) {
		check_sensor(i, EMLEARN_SENSOR_ACC);
		check_sensor(i, EMLEARN_SENSOR_GYRO);
	}
}

ZTEST(fifo_untimed, test_what_the_chip_gives_is_told)
{
	struct emlearn_imu_got got;

	zassert_ok(emlearn_imu_reader_start(bench_readers[MPU6050], &asked[MPU6050], &got));
	emlearn_imu_reader_stop(bench_readers[MPU6050]);
	zassert_equal(got.rate_mhz, 100000);
	zassert_equal(got.acc_range_mg, 4000);
	zassert_equal(got.gyro_range_mdps, 2000000);
	zassert_equal(got.watermark_frames, BENCH_BATCH);
	/* 72 frames less a watermark */
	zassert_equal(got.stall_us, 400000);
}

ZTEST(fifo_untimed, test_a_stall_as_long_as_is_told_loses_nothing)
{
	for (uint32_t i = 0; i < N_DRAWN; i++) {
		const size_t chip = i % N_CHIPS;
		struct bench bench;

		start(&bench, chip);
		bench_fault(&bench, EMLEARN_FAULT_CLOCK, 1, drawn_ppm(i));
		read_on(&bench, 10 * SECOND_US);
		zassert_ok(bench_read(&bench, K_SECONDS(2)));
		/* Of 40 frames, less 3 % for the clock */
		k_sleep(K_USEC(38 * period_us(chip)));
		read_on(&bench, 10 * SECOND_US);
		zassert_equal(bench.seen.n_lost, 0);
		zassert_equal(bench.seen.n_truly_lost, 0);
		bench_stop(&bench);
	}
}

ZTEST(fifo_untimed, test_half_a_minute_away_is_estimated_well)
{
	for (uint32_t i = 0; i < N_DRAWN; i++) {
		const size_t chip = i % N_CHIPS;
		struct bench bench;

		start(&bench, chip);
		bench_fault(&bench, EMLEARN_FAULT_CLOCK, 1, drawn_ppm(i));
		read_on(&bench, 20 * SECOND_US);
		zassert_equal(bench.seen.n_lost, 0);
		k_sleep(K_SECONDS(30));
		/* It goes on at once, with what the FIFO held. */
		zassert_ok(bench_read(&bench, K_NO_WAIT));
		read_on(&bench, 10 * SECOND_US);
		zassert_true(bench.seen.n_truly_lost > 1300);
		zassert_true(bench.seen.worst_miss <= 1 + bench.seen.n_truly_lost / 1000, "off by %u of %u",
			     (uint32_t)bench.seen.worst_miss, (uint32_t)bench.seen.n_truly_lost);
		zassert_equal(bench.seen.n_estimated, 1);
		zassert_equal(bench.seen.n_gaps, 1);
		zassert_equal(bench_stats(&bench).n_overruns, 1);
		bench_stop(&bench);
	}
}

/* Run for a while, let it go wrong, and see frames again within five watermarks. */
static struct emlearn_imu_stats go_wrong(struct bench *bench, size_t chip, enum emlearn_fault_kind kind, uint32_t n,
					 int32_t value)
{
	const int64_t watermark_us = BENCH_BATCH * period_us(chip);
	uint64_t n_frames;

	start(bench, chip);
	bench->is_outage = kind == EMLEARN_FAULT_BROWNOUT;
	read_on(bench, 10 * SECOND_US + SECOND_US / 7);
	zassert_equal(bench_stats(bench).n_bus_errors, 0);
	bench_fault(bench, kind, n, value);
	read_on(bench, 5 * watermark_us);
	n_frames = bench->seen.n_frames;
	read_on(bench, 2 * watermark_us);
	zassert_true(bench->seen.n_frames > n_frames, "no frames after %d ms", (int)(5 * watermark_us / 1000));
	read_on(bench, 30 * watermark_us);
	zassert_true(bench->seen.last_us <= period_us(chip), "off by %d us", (int)bench->seen.last_us);
	bench_stop(bench);
	return bench_stats(bench);
}

ZTEST(fifo_untimed, test_transfers_that_fail_are_tried_again)
{
	for (size_t i = 0; i < N_CHIPS; i++) {
		for (uint32_t n = 1; n <= 3; n++) {
			struct bench bench;
			struct emlearn_imu_stats stats = go_wrong(&bench, i, EMLEARN_FAULT_NACK, n, 0);

			zassert_equal(stats.n_bus_errors, n);
			zassert_true(bench.seen.worst_miss <= 1);
			zassert_equal(stats.n_rearms, 0);
		}
	}
}

/* A transfer that breaks off has taken bytes out. */
ZTEST(fifo_untimed, test_a_transfer_that_breaks_off_invents_no_frame)
{
	for (size_t i = 0; i < N_CHIPS; i++) {
		for (int32_t n_before = 0; n_before < 30; n_before += 7) {
			struct bench bench;

			(void)go_wrong(&bench, i, EMLEARN_FAULT_NACK, 6, n_before);
			zassert_true(bench.seen.worst_miss <= 1, "%u", (uint32_t)bench.seen.worst_miss);
		}
	}
}

ZTEST(fifo_untimed, test_an_overrun_is_counted)
{
	for (size_t i = 0; i < N_CHIPS; i++) {
		for (int32_t n_more = 0; n_more < 20; n_more += 3) {
			struct bench bench;
			struct emlearn_imu_stats stats = go_wrong(&bench, i, EMLEARN_FAULT_OVERRUN, 1, n_more);

			zassert_equal(stats.n_overruns, 1);
			zassert_true(bench.seen.n_truly_lost > 0);
			zassert_true(bench.seen.worst_miss <= 1, "%u", (uint32_t)bench.seen.worst_miss);
			zassert_equal(stats.n_rearms, 0);
		}
	}
}

ZTEST(fifo_untimed, test_a_chip_that_lost_its_power_is_set_up_again)
{
	for (size_t i = 0; i < N_CHIPS; i++) {
		struct bench bench;
		struct emlearn_imu_stats stats = go_wrong(&bench, i, EMLEARN_FAULT_BROWNOUT, 1, 0);

		zassert_equal(stats.n_rearms, 1);
		zassert_true(bench.seen.n_lost > 0);
		zassert_equal(bench.seen.n_gaps, 1);
		zassert_equal(bench.seen.n_estimated, 1);
	}
}

ZTEST(fifo_untimed, test_bytes_that_make_no_frame_are_never_delivered)
{
	for (size_t i = 0; i < N_CHIPS; i++) {
		for (uint32_t n = 1; n <= 5; n += 2) {
			struct bench bench;

			(void)go_wrong(&bench, i, EMLEARN_FAULT_ODD, n, 0);
			zassert_true(bench.seen.worst_miss <= 1, "%u", (uint32_t)bench.seen.worst_miss);
			zassert_true(bench.seen.n_truly_lost <= 5 * BENCH_BATCH);
		}
	}
}

/* So many that they are as long as some frames: but they have headers of their own. */
ZTEST(fifo_untimed, test_frames_with_another_header_are_never_delivered)
{
	for (size_t i = BMI270; i <= BMI270_BASE; i++) {
		struct bench bench;

		start(&bench, i);
		read_on(&bench, 10 * SECOND_US);
		zassert_ok(bench_read(&bench, K_SECONDS(2)));
		/* 13 times 5 bytes, all before the next watermark. */
		bench_fault(&bench, EMLEARN_FAULT_ODD, 13, 0);
		read_on(&bench, 10 * SECOND_US);
		zassert_true(bench_stats(&bench).n_odd > 0);
		bench_stop(&bench);
		zassert_true(bench.seen.worst_miss <= 1, "%u", (uint32_t)bench.seen.worst_miss);
		zassert_true(bench.seen.n_truly_lost <= 5 * BENCH_BATCH);
	}
}

ZTEST(fifo_untimed, test_another_chip_is_refused)
{
	/* An mpu6500, whose FIFO is smaller. */
	const struct emlearn_fault fault = {.kind = EMLEARN_FAULT_WHO_AM_I, .n = UINT32_MAX, .value = 0x70};
	struct emlearn_imu_got got;

	zassert_ok(emlearn_chip_fault(bench_readers[MPU6050]->dev, &fault));
	zassert_equal(emlearn_imu_reader_start(bench_readers[MPU6050], &asked[MPU6050], &got), -ENODEV);
	emlearn_chip_heal(bench_readers[MPU6050]->dev);
}

ZTEST(fifo_untimed, test_a_rate_that_is_not_the_devicetrees_is_refused)
{
	struct emlearn_imu_asked other = asked[MPU6050];
	struct emlearn_imu_got got;

	other.rate_mhz = 50000;
	zassert_equal(emlearn_imu_reader_start(bench_readers[MPU6050], &other, &got), -ERANGE);
	zassert_equal(got.rate_mhz, 100000);
}

static uint32_t n_ready;

static void on_ready(const struct device *dev, const struct sensor_trigger *trigger)
{
	ARG_UNUSED(dev);
	ARG_UNUSED(trigger);
	n_ready++;
}

ZTEST(fifo_untimed, test_the_driver_goes_on_beside_the_reader_even_after_power_was_lost)
{
	static const struct sensor_trigger trigger = {.type = SENSOR_TRIG_DATA_READY, .chan = SENSOR_CHAN_ALL};
	struct sensor_value acc[EMLEARN_AXES];
	struct bench bench;

	start(&bench, MPU6886);
	bench.is_outage = true;
	bench_fault(&bench, EMLEARN_FAULT_BROWNOUT, 1, 0);
	read_on(&bench, 5 * SECOND_US);
	n_ready = 0;
	zassert_ok(sensor_trigger_set(bench.chip, &trigger, on_ready));
	for (int i = 0; i < 50; i++) {
		struct emlearn_chip_counts counts;
		struct emlearn_chip_frame truth;

		read_on(&bench, SECOND_US / 7);
		zassert_ok(sensor_sample_fetch(bench.chip));
		zassert_ok(sensor_channel_get(bench.chip, SENSOR_CHAN_ACCEL_XYZ, acc));
		emlearn_chip_counts(bench.chip, &counts);
		zassert_ok(emlearn_chip_truth(bench.chip, counts.n_made - 1, &truth));
		zassert_within(sensor_value_to_micro(&acc[0]), truth.codes[0] * (int64_t)SENSOR_G / 16384, 1);
	}
	zassert_ok(sensor_trigger_set(bench.chip, &trigger, NULL));
	zassert_within(n_ready, 50 * 50 / 7, 5);
	bench_stop(&bench);
}

ZTEST_SUITE(fifo_untimed, NULL, NULL, NULL, NULL, NULL);
