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

#define EMLEARN_IMU_FIFO_RANGES_MAX 5

/* Is there a chip that needs a flush command and revive(), and that can tell what is no frame? */
#define EMLEARN_IMU_FIFO_BOSCH IS_ENABLED(CONFIG_DT_HAS_BOSCH_BMI270_ENABLED)

/* Is there a chip with tags in its FIFO? */
#define EMLEARN_IMU_FIFO_TAGGED                                                                                        \
	(IS_ENABLED(CONFIG_DT_HAS_ST_LSM6DSO_ENABLED) || IS_ENABLED(CONFIG_DT_HAS_ST_ISM330DHCX_ENABLED))

/* Consecutive registers. */
struct emlearn_imu_fifo_range {
	uint8_t first;
	uint8_t n;
};

struct emlearn_imu_fifo_chip {
	uint8_t who_am_i_reg;
	uint8_t who_am_i[2]; /* of two chips with the same registers, or of one twice */
	uint8_t mode_reg;    /* the last of the settings; not after a reset what it was set to */
	uint8_t mode_off;    /* value that turns the FIFO off and empties it */
	uint8_t flush_reg;   /* where the latter takes a command of its own, else 0 */
	uint8_t flush;       /* that command */
	uint8_t data_reg;
	uint8_t set_bytes; /* that one sensor, or a time stamp, takes in a frame; set_up() may know better */
	uint8_t time_bits;
	uint16_t ticks_hz; /* of its time stamps */
	uint16_t capacity; /* bytes */
	/*
	 * Registers that make up the settings, in the order in which to write them: the mode of the FIFO comes last.
	 * Ends with a range of none.
	 */
	struct emlearn_imu_fifo_range settings[EMLEARN_IMU_FIFO_RANGES_MAX];
	/*
	 * Give a chip that has lost its power what it needs beyond its settings; NULL if that is nothing. Returns 0 or
	 * a negative errno.
	 */
	int (*revive)(struct emlearn_imu_fifo *fifo);
	/*
	 * fifo->settings holds what the driver has set, each range behind the number of its first register. Tell in
	 * `got` what it is (rate, 0 if there is not one; ranges; steps), and put in what turns on the FIFO with its
	 * watermark; or write that, and read the settings again. Returns 0 or a negative errno.
	 */
	int (*set_up)(struct emlearn_imu_fifo *fifo, struct emlearn_imu_got *got);
	/* Set n_frames and overrun. Returns the bytes before the first whole frame, or a negative errno. */
	int (*level)(struct emlearn_imu_fifo *fifo);
	/* Take a frame from raw[raw_pos] on, and move raw_pos. False if there is none before raw_end. */
	bool (*take)(struct emlearn_imu_fifo *fifo, struct emlearn_imu_fifo_sample *sample);
};

static inline bool emlearn_imu_fifo_has(const struct emlearn_imu_fifo *fifo, uint8_t sensor)
{
	return (fifo->reader->asked.sensors & sensor) != 0;
}

static inline bool emlearn_imu_fifo_is_timed(const struct emlearn_imu_fifo *fifo)
{
	return IS_ENABLED(CONFIG_EMLEARN_IMU_READER_FIFO_TIMESTAMPS) && fifo->wiring->timed;
}

enum emlearn_imu_fifo_direction {
	EMLEARN_IMU_FIFO_READ,
	EMLEARN_IMU_FIFO_WRITE,
};

/* One transfer, as emlearn_imu_bus_transfer says; counted if it fails. */
int emlearn_imu_fifo_transfer(struct emlearn_imu_fifo *fifo, uint8_t *message, uint8_t *data, size_t n);

/*
 * Read or write n registers; tries again a few times, and counts what failed. message: number of the first one, and
 * what is in them.
 */
int emlearn_imu_fifo_regs(struct emlearn_imu_fifo *fifo, enum emlearn_imu_fifo_direction direction, uint8_t *message,
			  size_t n);

/* The same for at most 4 bytes, without the number before them. */
int emlearn_imu_fifo_read_regs(struct emlearn_imu_fifo *fifo, uint8_t reg, uint8_t *data, size_t n);
int emlearn_imu_fifo_write_regs(struct emlearn_imu_fifo *fifo, uint8_t reg, const uint8_t *data, size_t n);

/* Set some bits of a register and leave the others. */
int emlearn_imu_fifo_set_bits(struct emlearn_imu_fifo *fifo, uint8_t reg, uint8_t bits);

/* Read or write all settings, in their order. 0 or a negative errno. */
int emlearn_imu_fifo_settings(struct emlearn_imu_fifo *fifo, enum emlearn_imu_fifo_direction direction,
			      uint8_t *settings);

/* x, y, z of 16 bits, low byte first. */
void emlearn_imu_fifo_axes_le(const uint8_t *raw, int32_t axes[EMLEARN_AXES]);

#endif /* EMLEARN_ZEPHYR_IMU_FIFO_CHIP_H_ */
