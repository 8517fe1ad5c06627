/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Back end of the IMU reader that reads the FIFO of the chip by its registers, beside a driver that knows only
 * sample_fetch and channel_get.
 *
 * The driver sets rate and range; the reader reads both back from the chip, turns the FIFO on, and in
 * emlearn_imu_reader_read() sleeps until the chip says that a watermark is reached, or until it should be where no
 * interrupt line is wired. The thread that reads does all transfers. Frames made while it was away wait in the chip.
 *
 * Every batch is checked before it is delivered: the chip must still be set up, and the FIFO must stand at the
 * beginning of a frame. What cannot be trusted is thrown away and counted as lost. With
 * CONFIG_EMLEARN_IMU_READER_FIFO_TIMESTAMPS the number of lost frames comes from the chip's own time stamps and is
 * exact unless the chip lost its power; else it is estimated from the measured period.
 *
 * A chip that makes no frame within three watermark periods is set up again, from the registers as they were at the
 * start.
 */
#ifndef EMLEARN_ZEPHYR_IMU_READER_FIFO_H_
#define EMLEARN_ZEPHYR_IMU_READER_FIFO_H_

#include <zephyr/drivers/gpio.h>

#include <emlearn/zephyr/imu_backend.h>
#include <emlearn/zephyr/imu_clock.h>
#include <emlearn/zephyr/imu_fifo_node.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Registers that make up the settings, and the number of the first of each range. */
#define EMLEARN_IMU_FIFO_SETTINGS_MAX 22u

struct emlearn_imu_fifo;

/* Where a reader is told to look, and its memory; constant. */
struct emlearn_imu_fifo_wiring {
	const struct emlearn_imu_fifo_chip *chip;
	struct emlearn_imu_fifo *state;
	int16_t *frames;
	uint8_t *raw;
	uint16_t batch_frames;
	uint16_t watermark; /* frames */
	uint8_t int_pin;    /* of the chip, 1 or 2 */
	bool timed;         /* time stamps in the FIFO */
	struct gpio_dt_spec line;
	struct emlearn_imu_bus bus;
};

/* The chip's time. */
struct emlearn_imu_fifo_track {
	uint64_t base_ticks;  /* of the chip's time, taken by... */
	uint32_t base_frames; /* ...so many frames */
	uint32_t time;        /* of the frame read last */
	uint32_t number;      /* of that frame */
	bool timed;           /* both are known */
};

/* A frame in codes of the chip. */
struct emlearn_imu_fifo_sample {
	int32_t codes[EMLEARN_IMU_SENSORS][EMLEARN_AXES];
	uint32_t time;
	bool garbled; /* this is none; left alone by chips that cannot tell */
};

/* What is of use with time stamps only. */
struct emlearn_imu_fifo_timed {
	struct emlearn_imu_fifo_track track;
	uint32_t held_number;
	int16_t held[EMLEARN_IMU_CHANNELS_MAX]; /* first frame of the next batch... */
	bool holds;                             /* ...if there is one */
	uint8_t loss;                           /* how what was lost before the newest frame is known */
};

/* What is of use with tags in the FIFO only: a frame that was read in part. */
struct emlearn_imu_fifo_tagged {
	struct emlearn_imu_fifo_sample part;
	uint8_t parts;
	uint8_t part_bytes;
	uint8_t slot;
};

/* What a reader knows while it runs. Frames are numbered from 0 since the start, lost ones included, modulo 2^32. */
struct emlearn_imu_fifo {
	struct emlearn_imu_reader *reader;
	const struct emlearn_imu_fifo_wiring *wiring;
	uint8_t frame_bytes;
	uint8_t n_settings;
	bool overrun;      /* the FIFO was full, and frames went */
	bool lost;         /* `number` may not be that of the oldest frame in the FIFO */
	bool polled;       /* do not count on the interrupt line */
	uint32_t capacity; /* frames */
	uint32_t n_frames; /* whole frames in the FIFO, of those that the last survey has seen */
	uint32_t raw_pos;
	uint32_t raw_end;
	uint32_t number;     /* of the frame that is read next */
	uint32_t next;       /* of the frame behind the last one delivered */
	uint32_t failing_us; /* since the last batch: pauses after failures, and what was in vain */
	uint32_t edge_us;    /* of the newest edge, modulo 2^32 */
	int64_t surveyed_us; /* when n_frames was counted */
	struct emlearn_imu_clock clock;
	struct k_sem edge;
	struct gpio_callback callback;
	uint8_t settings[EMLEARN_IMU_FIFO_SETTINGS_MAX];
	struct emlearn_imu_fifo_tagged tagged;
	struct emlearn_imu_fifo_timed timed;
};

