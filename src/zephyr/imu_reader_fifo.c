/* SPDX-License-Identifier: Apache-2.0 */
/* Start, stop, and how a read waits for frames; what is done with the FIFO then is in imu_fifo_drain.c. */
#include <emlearn/zephyr/imu_reader_fifo.h>

#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include "imu_fifo_chip.h"
#include "imu_fifo_drain.h"
#include "imu_fifo_track.h"

LOG_MODULE_DECLARE(emlearn_imu_reader, CONFIG_EMLEARN_IMU_READER_LOG_LEVEL);

/* A chip that is silent for so many watermarks is set up again. */
#define SILENT_WATERMARKS 3

/* Longest pause after failed transfers. */
#define PAUSE_MAX_US 100000

static void on_edge(const struct device *port, struct gpio_callback *callback, gpio_port_pins_t pins)
{
	struct emlearn_imu_reader_fifo *fifo = CONTAINER_OF(callback, struct emlearn_imu_reader_fifo, callback);

	ARG_UNUSED(port);
	ARG_UNUSED(pins);
	fifo->edge_us = emlearn_imu_now_us();
	fifo->n_edges++;
	k_sem_give(&fifo->edge);
}

/* Edges since the last time this was asked, and when the last one was. */
static uint32_t take_edges(struct emlearn_imu_reader_fifo *fifo, int64_t *edge_us)
{
	unsigned int key = irq_lock();
	uint32_t n_edges = fifo->n_edges;
	uint32_t n_new = n_edges - fifo->n_edges_seen;

	*edge_us = fifo->edge_us;
	irq_unlock(key);
	fifo->n_edges_seen = n_edges;
	fifo->reader.stats.n_wakeups += n_new;
	return n_new;
}

static int listen(struct emlearn_imu_reader_fifo *fifo)
{
	const struct gpio_dt_spec *line = &fifo->wiring->line;
	int rc;

	if (line->port == NULL) {
		return 0;
	}
	if (!gpio_is_ready_dt(line)) {
		return -ENODEV;
	}
	rc = gpio_pin_configure_dt(line, GPIO_INPUT);
	if (rc == 0) {
		gpio_init_callback(&fifo->callback, on_edge, BIT(line->pin));
		rc = gpio_add_callback_dt(line, &fifo->callback);
	}
	if (rc == 0) {
		rc = gpio_pin_interrupt_configure_dt(line, GPIO_INT_EDGE_TO_ACTIVE);
		if (rc != 0) {
			(void)gpio_remove_callback_dt(line, &fifo->callback);
		}
	}
	return rc;
}

static void stop_listening(struct emlearn_imu_reader_fifo *fifo)
{
	const struct gpio_dt_spec *line = &fifo->wiring->line;

	if (line->port != NULL) {
		(void)gpio_pin_interrupt_configure_dt(line, GPIO_INT_DISABLE);
		(void)gpio_remove_callback_dt(line, &fifo->callback);
	}
}

static int64_t frames_us(const struct emlearn_imu_reader_fifo *fifo, uint32_t n)
{
	return (int64_t)n * emlearn_imu_clock_period_ns(&fifo->clock) / 1000;
}

/* Decide when to look at the chip even without an interrupt. */
static void set_look(struct emlearn_imu_reader_fifo *fifo, int64_t now_us)
{
	const uint32_t watermark = fifo->wiring->watermark;
	const uint32_t capacity = fifo->wiring->chip->capacity / fifo->frame_bytes;
	const uint32_t there = MIN(emlearn_imu_fifo_frames(fifo), watermark);
	/* The interrupt comes first; but without it there must be room left. */
	const uint32_t patience = MIN((SILENT_WATERMARKS - 1) * watermark, (capacity - watermark) / 2);

	fifo->look_us =
		now_us + frames_us(fifo, watermark - there + (fifo->polled ? 0 : patience)) + frames_us(fifo, 1) / 2;
}

/* Frames to be read without waiting: whole batches, but for the last one of a watermark. */
static void set_due(struct emlearn_imu_reader_fifo *fifo)
{
	const uint16_t batch = fifo->wiring->batch_frames;
	const uint16_t watermark = fifo->wiring->watermark;
	const uint16_t n = emlearn_imu_fifo_frames(fifo);
	const uint16_t base = watermark > batch ? watermark : 0;

	if (n < watermark) {
		fifo->due_frames = 0;
	} else if (n <= batch) {
		fifo->due_frames = n;
	} else {
		fifo->due_frames = (uint16_t)(base + (n - base) / batch * batch);
	}
}

