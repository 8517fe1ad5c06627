/* SPDX-License-Identifier: Apache-2.0 */
/* What a chip plays from boot on: as devicetree and the command line say, else computed motion. */
#ifndef EMLEARN_EMUL_CHIP_SOURCE_H_
#define EMLEARN_EMUL_CHIP_SOURCE_H_

#include <stdint.h>

#include <zephyr/device.h>

#include <emlearn/zephyr/chip_model.h>

struct recording_file;

/* A chip's own source. */
struct chip_source {
	struct emlearn_source source;
#ifdef CONFIG_ARCH_POSIX
	struct recording_file *file;        /* played on the chip's own grid; NULL if none is */
	struct emlearn_recording recording; /* of the file */
#endif
};

/* Choose it for the chip behind a device. */
void chip_source_init(struct chip_source *own, const struct device *dev);

/*
 * Sampling begins: a file is put on the grid of the chip's codes.
 *
 * extra_bits: of the codes of a sensor, beyond 16; a file that needs them plays on a coarser grid.
 */
void chip_source_begin(struct chip_source *own, const struct emlearn_imu_step *acc_step, unsigned int acc_extra_bits,
		       const struct emlearn_imu_step *gyro_step, unsigned int gyro_extra_bits);

/*
 * The first frame is read: the emulation ends with one line if the chip's rate is not that of the recording, 5 % at
 * most apart.
 */
void chip_source_check_rate(const struct chip_source *own, const struct device *dev, uint32_t rate_mhz);

#endif /* EMLEARN_EMUL_CHIP_SOURCE_H_ */
