/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/zephyr/imu_units.h>

#include <errno.h>

/* 1 g in um/s2, and pi * 10^7: 1800 * 10^6 urad / (pi * 10^7) is one degree. */
#define G_UM_S2 9806650
#define PI_1E7 31415927
#define DEGREE_1E7 1800

#define MICRO INT64_C(1000000)

/* Of both sides of a ratio. */
#define RATIO_MAX (UINT64_C(1) << 37)

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

static int16_t held(int64_t count)
{
	return (int16_t)(count > INT16_MAX ? INT16_MAX : count < INT16_MIN ? INT16_MIN : count);
}

/* div above 0 */
static int64_t floor_div(int64_t num, int64_t div)
{
	return num / div - (num % div < 0 ? 1 : 0);
}

/* floor(num / div + 1/2), held; num below 2^62, div above 0 */
static int16_t nearest(int64_t num, int64_t div)
{
	return held(floor_div(2 * num + div, 2 * div));
}

static int16_t count(const struct emlearn_imu_scale *scale, int64_t micro)
{
	if (micro > scale->limit) {
		return INT16_MAX;
	}
	if (micro < -scale->limit) {
		return INT16_MIN;
	}
	return nearest(micro * scale->mul, scale->div);
}

int16_t emlearn_imu_count(const struct emlearn_imu_scale *scale, const struct sensor_value *value)
{
	return count(scale, value->val1 * MICRO + value->val2);
}

int16_t emlearn_imu_count_q31(const struct emlearn_imu_scale *scale, int32_t value, int8_t shift)
{
	int64_t ones;

	if (shift < -22 || shift > 31) {
		return 0;
	}
	ones = INT64_C(1) << (31 - shift);
	/* below 2^51 + 2^52 */
	return count(scale, floor_div(value * MICRO + ones / 2, ones));
}

void emlearn_imu_ratio(struct emlearn_imu_ratio *ratio, const struct emlearn_imu_step *from,
		       const struct emlearn_imu_step *to)
{
	uint64_t mul = (uint64_t)from->num * to->den;
	uint64_t div = (uint64_t)from->den * to->num;

	/* With 24 bits of code, and twice that for rounding. */
	while ((mul | div) >= RATIO_MAX) {
		mul = (mul + 1) / 2;
		div = (div + 1) / 2;
	}
	ratio->mul = (int64_t)mul;
	ratio->div = (int64_t)div;
}

int16_t emlearn_imu_rescaled(const struct emlearn_imu_ratio *ratio, int32_t code)
{
	return ratio->mul == ratio->div ? held(code) : nearest(code * ratio->mul, ratio->div);
}
