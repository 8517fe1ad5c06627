/* SPDX-License-Identifier: Apache-2.0 */
#include "sources.h"

#include <zephyr/sys/util.h>

static int16_t constant;

static int count(const struct emlearn_source *source, uint32_t number, int16_t frame[EMLEARN_CHIP_CHANNELS])
{
	ARG_UNUSED(source);
	for (uint32_t i = 0; i < EMLEARN_CHIP_CHANNELS; i++) {
		frame[i] = COUNT_OF(number, i);
	}
	return 0;
}

static int repeat(const struct emlearn_source *source, uint32_t number, int16_t frame[EMLEARN_CHIP_CHANNELS])
{
	ARG_UNUSED(source);
	ARG_UNUSED(number);
	for (uint32_t i = 0; i < EMLEARN_CHIP_CHANNELS; i++) {
		frame[i] = constant;
	}
	return 0;
}

void set_constant(int16_t value)
{
	constant = value;
}

const struct emlearn_source counting_source = {
	.frame = count,
	.acc_step = {SOURCE_ACC_UG, 1000000},
	.gyro_step = {SOURCE_GYRO_UDPS, 1000000},
};

const struct emlearn_source constant_source = {
	.frame = repeat,
	.acc_step = {SOURCE_ACC_UG, 1000000},
	.gyro_step = {SOURCE_GYRO_UDPS, 1000000},
};
