/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all models of chips share: time, numbering of frames, truth, faults, interrupt lines and the bus.
 *
 * A model is a struct that begins with a struct chip, made known by EMUL_DT_INST_DEFINE(n, chip_init, &model_n,
 * &config_n, CHIP_BUS_API(node_id), NULL), where config_n begins with a struct chip_config. This file calls the
 * model through struct chip_ops, always with interrupts locked; the model calls the chip_*() functions from there.
 */
#ifndef EMLEARN_EMUL_CHIP_H_
#define EMLEARN_EMUL_CHIP_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/devicetree.h>
#include <zephyr/drivers/emul.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/kernel.h>

#include <emlearn/zephyr/chip_model.h>

#include "chip_clock.h"
#include "chip_source.h"

/* Interrupt lines of a chip. Faults of the interrupt line strike the first one. */
#define CHIP_LINES 2

struct chip;

struct chip_ops {
	/* Registers as after power-on, FIFO empty; rate and lines are as after power-on already. */
	void (*reset)(struct chip *chip);
	/* A byte of a register, as the bus reads and writes it. The address has no read bit. */
	uint8_t (*read)(struct chip *chip, uint8_t address);
	void (*write)(struct chip *chip, uint8_t address, uint8_t value);
	/* The register of the next byte of a burst. */
	uint8_t (*next)(struct chip *chip, uint8_t address);
	/* A new frame: take its codes by chip_code() into the output registers, and into `codes` for the truth. */
	void (*sample)(struct chip *chip, int32_t codes[EMLEARN_CHIP_CHANNELS]);
	/* Frames that still fit into the FIFO; negative while it is off. */
	int32_t (*room)(const struct chip *chip);
	/* Put the newest frame into the FIFO; false if a FIFO that is full does not take it. Only while it is on. */
	bool (*store)(struct chip *chip);
	/* Put something into the FIFO that makes no frame. Only while it is on. */
	void (*store_odd)(struct chip *chip);
	/* Empty the FIFO; it stays on. */
	void (*flush)(struct chip *chip);
	/* Is the FIFO on, or does an interrupt ask for data? */
	bool (*wants)(const struct chip *chip);
	/* Bring the lines into accord with the registers; after every frame and every transfer. */
	void (*lines)(struct chip *chip);
	/* Of the next frames so many surely leave the lines as they are; NULL for none. */
	uint32_t (*quiet)(const struct chip *chip);
	/* What the codes given by sample() are worth. */
	void (*steps)(const struct chip *chip, struct emlearn_imu_step *acc_step, struct emlearn_imu_step *gyro_step);
	/* Bits that those codes of one sensor have beyond 16; NULL where none has any. */
	unsigned int (*extra_bits)(const struct chip *chip, uint8_t sensor);
};

/* Is the node on an emulated bus? Others have a real chip and get no model. */
#define CHIP_IS_EMULATED(node_id)                                                                                      \
	UTIL_OR(DT_NODE_HAS_COMPAT(DT_BUS(node_id), zephyr_i2c_emul_controller),                                       \
		DT_NODE_HAS_COMPAT(DT_BUS(node_id), zephyr_spi_emul_controller))

/* What devicetree says of a chip. */
struct chip_config {
	const struct chip_ops *ops;
	struct gpio_dt_spec lines[CHIP_LINES]; /* port NULL where none is wired */
};

/* The gpio of a line: property `prop` of the node at `idx` if it is there and leads to an emulated controller. */
#define CHIP_LINE(node_id, prop, idx)                                                                                  \
	COND_CODE_1(DT_PROP_HAS_IDX(node_id, prop, idx), (CHIP_LINE_OF_CONTROLLER(node_id, prop, idx)), ({0}))
#define CHIP_LINE_OF_CONTROLLER(node_id, prop, idx)                                                                    \
	COND_CODE_1(DT_NODE_HAS_COMPAT(DT_GPIO_CTLR_BY_IDX(node_id, prop, idx), zephyr_gpio_emul),                     \
		    (GPIO_DT_SPEC_GET_BY_IDX(node_id, prop, idx)), ({0}))

/* The bus side of a model, for EMUL_DT_INST_DEFINE(): SPI with the read flag in bit 7 of the address, or I2C. */
extern const struct i2c_emul_api chip_i2c_api;
extern const struct spi_emul_api chip_spi_api;
#define CHIP_BUS_API(node_id) COND_CODE_1(DT_ON_BUS(node_id, spi), (&chip_spi_api), (&chip_i2c_api))

/* A grid of codes. */
struct chip_grid {
	struct emlearn_imu_step step; /* g or degrees per second a code */
	int32_t min;                  /* the chip saturates here */
	int32_t max;
};

/* The way from counts of the source to codes, of one sensor; private. */
struct chip_scale {
	struct emlearn_imu_step from;
	struct emlearn_imu_step to;
	int64_t mul;
	int64_t div;
};

/* Private. */
struct chip_line {
	bool low;    /* active level */
	bool wanted; /* active, as the model has it */
	bool lost;   /* an edge did not happen: inactive until no longer wanted */
	bool level;  /* at the pin */
};

/* Private. */
struct chip_truth {
	int64_t t_us;
	int32_t codes[EMLEARN_CHIP_CHANNELS];
};

