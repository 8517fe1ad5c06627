/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * From the sensor API's m/s2 and rad/s back to counts of a model's grid, in integers.
 */
#ifndef EMLEARN_ZEPHYR_IMU_UNITS_H_
#define EMLEARN_ZEPHYR_IMU_UNITS_H_

#include <stdint.h>

#include <zephyr/drivers/sensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Largest numerator of a step. */
#define EMLEARN_IMU_STEP_NUM_MAX (1u << 20)

/** What one count is worth, num / den: g of an accelerometer, degrees per second of a gyroscope. */
struct emlearn_imu_step {
	uint32_t num; /**< 1 to EMLEARN_IMU_STEP_NUM_MAX */
	uint32_t den; /**< 1 to UINT32_MAX */
};

/** A factor from micro-units to counts; the fields are private. */
struct emlearn_imu_scale {
	int64_t mul;
	int64_t div;
	int64_t limit;
};

/** A factor from codes of a chip to counts of a model; the fields are private. */
struct emlearn_imu_ratio {
	int32_t mul; /* of 2^(shift - 32) */
	uint32_t shift;
};

/**
 * Prepare the way from m/s2 to counts of a step in g (1 g = 9.80665 m/s2).
 *
 * @return 0, or -EINVAL if num or den is out of range
 */
int emlearn_imu_scale_acc(struct emlearn_imu_scale *scale, const struct emlearn_imu_step *step);

/**
 * Prepare the way from rad/s to counts of a step in degrees per second.
 *
 * @return 0, or -EINVAL if num or den is out of range
 */
int emlearn_imu_scale_gyro(struct emlearn_imu_scale *scale, const struct emlearn_imu_step *step);

/**
 * Counts of a value: the nearest, halves towards plus infinity, held to int16.
 *
 * Gives back the raw code of a driver that multiplied it by the same step and cut the result off at a millionth,
 * for steps down to 12 ug or 0.4 mdps. Two 64-bit divisions at most, no floating point, ISR-safe.
 */
int16_t emlearn_imu_count(const struct emlearn_imu_scale *scale, const struct sensor_value *value);

/**
 * Counts of a value of a sensor's decoder, value * 2^(shift - 31): rounded to a millionth, then as
 * emlearn_imu_count() does. One 64-bit division more, no floating point, ISR-safe.
 *
 * @param shift -22 to 31; 0 counts otherwise
 */
int16_t emlearn_imu_count_q31(const struct emlearn_imu_scale *scale, int32_t value, int8_t shift);

/**
 * Prepare the way from counts of one step to counts of another; steps of {0, 0} are not to be converted.
 *
 * Exact where one step is the other one times a power of two, else within 2^-30 of it or of a count.
 */
void emlearn_imu_ratio(struct emlearn_imu_ratio *ratio, const struct emlearn_imu_step *from,
		       const struct emlearn_imu_step *to);

/**
 * A code of the chip in counts: the nearest, held to int16. The same number where the steps are equal; halves go
 * towards plus infinity where the ratio is exact. One multiplication, ISR-safe.
 *
 * @param code at most 24 bits, 16 where one of them is worth 64 counts or more
 */
static inline int16_t emlearn_imu_rescaled(const struct emlearn_imu_ratio *ratio, int32_t code)
{
	const int64_t product = (int64_t)(int32_t)((uint32_t)code << ratio->shift) * ratio->mul;
	const int32_t count = (int32_t)((product + (INT64_C(1) << 31)) >> 32);

	return (int16_t)(count > INT16_MAX ? INT16_MAX : count < INT16_MIN ? INT16_MIN : count);
}

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_UNITS_H_ */
