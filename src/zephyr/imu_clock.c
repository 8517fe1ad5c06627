/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/zephyr/imu_clock.h>

#include <stdbool.h>

/* Periods have 16 bits below a nanosecond: over a day at 1 kHz that is a microsecond. */
#define FRACTION_BITS 16

/* Chips are off by a few percent; a clock that seems off by more than 1/8 was marked wrongly. */
#define OFF_MAX_SHIFT 3

#define SPAN_S 8u
#define SPAN_FRAMES_MIN 64u

/* Of a late moment, this part is believed. */
#define LATE_SHIFT 3

#define OFF_MARKS_MAX 4

/* From frame `from` to frame `to`, ns; of 32 bits of frames and 46 of period. */
static int64_t span_ns(const struct emlearn_imu_clock *clock, uint64_t from, uint64_t to)
{
	uint64_t n = to >= from ? to - from : from - to;
	/* The whole part and the rest apart, or a day of frames would not fit. */
	uint64_t whole = n * (clock->period >> FRACTION_BITS);
	uint64_t rest = (n * (clock->period & ((1u << FRACTION_BITS) - 1u))) >> FRACTION_BITS;
	int64_t ns = (int64_t)(whole + rest);

	return to >= from ? ns : -ns;
}

void emlearn_imu_clock_start(struct emlearn_imu_clock *clock, uint32_t rate_mhz)
{
	*clock = (struct emlearn_imu_clock){
		.nominal = (UINT64_C(1000000000000) << FRACTION_BITS) / rate_mhz,
		.span_frames = SPAN_S * rate_mhz / 1000u,
	};
	clock->period = clock->nominal;
	if (clock->span_frames < SPAN_FRAMES_MIN) {
		clock->span_frames = SPAN_FRAMES_MIN;
	}
}

/* The period since the anchor, or what it was if that is none. */
static void measure(struct emlearn_imu_clock *clock, const struct emlearn_imu_moment *now)
{
	uint64_t n = now->number - clock->anchor.number;
	int64_t elapsed_ns = now->t_ns - clock->anchor.t_ns;
	uint64_t period;
	uint64_t off;

	if (n == 0 || now->number < clock->anchor.number || elapsed_ns <= 0) {
		return;
	}
	/* Whole part and rest, so that the shift cannot push bits out. */
	period = ((uint64_t)elapsed_ns / n) << FRACTION_BITS;
	period += (((uint64_t)elapsed_ns % n) << FRACTION_BITS) / n;
	off = period > clock->nominal ? period - clock->nominal : clock->nominal - period;
	if (off <= clock->nominal >> OFF_MAX_SHIFT) {
		clock->period = period;
	}
	if (now->number - clock->next.number >= clock->span_frames) {
		clock->anchor = clock->next;
		clock->next = *now;
	}
}

static void go_on(struct emlearn_imu_clock *clock, const struct emlearn_imu_moment *now)
{
	clock->mark = *now;
	clock->anchor = *now;
	clock->next = *now;
	clock->n_off = 0;
	clock->n_marks = 1;
}

void emlearn_imu_clock_restart(struct emlearn_imu_clock *clock, uint64_t number, int64_t t_us)
{
	go_on(clock, &(struct emlearn_imu_moment){number, t_us * 1000});
}

void emlearn_imu_clock_mark(struct emlearn_imu_clock *clock, uint64_t number, int64_t t_us)
{
	const struct emlearn_imu_moment now = {number, t_us * 1000};
	const int64_t period_ns = (int64_t)(clock->period >> FRACTION_BITS);
	int64_t late_ns;

	if (clock->n_marks == 0) {
		go_on(clock, &now);
		return;
	}
	late_ns = now.t_ns - (clock->mark.t_ns + span_ns(clock, clock->mark.number, number));
	/* The second moment is judged by a nominal period: percents of the frames between are no fault. */
	if (clock->n_marks > 1 && (late_ns > period_ns || late_ns < -period_ns)) {
		clock->n_off++;
		if (clock->n_off >= OFF_MARKS_MAX) {
			go_on(clock, &now);
		}
		return;
	}
	clock->n_off = 0;
	measure(clock, &now);
	late_ns = now.t_ns - (clock->mark.t_ns + span_ns(clock, clock->mark.number, number));
	clock->mark.number = number;
	clock->mark.t_ns = now.t_ns - (late_ns > 0 ? late_ns - (late_ns >> LATE_SHIFT) : 0);
	if (clock->n_marks < UINT8_MAX) {
		clock->n_marks++;
	}
}

int64_t emlearn_imu_clock_time_us(const struct emlearn_imu_clock *clock, uint64_t number)
{
	return (clock->mark.t_ns + span_ns(clock, clock->mark.number, number)) / 1000;
}

uint64_t emlearn_imu_clock_number_at(const struct emlearn_imu_clock *clock, int64_t t_us)
{
	int64_t elapsed_ns = t_us * 1000 - clock->mark.t_ns;
	uint64_t ns = elapsed_ns < 0 ? (uint64_t)-elapsed_ns : (uint64_t)elapsed_ns;
	/* Up to 39 hours fit; nobody stays away that long without a mark, and then the lower bits do not matter. */
	bool fits = ns < UINT64_C(1) << (63 - FRACTION_BITS);
	uint64_t frames = fits ? ((ns << FRACTION_BITS) + clock->period / 2) / clock->period
			       : ns / (clock->period >> FRACTION_BITS);

	if (elapsed_ns < 0) {
		return frames > clock->mark.number ? 0 : clock->mark.number - frames;
	}
	return clock->mark.number + frames;
}

uint32_t emlearn_imu_clock_period_ns(const struct emlearn_imu_clock *clock)
{
	uint64_t ns = (clock->period + (UINT64_C(1) << (FRACTION_BITS - 1))) >> FRACTION_BITS;

	return (uint32_t)(ns > UINT32_MAX ? UINT32_MAX : ns < 1 ? 1 : ns);
}
