/* SPDX-License-Identifier: Apache-2.0 */
#include "imu_fifo_drain.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "imu_fifo_track.h"

#define CHUNK_FRAMES CONFIG_EMLEARN_IMU_READER_FIFO_CHUNK_FRAMES

/* Looks of a reader that was not woken come so many watermarks late, if the FIFO has room for them. */
#define PATIENCE_WATERMARKS 2

/* Looks until a FIFO that does not come to rest is set up again. */
#define ALIGN_TRIES 4

uint32_t emlearn_imu_fifo_us(const struct emlearn_imu_fifo *fifo, uint32_t n_frames)
{
	return emlearn_imu_clock_period_ns(&fifo->clock) / 1000u * n_frames;
}

void emlearn_imu_fifo_set_look(struct emlearn_imu_fifo *fifo)
{
	const uint32_t watermark = fifo->wiring->watermark;
	uint32_t n = watermark - MIN(fifo->n_frames, watermark - 1u);

	if (!fifo->polled) {
		/* The interrupt comes first; but without it there must be room left. */
		n += MIN(PATIENCE_WATERMARKS * watermark, (fifo->capacity - watermark) / 2);
	}
	fifo->reader->look_us = emlearn_imu_fifo_us(fifo, 2 * n + 1) / 2;
}

/* Nothing that was read or is still in the chip can be believed. */
static void forget(struct emlearn_imu_fifo *fifo)
{
	fifo->lost = true;
	if (EMLEARN_IMU_FIFO_IS_UNEVEN) {
		fifo->raw_pos = fifo->raw_end;
		fifo->timed.holds = false;
	}
	if (EMLEARN_IMU_FIFO_TAGGED) {
		fifo->tagged.parts = 0;
		fifo->tagged.part_bytes = 0;
	}
}

/* A chip that has lost its settings counts time anew, and may need more than them. */
static int see_power(struct emlearn_imu_fifo *fifo)
{
	const struct emlearn_imu_fifo_chip *chip = fifo->wiring->chip;
	uint8_t now[EMLEARN_IMU_FIFO_SETTINGS_MAX];
	int rc = emlearn_imu_fifo_settings(fifo, EMLEARN_IMU_FIFO_READ, now);

	if (rc != 0 || memcmp(now, fifo->settings, fifo->n_settings) == 0) {
		return rc;
	}
	fifo->timed.track.timed = false;
	return EMLEARN_IMU_FIFO_BOSCH && chip->revive != NULL ? chip->revive(fifo) : 0;
}

int emlearn_imu_fifo_rearm(struct emlearn_imu_fifo *fifo)
{
	int rc = EMLEARN_IMU_FIFO_BOSCH || emlearn_imu_fifo_is_timed(fifo) ? see_power(fifo) : 0;

	forget(fifo);
	fifo->n_frames = 0;
	fifo->reader->stats.n_rearms++;
	return rc == 0 ? emlearn_imu_fifo_turn_on(fifo) : rc;
}

/* Read bytes out of the FIFO. A transfer that fails may have taken some. */
static int read_data(struct emlearn_imu_fifo *fifo, size_t n_bytes)
{
	uint8_t reg = fifo->wiring->chip->data_reg;

	return emlearn_imu_fifo_transfer(fifo, &reg, fifo->wiring->raw, n_bytes);
}

/*
 * Count what is in the FIFO. Returns the bytes before the first whole frame, INT_MAX if it is not as we left it, or a
 * negative errno.
 */
static int count(struct emlearn_imu_fifo *fifo)
{
	const struct emlearn_imu_fifo_chip *chip = fifo->wiring->chip;
	uint8_t mode[2] = {chip->mode_reg};
	int rc = emlearn_imu_fifo_regs(fifo, EMLEARN_IMU_FIFO_READ, mode, 1);

	if (rc != 0) {
		return rc;
	}
	return mode[1] == fifo->settings[fifo->n_settings - 1] ? chip->level(fifo) : INT_MAX;
}

