/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/zephyr/imu_clock.h>

/* Chips are off by a few percent; a clock that seems off by more than 1/8 was marked wrongly. */
#define OFF_MAX_SHIFT 3

#define SPAN_S 8u
#define SPAN_FRAMES_MIN 64u

/* Of a late moment, this part is believed. */
#define LATE_SHIFT 3

#define OFF_MARKS_MAX 4

/* Frames from the mark to a number, at most half of 2^32 either way. */
static int32_t ahead(const struct emlearn_imu_clock *clock, uint64_t number)
{
	return (int32_t)((uint32_t)number - (uint32_t)clock->mark.number);
}

static int64_t time_ns(const struct emlearn_imu_clock *clock, uint64_t number)
{
	return clock->mark.t_ns + (int64_t)ahead(clock, number) * clock->period_ns;
}

void emlearn_imu_clock_start(struct emlearn_imu_clock *clock, uint32_t rate_mhz)
{
	const uint64_t period_ns = UINT64_C(1000000000000) / rate_mhz;

	*clock = (struct emlearn_imu_clock){
		.nominal_ns = period_ns > INT32_MAX ? INT32_MAX : (uint32_t)period_ns,
		.span_frames = SPAN_S * rate_mhz / 1000u + SPAN_FRAMES_MIN,
	};
	clock->period_ns = clock->nominal_ns;
}

/* The period since the anchor, or what it was if that cannot be. */
static void measure(struct emlearn_imu_clock *clock, const struct emlearn_imu_moment *now)
{
	const uint32_t n = (uint32_t)(now->number - clock->anchor.number);
	const uint64_t period_ns = (uint64_t)(now->t_ns - clock->anchor.t_ns + n / 2) / n;

	if (period_ns - clock->nominal_ns + (clock->nominal_ns >> OFF_MAX_SHIFT) <=
	    2 * (clock->nominal_ns >> OFF_MAX_SHIFT)) {
		clock->period_ns = (uint32_t)period_ns;
	}
	if ((uint32_t)(now->number - clock->next.number) >= clock->span_frames) {
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
	int64_t late_ns = now.t_ns - time_ns(clock, number);

	if (clock->n_marks == 0) {
		go_on(clock, &now);
		return;
	}
	/* The second moment is judged by a nominal period: percents of the frames between are no fault. */
	if (clock->n_marks > 1 && (late_ns > clock->period_ns || late_ns < -(int64_t)clock->period_ns)) {
		if (++clock->n_off >= OFF_MARKS_MAX) {
			go_on(clock, &now);
		}
		return;
	}
	clock->n_off = 0;
	clock->n_marks = 2;
	if (number == clock->mark.number) {
		return;
	}
	measure(clock, &now);
	late_ns = now.t_ns - time_ns(clock, number);
	clock->mark.number = number;
	clock->mark.t_ns = now.t_ns - (late_ns > 0 ? late_ns - (late_ns >> LATE_SHIFT) : 0);
}

int64_t emlearn_imu_clock_time_us(const struct emlearn_imu_clock *clock, uint64_t number)
{
	return time_ns(clock, number) / 1000;
}

uint64_t emlearn_imu_clock_number_at(const struct emlearn_imu_clock *clock, int64_t t_us)
{
	int64_t ahead_ns = t_us * 1000 - clock->mark.t_ns;
	int64_t half_ns = clock->period_ns / 2;
	int64_t frames = (ahead_ns + (ahead_ns < 0 ? -half_ns : half_ns)) / clock->period_ns;

	return frames < -(int64_t)clock->mark.number ? 0 : clock->mark.number + (uint64_t)frames;
}

uint32_t emlearn_imu_clock_period_ns(const struct emlearn_imu_clock *clock)
{
	return clock->period_ns;
}
