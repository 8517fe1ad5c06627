/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/zephyr/imu_units.h>

#include <errno.h>

/* 1 g in um/s2, and pi * 10^7: 1800 * 10^6 urad / (pi * 10^7) is one degree. */
#define G_UM_S2 9806650
#define PI_1E7 31415927
#define DEGREE_1E7 1800

static int set(struct emlearn_imu_scale *scale, const struct emlearn_imu_step *step, int64_t unit_mul, int64_t unit_div)
{
	if (step->num == 0 || step->num > EMLEARN_IMU_STEP_NUM_MAX || step->den == 0) {
		return -EINVAL;
	}
	scale->mul = step->den * unit_mul;
	scale->div = step->num * unit_div;
	/* Beyond this the count is beyond int16, and below it value * mul cannot overflow: 32769 * div < 2^61. */
	scale->limit = 32769 * scale->div / scale->mul + 1;
	return 0;
}

int emlearn_imu_scale_acc(struct emlearn_imu_scale *scale, const struct emlearn_imu_step *step)
{
	return set(scale, step, 1, G_UM_S2);
}

int emlearn_imu_scale_gyro(struct emlearn_imu_scale *scale, const struct emlearn_imu_step *step)
{
	return set(scale, step, DEGREE_1E7, PI_1E7);
}

int16_t emlearn_imu_count(const struct emlearn_imu_scale *scale, const struct sensor_value *value)
{
	int64_t micro = value->val1 * INT64_C(1000000) + value->val2;

	if (micro > scale->limit) {
		return INT16_MAX;
	}
	if (micro < -scale->limit) {
		return INT16_MIN;
	}
	/* floor(a / b) of a = 2 * micro * mul + div, b = 2 * div > 0 */
	int64_t a = 2 * micro * scale->mul + scale->div;
	int64_t b = 2 * scale->div;
	int64_t count = a / b - (a % b < 0 ? 1 : 0);

	return (int16_t)(count > INT16_MAX ? INT16_MAX : count < INT16_MIN ? INT16_MIN : count);
}
