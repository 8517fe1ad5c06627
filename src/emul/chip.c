/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling of a chip: its frames, when they are made, and on which grid. */
#include "chip.h"

#include <string.h>

#include "fault_option.h"

/* Frames that may be made at one time. */
#define IN_HAND_MAX 1000

#define MHZ_NS INT64_C(1000000000000) /* 1 / mHz in nanoseconds */

int64_t chip_now_ns(void)
{
	return (int64_t)k_ticks_to_ns_floor64((uint64_t)k_uptime_ticks());
}

int64_t chip_own_ns(const struct chip *chip)
{
	return chip_clock_own_ns(&chip->clock, chip_now_ns());
}

/* Codes. */

static int64_t greatest_divisor(int64_t a, int64_t b)
{
	while (b != 0) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static bool is_same_step(const struct emlearn_imu_step *a, const struct emlearn_imu_step *b)
{
	return a->num == b->num && a->den == b->den;
}

static void prepare(struct chip_scale *scale, const struct emlearn_imu_step *from, const struct emlearn_imu_step *to)
{
	int64_t num = greatest_divisor(from->num, to->num);
	int64_t den = greatest_divisor(to->den, from->den);

	scale->from = *from;
	scale->to = *to;
	scale->mul = (from->num / num) * (to->den / den);
	scale->div = (to->num / num) * (from->den / den);
	/* 17 bits more are needed; steps of real sensors leave them. */
	while (scale->mul >> 45 != 0 || scale->div >> 45 != 0) {
		scale->mul >>= 1;
		scale->div = MAX(scale->div >> 1, 1);
	}
}

int32_t chip_code(struct chip *chip, unsigned int channel, const struct chip_grid *grid)
{
	bool is_acc = channel < EMLEARN_AXES;
	const struct emlearn_imu_step *step = is_acc ? &chip->source->acc_step : &chip->source->gyro_step;
	struct chip_scale *scale = &chip->scales[is_acc ? 0 : 1];
	int64_t twice;
	int64_t code;

	if (chip->clip) {
		return chip->motion[channel] < 0 ? grid->min : grid->max;
	}
	if (step->num == 0) {
		return 0;
	}
	if (!is_same_step(step, &scale->from) || !is_same_step(&grid->step, &scale->to)) {
		prepare(scale, step, &grid->step);
	}
	if (scale->mul == scale->div) {
		return CLAMP(chip->motion[channel], grid->min, grid->max);
	}
	twice = 2 * chip->motion[channel] * scale->mul + scale->div;
	code = twice / (2 * scale->div);
	if (twice < 0 && twice % (2 * scale->div) != 0) {
		code--;
	}
	return (int32_t)CLAMP(code, grid->min, grid->max);
}

/* Sampling. */

/* The next frame is due a period later. */
static void end_period(struct chip *chip)
{
	chip->due_own_ns += MHZ_NS / chip->rate_mhz;
	chip->due_part += (uint32_t)(MHZ_NS % chip->rate_mhz);
	if (chip->due_part >= chip->rate_mhz) {
		chip->due_part -= chip->rate_mhz;
		chip->due_own_ns++;
	}
}

/* Of the next frames those that may wait until somebody looks. */
static uint32_t frames_in_hand(const struct chip *chip)
{
	if (!IS_ENABLED(CONFIG_EMLEARN_EMUL_CATCH_UP) || chip->ops->quiet == NULL || chip_line_is_restless(chip)) {
		return 0;
	}
	return chip_frames_before_faults(chip, MIN(chip->ops->quiet(chip), IN_HAND_MAX));
}

static void set_timer(struct chip *chip)
{
	const uint64_t n = frames_in_hand(chip);
	const int64_t own_ns = chip->due_own_ns +
			       (int64_t)(n * (uint64_t)(MHZ_NS / chip->rate_mhz) +
					 (chip->due_part + n * (uint64_t)(MHZ_NS % chip->rate_mhz)) / chip->rate_mhz);
	int64_t uptime_ns = chip_clock_uptime_ns(&chip->clock, own_ns);

	k_timer_start(&chip->timer, K_TIMEOUT_ABS_TICKS((k_ticks_t)k_ns_to_ticks_ceil64((uint64_t)uptime_ns)),
		      K_FOREVER);
}

/* Go on, or begin to, with a whole period; or stop. */
static void restart_clock(struct chip *chip)
{
	if (!chip->begun || chip->rate_mhz == 0) {
		k_timer_stop(&chip->timer);
		return;
	}
	chip->due_own_ns = chip_own_ns(chip);
	chip->due_part = 0;
	chip->frame_own_ns = chip->due_own_ns;
	end_period(chip);
	set_timer(chip);
}

void chip_reset(struct chip *chip)
{
	chip->counts.n_resets++;
	chip_set_rate(chip, 0);
	chip_line_reset(chip);
	chip->ops->reset(chip);
}

/* Faults that begin with a frame rather than with a transfer. */
static void begin_faults(struct chip *chip, int64_t uptime_ns)
{
	int32_t value = 0;

	if (chip_fault_strikes_once(chip, EMLEARN_FAULT_CLOCK, &value)) {
		chip_clock_set_ppm(&chip->clock, uptime_ns, value);
	}
	if (chip_fault_strikes_once(chip, EMLEARN_FAULT_INT_STUCK, &value)) {
		chip->stuck_until_ns = uptime_ns + value * INT64_C(1000000);
	}
	if (chip_fault_strikes_once(chip, EMLEARN_FAULT_BROWNOUT, NULL)) {
		chip_reset(chip);
	}
}

static void record(struct chip *chip, int64_t uptime_ns, const int32_t codes[EMLEARN_CHIP_CHANNELS])
{
	struct chip_truth *truth = &chip->truth[chip->counts.n_made % CONFIG_EMLEARN_EMUL_TRUTH_FRAMES];

	truth->t_us = uptime_ns / 1000;
	memcpy(truth->codes, codes, sizeof(truth->codes));
}

static void store(struct chip *chip)
{
	uint32_t n = 1;

	if (chip->ops->room(chip) < 0) {
		return;
	}
	if (chip_fault_strikes(chip, EMLEARN_FAULT_DROP, NULL)) {
		n = 0;
	} else if (chip_fault_strikes(chip, EMLEARN_FAULT_REPEAT, NULL)) {
		n = 2;
	}
	if (chip_fault_strikes(chip, EMLEARN_FAULT_ODD, NULL)) {
		chip->ops->store_odd(chip);
	}
	for (; n > 0; n--) {
		chip->counts.n_stored += chip->ops->store(chip) ? 1 : 0;
	}
}

/* The frame of this moment. */
static void make_frame(struct chip *chip, int64_t own_ns)
{
	int64_t uptime_ns = chip_clock_uptime_ns(&chip->clock, own_ns);
	int32_t codes[EMLEARN_CHIP_CHANNELS] = {0};

	begin_faults(chip, uptime_ns);
	if (chip->rate_mhz == 0) { /* there was a brown-out */
		return;
	}
	/* Behind its end the chip is at rest, with what it had last. */
	(void)chip->source->frame(chip->source, chip->counts.n_made, chip->motion);
	chip->frame_own_ns = own_ns;
	chip->clip = chip_fault_strikes(chip, EMLEARN_FAULT_CLIP, NULL);
	chip->ops->sample(chip, codes);
	chip->clip = false;
	record(chip, uptime_ns, codes);
	store(chip);
	chip->ops->lines(chip);
	chip_line_spurious(chip);
	chip->counts.n_made++;
}

void chip_catch_up(struct chip *chip)
{
	while (chip->begun && chip->rate_mhz != 0 && chip->due_own_ns <= chip_own_ns(chip)) {
		int64_t own_ns = chip->due_own_ns;

		make_frame(chip, own_ns);
		if (chip->rate_mhz != 0) {
			end_period(chip);
		}
	}
}

static void set_timer_if_sampling(struct chip *chip)
{
	if (chip->begun && chip->rate_mhz != 0) {
		set_timer(chip);
	}
}

void chip_plan(struct chip *chip)
{
	if (IS_ENABLED(CONFIG_EMLEARN_EMUL_CATCH_UP)) {
		set_timer_if_sampling(chip);
	}
}

static void make_due_frames(struct k_timer *timer)
{
	struct chip *chip = CONTAINER_OF(timer, struct chip, timer);
	unsigned int key = irq_lock();

	chip_catch_up(chip);
	set_timer_if_sampling(chip);
	irq_unlock(key);
}

void chip_set_rate(struct chip *chip, uint32_t rate_mhz)
{
	if (rate_mhz != chip->rate_mhz) {
		chip->rate_mhz = rate_mhz;
		restart_clock(chip);
	}
}

/* Numbers from 0. */
static void forget_frames(struct chip *chip)
{
	chip->counts.n_made = 0;
	chip->counts.n_stored = 0;
	chip->counts.n_overwritten = 0;
	memset(chip->motion, 0, sizeof(chip->motion));
	chip->ops->flush(chip);
}

/* A file is put on the grid of the codes. */
static void begin_source(struct chip *chip)
{
	struct emlearn_imu_step acc;
	struct emlearn_imu_step gyro;
	unsigned int acc_bits = 0;
	unsigned int gyro_bits = 0;

	chip->ops->steps(chip, &acc, &gyro);
	if (chip->ops->extra_bits != NULL) {
		acc_bits = chip->ops->extra_bits(chip, EMLEARN_SENSOR_ACC);
		gyro_bits = chip->ops->extra_bits(chip, EMLEARN_SENSOR_GYRO);
	}
	chip_source_begin(&chip->own, &acc, acc_bits, &gyro, gyro_bits);
}

void chip_begin(struct chip *chip)
{
	if (chip->begun && chip->is_read) {
		return;
	}
	forget_frames(chip);
	if (chip->source == &chip->own.source) {
		begin_source(chip);
	}
	chip->begun = true;
	restart_clock(chip);
}

static void be_read(struct chip *chip)
{
	chip->is_read = true;
	if (chip->source == &chip->own.source && chip->rate_mhz != 0 && chip->rate_mhz != chip->checked_mhz) {
		chip->checked_mhz = chip->rate_mhz;
		chip_source_check_rate(&chip->own, chip->dev, chip->rate_mhz);
	}
}

void chip_touch(struct chip *chip)
{
	if (!chip->begun && chip->rate_mhz != 0) {
		chip_begin(chip);
		make_frame(chip, chip->frame_own_ns);
	}
	if (chip->begun) {
		be_read(chip);
	}
}

void chip_mark_read(struct chip *chip)
{
	be_read(chip);
}

void chip_begin_faults(struct chip *chip)
{
	begin_faults(chip, chip_now_ns());
	chip->ops->lines(chip);
	set_timer_if_sampling(chip);
}

void chip_heal(struct chip *chip)
{
	chip->n_faults = 0;
	chip->stuck_until_ns = 0;
	chip_clock_set_ppm(&chip->clock, chip_now_ns(), 0);
	for (unsigned int i = 0; i < CHIP_LINES; i++) {
		chip->lines[i].lost = false;
	}
	chip->ops->lines(chip);
	set_timer_if_sampling(chip);
}

void chip_forget(struct chip *chip)
{
	chip->begun = false;
	chip->is_read = false;
	restart_clock(chip);
	forget_frames(chip);
	chip_heal(chip);
	chip->counts = (struct emlearn_chip_counts){0};
}

uint8_t chip_who_am_i(struct chip *chip, uint8_t identity)
{
	int32_t value;

	return chip_fault_strikes(chip, EMLEARN_FAULT_WHO_AM_I, &value) ? (uint8_t)value : identity;
}

int chip_init(const struct emul *emul, const struct device *bus)
{
	struct chip *chip = emul->data;

	ARG_UNUSED(bus);
	chip->config = emul->cfg;
	chip->ops = chip->config->ops;
	chip->dev = emul->dev;
	chip_source_init(&chip->own, chip->dev);
	chip->source = &chip->own.source;
	k_timer_init(&chip->timer, make_due_frames, NULL);
	chip->ops->reset(chip);
	fault_option_apply(chip->dev);
	return 0;
}
