/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/zephyr/imu_units.h>

#include <errno.h>

/* 1 g in um/s2, and pi * 10^7: 1800 * 10^6 urad / (pi * 10^7) is one degree. */
#define G_UM_S2 9806650
#define PI_1E7 31415927
#define DEGREE_1E7 1800

#define MICRO INT64_C(1000000)

/* Of a ratio: one code is beyond all counts. */
#define MUL_MAX 65536u

static int set(struct emlearn_imu_scale *scale, const struct emlearn_imu_step *step, int64_t unit_mul, int64_t unit_div)
{
	if (step->num == 0 || step->num > EMLEARN_IMU_STEP_NUM_MAX || step->den == 0) {
		return -EINVAL;
	}
	/* Twice, as nearest() needs it. */
	scale->mul = 2 * step->den * unit_mul;
	scale->div = 2 * step->num * unit_div;
	/* Beyond this the count is beyond int16, and below it value * mul cannot overflow: 32769 * div < 2^62. */
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

/* floor(num / div + 1/2), held; num below 2^62, div even and above 0 */
static int16_t nearest(int64_t num, int64_t div)
{
	return held(floor_div(num + div / 2, div));
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
	const uint64_t div = (uint64_t)from->den * to->num;
	uint64_t rest = (uint64_t)from->num * to->den;
	uint64_t mul;

	*ratio = (struct emlearn_imu_ratio){0};
	if (div == 0) {
		return;
	}
	/* Long division to 32 places, fewer if 31 bits do not hold them. The last one is rounded. */
	mul = rest / div;
	mul = mul > MUL_MAX ? MUL_MAX : mul;
	for (ratio->shift = 32; ratio->shift > 0 && mul < INT32_MAX / 2; ratio->shift--) {
		rest = 2 * (rest % div);
		mul = 2 * mul + rest / div;
	}
	mul += 2 * (rest % div) >= div ? 1 : 0;
	ratio->mul = (int32_t)(mul > INT32_MAX ? INT32_MAX : mul);
}
