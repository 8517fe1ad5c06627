/* SPDX-License-Identifier: Apache-2.0 */
/* What tests and applications do with the models of chips. */
#include <emlearn/zephyr/chip_model.h>

#include <errno.h>
#include <string.h>

#include <zephyr/sys/__assert.h>
#include <zephyr/sys/iterable_sections.h>

#include "chip.h"
#include "fault_spec.h"

/* NULL if there is no model behind the device. */
static struct chip *find(const struct device *dev)
{
	STRUCT_SECTION_FOREACH(emul, emul) {
		if (emul->dev == dev &&
		    ((emul->bus_type == EMUL_BUS_TYPE_I2C && emul->bus.i2c->api == &chip_i2c_api) ||
		     (emul->bus_type == EMUL_BUS_TYPE_SPI && emul->bus.spi->api == &chip_spi_api))) {
			return emul->data;
		}
	}
	return NULL;
}

static struct chip *get(const struct device *dev)
{
	struct chip *chip = find(dev);

	__ASSERT(chip != NULL, "no chip model behind %s", dev->name);
	return chip;
}

bool emlearn_chip_is_model(const struct device *dev)
{
	return find(dev) != NULL;
}

void emlearn_chip_power_cycle(const struct device *dev)
{
	struct chip *chip = get(dev);
	unsigned int key = irq_lock();

	chip_reset(chip);
	chip_forget(chip);
	irq_unlock(key);
}

void emlearn_chip_rewind(const struct device *dev, const struct emlearn_source *source)
{
	struct chip *chip = get(dev);
	unsigned int key = irq_lock();

	if (source != NULL) {
		chip->source = source;
	}
	chip_forget(chip);
	if (chip->ops->wants(chip)) {
		chip_begin(chip);
	}
	irq_unlock(key);
}

const struct emlearn_source *emlearn_chip_source(const struct device *dev)
{
	return get(dev)->source;
}

int emlearn_chip_truth(const struct device *dev, uint32_t number, struct emlearn_chip_frame *frame)
{
	struct chip *chip = get(dev);
	const struct chip_truth *truth = &chip->truth[number % CONFIG_EMLEARN_EMUL_TRUTH_FRAMES];
	unsigned int key = irq_lock();
	int rc = 0;

	chip_catch_up(chip);
	if (number >= chip->counts.n_made) {
		rc = -EAGAIN;
	} else if (chip->counts.n_made - number > CONFIG_EMLEARN_EMUL_TRUTH_FRAMES) {
		rc = -ERANGE;
	} else {
		frame->t_us = truth->t_us;
		frame->number = number;
		memcpy(frame->codes, truth->codes, sizeof(frame->codes));
	}
	irq_unlock(key);
	return rc;
}

void emlearn_chip_counts(const struct device *dev, struct emlearn_chip_counts *counts)
{
	struct chip *chip = get(dev);
	unsigned int key = irq_lock();

	chip_catch_up(chip);
	*counts = chip->counts;
	irq_unlock(key);
}

void emlearn_chip_steps(const struct device *dev, struct emlearn_imu_step *acc_step, struct emlearn_imu_step *gyro_step)
{
	struct chip *chip = get(dev);
	unsigned int key = irq_lock();

	chip->ops->steps(chip, acc_step, gyro_step);
	irq_unlock(key);
}

int emlearn_chip_fault(const struct device *dev, const struct emlearn_fault *fault)
{
	struct chip *chip = get(dev);
	unsigned int key;
	int rc = -ENOMEM;
	int32_t min;
	int32_t max;

	if ((unsigned int)fault->kind >= EMLEARN_FAULT_KINDS ||
	    (!chip_line_is_wired(chip) &&
	     (fault->kind == EMLEARN_FAULT_INT_STUCK || fault->kind == EMLEARN_FAULT_INT_LOST ||
	      fault->kind == EMLEARN_FAULT_INT_SPURIOUS))) {
		return -ENOTSUP;
	}
	chip_fault_range(fault->kind, &min, &max);
	if (fault->value < min || fault->value > max) {
		return -ERANGE;
	}
	key = irq_lock();
	chip_catch_up(chip);
	if (chip->n_faults < CONFIG_EMLEARN_EMUL_FAULTS) {
		chip->faults[chip->n_faults] = (struct chip_fault){.what = *fault};
		chip->n_faults++;
		chip_begin_faults(chip);
		rc = 0;
	}
	irq_unlock(key);
	return rc;
}

int emlearn_chip_fault_waiting(const struct device *dev, uint32_t index, char *text, size_t size)
{
	struct chip *chip = get(dev);
	unsigned int key = irq_lock();
	int rc = -ENOENT;

	chip_catch_up(chip);
	for (uint32_t i = 0; i < chip->n_faults && rc < 0; i++) {
		if (!chip->faults[i].struck && index-- == 0) {
			rc = fault_spec_print(&chip->faults[i].what, text, size);
		}
	}
	irq_unlock(key);
	return rc;
}

void emlearn_chip_heal(const struct device *dev)
{
	struct chip *chip = get(dev);
	unsigned int key = irq_lock();

	chip_catch_up(chip);
	chip_heal(chip);
	irq_unlock(key);
}
