/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs from chip to chip in the FIFO back end. A family has one file with its tables (imu_fifo_*.c);
 * docs/readers.md tells how to add one.
 */
#ifndef EMLEARN_ZEPHYR_IMU_FIFO_CHIP_H_
#define EMLEARN_ZEPHYR_IMU_FIFO_CHIP_H_

#include <stdbool.h>
#include <stdint.h>

#include <emlearn/zephyr/imu_reader_fifo.h>

#define EMLEARN_IMU_FIFO_RANGES_MAX 4

/* Is there a chip that needs a flush command and revive(), and that can tell what is no frame? */
#define EMLEARN_IMU_FIFO_BOSCH IS_ENABLED(CONFIG_DT_HAS_BOSCH_BMI270_ENABLED)

/* Consecutive registers. */
struct emlearn_imu_fifo_range {
	uint8_t first;
	uint8_t n;
};

/* What is in the FIFO. */
struct emlearn_imu_fifo_level {
	uint16_t n_bytes; /* all of them */
	uint16_t n_stray; /* of them, before the first whole frame */
	bool overrun;     /* it was full, and frames went */
};

struct emlearn_imu_fifo_chip {
	uint8_t who_am_i_reg;
	uint8_t who_am_i;
	uint8_t who_am_i_too; /* of another that has the same registers, or 0 */
	uint8_t mode_reg;     /* reads as it was written while the chip has power, not as after its reset */
	uint8_t mode_off;     /* value that turns the FIFO off and empties it */
	uint8_t flush_reg;    /* where the latter takes a command of its own, else 0 */
	uint8_t flush;        /* that command */
	uint8_t data_reg;
	uint8_t set_bytes; /* that one sensor, or a time stamp, takes in a frame; set_up() may know better */
	uint8_t time_bits;
	uint16_t ticks_hz; /* of its time stamps */
	uint16_t capacity; /* bytes */
	/* Registers that make up the settings, in the order in which to write them: the mode of the FIFO comes last. */
	struct emlearn_imu_fifo_range settings[EMLEARN_IMU_FIFO_RANGES_MAX];
	/*
	 * Give a chip that has lost its power what it needs beyond its settings; NULL if that is nothing. Returns 0 or
	 * a negative errno.
	 */
	int (*revive)(struct emlearn_imu_reader_fifo *fifo);
	/*
	 * See what the driver has set (emlearn_imu_fifo_set_rate(), emlearn_imu_set_code_step()), and turn on the FIFO
	 * with its watermark. Returns 0 or a negative errno.
	 */
	int (*set_up)(struct emlearn_imu_reader_fifo *fifo, struct emlearn_imu_got *got);
	/* Returns 0 or a negative errno. */
	int (*level)(struct emlearn_imu_reader_fifo *fifo, struct emlearn_imu_fifo_level *level);
	/* Take a frame from raw[raw_pos] on, and move raw_pos. False if there is none before raw_end. */
	bool (*take)(struct emlearn_imu_reader_fifo *fifo, struct emlearn_imu_fifo_sample *sample);
};

static inline bool emlearn_imu_fifo_has(const struct emlearn_imu_reader_fifo *fifo, uint8_t sensor)
{
	return (fifo->reader.asked.sensors & sensor) != 0;
}

static inline bool emlearn_imu_fifo_is_timed(const struct emlearn_imu_reader_fifo *fifo)
{
	return IS_ENABLED(CONFIG_EMLEARN_IMU_READER_FIFO_TIMESTAMPS) && fifo->wiring->timed;
}

/* Read or write registers; tries again a few times, and counts what failed. */
int emlearn_imu_fifo_read_regs(struct emlearn_imu_reader_fifo *fifo, uint8_t reg, uint8_t *data, size_t n);
int emlearn_imu_fifo_write_regs(struct emlearn_imu_reader_fifo *fifo, uint8_t reg, const uint8_t *data, size_t n);

/* Set some bits of a register and leave the others. */
int emlearn_imu_fifo_set_bits(struct emlearn_imu_reader_fifo *fifo, uint8_t reg, uint8_t bits);

/* Take the rate that the chip was found at, 0 if it is none of those known. -ERANGE with a log line if it is not the
 * model's. */
int emlearn_imu_fifo_set_rate(struct emlearn_imu_reader_fifo *fifo, uint32_t rate_mhz, struct emlearn_imu_got *got);

/* x, y, z of 16 bits, low byte first. */
void emlearn_imu_fifo_axes_le(const uint8_t *raw, int32_t axes[EMLEARN_AXES]);

#endif /* EMLEARN_ZEPHYR_IMU_FIFO_CHIP_H_ */