int emlearn_imu_fifo_survey(struct emlearn_imu_fifo *fifo)
{
	const int chunk_bytes = CHUNK_FRAMES * fifo->frame_bytes;
	int finding = EMLEARN_IMU_FIFO_SOUND;
	int n_skip;

	for (unsigned int tries = ALIGN_TRIES; (n_skip = count(fifo)) != 0 || fifo->overrun; tries--) {
		if (n_skip < 0) {
			return n_skip;
		}
		if (n_skip > chunk_bytes || tries == 0) {
			finding = EMLEARN_IMU_FIFO_BROKEN;
			n_skip = emlearn_imu_fifo_rearm(fifo);
			if (n_skip < 0) {
				return n_skip;
			}
			break;
		}
		finding = MAX(finding, EMLEARN_IMU_FIFO_MISALIGNED);
		if (fifo->overrun) {
			/* It goes on overwriting what is read next: give some frames up to get ahead of it. */
			n_skip += MIN(CHUNK_FRAMES - 1, (int)fifo->n_frames) * fifo->frame_bytes;
			fifo->reader->stats.n_overruns += finding != EMLEARN_IMU_FIFO_BROKEN ? 1u : 0u;
			finding = EMLEARN_IMU_FIFO_BROKEN;
		}
		forget(fifo);
		/* What a failed transfer has taken out, the next look sees. */
		(void)read_data(fifo, (size_t)n_skip);
	}
	fifo->surveyed_us = emlearn_imu_now_us();
	emlearn_imu_fifo_set_look(fifo);
	return finding;
}

/* What a drain has gathered. */
struct gathered {
	uint32_t first; /* number of the first frame */
	uint32_t n;
	int rc;       /* of the last transfer: frames, 0 if there was none to read, or a negative errno */
	uint8_t loss; /* how what was lost before the first frame is known */
	bool placed;  /* the first frame has its number by the clock */
	bool fetched; /* from the chip, not from what was left over */
	bool garbled; /* there was one that makes no sense */
};

/* Frames may have been lost: find the number of the oldest one that the survey has seen, by the clock. */
static void place(struct emlearn_imu_fifo *fifo, struct gathered *gathered)
{
	/* The newest one is half a period old, on average. */
	const int64_t newest_us = fifo->surveyed_us - emlearn_imu_fifo_us(fifo, 1) / 2;
	const uint32_t oldest = emlearn_imu_clock_number_at(&fifo->clock, newest_us) + 1 - fifo->n_frames;

	fifo->number += (uint32_t)MAX((int32_t)(oldest - fifo->number), 0);
	emlearn_imu_clock_doubt(&fifo->clock);
	fifo->lost = false;
	gathered->loss = EMLEARN_LOSS_ESTIMATED;
	gathered->placed = true;
}

/* What a frame turned out to be: a new one, one that was there before, or none at all. */
enum verdict {
	NEW,
	AGAIN,
	GARBLED,
};

/* See by the time stamp of the frame that is to have the next number which one it has. */
static enum verdict time_of(struct emlearn_imu_fifo *fifo, uint32_t time, struct gathered *gathered)
{
	struct emlearn_imu_fifo_track *track = &fifo->timed.track;
	struct emlearn_imu_clock *clock = &fifo->clock;
	const uint32_t made = emlearn_imu_clock_number_at(clock, fifo->surveyed_us) - track->number;
	const struct emlearn_imu_fifo_guess guess = {
		.frames = fifo->number - track->number,
		.most = (uint32_t)MAX((int32_t)made, 0),
		.time_bits = fifo->wiring->chip->time_bits,
	};
	bool is_exact;
	uint32_t frames;

