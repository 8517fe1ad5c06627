/* SPDX-License-Identifier: Apache-2.0 */
/* What chips play in these tests. */
#ifndef TEST_SOURCES_H_
#define TEST_SOURCES_H_

#include <stdint.h>

#include <emlearn/zephyr/chip_model.h>

/* 61 ug and 8.75 mdps a count. */
#define SOURCE_ACC_UG 61
#define SOURCE_GYRO_UDPS 8750

/* Channel c of frame n is COUNT_OF(n, c): all differ, from frame to frame and from channel to channel. */
#define COUNT_OF(number, channel) ((int16_t)((uint16_t)((number) + 1) * 7u + 4096u * (channel)))
extern const struct emlearn_source counting_source;

/* Every channel of every frame is the count that set_constant() was given. */
extern const struct emlearn_source constant_source;
void set_constant(int16_t count);

#endif /* TEST_SOURCES_H_ */
