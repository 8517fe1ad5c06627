/* SPDX-License-Identifier: Apache-2.0 */
#include "imu_fifo_drain.h"

#include <errno.h>
#include <string.h>

#include "imu_fifo_track.h"

/* A full FIFO goes on overwriting what is read next; so many frames are given up to get ahead of it. */
#define MARGIN_FRAMES CONFIG_EMLEARN_IMU_READER_FIFO_CHUNK_FRAMES

/* Surveys until a FIFO that does not come to rest is set up again. */
#define ALIGN_TRIES 4

/* Nothing that was read or is still in the chip can be believed. */
static void forget(struct emlearn_imu_reader_fifo *fifo)
{
	fifo->lost = true;
	fifo->holds = false;
	fifo->raw_pos = fifo->raw_end;
	fifo->parts = 0;
	fifo->part_bytes = 0;
	fifo->due_frames = 0;
}

int emlearn_imu_fifo_rearm(struct emlearn_imu_reader_fifo *fifo)
{
	uint8_t now[EMLEARN_IMU_FIFO_SNAPSHOT_MAX];
	int rc = emlearn_imu_fifo_read_settings(fifo, now);

	if (rc < 0) {
		return rc;
	}
	/* A chip that has lost its settings counts time anew. */
	if (memcmp(now, fifo->snapshot, fifo->n_snapshot) != 0) {
		fifo->track.timed = false;
		if (EMLEARN_IMU_FIFO_BOSCH && fifo->wiring->chip->revive != NULL) {
			rc = fifo->wiring->chip->revive(fifo);
			if (rc < 0) {
				return rc;
			}
		}
	}
	forget(fifo);
	fifo->reader.stats.n_rearms++;
	rc = emlearn_imu_fifo_turn_off(fifo);
	if (rc == 0) {
		rc = emlearn_imu_fifo_write_settings(fifo);
	}
	fifo->n_bytes = 0;
	fifo->below = true;
	fifo->progress_us = emlearn_imu_now_us();
	return rc;
}

/* Read bytes out of the FIFO and throw them away. */
static int skip(struct emlearn_imu_reader_fifo *fifo, size_t n)
{
	int rc = 0;

	fifo->raw_pos = 0;
	fifo->raw_end = 0;
	while (n > 0 && rc == 0) {
		size_t chunk = MIN(n, (size_t)CONFIG_EMLEARN_IMU_READER_FIFO_CHUNK_FRAMES * fifo->frame_bytes);

		rc = emlearn_imu_bus_read(&fifo->wiring->bus, fifo->wiring->chip->data_reg, fifo->wiring->raw, chunk);
		n -= chunk;
	}
	fifo->reader.stats.n_bus_errors += rc != 0 ? 1u : 0u;
	return rc;
}

/* Is the FIFO on, as we left it? */
static int is_set_up(struct emlearn_imu_reader_fifo *fifo)
{
	uint8_t mode;
	int rc = emlearn_imu_fifo_read_regs(fifo, fifo->wiring->chip->mode_reg, &mode, 1);

	return rc != 0 ? rc : mode == fifo->snapshot[fifo->n_snapshot - 1];
}

static int align(struct emlearn_imu_reader_fifo *fifo, struct emlearn_imu_fifo_level *level)
{
	int finding = EMLEARN_IMU_FIFO_SOUND;

	for (unsigned int i = 0; i < ALIGN_TRIES; i++) {
		size_t n_skip;
		int rc = fifo->wiring->chip->level(fifo, level);

		if (rc != 0) {
			return rc;
		}
		n_skip = level->n_stray;
		if (level->overrun) {
			fifo->reader.stats.n_overruns += finding != EMLEARN_IMU_FIFO_BROKEN ? 1u : 0u;
			finding = EMLEARN_IMU_FIFO_BROKEN;
			n_skip += MARGIN_FRAMES * (size_t)fifo->frame_bytes;
		}
		if (n_skip == 0) {
			return finding;
		}
		finding = MAX(finding, EMLEARN_IMU_FIFO_MISALIGNED);
		forget(fifo);
		/* What a failed read has taken out, the next survey sees. */
		(void)skip(fifo, MIN(n_skip, level->n_bytes));
	}
	*level = (struct emlearn_imu_fifo_level){0};
	return emlearn_imu_fifo_rearm(fifo) < 0 ? -EIO : EMLEARN_IMU_FIFO_BROKEN;
}

