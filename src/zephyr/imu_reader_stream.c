/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/zephyr/imu_reader_stream.h>

#include <errno.h>

#include <zephyr/drivers/sensor_clock.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include "imu_stream_driver.h"
#include "imu_stream_link.h"

LOG_MODULE_DECLARE(emlearn_imu_reader, CONFIG_EMLEARN_IMU_READER_LOG_LEVEL);

/* Watermarks that may pass without a word before the stream is armed again, and what is allowed on top. */
#define WATCH_WATERMARKS 3u
#define WATCH_SLACK_US 10000u

/* What the first block may be late without a frame missing, as part of its time: chips are off by percents. */
#define FIRST_LATE_SHIFT 5

/* Attempts without a frame before the caller is told. */
#define SILENT_MAX 3u

static struct emlearn_imu_reader_stream *stream_of(struct emlearn_imu_reader *reader)
{
	return CONTAINER_OF(reader, struct emlearn_imu_reader_stream, reader);
}

/*
 * Arm the stream again after an error or silence. -EIO for the caller if that goes on; a driver's own error could be
 * taken for what a reader says of itself: that it is stopped, has ended or waits.
 */
static int mend(struct emlearn_imu_reader_stream *stream)
{
	int rc;

	emlearn_imu_stream_doubt(stream);
	if (stream->n_silent < UINT8_MAX) {
		stream->n_silent++;
	}
	rc = emlearn_imu_stream_arm(stream);
	if (rc == 0) {
		stream->reader.stats.n_rearms++;
	} else {
		stream->reader.stats.n_bus_errors++;
	}
	return stream->n_silent < SILENT_MAX ? 0 : -EIO;
}

/* What the driver calls nanoseconds begins again after so many, by its own arithmetic. */
static uint64_t wrap_ns(void)
{
	const uint64_t hz = sys_clock_hw_cycles_per_sec();

	return IS_ENABLED(CONFIG_TIMER_HAS_64BIT_CYCLE_COUNTER) ? UINT64_MAX / hz
								: (UINT64_C(1) << 32) * NSEC_PER_SEC / hz;
}

/* When the block was taken, on the clock of all batches. Without a gap it is expected near a time. */
static int64_t taken_us(const struct emlearn_imu_reader_stream *stream, uint64_t number)
{
	const int64_t wrap_us = (int64_t)(wrap_ns() / 1000u);
	uint64_t cycles = 0;
	uint64_t now_ns;
	int64_t t_us;

	(void)sensor_clock_get_cycles(&cycles);
	now_ns = sensor_clock_cycles_to_ns(cycles);
	if (now_ns < stream->block.taken_ns) {
		now_ns += wrap_ns();
	}
	t_us = emlearn_imu_now_us() - (int64_t)((now_ns - stream->block.taken_ns) / 1000u);
	while (!stream->gap && t_us - emlearn_imu_clock_time_us(&stream->clock, number) > wrap_us / 2) {
		t_us -= wrap_us;
	}
	return t_us;
}

static void lose(struct emlearn_imu_reader_stream *stream, uint64_t n)
{
	stream->n_lost = n > UINT32_MAX - stream->n_lost ? UINT32_MAX : stream->n_lost + (uint32_t)n;
	stream->number += n;
	stream->is_estimated = true;
}

/*
 * Frames that are missing by the time, up to the last one of a block at t_us. Before the first block the clock is one
 * of the nominal rate since the stream was armed, so that it has to be late by more than that can be off.
 */
static uint32_t n_missing(const struct emlearn_imu_reader_stream *stream, uint64_t last, int64_t t_us)
{
	const struct emlearn_imu_clock *clock = &stream->clock;
	const uint32_t period_us = emlearn_imu_clock_period_ns(clock) / 1000u;
	/* Without a watermark the last frame was made up to a period before. */
	const int64_t made_us = stream->block.is_watermark ? t_us : t_us - period_us / 2;
	const int64_t late_us = made_us - emlearn_imu_clock_time_us(clock, (uint32_t)last);
	const int32_t n = (int32_t)(emlearn_imu_clock_number_at(clock, made_us) - (uint32_t)last);

	if (!stream->begun && !stream->gap &&
	    late_us <= period_us / 2 + (int64_t)((last + 1u) * period_us >> FIRST_LATE_SHIFT)) {
		return 0;
	}
	return (uint32_t)MAX(n, 0);
}

/* Of those, the ones that are missing inside of the block. */
static uint32_t n_inside(const struct emlearn_imu_stream_block *block, uint32_t n)
{
	return block->n_holes > 0 ? MIN(MAX(n, block->n_holes), UINT16_MAX) : MIN(n, block->n_odd);
}

