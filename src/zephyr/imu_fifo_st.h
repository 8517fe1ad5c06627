/* SPDX-License-Identifier: Apache-2.0 */
/* What the chips of STMicroelectronics with and without tags in their FIFO share. */
#ifndef EMLEARN_ZEPHYR_IMU_FIFO_ST_H_
#define EMLEARN_ZEPHYR_IMU_FIFO_ST_H_

#include "imu_fifo_chip.h"

#define ST_INT1_CTRL 0x0D
#define ST_INT2_CTRL 0x0E
#define ST_INT_FIFO_TH 0x08
#define ST_WHO_AM_I 0x0F
#define ST_CTRL1_XL 0x10
#define ST_CTRL2_G 0x11
#define ST_CTRL10_C 0x19
#define ST_TIMER_EN 0x20
/* The first ranges of the settings: INT1_CTRL and 2, CTRL1_XL to CTRL10_C. */
#define ST_INTS 2
#define ST_CTRLS 10
#define ST_RANGES                                                                                                      \
	{ST_INT1_CTRL, ST_INTS},                                                                                       \
	{                                                                                                              \
		ST_CTRL1_XL, ST_CTRLS                                                                                  \
	}

/* Places of these registers in the settings, each range behind the number of its first one; and of what comes next. */
#define ST_INT_AT(reg) (1 + (reg) - ST_INT1_CTRL)
#define ST_CTRL_AT(reg) (2 + ST_INTS + (reg) - ST_CTRL1_XL)
#define ST_END_AT (2 + ST_INTS + ST_CTRLS)

#define ST_FIFO_STATUS1 0x3A

#define ST_MODE_OFF 0x00
#define ST_MODE_CONTINUOUS 0x06

/* 25 us, if the lsm6dsl family is told to. */
#define ST_TICKS_HZ 40000

/*
 * See rates and ranges. Returns the code of the rate of the sensors that are asked for, which the FIFO takes too; 0 if
 * they have not one.
 */
unsigned int emlearn_imu_fifo_st_see(const struct emlearn_imu_fifo *fifo, struct emlearn_imu_got *got);

/* Let the pin that is wired follow the watermark. */
void emlearn_imu_fifo_st_route(struct emlearn_imu_fifo *fifo);

#endif /* EMLEARN_ZEPHYR_IMU_FIFO_ST_H_ */
