/* SPDX-License-Identifier: Apache-2.0 */
#include "imu_fifo_track.h"

/* The period is measured over so many frames at most; then both sides are halved. */
#define BASE_FRAMES_MAX (UINT32_C(1) << 20)

/* Frames that a guess may be short of, beside 1/16. */
#define SLACK_FRAMES 3u

void emlearn_imu_fifo_track_start(struct emlearn_imu_fifo_track *track, uint16_t ticks_hz, uint32_t rate_mhz)
{
	*track = (struct emlearn_imu_fifo_track){
		.base_ticks = (uint32_t)ticks_hz * UINT64_C(1000) / rate_mhz,
		.base_frames = 1,
	};
}

/* Ticks since the frame before: those that are seen, and as many wraps as come nearest to the guess. */
static uint64_t ticks_since(const struct emlearn_imu_fifo_track *track, uint32_t time,
			    const struct emlearn_imu_fifo_guess *guess)
{
	const uint64_t wrap = UINT64_C(1) << guess->time_bits;
	const uint64_t likely = guess->frames * track->base_ticks / track->base_frames;
	uint64_t ticks = (time - track->time) & (wrap - 1);

	if (likely > ticks) {
		ticks += (likely - ticks + wrap / 2) / wrap * wrap;
	}
	return ticks;
}

uint32_t emlearn_imu_fifo_track_frames(struct emlearn_imu_fifo_track *track, uint32_t time,
				       const struct emlearn_imu_fifo_guess *guess, bool *is_exact)
{
	uint64_t ticks = ticks_since(track, time, guess);
	uint64_t frames = (ticks * track->base_frames + track->base_ticks / 2) / track->base_ticks;

	*is_exact = false;
	if (frames > (uint64_t)guess->most + guess->most / 16 + SLACK_FRAMES) {
		return EMLEARN_IMU_FIFO_NO_TIME;
	}
	track->time = time;
	/* The gap is off by less than a tick, the base by less than two: it began with a period that was cut off. */
	*is_exact = 2 * (2 * frames + track->base_frames) < track->base_ticks;
	if (*is_exact) {
		track->base_ticks += ticks;
		track->base_frames += (uint32_t)frames;
		if (track->base_frames > BASE_FRAMES_MAX) {
			track->base_ticks /= 2;
			track->base_frames /= 2;
		}
	}
	return (uint32_t)frames;
}