/* Half a period: how old the newest frame is on average. */
static int64_t half_us(const struct emlearn_imu_reader_fifo *fifo)
{
	return emlearn_imu_clock_period_ns(&fifo->clock) / 2000u;
}

int emlearn_imu_fifo_survey(struct emlearn_imu_reader_fifo *fifo)
{
	struct emlearn_imu_fifo_level level = {0};
	int finding = is_set_up(fifo);

	if (finding < 0) {
		return finding;
	}
	if (finding == 0) {
		finding = emlearn_imu_fifo_rearm(fifo);
		if (finding < 0) {
			return finding;
		}
		finding = EMLEARN_IMU_FIFO_BROKEN;
	} else {
		finding = align(fifo, &level);
		if (finding < 0) {
			return finding;
		}
	}
	fifo->n_bytes = level.n_bytes;
	fifo->surveyed_us = emlearn_imu_now_us();
	fifo->below = emlearn_imu_fifo_frames(fifo) < fifo->wiring->watermark;
	if (fifo->lost) {
		uint64_t made = emlearn_imu_clock_number_at(&fifo->clock, fifo->surveyed_us - half_us(fifo)) + 1;
		uint16_t n = emlearn_imu_fifo_frames(fifo);

		fifo->estimate = MAX(made > n ? made - n : 0, fifo->track.number);
	}
	return finding;
}

int64_t emlearn_imu_fifo_room_us(const struct emlearn_imu_reader_fifo *fifo)
{
	const uint32_t n = (uint32_t)(fifo->wiring->chip->capacity - fifo->n_bytes) / fifo->frame_bytes;

	return (int64_t)n * emlearn_imu_clock_period_ns(&fifo->clock) / 1000;
}

/* What a frame turned out to be: a new one, one that was there before, or none at all. */
enum verdict {
	NEW,
	AGAIN,
	GARBLED,
};

/* See by its time stamp how many frames have passed. */
static enum verdict time_of(struct emlearn_imu_reader_fifo *fifo, uint32_t time, uint64_t *number, bool *is_exact)
{
	struct emlearn_imu_fifo_track *track = &fifo->track;
	const uint64_t made = emlearn_imu_clock_number_at(&fifo->clock, fifo->surveyed_us) + 1;
	const struct emlearn_imu_fifo_guess guess = {
		.frames = (uint32_t)(*number - track->number + 1),
		.most = (uint32_t)(made > track->number ? made - track->number : 0),
		.time_bits = fifo->wiring->chip->time_bits,
	};
	uint32_t frames;

	if (!track->timed) {
		/* The first time stamp says nothing. */
		track->timed = true;
		track->time = time;
		return NEW;
	}
	frames = emlearn_imu_fifo_track_frames(track, time, &guess, is_exact);
	if (frames == EMLEARN_IMU_FIFO_UNKNOWN) {
		return GARBLED;
	}
	*number = track->number + frames - 1;
	return frames == 0 ? AGAIN : NEW;
}

/* Find the number of a frame. */
static enum verdict number_of(struct emlearn_imu_reader_fifo *fifo, const struct emlearn_imu_fifo_sample *sample)
{
	uint64_t number = fifo->lost ? fifo->estimate : fifo->track.number;
	bool is_exact = !fifo->lost;

