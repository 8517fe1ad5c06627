/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/rtio/rtio.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/imu_reader.h>
#include <emlearn/zephyr/replay_imu.h>

#include "recordings.h"

#define WALK DEVICE_DT_GET(DT_NODELABEL(replay_walk))
#define CODES DEVICE_DT_GET(DT_NODELABEL(replay_codes))
#define GYRO DEVICE_DT_GET(DT_NODELABEL(replay_gyro))

/* Micro-units a count of walk: 1/8192 g, 5/82 degrees per second. */
#define WALK_ACC_MICRO(count) ((count) * 9806650.0 / 8192)
#define WALK_GYRO_MICRO(count) ((count) * (5 / 82.0) * 3141592.653589793 / 180)

SENSOR_DT_READ_IODEV(walk_iodev, DT_NODELABEL(replay_walk), {SENSOR_CHAN_ACCEL_XYZ, 0}, {SENSOR_CHAN_GYRO_XYZ, 0});
SENSOR_DT_READ_IODEV(missing_iodev, DT_NODELABEL(replay_gyro), {SENSOR_CHAN_ACCEL_XYZ, 0});
SENSOR_DT_READ_IODEV(light_iodev, DT_NODELABEL(replay_walk), {SENSOR_CHAN_LIGHT, 0});
SENSOR_DT_READ_IODEV(second_iodev, DT_NODELABEL(replay_walk), {SENSOR_CHAN_ACCEL_XYZ, 1});
/* The number of this trigger is that of SENSOR_CHAN_ACCEL_XYZ. */
SENSOR_DT_STREAM_IODEV(stream_iodev, DT_NODELABEL(replay_walk), {SENSOR_TRIG_NEAR_FAR, SENSOR_STREAM_DATA_INCLUDE});
RTIO_DEFINE_WITH_MEMPOOL(context, 2, 2, 2, 64, 8);

EMLEARN_IMU_READER_POLL_DEFINE(poll, DT_NODELABEL(replay_codes), 32);

static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	emlearn_replay_imu_rewind(WALK);
	emlearn_replay_imu_rewind(CODES);
	emlearn_replay_imu_rewind(GYRO);
}

static void after(void *fixture)
{
	ARG_UNUSED(fixture);
	emlearn_imu_reader_stop(&poll.reader);
}

static void check_value(const struct sensor_value *value, double micro)
{
	zassert_true(value->val1 * 1e6 + value->val2 - micro <= 0.6 && micro - value->val1 * 1e6 - value->val2 <= 0.6,
		     "%d.%06d", value->val1, abs(value->val2));
}

/* Fetch past the three frames that are missing before the second. */
static void fetch_past_the_gap(void)
{
	for (int i = 0; i < 3; i++) {
		zassert_equal(sensor_sample_fetch(WALK), -EAGAIN);
	}
}

static void check_all_frames(void)
{
	struct sensor_value acc[3];
	struct sensor_value gyro[3];

	for (int i = 0; i < WALK_FRAMES; i++) {
		if (i == 1) {
			fetch_past_the_gap();
		}
		zassert_ok(sensor_sample_fetch(WALK));
		zassert_ok(sensor_channel_get(WALK, SENSOR_CHAN_ACCEL_XYZ, acc));
		zassert_ok(sensor_channel_get(WALK, SENSOR_CHAN_GYRO_XYZ, gyro));
		for (int k = 0; k < 3; k++) {
			check_value(&acc[k], WALK_ACC_MICRO(walk_frames[i][k]));
			check_value(&gyro[k], WALK_GYRO_MICRO(walk_frames[i][3 + k]));
		}
	}
}

ZTEST(replay_imu, test_each_fetch_gives_the_next_frame_in_order)
{
	check_all_frames();
}

ZTEST(replay_imu, test_single_axes_are_those_of_the_triple)
{
	struct sensor_value value;

	zassert_ok(sensor_sample_fetch(WALK));
	fetch_past_the_gap();
	zassert_ok(sensor_sample_fetch(WALK));
	for (int k = 0; k < 3; k++) {
		zassert_ok(sensor_channel_get(WALK, SENSOR_CHAN_ACCEL_X + k, &value));
		check_value(&value, WALK_ACC_MICRO(walk_frames[1][k]));
		zassert_ok(sensor_channel_get(WALK, SENSOR_CHAN_GYRO_X + k, &value));
		check_value(&value, WALK_GYRO_MICRO(walk_frames[1][3 + k]));
	}
}

ZTEST(replay_imu, test_the_end_is_reported_each_time_and_the_last_frame_stays)
{
	struct sensor_value acc[3];
	int rc;

	do {
		rc = sensor_sample_fetch(WALK);
	} while (rc == 0 || rc == -EAGAIN);
	zassert_equal(rc, -ENODATA);
	zassert_equal(sensor_sample_fetch(WALK), -ENODATA);
	zassert_ok(sensor_channel_get(WALK, SENSOR_CHAN_ACCEL_XYZ, acc));
	check_value(&acc[0], WALK_ACC_MICRO(32767));
}

