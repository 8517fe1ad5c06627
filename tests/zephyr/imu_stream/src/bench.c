/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <stdlib.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/sys/mem_blocks.h>
#include <zephyr/ztest.h>

EMLEARN_IMU_READER_DEFINE(hires_reader, DT_NODELABEL(hires), BATCH_FRAMES);
EMLEARN_IMU_READER_DEFINE(plain_reader, DT_NODELABEL(plain), BATCH_FRAMES);
EMLEARN_IMU_READER_DEFINE(turned_reader, DT_NODELABEL(turned), BATCH_FRAMES);
EMLEARN_IMU_READER_DEFINE(deep_reader, DT_NODELABEL(deep), BATCH_FRAMES);
EMLEARN_IMU_READER_DEFINE(odd_reader, DT_NODELABEL(odd), BATCH_FRAMES);
EMLEARN_IMU_READER_DEFINE(aligned_reader, DT_NODELABEL(aligned), BATCH_FRAMES);
EMLEARN_IMU_READER_DEFINE(broken_reader, DT_NODELABEL(broken), BATCH_FRAMES);

struct emlearn_imu_reader_stream *const readers[N_READERS] = {
	&hires_reader, &plain_reader, &turned_reader, &deep_reader, &odd_reader, &aligned_reader, &broken_reader,
};

uint32_t xorshift(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Ten times the codes of a degree per second, from the datasheet's table. */
static uint32_t gyro_tenths(uint32_t range_dps)
{
	switch (range_dps) {
	case 2000:
		return 164;
	case 1000:
		return 328;
	case 500:
		return 655;
	case 250:
		return 1310;
	case 125:
		return 2620;
	default:
		return 20972;
	}
}

struct emlearn_imu_asked asked_of(uint32_t rate_hz, uint32_t acc_range_g, uint32_t gyro_range_dps)
{
	return (struct emlearn_imu_asked){
		.rate_mhz = rate_hz * 1000,
		.rate_tolerance_permille = 10,
		.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
		.acc_step = {acc_range_g, 32768},
		.gyro_step = {10, gyro_tenths(gyro_range_dps)},
		.mount = {{0, 1}, {1, 1}, {2, 1}},
	};
}

uint32_t free_blocks(const struct emlearn_imu_reader_stream *stream)
{
	struct sys_memory_stats stats;

	zassert_ok(sys_mem_blocks_runtime_stats_get(stream->rtio->block_pool, &stats));
	return (uint32_t)(stats.free_bytes >> stream->rtio->block_pool->info.blk_sz_shift);
}

void bench_start(struct bench *bench, enum bench_reader reader, const struct emlearn_imu_asked *asked,
		 const struct emlearn_source *source)
{
	static struct emlearn_source synthetic;

	*bench = (struct bench){
		.stream = readers[reader],
		.chip = readers[reader]->reader.dev,
		.asked = *asked,
		.mount = {{0, 1}, {1, 1}, {2, 1}},
		.n_blocks = CONFIG_EMLEARN_IMU_READER_STREAM_BATCHES,
	};
	if (source == NULL) {
		/* Other chips are playing it. */
		unsigned int key = irq_lock();

		emlearn_source_synthetic(&synthetic, &asked->acc_step, &asked->gyro_step);
		irq_unlock(key);
		source = &synthetic;
	}
	zassert_equal(free_blocks(bench->stream), bench->n_blocks, "blocks are missing before the start");
	emlearn_chip_heal(bench->chip);
	emlearn_chip_rewind(bench->chip, source);
	zassert_ok(emlearn_imu_reader_start(&bench->stream->reader, asked, &bench->got));
	bench->last_us = emlearn_imu_now_us();
	emlearn_chip_steps(bench->chip, &bench->steps[0], &bench->steps[1]);
}

/* floor(code * from / to + 1/2), held to int16 */
static int16_t on_grid(int32_t code, const struct emlearn_imu_step *from, const struct emlearn_imu_step *to)
{
	int64_t num = (int64_t)code * from->num * to->den;
	int64_t den = (int64_t)from->den * to->num;
	int64_t twice = 2 * num + den;
	int64_t count = twice / (2 * den);

	if (twice < 0 && twice % (2 * den) != 0) {
		count--;
	}
	return (int16_t)CLAMP(count, INT16_MIN, INT16_MAX);
}

static bool is_frame(const struct bench *bench, const struct emlearn_chip_frame *truth, const int16_t *frame)
{
	const struct emlearn_imu_step *asked[2] = {&bench->asked.acc_step, &bench->asked.gyro_step};

	for (unsigned int sensor = 0; sensor < 2; sensor++) {
		if ((bench->asked.sensors & (sensor == 0 ? EMLEARN_SENSOR_ACC : EMLEARN_SENSOR_GYRO)) == 0) {
			continue;
		}
		for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
			int32_t code = truth->codes[sensor * EMLEARN_AXES + bench->mount[i].axis];
			int count = on_grid(code, &bench->steps[sensor], asked[sensor]) * bench->mount[i].sign;

			if (*frame++ != MIN(count, INT16_MAX)) {
				return false;
			}
		}
	}
	return true;
}