/* Private. */
struct chip_fault {
	struct emlearn_fault what; /* what is left of it */
	bool struck;
};

/* All fields are private to chip*.c, unless the comment says otherwise. Begins all 0. */
struct chip {
	const struct chip_ops *ops;
	const struct chip_config *config;
	const struct device *dev; /* whose chip this is */
	const struct emlearn_source *source;
	struct chip_source own; /* what is played where no other source is given */
	/* Models count n_overwritten; n_made is the number of the frame that is being made. */
	struct emlearn_chip_counts counts;

	bool begun;           /* frames are numbered */
	bool is_read;         /* somebody has had a frame */
	uint32_t checked_mhz; /* rate that was compared with the source's */
	int16_t motion[EMLEARN_CHIP_CHANNELS];
	bool clip;
	struct chip_scale scales[2];
	struct chip_truth truth[CONFIG_EMLEARN_EMUL_TRUTH_FRAMES];

	struct k_timer timer;
	struct chip_clock clock;
	uint32_t rate_mhz;    /* 0: no sampling */
	int64_t frame_own_ns; /* for models: chip_own_ns() of the newest frame, exactly; at first, of the beginning */
	int64_t due_own_ns;   /* of the next frame */
	uint32_t due_part;    /* of a nanosecond, in 1 / rate_mhz */

	struct chip_fault faults[CONFIG_EMLEARN_EMUL_FAULTS];
	uint32_t n_faults;

	struct chip_line lines[CHIP_LINES];
	int64_t stuck_until_ns; /* uptime */
};

/* emul_init_t of all models. */
int chip_init(const struct emul *emul, const struct device *bus);

/*
 * Sampling. Frames are numbered from the moment at which somebody wants them: chip_begin() and chip_touch(). The rate
 * counts from then on.
 */

/* Frames a second, thousandths; 0 stops. Another rate than before begins a new period now. */
void chip_set_rate(struct chip *chip, uint32_t rate_mhz);

/*
 * The FIFO was turned on, or an interrupt asks for data: sampling begins, frame 0 follows after a period. Begins anew
 * as long as chip_touch() and chip_mark_read() were not called.
 */
void chip_begin(struct chip *chip);

/* A register of samples or their status is about to be read: sampling begins if it has not, with frame 0 made now. */
void chip_touch(struct chip *chip);

/* Somebody has taken a frame from the FIFO. */
void chip_mark_read(struct chip *chip);

/* The code of a channel, 0 to 5, of the newest frame on a grid: the nearest, halves towards plus infinity. */
int32_t chip_code(struct chip *chip, unsigned int channel, const struct chip_grid *grid);

/* The chip's clock now, nanoseconds since boot on its own time. */
int64_t chip_own_ns(const struct chip *chip);

/* Reset that the driver asks for, or the end of a brown-out. Calls ops->reset(). */
void chip_reset(struct chip *chip);

/* What the identity register reads as, with its fault. */
uint8_t chip_who_am_i(struct chip *chip, uint8_t identity);

/*
 * Interrupt lines, 0 or 1; without effect where none is wired.
 */

/* Which level is active. */
void chip_line_polarity(struct chip *chip, unsigned int line, bool active_low);

/* A level that stays until it is set otherwise. */
void chip_line_set(struct chip *chip, unsigned int line, bool active);

/* Active for a moment. */
void chip_line_pulse(struct chip *chip, unsigned int line);

/* For chip*.c alone from here on. */

/* Uptime in nanoseconds. */
int64_t chip_now_ns(void);

/* Make the frames that are due: before anything of a chip is looked at or changed. */
void chip_catch_up(struct chip *chip);

/* When the next ones have to be made, whether or not somebody looks; after every transfer. */
void chip_plan(struct chip *chip);

/* Faults of frames, struck between two of them. */
void chip_begin_faults(struct chip *chip);

/* No fault, clock nominal; and beyond that as if nothing had ever been sampled. */
void chip_heal(struct chip *chip);
void chip_forget(struct chip *chip);

/* Of the next n frames those before the first at which a fault may strike that concerns frames or lines. */
uint32_t chip_frames_before_faults(const struct chip *chip, uint32_t n);

/* The values that a kind takes. */
void chip_fault_range(enum emlearn_fault_kind kind, int32_t *min, int32_t *max);

/* Is such a fault due? value may be NULL. */
bool chip_fault_is_due(const struct chip *chip, enum emlearn_fault_kind kind, int32_t *value);

/* Does such a fault strike now? Uses it up by one; value may be NULL. */
bool chip_fault_strikes(struct chip *chip, enum emlearn_fault_kind kind, int32_t *value);

/* The same for faults that strike once whatever their n. */
bool chip_fault_strikes_once(struct chip *chip, enum emlearn_fault_kind kind, int32_t *value);

/* The line's fault of the frame, after ops->lines(). */
void chip_line_spurious(struct chip *chip);

/* All lines inactive and active high, as after reset. */
void chip_line_reset(struct chip *chip);

/* Is a line stuck, or its pin not at the level of the line? The next frame may mend that. */
bool chip_line_is_restless(const struct chip *chip);

/* Is there a line that somebody could see? */
bool chip_line_is_wired(const struct chip *chip);

#endif /* EMLEARN_EMUL_CHIP_H_ */
