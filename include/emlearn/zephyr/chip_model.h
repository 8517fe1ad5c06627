/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Models of IMU chips on Zephyr's emulated buses: what they play, what they truly made, and faults.
 *
 * A model takes the place of the chip behind the unmodified driver: registers, FIFO, interrupt line and a clock of
 * its own. Each function takes the device of the sensor whose node the model stands in for.
 */
#ifndef EMLEARN_ZEPHYR_CHIP_MODEL_H_
#define EMLEARN_ZEPHYR_CHIP_MODEL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/device.h>

#include <emlearn/types.h>
#include <emlearn/zephyr/imu_units.h>
#include <emlearn/zephyr/recording.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Channels of a frame: acc x y z, gyro x y z, in the axes of the chip. */
#define EMLEARN_CHIP_CHANNELS (2u * EMLEARN_AXES)

/** Where a chip's samples come from: the motion that it is subjected to. */
struct emlearn_source {
	/**
	 * The motion at sample `number`, from 0; the same number gives the same frame each time.
	 *
	 * @param frame all channels in counts of the steps below; 0 where the source has no such sensor
	 * @return 0, or -ENODATA behind the end: the chip then goes on with the last frame
	 */
	int (*frame)(const struct emlearn_source *source, uint32_t number, int16_t frame[EMLEARN_CHIP_CHANNELS]);
	struct emlearn_imu_step acc_step;          /**< what a count is worth, g */
	struct emlearn_imu_step gyro_step;         /**< what a count is worth, degrees per second */
	uint32_t n_frames;                         /**< 0: without end */
	const struct emlearn_recording *recording; /**< what is played, labels included; NULL where it is computed */
};

/**
 * Make a source of a recording, from its first frame to its last. Frames that are missing in it are left out: the
 * chip's clock goes on.
 */
void emlearn_source_recording(struct emlearn_source *source, const struct emlearn_recording *recording);

/**
 * Make an endless source in which each frame is told by its number: seeded, no two neighbours alike, no value held
 * by any range of the chips.
 */
void emlearn_source_synthetic(struct emlearn_source *source, const struct emlearn_imu_step *acc_step,
			      const struct emlearn_imu_step *gyro_step);

/** A frame as the chip made it. */
struct emlearn_chip_frame {
	int64_t t_us;                         /**< when, microseconds since boot */
	uint32_t number;                      /**< frames made before it since sampling began */
	int32_t codes[EMLEARN_CHIP_CHANNELS]; /**< as in its output registers, or of its FIFO where that is finer */
};

/** What a model has done since sampling began. */
struct emlearn_chip_counts {
	uint32_t n_made;        /**< frames */
	uint32_t n_stored;      /**< of them, put into the FIFO */
	uint32_t n_overwritten; /**< of them, lost there before anybody read them */
	uint32_t n_edges;       /**< of the interrupt line, to active */
	uint32_t n_transfers;   /**< on the bus, failed ones included */
	uint32_t n_resets;      /**< by the driver or by a brown-out */
};

/** Ways for things to go wrong. Those without an n happen once. */
enum emlearn_fault_kind {
	EMLEARN_FAULT_NACK,         /**< n transfers of more data than value bytes fail with -EIO there */
	EMLEARN_FAULT_INT_STUCK,    /**< the line keeps its level for value ms */
	EMLEARN_FAULT_INT_LOST,     /**< n edges to active do not happen */
	EMLEARN_FAULT_INT_SPURIOUS, /**< n edges to active with nothing behind them, one a frame */
	EMLEARN_FAULT_OVERRUN,      /**< n transfers hang until the FIFO has overrun by a frame, and value more */
	EMLEARN_FAULT_BROWNOUT,     /**< power is lost: registers as after reset, FIFO empty, no sampling */
	EMLEARN_FAULT_WHO_AM_I,     /**< WHO_AM_I reads as value, n times */
	EMLEARN_FAULT_ODD,          /**< n times the FIFO holds a packet or words that make no frame */
	EMLEARN_FAULT_CLOCK,        /**< the chip's clock is value ppm fast from now on; +-500000 at most */
	EMLEARN_FAULT_DROP,         /**< n frames are made but not put into the FIFO */
	EMLEARN_FAULT_REPEAT,       /**< n frames are put into the FIFO twice */
	EMLEARN_FAULT_CLIP,         /**< n frames have every channel at the end of its range on its side */
	EMLEARN_FAULT_KINDS,
};

/** One fault. Of several of a kind that are due, the one given first happens first. */
struct emlearn_fault {
	enum emlearn_fault_kind kind;
	uint32_t at_frame; /**< frame since sampling began at which it begins; at once if that has passed */
	uint32_t n;        /**< how often; UINT32_MAX for ever */
	int32_t value;     /**< as the kind says */
};

/** Is there a model behind this device? */
bool emlearn_chip_is_model(const struct device *dev);

/**
 * Power the model off and on as a bench would between two tests: registers as after reset, truth and faults
 * forgotten, clock on nominal, and the source at its first frame.
 *
 * The driver has to set the chip up again afterwards, which no driver does by itself: tests use emlearn_chip_rewind().
 */
void emlearn_chip_power_cycle(const struct device *dev);

/**
 * Forget truth, counts and faults and be about to begin sampling with the first frame of the source (NULL: the one it
 * has). Registers and FIFO settings stay.
 */
void emlearn_chip_rewind(const struct device *dev, const struct emlearn_source *source);

/** The source that is played. */
const struct emlearn_source *emlearn_chip_source(const struct device *dev);

/**
 * A frame that was made. Sampling begins with frame 0 when the FIFO is turned on or the first sample is read, and
 * begins anew as long as nothing has been read.
 *
 * @return 0; -EAGAIN if it is not made yet; -ERANGE if it was and is forgotten (CONFIG_EMLEARN_EMUL_TRUTH_FRAMES)
 */
int emlearn_chip_truth(const struct device *dev, uint32_t number, struct emlearn_chip_frame *frame);

/** What was done up to now. */
void emlearn_chip_counts(const struct device *dev, struct emlearn_chip_counts *counts);

/** What a code of emlearn_chip_truth() is worth at present. */
void emlearn_chip_steps(const struct device *dev, struct emlearn_imu_step *acc_step,
			struct emlearn_imu_step *gyro_step);

/**
 * Let something go wrong. Several faults may be under way.
 *
 * @return 0; -ENOTSUP if this chip cannot have it (no line is wired, or the kind is unknown); -ERANGE if value is out
 *         of range: no byte for WHO_AM_I, under 0 for the others but CLOCK; -ENOMEM if too many wait
 * (CONFIG_EMLEARN_EMUL_FAULTS)
 */
int emlearn_chip_fault(const struct device *dev, const struct emlearn_fault *fault);

/** Room for the text of any fault. */
#define EMLEARN_CHIP_FAULT_TEXT 48

/**
 * A fault that has not struck yet, as --imu-fault takes it, such as "drop@5000x2".
 *
 * @param index 0 for the one given first
 * @return its length; -ENOENT if not so many wait
 */
int emlearn_chip_fault_waiting(const struct device *dev, uint32_t index, char *text, size_t size);

/** End and forget all faults; the clock is nominal again. */
void emlearn_chip_heal(const struct device *dev);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_CHIP_MODEL_H_ */
