/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <string.h>

#include <zephyr/ztest.h>

struct bench_block bench;

void bench_begin(uint32_t bytes, bool goes_on)
{
	zassert_true(bytes <= sizeof(bench.data));
	memset(bench.data, 0xa5, sizeof(bench.data));
	bench.bytes = bytes;
	if (goes_on) {
		memset(&bench.block, 0, offsetof(struct emlearn_imu_stream_block, stamp));
	} else {
		memset(&bench.block, 0, sizeof(bench.block));
	}
}

static void decode(const struct emlearn_imu_reader_stream *stream, const struct sensor_decoder_api *decoder,
		   enum sensor_channel channel, uint32_t *fit, int32_t codes[EMLEARN_AXES])
{
	struct sensor_three_axis_data values;
	const uint8_t sensor = channel == SENSOR_CHAN_ACCEL_XYZ ? EMLEARN_SENSOR_ACC : EMLEARN_SENSOR_GYRO;

	zassert_equal(decoder->decode(bench.data, (struct sensor_chan_spec){channel, 0}, fit, 1, &values), 1);
	stream->node.driver->codes(&bench.block, sensor, values.readings[0].values, codes);
}

void bench_take(const struct emlearn_imu_reader_stream *stream, uint8_t sensors)
{
	const struct emlearn_imu_stream_driver *driver = stream->node.driver;
	const struct sensor_decoder_api *decoder;

	zassert_ok(sensor_get_decoder(stream->reader.dev, &decoder));
	bench.block.data = bench.data;
	bench.block.bytes = bench.bytes;
	driver->open(&bench.block, &stream->node);
	bench.n_frames = 0;
	for (;;) {
		uint32_t fits[2] = {0};

		driver->next_run(&bench.block, &stream->node);
		if (bench.block.n_run == 0) {
			break;
		}
		for (unsigned int i = 0; i < bench.block.n_run; i++) {
			struct bench_frame *frame = &bench.frames[bench.n_frames++];

			zassert_true(bench.n_frames <= BENCH_FRAMES_MAX);
			*frame = (struct bench_frame){.after_break = i == 0 && bench.block.after_break};
			if ((sensors & EMLEARN_SENSOR_ACC) != 0) {
				decode(stream, decoder, SENSOR_CHAN_ACCEL_XYZ, &fits[0], frame->acc);
			}
			if ((sensors & EMLEARN_SENSOR_GYRO) != 0) {
				decode(stream, decoder, SENSOR_CHAN_GYRO_XYZ, &fits[1], frame->gyro);
			}
		}
	}
	bench.ends_after_break = bench.block.after_break;
	zassert_equal(bench.n_frames, bench.block.n_frames, "%u frames out of %u", bench.n_frames,
		      bench.block.n_frames);
}

int bench_prepare(struct emlearn_imu_reader_stream *stream, uint8_t sensors)
{
	struct emlearn_imu_got got = {0};

	stream->reader.asked = (struct emlearn_imu_asked){
		.rate_mhz = 100000,
		.rate_tolerance_permille = 1000,
		.sensors = sensors,
		.acc_step = {1, 16384},
		.gyro_step = {1000, 32768},
	};
	stream->reader.rate_mhz = 100000;
	return stream->node.driver->prepare(&stream->reader, &stream->node, &got);
}