ZTEST(replay_imu, test_a_rewound_device_starts_again)
{
	zassert_ok(sensor_sample_fetch(WALK));
	zassert_equal(sensor_sample_fetch(WALK), -EAGAIN);
	emlearn_replay_imu_rewind(WALK);
	check_all_frames();
}

ZTEST(replay_imu, test_what_the_recording_lacks_is_not_there)
{
	struct sensor_value value[3];

	zassert_equal(sensor_channel_get(WALK, SENSOR_CHAN_ACCEL_XYZ, value), -ENODATA, "nothing fetched yet");
	zassert_ok(sensor_sample_fetch(GYRO));
	zassert_equal(sensor_channel_get(GYRO, SENSOR_CHAN_ACCEL_XYZ, value), -ENOTSUP);
	zassert_equal(sensor_channel_get(GYRO, SENSOR_CHAN_ACCEL_Z, value), -ENOTSUP);
	zassert_equal(sensor_channel_get(GYRO, SENSOR_CHAN_LIGHT, value), -ENOTSUP);
	zassert_equal(sensor_sample_fetch_chan(GYRO, SENSOR_CHAN_GYRO_XYZ), -ENOTSUP);
	zassert_ok(sensor_channel_get(GYRO, SENSOR_CHAN_GYRO_XYZ, value));
	/* 1000 counts of 0.07 dps */
	check_value(&value[0], 70 * 3141592.653589793 / 180);
	check_value(&value[1], -140 * 3141592.653589793 / 180);
}

ZTEST(replay_imu, test_rate_and_range_are_those_of_the_recording)
{
	struct sensor_value value;

	zassert_ok(sensor_attr_get(WALK, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &value));
	zassert_equal(value.val1, 52);
	zassert_equal(value.val2, 83000);
	zassert_ok(sensor_attr_get(WALK, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_FULL_SCALE, &value));
	check_value(&value, 4 * 9806650.0);
	zassert_ok(sensor_attr_get(WALK, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_FULL_SCALE, &value));
	check_value(&value, WALK_GYRO_MICRO(32768));
	zassert_equal(sensor_attr_get(WALK, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_OFFSET, &value), -ENOTSUP);
	zassert_equal(sensor_attr_get(GYRO, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_FULL_SCALE, &value), -ENOTSUP);
}

ZTEST(replay_imu, test_labels_are_known_for_every_frame)
{
	const struct emlearn_recording *recording = emlearn_replay_imu_recording(WALK);
	const char *const labels[] = {"a", "a", "b", "b", "", ""};

	zassert_equal_ptr(recording, &walk_recording);
	for (uint32_t i = 0; i < WALK_FRAMES; i++) {
		uint32_t n_same = 0;

		zassert_str_equal(emlearn_recording_label(recording, i, &n_same), labels[i]);
		zassert_equal(n_same, i % 2 + 1);
		zassert_str_equal(emlearn_recording_label(recording, i, NULL), labels[i]);
	}
	zassert_is_null(emlearn_recording_label(recording, WALK_FRAMES, NULL));
	zassert_is_null(emlearn_recording_label(emlearn_replay_imu_recording(GYRO), 0, NULL));
}

static double decoded(const struct sensor_three_axis_data *data, int axis)
{
	return data->readings[0].values[axis] / 2147483648.0 * (1 << data->shift) * 1e6;
}

ZTEST(replay_imu, test_read_and_decode_give_the_same_frames)
{
	const struct sensor_decoder_api *decoder;
	struct sensor_three_axis_data data;
	struct sensor_chan_spec acc = {SENSOR_CHAN_ACCEL_XYZ, 0};
	struct sensor_chan_spec gyro = {SENSOR_CHAN_GYRO_XYZ, 0};
	uint8_t buffer[64] __aligned(8);
	uint16_t n_frames;

	zassert_ok(sensor_get_decoder(WALK, &decoder));
	for (int i = 0; i < WALK_FRAMES; i++) {
		uint32_t fit = 0;

		if (i == 1) {
			for (int k = 0; k < 3; k++) {
				zassert_equal(sensor_read(&walk_iodev, &context, buffer, sizeof(buffer)), -EAGAIN);
			}
		}
		zassert_ok(sensor_read(&walk_iodev, &context, buffer, sizeof(buffer)));
		zassert_ok(decoder->get_frame_count(buffer, acc, &n_frames));
		zassert_equal(n_frames, 1);
		zassert_equal(decoder->decode(buffer, acc, &fit, 1, &data), 1);
		zassert_equal(data.header.reading_count, 1);
		for (int k = 0; k < 3; k++) {
			zassert_within(decoded(&data, k), WALK_ACC_MICRO(walk_frames[i][k]), 1.0);
		}
		zassert_equal(decoder->decode(buffer, acc, &fit, 1, &data), 0, "one frame only");
		fit = 0;
		zassert_equal(decoder->decode(buffer, gyro, &fit, 1, &data), 1);
		for (int k = 0; k < 3; k++) {
			zassert_within(decoded(&data, k), WALK_GYRO_MICRO(walk_frames[i][3 + k]), 1.0);
		}
	}
	zassert_equal(sensor_read(&walk_iodev, &context, buffer, sizeof(buffer)), -ENODATA);
}

