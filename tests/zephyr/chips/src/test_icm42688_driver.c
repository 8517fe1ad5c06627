/* SPDX-License-Identifier: Apache-2.0 */
/* The model of icm42688 behind Zephyr's driver: fetch and get, read and decode, stream of both kinds of packets. */
#include <errno.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>
#include <zephyr/rtio/rtio.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/chip_model.h>

#include "sources.h"

#define G_MS2 9.80665
#define DPS_RADS (3.14159265358979 / 180)

#define BATCH_FRAMES 8
#define RATE_HZ 100
#define BATCH_TICKS (BATCH_FRAMES * CONFIG_SYS_CLOCK_TICKS_PER_SEC / RATE_HZ)

/* What the driver's FIFO decoder multiplies by is off by up to that much. */
#define DECODER_ERROR 0.0015

static const struct device *const plain = DEVICE_DT_GET(DT_NODELABEL(icm42688_plain));
static const struct device *const hires = DEVICE_DT_GET(DT_NODELABEL(icm42688_hires));

SENSOR_DT_READ_IODEV(plain_read, DT_NODELABEL(icm42688_plain), {SENSOR_CHAN_ACCEL_XYZ, 0}, {SENSOR_CHAN_GYRO_XYZ, 0});
SENSOR_DT_STREAM_IODEV(plain_stream, DT_NODELABEL(icm42688_plain),
		       {SENSOR_TRIG_FIFO_WATERMARK, SENSOR_STREAM_DATA_INCLUDE});
SENSOR_DT_STREAM_IODEV(hires_stream, DT_NODELABEL(icm42688_hires),
		       {SENSOR_TRIG_FIFO_WATERMARK, SENSOR_STREAM_DATA_INCLUDE});

RTIO_DEFINE(read_rtio, 2, 2);
RTIO_DEFINE_WITH_MEMPOOL(stream_rtio, 8, 8, 8, 256, sizeof(void *));

static void set(const struct device *dev, enum sensor_channel channel, enum sensor_attribute attribute, double value)
{
	struct sensor_value asked;

	zassert_ok(sensor_value_from_double(&asked, value));
	zassert_ok(sensor_attr_set(dev, channel, attribute, &asked));
}

static void set_rate(const struct device *dev, int rate_hz)
{
	set(dev, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, rate_hz);
	set(dev, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, rate_hz);
}

static void set_ranges(double range_g, double range_dps)
{
	/* a hair above, for what is lost on the way through m/s2 and rad/s */
	set(plain, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_FULL_SCALE, range_g * G_MS2 * 1.001);
	set(plain, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_FULL_SCALE, range_dps * DPS_RADS * 1.001);
}

static double magnitude(double value)
{
	return value < 0 ? -value : value;
}

/* Frames that the chip has made. */
static uint32_t n_made(const struct device *dev)
{
	struct emlearn_chip_counts counts;

	emlearn_chip_counts(dev, &counts);
	return counts.n_made;
}

static int fetch(void)
{
	return sensor_sample_fetch(plain);
}

/* Take the next frame by `how`; its number. A frame that comes meanwhile might be it as well: take another one. */
static uint32_t take_next(int (*how)(void))
{
	uint32_t before;

	do {
		k_sleep(K_MSEC(1000 / RATE_HZ));
		before = n_made(plain);
		zassert_ok(how());
	} while (n_made(plain) != before);
	return before - 1;
}

/* What the chip made, in m/s2 or rad/s. */
static double made(const struct device *dev, uint32_t number, unsigned int channel)
{
	struct emlearn_chip_frame frame;
	struct emlearn_imu_step steps[2];

	zassert_ok(emlearn_chip_truth(dev, number, &frame));
	emlearn_chip_steps(dev, &steps[0], &steps[1]);
	return frame.codes[channel] * (double)steps[channel / 3].num / steps[channel / 3].den *
	       (channel < 3 ? G_MS2 : DPS_RADS);
}

static void check_values(const struct sensor_value *values, uint32_t number, unsigned int first)
{
	for (unsigned int i = 0; i < 3; i++) {
		double value = sensor_value_to_double(&values[i]);
		double expected = made(plain, number, first + i);

		zassert_true(magnitude(value - expected) < 2e-6, "channel %u: %d.%06d, not %d um", first + i,
			     values[i].val1, values[i].val2, (int)(expected * 1e6));
	}
}

ZTEST(icm42688_driver, test_fetched_values_are_those_of_the_chip_at_every_range)
{
	static const double ranges_g[] = {16, 8, 4, 2};
	static const double ranges_dps[] = {2000, 1000, 500, 250, 125, 62, 31, 15};
	struct sensor_value values[3];

	set_rate(plain, RATE_HZ);
	for (size_t i = 0; i < ARRAY_SIZE(ranges_dps); i++) {
		set_ranges(ranges_g[MIN(i, ARRAY_SIZE(ranges_g) - 1)], ranges_dps[i]);
		emlearn_chip_rewind(plain, &counting_source);
		for (int n = 0; n < 20; n++) {
			uint32_t number = take_next(fetch);

			zassert_ok(sensor_channel_get(plain, SENSOR_CHAN_ACCEL_XYZ, values));
			check_values(values, number, 0);
			zassert_ok(sensor_channel_get(plain, SENSOR_CHAN_GYRO_XYZ, values));
			check_values(values, number, 3);
		}
	}
}