/** A FIFO reader; the fields are private. */
struct emlearn_imu_reader_fifo {
	struct emlearn_imu_reader reader;
	const struct emlearn_imu_fifo_wiring *wiring;
};

extern const struct emlearn_imu_backend emlearn_imu_backend_fifo;

/* As below; timed: 1 with time stamps of the chip in the FIFO, else 0. */
#define EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(name, node_id, batch_frames_, timed_)                                     \
	EMLEARN_IMU_NODE_CHECK(node_id, batch_frames_);                                                                \
	EMLEARN_IMU_FIFO_NODE_CHECK(EMLEARN_IMU_SENSOR(node_id), node_id,                                              \
				    EMLEARN_IMU_WATERMARK(node_id, batch_frames_), timed_);                            \
	static int16_t emlearn_frames_##name[(batch_frames_) * EMLEARN_IMU_CHANNELS_MAX];                              \
	static uint8_t emlearn_raw_##name[CONFIG_EMLEARN_IMU_READER_FIFO_CHUNK_FRAMES *                                \
					  EMLEARN_IMU_FIFO_FRAME_BYTES(EMLEARN_IMU_SENSOR(node_id), timed_)];          \
	static struct emlearn_imu_fifo emlearn_state_##name;                                                           \
	static const struct emlearn_imu_fifo_wiring emlearn_wiring_##name = {                                          \
		.chip = EMLEARN_IMU_FIFO_OF(TABLE, EMLEARN_IMU_SENSOR(node_id)),                                       \
		.bus = EMLEARN_IMU_FIFO_BUS(EMLEARN_IMU_SENSOR(node_id)),                                              \
		.line = EMLEARN_IMU_FIFO_LINE(EMLEARN_IMU_SENSOR(node_id)),                                            \
		.state = &emlearn_state_##name,                                                                        \
		.frames = emlearn_frames_##name,                                                                       \
		.raw = emlearn_raw_##name,                                                                             \
		.batch_frames = (batch_frames_),                                                                       \
		.watermark = EMLEARN_IMU_WATERMARK(node_id, batch_frames_),                                            \
		.int_pin = DT_PROP_OR(EMLEARN_IMU_SENSOR(node_id), int_pin, 1),                                        \
		.timed = (timed_),                                                                                     \
	};                                                                                                             \
	static struct emlearn_imu_reader_fifo name = {                                                                 \
		.reader = EMLEARN_IMU_READER_INIT(&emlearn_imu_backend_fifo, node_id),                                 \
		.wiring = &emlearn_wiring_##name,                                                                      \
	}

/**
 * Define a static FIFO reader `name`; `&name.reader` goes into the functions of imu_reader.h.
 *
 * @param node_id       of the sensor, or of a node emlearn,imu
 * @param batch_frames_ most frames in a batch, 1 or more
 */
#define EMLEARN_IMU_READER_FIFO_DEFINE(name, node_id, batch_frames_)                                                   \
	EMLEARN_IMU_READER_FIFO_DEFINE_TIMED(name, node_id, batch_frames_,                                             \
					     IS_ENABLED(CONFIG_EMLEARN_IMU_READER_FIFO_TIMESTAMPS) &&                  \
						     EMLEARN_IMU_FIFO_HAS_TIMES(EMLEARN_IMU_SENSOR(node_id)))

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_READER_FIFO_H_ */