/* Tell the clock what is known of the time of a frame. */
static void mark(struct emlearn_imu_reader_fifo *fifo, uint64_t number, int64_t t_us)
{
	if (!fifo->marked) {
		emlearn_imu_clock_start(&fifo->clock, fifo->reader.rate_mhz);
		fifo->marked = true;
	}
	emlearn_imu_clock_mark(&fifo->clock, number, t_us);
}

/* There was no watermark, and nothing woke us: is the chip still what it was? */
static int look_into_silence(struct emlearn_imu_reader_fifo *fifo, int64_t now_us)
{
	if (now_us - fifo->progress_us < frames_us(fifo, SILENT_WATERMARKS * fifo->wiring->watermark)) {
		return 0;
	}
	return emlearn_imu_fifo_rearm(fifo);
}

/* Look at the chip: set what is due, and see to what is wrong. */
static int look(struct emlearn_imu_reader_fifo *fifo, bool woken)
{
	const uint16_t watermark = fifo->wiring->watermark;
	const bool has_line = fifo->wiring->line.port != NULL;
	const bool below = fifo->below;
	int64_t edge_us;
	uint32_t n_edges = take_edges(fifo, &edge_us);
	int rc = emlearn_imu_fifo_survey(fifo);

	if (rc < 0) {
		return rc;
	}
	set_due(fifo);
	if (fifo->due_frames == 0) {
		fifo->reader.stats.n_spurious += woken && below ? 1u : 0u;
		return woken ? 0 : look_into_silence(fifo, fifo->surveyed_us);
	}
	fifo->progress_us = fifo->surveyed_us;
	if (has_line && below && n_edges == 0) {
		/* A watermark without its interrupt: count without it until there is one again. */
		fifo->polled = true;
		fifo->reader.stats.n_rearms++;
		(void)gpio_pin_interrupt_configure_dt(&fifo->wiring->line, GPIO_INT_EDGE_TO_ACTIVE);
	} else {
		fifo->polled = !has_line;
	}
	if (fifo->lost) {
		return 0;
	}
	if (has_line && below && n_edges == 1) {
		mark(fifo, fifo->track.number + watermark - 1u, edge_us);
	} else if (fifo->polled || !fifo->marked) {
		/* The newest frame is up to a period old. */
		mark(fifo, fifo->track.number + emlearn_imu_fifo_frames(fifo) - 1u,
		     fifo->surveyed_us - frames_us(fifo, 1) / 2);
	}
	return 0;
}

/* How long failing transfers have gone on; their error once that is too long. */
static int judge_failure(struct emlearn_imu_reader_fifo *fifo, int rc)
{
	const int64_t now_us = emlearn_imu_now_us();

	fifo->look_us = now_us + MIN(frames_us(fifo, fifo->wiring->watermark), PAUSE_MAX_US);
	if (fifo->failed_us == 0) {
		fifo->failed_us = now_us;
	}
	if (now_us - fifo->failed_us < CONFIG_EMLEARN_IMU_READER_FIFO_ERROR_MS * INT64_C(1000)) {
		return 0;
	}
	fifo->failed_us = now_us;
	return rc;
}

static int wait_and_look(struct emlearn_imu_reader_fifo *fifo, k_timepoint_t end)
{
	const int64_t early_us = fifo->look_us - emlearn_imu_now_us();
	const k_timepoint_t at = sys_timepoint_calc(K_USEC(MAX(early_us, 0)));
	const bool is_last = sys_timepoint_cmp(end, at) < 0;
	const bool woken = k_sem_take(&fifo->edge, sys_timepoint_timeout(is_last ? end : at)) == 0;
	int rc;

	fifo->reader.stats.n_wakeups++;
	if (!woken && is_last && emlearn_imu_now_us() < fifo->look_us) {
		return -EAGAIN;
	}
	rc = look(fifo, woken);
	if (rc < 0) {
		return judge_failure(fifo, rc);
	}
	fifo->failed_us = 0;
	set_look(fifo, fifo->surveyed_us);
	return 0;
}

/* Has nobody looked for so long that the FIFO may have run over? */
static bool is_stale(const struct emlearn_imu_reader_fifo *fifo)
{
	return emlearn_imu_now_us() - fifo->surveyed_us > emlearn_imu_fifo_room_us(fifo) / 2;
}

static int fifo_read(struct emlearn_imu_reader *reader, struct emlearn_batch *batch, k_timepoint_t end)
{
	struct emlearn_imu_reader_fifo *fifo = CONTAINER_OF(reader, struct emlearn_imu_reader_fifo, reader);
	int rc = 0;

	if (!emlearn_imu_fifo_has_leftovers(fifo) && is_stale(fifo)) {
		fifo->due_frames = 0;
		fifo->look_us = 0;
	}
	while (rc == 0) {
		if (fifo->due_frames > 0 || emlearn_imu_fifo_has_leftovers(fifo)) {
			rc = emlearn_imu_fifo_drain(fifo, batch);
			if (fifo->due_frames == 0) {
				set_due(fifo);
			}
			set_look(fifo, fifo->surveyed_us);
			if (rc > 0) {
				return 0;
			}
			if (rc < 0) {
				rc = judge_failure(fifo, rc);
			}
		} else {
			rc = wait_and_look(fifo, end);
		}
	}
	return rc;
}