	if (EMLEARN_IMU_FIFO_BOSCH && sample->garbled) {
		fifo->reader.stats.n_odd++;
		return GARBLED;
	}
	if (emlearn_imu_fifo_is_timed(fifo)) {
		enum verdict verdict = time_of(fifo, sample->time, &number, &is_exact);

		if (verdict != NEW) {
			fifo->reader.stats.n_odd++;
			return verdict;
		}
	}
	if (fifo->lost) {
		/* The first of what was surveyed: from it to the newest one. */
		const uint32_t n = (uint32_t)(fifo->n_bytes + fifo->raw_end) / fifo->frame_bytes;

		fifo->lost = false;
		emlearn_imu_clock_restart(&fifo->clock, number + n - 1, fifo->surveyed_us - half_us(fifo));
	}
	if (!is_exact) {
		fifo->loss = EMLEARN_LOSS_ESTIMATED;
	}
	fifo->track.number = number + 1;
	return NEW;
}

static void convert(const struct emlearn_imu_reader_fifo *fifo, const struct emlearn_imu_fifo_sample *sample,
		    int16_t *frame)
{
	if (emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC)) {
		emlearn_imu_from_codes(&fifo->reader, EMLEARN_SENSOR_ACC, sample->acc, frame);
		frame += EMLEARN_AXES;
	}
	if (emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO)) {
		emlearn_imu_from_codes(&fifo->reader, EMLEARN_SENSOR_GYRO, sample->gyro, frame);
	}
}

/* Read the next due frames from the chip. Returns how many, or a negative errno. */
static int fetch(struct emlearn_imu_reader_fifo *fifo, size_t room)
{
	const size_t n = MIN(MIN(room, fifo->due_frames), CONFIG_EMLEARN_IMU_READER_FIFO_CHUNK_FRAMES);
	/* The rest of a frame of which a part was read, so that the FIFO stands at the beginning of one again. */
	const size_t n_bytes = n * fifo->frame_bytes - fifo->part_bytes;
	int rc;

	if (n == 0) {
		return 0;
	}
	rc = emlearn_imu_bus_read(&fifo->wiring->bus, fifo->wiring->chip->data_reg, fifo->wiring->raw, n_bytes);
	if (rc != 0) {
		fifo->reader.stats.n_bus_errors++;
		return rc;
	}
	fifo->due_frames = (uint16_t)(fifo->due_frames - n);
	fifo->n_bytes = (uint16_t)(fifo->n_bytes - n_bytes);
	fifo->raw_pos = 0;
	fifo->raw_end = (uint16_t)n_bytes;
	return (int)n;
}

/* What a drain has gathered. */
struct gathered {
	uint64_t first; /* number of the first frame */
	size_t n;
	bool fetched; /* from the chip, not from what was left over */
	bool garbled; /* there was one that makes no sense */
	int rc;       /* of the transfer that ended it */
	bool overran; /* it took so long that the FIFO may have run over meanwhile */
};

/* Put a frame behind the others, or keep it for the next batch if some are missing before it. False to end. */
static bool put(struct emlearn_imu_reader_fifo *fifo, const struct emlearn_imu_fifo_sample *sample,
		struct gathered *gathered)
{
	const uint64_t number = fifo->track.number - 1;

	if (gathered->n == 0) {
		gathered->first = number;
	} else if (number != gathered->first + gathered->n) {
		convert(fifo, sample, fifo->held);
		fifo->held_number = number;
		fifo->holds = true;
		return false;
	}
	convert(fifo, sample, &fifo->wiring->frames[gathered->n * fifo->reader.n_channels]);
	gathered->n++;
	return true;
}