ZTEST(replay_imu, test_reads_of_what_is_not_there_are_refused_and_use_up_no_frame)
{
	uint8_t buffer[64] __aligned(8);
	struct sensor_value value[3];

	zassert_equal(sensor_read(&missing_iodev, &context, buffer, sizeof(buffer)), -ENOTSUP);
	zassert_equal(sensor_read(&light_iodev, &context, buffer, sizeof(buffer)), -ENOTSUP);
	zassert_equal(sensor_read(&second_iodev, &context, buffer, sizeof(buffer)), -ENOTSUP);
	zassert_equal(sensor_read(&walk_iodev, &context, buffer, 8), -ENOMEM);
	zassert_ok(sensor_sample_fetch(WALK));
	zassert_ok(sensor_channel_get(WALK, SENSOR_CHAN_ACCEL_Y, value));
	check_value(&value[0], WALK_ACC_MICRO(1));
}

ZTEST(replay_imu, test_a_stream_is_refused)
{
	struct rtio_sqe *handle;
	struct rtio_cqe *cqe;

	zassert_ok(sensor_stream(&stream_iodev, &context, NULL, &handle));
	cqe = rtio_cqe_consume_block(&context);
	zassert_equal(cqe->result, -ENOTSUP);
	rtio_cqe_release(&context, cqe);
}

ZTEST(replay_imu, test_the_decoder_knows_its_channels)
{
	const struct sensor_decoder_api *decoder;
	struct sensor_three_axis_data data;
	size_t base_size;
	size_t frame_size;
	uint16_t n_frames;
	uint32_t fit = 0;
	uint8_t buffer[64] __aligned(8);

	zassert_ok(sensor_get_decoder(WALK, &decoder));
	zassert_ok(decoder->get_size_info((struct sensor_chan_spec){SENSOR_CHAN_GYRO_XYZ, 0}, &base_size, &frame_size));
	zassert_equal(base_size, sizeof(struct sensor_three_axis_data));
	zassert_equal(frame_size, sizeof(struct sensor_three_axis_sample_data));
	zassert_equal(decoder->get_size_info((struct sensor_chan_spec){SENSOR_CHAN_LIGHT, 0}, &base_size, &frame_size),
		      -ENOTSUP);
	zassert_ok(sensor_read(&walk_iodev, &context, buffer, sizeof(buffer)));
	zassert_equal(decoder->get_frame_count(buffer, (struct sensor_chan_spec){SENSOR_CHAN_LIGHT, 0}, &n_frames),
		      -ENOTSUP);
	zassert_equal(decoder->decode(buffer, (struct sensor_chan_spec){SENSOR_CHAN_LIGHT, 0}, &fit, 1, &data),
		      -ENODATA);
	zassert_false(decoder->has_trigger(buffer, SENSOR_TRIG_DATA_READY));
}

ZTEST(replay_imu, test_every_code_comes_back_through_device_and_reader)
{
	const struct emlearn_imu_asked asked = {
		.rate_mhz = 50000,
		.unpaced = true,
		.sensors = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO,
		.acc_step = {61, 1000000},
		.gyro_step = {7, 1600},
		.mount = {{0, 1}, {1, 1}, {2, 1}},
	};
	struct emlearn_imu_got got;
	struct emlearn_batch batch;

	for (int32_t first = INT16_MIN; first <= INT16_MAX; first += CODES_FRAMES) {
		uint32_t n = 0;

		for (int32_t i = 0; i < CODES_FRAMES; i++) {
			for (int32_t k = 0; k < CODES_CHANNELS; k++) {
				/* All codes in every channel, different ones in each frame. */
				codes_frames[i][k] = (int16_t)(uint16_t)(first + i + 10923 * k);
			}
		}
		emlearn_replay_imu_rewind(CODES);
		zassert_ok(emlearn_imu_reader_start(&poll.reader, &asked, &got));
		while (emlearn_imu_reader_read(&poll.reader, &batch, K_FOREVER) == 0) {
			zassert_mem_equal(batch.frames, codes_frames[n],
					  batch.n_frames * CODES_CHANNELS * sizeof(int16_t));
			n += (uint32_t)batch.n_frames;
		}
		zassert_equal(n, CODES_FRAMES);
		emlearn_imu_reader_stop(&poll.reader);
	}
}

ZTEST_SUITE(replay_imu, NULL, NULL, before, after, NULL);