ZTEST(icm42688_driver, test_the_die_has_25_degrees)
{
	struct sensor_value value;

	set_rate(plain, RATE_HZ);
	emlearn_chip_rewind(plain, &counting_source);
	k_sleep(K_MSEC(15));
	zassert_ok(sensor_sample_fetch(plain));
	zassert_ok(sensor_channel_get(plain, SENSOR_CHAN_DIE_TEMP, &value));
	zassert_equal(sensor_value_to_milli(&value), 25000);
}

ZTEST(icm42688_driver, test_a_frame_is_never_fetched_twice)
{
	set_rate(plain, RATE_HZ);
	emlearn_chip_rewind(plain, &counting_source);
	k_sleep(K_MSEC(15));
	zassert_ok(sensor_sample_fetch(plain));
	zassert_equal(sensor_sample_fetch(plain), -EBUSY);
	k_sleep(K_MSEC(10));
	zassert_ok(sensor_sample_fetch(plain));
}

static double to_double(q31_t value, int8_t shift)
{
	return (double)value / (double)(1ull << (31 - shift));
}

static uint8_t read_buffer[64] __aligned(8);

static int read_frame(void)
{
	return sensor_read(&plain_read, &read_rtio, read_buffer, sizeof(read_buffer));
}

ZTEST(icm42688_driver, test_read_values_are_those_of_the_chip)
{
	const struct sensor_decoder_api *decoder;

	zassert_ok(sensor_get_decoder(plain, &decoder));
	set_rate(plain, RATE_HZ);
	set_ranges(4, 500);
	emlearn_chip_rewind(plain, &counting_source);
	for (int n = 0; n < 20; n++) {
		uint32_t number = take_next(read_frame);

		for (unsigned int sensor = 0; sensor < 2; sensor++) {
			struct sensor_chan_spec channel = {sensor == 0 ? SENSOR_CHAN_ACCEL_XYZ : SENSOR_CHAN_GYRO_XYZ,
							   0};
			struct sensor_three_axis_data data;
			uint32_t fit = 0;

			zassert_equal(decoder->decode(read_buffer, channel, &fit, 1, &data), 1);
			for (unsigned int i = 0; i < 3; i++) {
				zassert_true(magnitude(to_double(data.readings[0].values[i], data.shift) -
						       made(plain, number, 3 * sensor + i)) < 3e-6);
			}
		}
	}
}

/* Frames as a stream gave them. */
struct batch {
	unsigned int n_frames[2];
	q31_t values[2][2 * BATCH_FRAMES][3];
	int8_t shift[2];
};

static void decode(const struct device *dev, const uint8_t *buffer, struct batch *batch)
{
	const struct sensor_decoder_api *decoder;

	zassert_ok(sensor_get_decoder(dev, &decoder));
	for (unsigned int sensor = 0; sensor < 2; sensor++) {
		struct sensor_chan_spec channel = {sensor == 0 ? SENSOR_CHAN_ACCEL_XYZ : SENSOR_CHAN_GYRO_XYZ, 0};
		struct sensor_three_axis_data data;
		uint32_t fit = 0;
		unsigned int n = 0;

		while (n < 2 * BATCH_FRAMES && decoder->decode(buffer, channel, &fit, 1, &data) > 0) {
			memcpy(batch->values[sensor][n++], data.readings[0].values, sizeof(batch->values[0][0]));
		}
		batch->n_frames[sensor] = n;
		batch->shift[sensor] = data.shift;
	}
}

/* Wait for a batch of a stream. */
static void take(const struct device *dev, struct batch *batch)
{
	struct rtio_cqe *cqe = NULL;
	uint8_t *buffer = NULL;
	uint32_t n_bytes = 0;

	for (int i = 0; i < 2 * BATCH_FRAMES && cqe == NULL; i++) {
		k_sleep(K_MSEC(1000 / RATE_HZ));
		cqe = rtio_cqe_consume(&stream_rtio);
	}
	zassert_not_null(cqe, "no batch came");
	zassert_ok(cqe->result);
	zassert_ok(rtio_cqe_get_mempool_buffer(&stream_rtio, cqe, &buffer, &n_bytes));
	rtio_cqe_release(&stream_rtio, cqe);
	decode(dev, buffer, batch);
	rtio_release_buffer(&stream_rtio, buffer, n_bytes);
}

static struct rtio_sqe *start_stream(const struct device *dev, struct rtio_iodev *iodev,
				     const struct emlearn_source *source)
{
	const struct sensor_value ticks = {BATCH_TICKS, 0};
	struct rtio_sqe *handle = NULL;

	set_rate(dev, RATE_HZ);
	zassert_ok(sensor_attr_set(dev, SENSOR_CHAN_ALL, SENSOR_ATTR_BATCH_DURATION, &ticks));
	zassert_ok(sensor_stream(iodev, &stream_rtio, NULL, &handle));
	emlearn_chip_rewind(dev, source);
	return handle;
}