static void gather(struct emlearn_imu_reader_fifo *fifo, struct gathered *gathered)
{
	struct emlearn_imu_fifo_sample sample = {.garbled = false};
	int64_t until_us;
	bool more = true;

	if (fifo->holds) {
		memcpy(fifo->wiring->frames, fifo->held, fifo->reader.n_channels * sizeof(fifo->held[0]));
		gathered->first = fifo->held_number;
		gathered->n = 1;
		fifo->holds = false;
	}
	while (more && gathered->n < fifo->wiring->batch_frames) {
		if (fifo->wiring->chip->take(fifo, &sample)) {
			enum verdict verdict = number_of(fifo, &sample);

			gathered->garbled = verdict == GARBLED;
			more = verdict == NEW ? put(fifo, &sample, gathered) : verdict == AGAIN;
			continue;
		}
		/* What was read before has made room. */
		until_us = fifo->surveyed_us + emlearn_imu_fifo_room_us(fifo);
		gathered->rc = fetch(fifo, fifo->wiring->batch_frames - gathered->n);
		gathered->overran |= emlearn_imu_now_us() > until_us;
		more = gathered->rc > 0;
		gathered->fetched |= gathered->rc != 0;
	}
}

/*
 * Did a failed transfer leave the FIFO as it was? Then there are no fewer bytes in it than before; so many could not
 * have been made meanwhile.
 */
static bool is_untouched(const struct emlearn_imu_reader_fifo *fifo, uint16_t n_bytes, int64_t since_us)
{
	return fifo->n_bytes >= n_bytes && fifo->surveyed_us - since_us < half_us(fifo);
}

/* See whether what was gathered can be believed. 1 if so; 0 if not; or a negative errno. */
static int check(struct emlearn_imu_reader_fifo *fifo, const struct gathered *gathered)
{
	const int64_t since_us = fifo->surveyed_us;
	const bool was_lost = fifo->lost;
	const uint16_t n_bytes = fifo->n_bytes;
	int finding;

	if (gathered->rc < 0 || gathered->overran) {
		fifo->lost = true;
	}
	finding = emlearn_imu_fifo_survey(fifo);
	if (finding < 0) {
		return finding;
	}
	if (finding == EMLEARN_IMU_FIFO_BROKEN || gathered->overran) {
		fifo->reader.stats.n_overruns += finding != EMLEARN_IMU_FIFO_BROKEN ? 1u : 0u;
		return 0;
	}
	if (gathered->rc < 0) {
		fifo->due_frames = 0;
		if (finding == EMLEARN_IMU_FIFO_SOUND && is_untouched(fifo, n_bytes, since_us)) {
			fifo->lost = was_lost;
		}
		return 1;
	}
	/* Fewer than we left there: what was read was not there either. */
	return finding == EMLEARN_IMU_FIFO_SOUND && fifo->n_bytes >= n_bytes;
}

int emlearn_imu_fifo_drain(struct emlearn_imu_reader_fifo *fifo, struct emlearn_batch *batch)
{
	const struct emlearn_imu_fifo_track before = fifo->track;
	struct gathered gathered = {0};
	int rc = 1;

	gather(fifo, &gathered);
	if (gathered.garbled) {
		rc = emlearn_imu_fifo_rearm(fifo);
		fifo->track.timed = false;
	} else if (gathered.fetched) {
		rc = check(fifo, &gathered);
	}
	if (rc <= 0) {
		/* Which of these frames are what they seem is not known. */
		const bool is_timed = before.timed && fifo->track.timed;

		forget(fifo);
		fifo->track = before;
		fifo->track.timed = is_timed;
		return rc;
	}
	if (gathered.n == 0) {
		return 0;
	}
	batch->frames = fifo->wiring->frames;
	batch->n_frames = gathered.n;
	batch->n_used = 0;
	batch->t_us = emlearn_imu_clock_time_us(&fifo->clock, gathered.first);
	batch->period_ns = emlearn_imu_clock_period_ns(&fifo->clock);
	batch->n_lost = (uint32_t)MIN(gathered.first - fifo->next, UINT32_MAX);
	batch->loss = (enum emlearn_loss)fifo->loss;
	fifo->loss = EMLEARN_LOSS_EXACT;
	fifo->next = gathered.first + gathered.n;
	return 1;
}