/* Give the frames of a block their numbers: by counting on, or by time where frames may be missing. */
static void number(struct emlearn_imu_reader_stream *stream)
{
	const struct emlearn_imu_stream_block *block = &stream->block;
	struct emlearn_imu_clock *clock = &stream->clock;
	const uint32_t period_us = emlearn_imu_clock_period_ns(clock) / 1000u;
	const uint64_t last = stream->number + block->n_frames - 1u;
	const int64_t t_us = taken_us(stream, last) - (int64_t)block->n_behind * period_us;
	const uint32_t n = n_missing(stream, last, t_us);

	if (stream->gap) {
		lose(stream, n);
		emlearn_imu_clock_restart(clock, (uint32_t)last + n, t_us);
	} else {
		stream->n_lost_inside = n_inside(block, n);
		if (!stream->begun) {
			if (n > stream->n_lost_inside) {
				lose(stream, n - stream->n_lost_inside);
			}
			emlearn_imu_clock_mark(clock, (uint32_t)last + MAX(n, stream->n_lost_inside), t_us);
		} else if (block->is_watermark && block->n_holes == 0 && block->n_odd == 0) {
			emlearn_imu_clock_mark(clock, (uint32_t)last, t_us);
		}
	}
	stream->begun = true;
	stream->gap = false;
}

/* Look at what has come. */
static void open(struct emlearn_imu_reader_stream *stream)
{
	struct emlearn_imu_stats *stats = &stream->reader.stats;
	struct emlearn_imu_stream_block *block = &stream->block;

	stream->n_lost_inside = 0;
	if (block->data != NULL) {
		block->period_ns = emlearn_imu_clock_period_ns(&stream->clock);
		stream->node.driver->open(block, &stream->node);
	}
	stats->n_odd += block->n_odd;
	if (block->is_full) {
		/* Frames were overwritten, and the driver throws the rest away. */
		stats->n_overruns++;
		emlearn_imu_stream_doubt(stream);
		emlearn_imu_stream_release(stream);
		emlearn_imu_stream_watch(stream, stream->watch_us);
		return;
	}
	if (!block->is_watermark) {
		stats->n_spurious++;
	}
	if (block->n_frames == 0) {
		if (block->n_odd > 0) {
			/* A transfer that failed, or nothing that is known: frames may have gone with it. */
			emlearn_imu_stream_doubt(stream);
		}
		emlearn_imu_stream_release(stream);
		return;
	}
	number(stream);
	stream->n_silent = 0;
	emlearn_imu_stream_watch(stream, stream->watch_us);
}

/* The next frames without a break, if there are any. */
static bool next_run(struct emlearn_imu_reader_stream *stream)
{
	struct emlearn_imu_stream_block *block = &stream->block;

	if (block->data == NULL) {
		return false;
	}
	if (stream->n_used == block->n_run) {
		stream->node.driver->next_run(block, &stream->node);
		stream->n_used = 0;
		stream->fits[0] = 0;
		stream->fits[1] = 0;
		if (block->after_break) {
			lose(stream, stream->n_lost_inside);
			stream->n_lost_inside = 0;
		}
	}
	if (block->n_run == 0) {
		emlearn_imu_stream_release(stream);
		return false;
	}
	return true;
}

static bool decode_frame(struct emlearn_imu_reader_stream *stream, int16_t *frame)
{
	static const uint16_t channels[] = {SENSOR_CHAN_ACCEL_XYZ, SENSOR_CHAN_GYRO_XYZ};
	int32_t codes[EMLEARN_IMU_SENSORS][EMLEARN_AXES];

	for (unsigned int i = 0; i < EMLEARN_IMU_SENSORS; i++) {
		const struct sensor_chan_spec channel = {.chan_type = channels[i]};
		struct sensor_three_axis_data data;

		if ((stream->reader.asked.sensors & BIT(i)) == 0) {
			continue;
		}
		/* What a decoder says of the number of its readings is not to be trusted: what it returns is. */
		if (stream->decoder->decode(stream->block.data, channel, &stream->fits[i], 1, &data) != 1) {
			return false;
		}
		stream->node.driver->codes(&stream->block, (uint8_t)BIT(i), data.readings[0].values, codes[i]);
	}
	emlearn_imu_from_codes(&stream->reader, codes, frame);
	return true;
}

