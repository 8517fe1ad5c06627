/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and stopping: what is refused, and what is told. */
#include <errno.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include "bench.h"

#define SECOND_US INT64_C(1000000)

static struct emlearn_imu_got got;

static int start_at(struct emlearn_imu_reader *reader, uint32_t rate_mhz)
{
	struct emlearn_imu_asked asked = asked_4g;

	asked.rate_mhz = rate_mhz;
	return emlearn_imu_reader_start(reader, &asked, &got);
}

ZTEST(fifo_start, test_what_the_chip_gives_is_told)
{
	zassert_ok(start_at(on_i2c_untimed, 104000));
	zassert_equal(got.rate_mhz, 104000);
	zassert_equal(got.acc_range_mg, 4000);
	zassert_equal(got.gyro_range_mdps, 2000000);
	zassert_equal(got.watermark_frames, 32);
	zassert_true(got.stall_us >= 1000000, "%u us", got.stall_us);
	emlearn_imu_reader_stop(on_i2c_untimed);

	zassert_ok(start_at(turned, 104000));
	zassert_equal(got.watermark_frames, 80);
	emlearn_imu_reader_stop(turned);
}

ZTEST(fifo_start, test_a_rate_that_the_chip_does_not_have_is_refused)
{
	zassert_equal(start_at(on_i2c, 101000), 0);
	zassert_equal(got.rate_mhz, 104000);
	emlearn_imu_reader_stop(on_i2c);
	/* Neither the driver nor the registers are at a rate that would do. */
	zassert_equal(start_at(on_i2c, 150000), -ERANGE);
	zassert_equal(emlearn_imu_reader_read(on_i2c, &(struct emlearn_batch){0}, K_NO_WAIT), -EINVAL);
}

ZTEST(fifo_start, test_another_chip_is_refused)
{
	const struct emlearn_fault fault = {.kind = EMLEARN_FAULT_WHO_AM_I, .n = UINT32_MAX, .value = 0x33};

	zassert_ok(emlearn_chip_fault(on_spi->dev, &fault));
	zassert_equal(start_at(on_spi, 104000), -ENODEV);
	emlearn_chip_heal(on_spi->dev);
	zassert_ok(start_at(on_spi, 104000));
	emlearn_imu_reader_stop(on_spi);
}

ZTEST(fifo_start, test_a_dead_bus_is_refused)
{
	const struct emlearn_fault fault = {.kind = EMLEARN_FAULT_NACK, .n = UINT32_MAX};

	zassert_ok(emlearn_chip_fault(on_i2c->dev, &fault));
	zassert_equal(start_at(on_i2c, 104000), -EIO);
	emlearn_chip_heal(on_i2c->dev);
}

ZTEST(fifo_start, test_a_reader_can_be_started_and_stopped_again_and_again)
{
	struct bench bench;

	for (int i = 0; i < 100; i++) {
		bench_start(&bench, i % 2 == 0 ? on_i2c : on_i2c_untimed, &asked_2g, BENCH_FASTEST_MHZ);
		zassert_ok(bench_read(&bench, K_SECONDS(1)));
		zassert_equal(bench.made, bench.seen.n_frames);
		bench_stop(&bench);
	}
}

ZTEST(fifo_start, test_two_readers_run_beside_each_other)
{
	struct bench a;
	struct bench b;
	struct emlearn_imu_asked asked = asked_2g;

	bench_start(&a, on_i2c, &asked_4g, 104000);
	asked.rate_mhz = 208000;
	emlearn_chip_rewind(on_spi->dev, emlearn_chip_source(on_i2c->dev));
	zassert_ok(emlearn_imu_reader_start(on_spi_untimed, &asked, &got));
	b = (struct bench){.reader = on_spi_untimed, .chip = on_spi->dev};
	for (int i = 0; i < 20; i++) {
		bench_read_until(&a, emlearn_imu_now_us() + SECOND_US / 3);
		bench_read_until(&b, emlearn_imu_now_us() + SECOND_US / 3);
	}
	zassert_equal(a.seen.n_lost + b.seen.n_lost, 0);
	zassert_true(a.seen.n_frames > 1300 && b.seen.n_frames > 2600);
	bench_stop(&a);
	bench_stop(&b);
}

/* x of the board is y of the chip, y is -x, z is z; the same motion turned beforehand, on a chip that is not turned. */
static int chip_frame(const struct emlearn_source *source, uint32_t number, int16_t frame[EMLEARN_CHIP_CHANNELS])
{
	ARG_UNUSED(source);
	for (unsigned int sensor = 0; sensor < 2; sensor++) {
		int16_t *axes = &frame[sensor * EMLEARN_AXES];
		const int16_t seed = (int16_t)((number * 37 + sensor * 1000) % 9000);
		const int16_t motion[EMLEARN_AXES] = {(int16_t)(seed + 1), (int16_t)(-seed - 7), (int16_t)(seed / 2)};

		axes[0] = (int16_t)(number % 2 == 0 ? motion[0] : -motion[0]);
		axes[1] = motion[1];
		axes[2] = motion[2];
	}
	return 0;
}

static int straight_frame(const struct emlearn_source *source, uint32_t number, int16_t frame[EMLEARN_CHIP_CHANNELS])
{
	int16_t chip[EMLEARN_CHIP_CHANNELS];

	(void)chip_frame(source, number, chip);
	for (unsigned int at = 0; at < EMLEARN_CHIP_CHANNELS; at += EMLEARN_AXES) {
		frame[at] = chip[at + 1];
		frame[at + 1] = (int16_t)-chip[at];
		frame[at + 2] = chip[at + 2];
	}
	return 0;
}

static void read_frames(struct emlearn_imu_reader *reader, const struct emlearn_source *source, int16_t *frames,
			size_t n_frames)
{
	size_t n = 0;

	emlearn_chip_heal(reader->dev);
	emlearn_chip_rewind(reader->dev, source);
	zassert_ok(start_at(reader, 104000));
	while (n < n_frames) {
		struct emlearn_batch batch = {0};

		zassert_ok(emlearn_imu_reader_read(reader, &batch, K_SECONDS(2)));
		for (size_t i = 0; i < batch.n_frames && n < n_frames; i++, n++) {
			for (size_t c = 0; c < EMLEARN_CHIP_CHANNELS; c++) {
				frames[n * EMLEARN_CHIP_CHANNELS + c] = batch.frames[i * EMLEARN_CHIP_CHANNELS + c];
			}
		}
	}
	emlearn_imu_reader_stop(reader);
}

ZTEST(fifo_start, test_a_frame_rotated_by_mount_is_the_frame_of_a_chip_mounted_that_way)
{
	static const struct emlearn_source as_mounted = {
		.frame = chip_frame, .acc_step = {122, 1000000}, .gyro_step = {70, 1000}};
	static const struct emlearn_source straight = {
		.frame = straight_frame, .acc_step = {122, 1000000}, .gyro_step = {70, 1000}};
	static int16_t rotated[100 * EMLEARN_CHIP_CHANNELS];
	static int16_t mounted[100 * EMLEARN_CHIP_CHANNELS];

	read_frames(turned, &as_mounted, rotated, 100);
	read_frames(on_spi_untimed, &straight, mounted, 100);
	zassert_mem_equal(rotated, mounted, sizeof(rotated));
}

ZTEST_SUITE(fifo_start, NULL, NULL, NULL, NULL, NULL);