	if (!track->timed) {
		/* The first time stamp says nothing. */
		track->timed = true;
		track->time = time;
		track->number = fifo->number;
		return NEW;
	}
	frames = emlearn_imu_fifo_track_frames(track, time, &guess, &is_exact);
	if (frames == EMLEARN_IMU_FIFO_NO_TIME) {
		return GARBLED;
	}
	if (frames == 0) {
		return AGAIN;
	}
	track->number += frames;
	if (gathered->placed) {
		/* It knows better. */
		emlearn_imu_clock_restart(clock, clock->number + track->number - fifo->number, clock->t_us);
		gathered->placed = false;
	}
	fifo->number = track->number;
	fifo->timed.loss = is_exact ? EMLEARN_LOSS_EXACT : EMLEARN_LOSS_ESTIMATED;
	return NEW;
}

/* See what a frame is, and which number it has. */
static enum verdict judge(struct emlearn_imu_fifo *fifo, const struct emlearn_imu_fifo_sample *sample,
			  struct gathered *gathered)
{
	enum verdict verdict = NEW;

	if (EMLEARN_IMU_FIFO_BOSCH && sample->garbled) {
		verdict = GARBLED;
	} else if (emlearn_imu_fifo_is_timed(fifo)) {
		fifo->timed.loss = gathered->loss;
		verdict = time_of(fifo, sample->time, gathered);
	}
	if (verdict != NEW) {
		fifo->reader->stats.n_odd++;
	}
	return verdict;
}

/* Read the next frames from the chip. */
static void fetch(struct emlearn_imu_fifo *fifo, struct gathered *gathered)
{
	const uint32_t room = fifo->wiring->batch_frames - gathered->n;
	const uint32_t n = MIN(MIN(room, fifo->n_frames), CHUNK_FRAMES);
	/* The rest of a frame of which a part was read, so that the FIFO stands at the beginning of one again. */
	const uint32_t n_bytes = n * fifo->frame_bytes - (EMLEARN_IMU_FIFO_TAGGED ? fifo->tagged.part_bytes : 0u);

	gathered->rc = (int)n;
	if (n == 0) {
		return;
	}
	gathered->fetched = true;
	if (read_data(fifo, n_bytes) != 0) {
		gathered->rc = -EIO;
		return;
	}
	fifo->n_frames -= n;
	fifo->raw_pos = 0;
	fifo->raw_end = n_bytes;
}

/* Put a frame behind the others, or keep it for the next batch if some are missing before it. False to end. */
static bool put(struct emlearn_imu_fifo *fifo, struct emlearn_imu_fifo_sample *sample, struct gathered *gathered)
{
	const uint32_t number = fifo->number++;

	if (gathered->n == 0) {
		gathered->first = number;
		if (emlearn_imu_fifo_is_timed(fifo)) {
			gathered->loss = fifo->timed.loss;
		}
	} else if (IS_ENABLED(CONFIG_EMLEARN_IMU_READER_FIFO_TIMESTAMPS) && number != gathered->first + gathered->n) {
		emlearn_imu_from_codes(fifo->reader, sample->codes, fifo->timed.held);
		fifo->timed.held_number = number;
		fifo->timed.holds = true;
		return false;
	}
	emlearn_imu_from_codes(fifo->reader, sample->codes,
			       &fifo->wiring->frames[gathered->n * fifo->reader->n_channels]);
	gathered->n++;
	return true;
}

static void gather(struct emlearn_imu_fifo *fifo, struct gathered *gathered)
{
	struct emlearn_imu_fifo_sample sample;
	bool more = true;

	sample.garbled = false;
	if (IS_ENABLED(CONFIG_EMLEARN_IMU_READER_FIFO_TIMESTAMPS) && fifo->timed.holds) {
		memcpy(fifo->wiring->frames, fifo->timed.held, fifo->reader->n_channels * sizeof(fifo->timed.held[0]));
		gathered->first = fifo->timed.held_number;
		gathered->loss = fifo->timed.loss;
		gathered->n = 1;
		fifo->timed.holds = false;
	}
	while (more && gathered->n < fifo->wiring->batch_frames) {
		if (fifo->wiring->chip->take(fifo, &sample)) {
			enum verdict verdict = judge(fifo, &sample, gathered);

			gathered->garbled = verdict == GARBLED;
			more = verdict == NEW ? put(fifo, &sample, gathered) : verdict == AGAIN;
		} else {
			fetch(fifo, gathered);
			more = gathered->rc > 0;
		}
	}
}