/* Hand out frames of the run; false if there were none after all. */
static bool deliver(struct emlearn_imu_reader_stream *stream, struct emlearn_batch *batch)
{
	const unsigned int n_channels = stream->reader.asked.sensors == (EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO)
						? 2u * EMLEARN_AXES
						: EMLEARN_AXES;
	const uint16_t n_left = (uint16_t)(stream->block.n_run - stream->n_used);
	const uint16_t n_most = MIN(n_left, stream->batch_frames);
	uint16_t n = 0;

	while (n < n_most && decode_frame(stream, &stream->frames[n * n_channels])) {
		n++;
	}
	*batch = (struct emlearn_batch){
		.frames = stream->frames,
		.n_frames = n,
		.t_us = emlearn_imu_clock_time_us(&stream->clock, stream->number),
		.period_ns = emlearn_imu_clock_period_ns(&stream->clock),
		.n_lost = stream->n_lost,
		.loss = stream->is_estimated ? EMLEARN_LOSS_ESTIMATED : EMLEARN_LOSS_EXACT,
	};
	stream->number += n;
	stream->n_used = (uint16_t)(stream->n_used + n);
	if (n < n_most) {
		/* The decoder stopped at a packet that had looked right: what follows is not known. */
		stream->reader.stats.n_odd += (uint32_t)(n_left - n);
		emlearn_imu_stream_doubt(stream);
		emlearn_imu_stream_release(stream);
	} else if (n == n_left && stream->block.n_packets == 0) {
		emlearn_imu_stream_release(stream);
	}
	if (n > 0) {
		stream->n_lost = 0;
		stream->is_estimated = false;
	}
	return n > 0;
}

/* See what has come: a block, or the end of the stream. */
static void receive(struct emlearn_imu_reader_stream *stream)
{
	struct emlearn_imu_stats *stats = &stream->reader.stats;
	const int rc = emlearn_imu_stream_complete(stream);

	if (rc == 0) {
		open(stream);
		return;
	}
	if (rc == -ENOMEM) {
		stats->n_overruns++;
	} else {
		stats->n_bus_errors++;
	}
	/* The first attempt to begin it again is made at once. */
	emlearn_imu_stream_doubt(stream);
	if (stream->n_silent == 0) {
		stream->reader.look_us = 1;
	}
}

static int stream_read(struct emlearn_imu_reader *reader, struct emlearn_batch *batch, enum emlearn_imu_call call)
{
	struct emlearn_imu_reader_stream *stream = stream_of(reader);

	if (call == EMLEARN_IMU_READY) {
		receive(stream);
	} else if (call == EMLEARN_IMU_LOOK) {
		int rc = mend(stream);

		if (rc != 0) {
			return rc;
		}
	}
	while (next_run(stream)) {
		if (deliver(stream, batch)) {
			return 0;
		}
	}
	return -EAGAIN;
}

/* How long nobody need read: a block each watermark, and one more may come before the next; not the one held. */
static uint32_t stall_us(const struct emlearn_imu_reader_stream *stream)
{
	uint32_t n_held = stream->watermark_frames > stream->batch_frames ? 1u : 0u;
	uint64_t frames = (uint64_t)(CONFIG_EMLEARN_IMU_READER_STREAM_BATCHES - n_held) * stream->watermark_frames;

	return (uint32_t)MIN(frames * 1000000000u / stream->reader.rate_mhz, UINT32_MAX);
}

static int stream_prepare(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	struct emlearn_imu_reader_stream *stream = stream_of(reader);
	int rc = sensor_get_decoder(reader->dev, &stream->decoder);

	return rc == 0 ? stream->node.driver->prepare(reader, &stream->node, got) : rc;
}

/* From arming to the first frame, at most. */
static int64_t first_us(const struct emlearn_imu_reader_stream *stream)
{
	const struct emlearn_imu_stream_driver *driver = stream->node.driver;
	const uint64_t period_ns = emlearn_imu_clock_period_ns(&stream->clock);

	return driver->start_up_us + (int64_t)((driver->start_up_frames + 1u) * period_ns / 1000u);
}

static int stream_start(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	struct emlearn_imu_reader_stream *stream = stream_of(reader);
	int rc;

	got->watermark_frames = stream->watermark_frames;
	got->stall_us = stall_us(stream);
	emlearn_imu_clock_start(&stream->clock, reader->rate_mhz);
	stream->watch_us = (uint32_t)MIN(
		UINT64_C(1000000000) * WATCH_WATERMARKS * stream->watermark_frames / reader->rate_mhz + WATCH_SLACK_US,
		UINT32_MAX);
	stream->number = 0;
	stream->n_lost = 0;
	stream->n_silent = 0;
	stream->begun = false;
	stream->gap = false;
	stream->block = (struct emlearn_imu_stream_block){0};
	stream->is_estimated = false;
	reader->ready = stream->rtio->consume_sem;
	rc = emlearn_imu_stream_arm(stream);
	emlearn_imu_clock_restart(&stream->clock, 0, emlearn_imu_now_us() + first_us(stream));
	return rc;
}

static void stream_stop(struct emlearn_imu_reader *reader)
{
	struct emlearn_imu_reader_stream *stream = stream_of(reader);

	if (emlearn_imu_stream_disarm(stream) != 0) {
		LOG_ERR("%s: a transfer of the driver does not end, it keeps its block", reader->dev->name);
	}
	emlearn_imu_stream_drain(stream);
}

const struct emlearn_imu_backend emlearn_imu_backend_stream = {
	.prepare = stream_prepare,
	.start = stream_start,
	.read = stream_read,
	.stop = stream_stop,
};