/* Number of the first of the chip's frames from `number` on that is this one; UINT32_MAX if there is none. */
static uint32_t find(const struct bench *bench, uint32_t number, const int16_t *frame, struct emlearn_chip_frame *truth)
{
	struct emlearn_chip_counts counts;

	emlearn_chip_counts(bench->chip, &counts);
	if (counts.n_made > CONFIG_EMLEARN_EMUL_TRUTH_FRAMES) {
		number = MAX(number, counts.n_made - CONFIG_EMLEARN_EMUL_TRUTH_FRAMES);
	}
	for (; number < counts.n_made; number++) {
		zassert_ok(emlearn_chip_truth(bench->chip, number, truth));
		if (is_frame(bench, truth, frame)) {
			return number;
		}
	}
	return UINT32_MAX;
}

static void check_time(struct bench *bench, size_t i, const struct emlearn_chip_frame *truth)
{
	int64_t t_us = bench->batch.t_us + (int64_t)((uint64_t)i * bench->batch.period_ns / 1000);

	bench->worst_us = MAX(bench->worst_us, (uint32_t)llabs(t_us - truth->t_us));
}

static void check(struct bench *bench)
{
	const struct emlearn_batch *batch = &bench->batch;
	const unsigned int n_channels = bench->asked.sensors == 3 ? 6 : 3;
	const int64_t period_us = 1000000000 / bench->asked.rate_mhz;
	struct emlearn_chip_frame truth;

	zassert_between_inclusive(batch->n_frames, 1, BATCH_FRAMES);
	zassert_equal(batch->n_used, 0);
	for (size_t i = 0; i < batch->n_frames; i++) {
		const int16_t *frame = &batch->frames[i * n_channels];
		uint32_t number = find(bench, bench->next, frame, &truth);

		if (number == UINT32_MAX && bench->holes && bench->next > 0 &&
		    find(bench, bench->next - 1, frame, &truth) == bench->next - 1) {
			bench->n_repeated++;
			continue;
		}
		zassert_not_equal(number, UINT32_MAX,
				  "frame %u of a batch was never made, or was delivered before (after %u)", (int)i,
				  bench->next);
		if (i > 0 && !bench->holes) {
			zassert_equal(number, bench->next, "a hole inside of a batch, before %u", number);
		}
		bench->n_lost += number - bench->next;
		bench->n_missing += (uint32_t)((truth.t_us - bench->last_us + period_us / 2) / period_us - 1);
		bench->last_us = truth.t_us;
		bench->next = number + 1;
		if (i == 0 || i + 1 == batch->n_frames) {
			check_time(bench, i, &truth);
		}
	}
	bench->n_frames += (uint32_t)batch->n_frames;
	bench->n_told += batch->n_lost;
	bench->n_estimated += batch->loss == EMLEARN_LOSS_ESTIMATED ? 1 : 0;
	if (batch->n_lost > 0) {
		zassert_equal(batch->loss, EMLEARN_LOSS_ESTIMATED);
	}
}

int bench_read(struct bench *bench, k_timeout_t timeout)
{
	int rc = emlearn_imu_reader_read(&bench->stream->reader, &bench->batch, timeout);

	if (rc == 0) {
		check(bench);
	}
	return rc;
}

void bench_run(struct bench *bench, uint32_t ms)
{
	const int64_t end = k_uptime_get() + ms;

	while (k_uptime_get() < end) {
		(void)bench_read(bench, K_MSEC(end - k_uptime_get()));
	}
}

void bench_expect_perfect(const struct bench *bench)
{
	zassert_true(bench->n_frames > 0);
	zassert_equal(bench->n_lost, 0, "%u frames lost", bench->n_lost);
	zassert_equal(bench->n_told, 0, "%u frames said to be lost", bench->n_told);
	zassert_equal(bench->n_estimated, 0);
	zassert_true(bench->worst_us < 1000000000u / bench->asked.rate_mhz, "times are off by %u us", bench->worst_us);
}

void bench_stop(struct bench *bench)
{
	const struct sensor_value slow = {.val1 = 25};

	emlearn_imu_reader_stop(&bench->stream->reader);
	zassert_equal(free_blocks(bench->stream), bench->n_blocks, "%u blocks are free, not %u",
		      free_blocks(bench->stream), bench->n_blocks);
	emlearn_chip_heal(bench->chip);
	/* A chip that samples slowly costs less time. */
	zassert_ok(sensor_attr_set(bench->chip, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &slow));
	zassert_ok(sensor_attr_set(bench->chip, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &slow));
}

void bench_after(void *fixture)
{
	ARG_UNUSED(fixture);
	for (unsigned int i = 0; i < N_READERS; i++) {
		emlearn_imu_reader_stop(&readers[i]->reader);
		emlearn_chip_heal(readers[i]->reader.dev);
	}
}

void bench_fault(const struct bench *bench, enum emlearn_fault_kind kind, uint32_t n, int32_t value)
{
	const struct emlearn_fault fault = {.kind = kind, .n = n, .value = value};

	zassert_ok(emlearn_chip_fault(bench->chip, &fault));
}

void bench_fault_at(const struct bench *bench, uint32_t at_frame, enum emlearn_fault_kind kind, uint32_t n)
{
	const struct emlearn_fault fault = {.kind = kind, .at_frame = at_frame, .n = n};

	zassert_ok(emlearn_chip_fault(bench->chip, &fault));
}

struct emlearn_imu_stats bench_stats(const struct bench *bench)
{
	struct emlearn_imu_stats stats;

	emlearn_imu_reader_stats(&bench->stream->reader, &stats);
	return stats;
}