/*
 * See whether what was gathered can be believed, of n_frames that a survey had seen. 1 if so; 0 if not; or a negative
 * errno.
 */
static int check(struct emlearn_imu_fifo *fifo, const struct gathered *gathered, uint32_t n_frames)
{
	uint32_t took_us = (uint32_t)fifo->surveyed_us;
	const uint32_t n_left = fifo->n_frames;
	uint32_t room_us;
	bool is_untouched;
	int finding = emlearn_imu_fifo_survey(fifo);

	if (finding < 0) {
		return finding;
	}
	if (finding == EMLEARN_IMU_FIFO_BROKEN) {
		return 0;
	}
	room_us = emlearn_imu_fifo_us(fifo, fifo->capacity - n_frames);
	took_us = (uint32_t)fifo->surveyed_us - took_us;
	if (took_us > room_us - room_us / 16) {
		/* It took so long that the FIFO may have run over meanwhile; the chip's clock may be off. */
		fifo->reader->stats.n_overruns++;
		return 0;
	}
	/* Fewer than we left there: what was read was not there either. */
	is_untouched = finding == EMLEARN_IMU_FIFO_SOUND && fifo->n_frames >= n_left;
	if (gathered->rc >= 0) {
		return is_untouched;
	}
	/* A failed transfer may have taken frames, unless none could have been made in their place. */
	fifo->lost |= !is_untouched || took_us >= emlearn_imu_fifo_us(fifo, 1) / 2;
	return 1;
}

int emlearn_imu_fifo_drain(struct emlearn_imu_fifo *fifo, struct emlearn_batch *batch)
{
	const struct emlearn_imu_fifo_track before = fifo->timed.track;
	const uint32_t number = fifo->number;
	const uint32_t n_frames = fifo->n_frames;
	struct gathered gathered = {.loss = EMLEARN_LOSS_EXACT};
	int rc = 1;

	if (fifo->lost) {
		place(fifo, &gathered);
	}
	gather(fifo, &gathered);
	if (EMLEARN_IMU_FIFO_IS_UNEVEN && gathered.garbled) {
		rc = emlearn_imu_fifo_rearm(fifo);
		fifo->timed.track.timed = false;
	} else if (!EMLEARN_IMU_FIFO_IS_UNEVEN || gathered.fetched) {
		rc = check(fifo, &gathered, n_frames);
	}
	if (rc <= 0) {
		/* Which of these frames are what they seem is not known. */
		forget(fifo);
		fifo->failing_us += EMLEARN_IMU_FIFO_IN_VAIN_US;
		fifo->number = number;
		if (emlearn_imu_fifo_is_timed(fifo)) {
			const bool is_timed = before.timed && fifo->timed.track.timed;

			fifo->timed.track = before;
			fifo->timed.track.timed = is_timed;
		}
		return rc;
	}
	if (gathered.n == 0) {
		fifo->number = number;
		fifo->lost |= gathered.placed;
		return MIN(gathered.rc, 0);
	}
	batch->frames = fifo->wiring->frames;
	batch->n_frames = gathered.n;
	batch->n_used = 0;
	batch->t_us = emlearn_imu_clock_time_us(&fifo->clock, gathered.first);
	batch->period_ns = emlearn_imu_clock_period_ns(&fifo->clock);
	batch->n_lost = gathered.first - fifo->next;
	batch->loss = (enum emlearn_loss)gathered.loss;
	fifo->next = gathered.first + gathered.n;
	return 1;
}