static void stop_stream(struct rtio_sqe *handle)
{
	struct rtio_cqe *cqe;

	/* The driver sees it with the next interrupt, and completes it never. */
	rtio_sqe_cancel(handle);
	k_sleep(K_MSEC(2 * BATCH_FRAMES * 1000 / RATE_HZ));
	while ((cqe = rtio_cqe_consume(&stream_rtio)) != NULL) {
		rtio_cqe_release(&stream_rtio, cqe);
	}
	rtio_sqe_pool_free(stream_rtio.sqe_pool, CONTAINER_OF(handle, struct rtio_iodev_sqe, sqe));
}

/* Batches follow one another without a gap, and each value is what the chip made. */
static void check_stream(const struct device *dev, struct rtio_iodev *iodev, const struct emlearn_source *source)
{
	struct rtio_sqe *handle = start_stream(dev, iodev, source);
	struct emlearn_imu_step steps[2];
	uint32_t number = 0;

	emlearn_chip_steps(dev, &steps[0], &steps[1]);
	for (int n = 0; n < 5; n++) {
		struct batch batch;

		take(dev, &batch);
		zassert_equal(batch.n_frames[0], BATCH_FRAMES);
		zassert_equal(batch.n_frames[1], BATCH_FRAMES);
		for (unsigned int i = 0; i < BATCH_FRAMES; i++, number++) {
			struct emlearn_chip_frame truth;

			zassert_ok(emlearn_chip_truth(dev, number, &truth));
			for (unsigned int k = 0; k < EMLEARN_CHIP_CHANNELS; k++) {
				const struct emlearn_imu_step *step = &steps[k / 3];
				double unit = (double)step->num / step->den * (k < 3 ? G_MS2 : DPS_RADS);
				double value = to_double(batch.values[k / 3][i][k % 3], batch.shift[k / 3]);
				double expected = truth.codes[k] * unit;

				zassert_true(magnitude(value - expected) <= DECODER_ERROR * magnitude(expected) + 1e-6,
					     "frame %u, channel %u: %d um, not %d um", number, k, (int)(value * 1e6),
					     (int)(expected * 1e6));
			}
		}
	}
	stop_stream(handle);
}

/* As counting_source, but no value is negative: packets of 16 bytes do not carry a sign through every decoder. */
static int count_up(const struct emlearn_source *source, uint32_t number, int16_t frame[EMLEARN_CHIP_CHANNELS])
{
	ARG_UNUSED(source);
	for (unsigned int k = 0; k < EMLEARN_CHIP_CHANNELS; k++) {
		frame[k] = (int16_t)(COUNT_OF(number, k) & INT16_MAX);
	}
	return 0;
}

ZTEST(icm42688_driver, test_streamed_packets_of_16_bytes_are_the_frames_of_the_chip)
{
	struct emlearn_source source = counting_source;

	source.frame = count_up;
	set_ranges(4, 500);
	check_stream(plain, &plain_stream, &source);
	emlearn_chip_rewind(plain, &counting_source);
}

ZTEST(icm42688_driver, test_streamed_packets_of_20_bytes_are_the_frames_of_the_chip)
{
	check_stream(hires, &hires_stream, &counting_source);
}

/*
 * Zephyr 4.3 takes bit 16 of 16 bits for the sign, so that a negative code comes out as if it had 65536 more; its
 * product with the multiplier then wraps. Both outcomes can be undone, any other one cannot.
 */
ZTEST(icm42688_driver, test_a_negative_code_of_16_bits_comes_out_right_or_with_the_known_defect)
{
	static const uint32_t multipliers[2] = {40168, 35744};
	struct emlearn_chip_frame truth;
	struct rtio_sqe *handle;
	struct batch batch;
	bool is_present;

	set_ranges(16, 2000);
	set_constant(-4321);
	handle = start_stream(plain, &plain_stream, &constant_source);
	take(plain, &batch);
	zassert_ok(emlearn_chip_truth(plain, 0, &truth));
	is_present = batch.values[0][0][0] != truth.codes[0] * (int32_t)multipliers[0];
	printk("icm4268x low-resolution sign defect: %s\n", is_present ? "present" : "absent");
	for (unsigned int k = 0; k < EMLEARN_CHIP_CHANNELS; k++) {
		uint32_t code = (uint32_t)(truth.codes[k] + (is_present ? 65536 : 0));

		zassert_true(truth.codes[k] < 0);
		zassert_equal((uint32_t)batch.values[k / 3][0][k % 3], code * multipliers[k / 3]);
	}
	stop_stream(handle);
	emlearn_chip_rewind(plain, &counting_source);
}

ZTEST_SUITE(icm42688_driver, NULL, NULL, NULL, NULL, NULL);