int emlearn_imu_fifo_set_rate(struct emlearn_imu_reader_fifo *fifo, uint32_t rate_mhz, struct emlearn_imu_got *got)
{
	const struct emlearn_imu_asked *asked = &fifo->reader.asked;
	const uint32_t off = rate_mhz > asked->rate_mhz ? rate_mhz - asked->rate_mhz : asked->rate_mhz - rate_mhz;

	got->rate_mhz = rate_mhz;
	if (rate_mhz == 0 || off * UINT64_C(1000) > (uint64_t)asked->rate_mhz * asked->rate_tolerance_permille) {
		LOG_ERR("%s: its registers say %u mHz (0: off, or two rates); the model wants %u mHz",
			fifo->reader.dev->name, rate_mhz, asked->rate_mhz);
		return -ERANGE;
	}
	fifo->reader.rate_mhz = rate_mhz;
	return 0;
}

static int check_chip(struct emlearn_imu_reader_fifo *fifo)
{
	const struct emlearn_imu_fifo_chip *chip = fifo->wiring->chip;
	uint8_t id;
	int rc = emlearn_imu_fifo_read_regs(fifo, chip->who_am_i_reg, &id, 1);

	if (rc == 0 && id != chip->who_am_i && (chip->who_am_i_too == 0 || id != chip->who_am_i_too)) {
		LOG_ERR("%s: WHO_AM_I is 0x%02x, not 0x%02x", fifo->reader.dev->name, id, chip->who_am_i);
		return -ENODEV;
	}
	return rc;
}

/* All of a frame: the sensors that are asked for, and the time stamp. */
static uint8_t bytes_of_frame(const struct emlearn_imu_reader_fifo *fifo)
{
	return (uint8_t)(fifo->wiring->chip->set_bytes *
			 (emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC) +
			  emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO) + emlearn_imu_fifo_is_timed(fifo)));
}

/* Forget all that a run has left behind. */
static void clear(struct emlearn_imu_reader_fifo *fifo)
{
	*fifo = (struct emlearn_imu_reader_fifo){.reader = fifo->reader, .wiring = fifo->wiring};
	fifo->frame_bytes = bytes_of_frame(fifo);
	fifo->polled = fifo->wiring->line.port == NULL;
	fifo->below = true;
	k_sem_init(&fifo->edge, 0, 1);
}

static void begin(struct emlearn_imu_reader_fifo *fifo, struct emlearn_imu_got *got)
{
	const struct emlearn_imu_fifo_chip *chip = fifo->wiring->chip;
	const int64_t now_us = emlearn_imu_now_us();

	emlearn_imu_clock_start(&fifo->clock, fifo->reader.rate_mhz);
	emlearn_imu_clock_restart(&fifo->clock, 0, now_us + frames_us(fifo, 1));
	emlearn_imu_fifo_track_start(&fifo->track, chip->ticks_hz, fifo->reader.rate_mhz);
	fifo->surveyed_us = now_us;
	fifo->progress_us = now_us;
	set_look(fifo, now_us);
	got->watermark_frames = fifo->wiring->watermark;
	got->stall_us = (uint32_t)frames_us(fifo, chip->capacity / fifo->frame_bytes - fifo->wiring->watermark);
}

static int fifo_start(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	struct emlearn_imu_reader_fifo *fifo = CONTAINER_OF(reader, struct emlearn_imu_reader_fifo, reader);
	int rc;

	clear(fifo);
	rc = check_chip(fifo);
	if (rc == 0) {
		rc = emlearn_imu_fifo_turn_on(fifo, got);
	}
	if (rc == 0) {
		rc = listen(fifo);
	}
	if (rc == 0) {
		begin(fifo, got);
		return 0;
	}
	if (rc != -ENODEV && rc != -ERANGE) {
		LOG_ERR("%s: its FIFO cannot be set up (%d)", reader->dev->name, rc);
	}
	return rc;
}

static void fifo_stop(struct emlearn_imu_reader *reader)
{
	struct emlearn_imu_reader_fifo *fifo = CONTAINER_OF(reader, struct emlearn_imu_reader_fifo, reader);

	stop_listening(fifo);
	(void)emlearn_imu_fifo_turn_off(fifo);
}

const struct emlearn_imu_backend emlearn_imu_backend_fifo = {
	.start = fifo_start,
	.read = fifo_read,
	.stop = fifo_stop,
};
