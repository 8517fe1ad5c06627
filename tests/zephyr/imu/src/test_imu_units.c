/* SPDX-License-Identifier: Apache-2.0 */
/* Every raw code must come back from the SI value that a driver makes of it. */
#include <errno.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/ztest.h>

#include <emlearn/zephyr/imu_units.h>

#define CODE_MIN INT16_MIN
#define CODE_MAX INT16_MAX

/* Coprime to all powers of two, for where QEMU would take too long. */
#define CODE_STRIDE (IS_ENABLED(CONFIG_ARCH_POSIX) ? 1 : 7)

/* The arithmetic of drivers: raw code and what they know of the range to m/s2 or rad/s. */
typedef void (*convert_t)(int32_t code, int32_t sensitivity, struct sensor_value *value);

/* lsm6dsl and its kin: sensitivity in ug. */
static void acc_in_ug(int32_t code, int32_t sensitivity, struct sensor_value *value)
{
	sensor_ug_to_ms2(code * sensitivity, value);
}

/* lsm6dsl and its kin: sensitivity in udps, by way of tens of udps. */
static void gyro_in_udps(int32_t code, int32_t sensitivity, struct sensor_value *value)
{
	sensor_10udegrees_to_rad((int32_t)((int64_t)code * sensitivity / 10), value);
}

/* icm42688 and its kin: sensitivity in counts a g. */
static void acc_per_g(int32_t code, int32_t sensitivity, struct sensor_value *value)
{
	int64_t scaled = code * SENSOR_G;

	value->val1 = (int32_t)(scaled / (sensitivity * INT64_C(1000000)));
	value->val2 = (int32_t)((scaled - value->val1 * INT64_C(1000000) * sensitivity) / sensitivity);
}

/* icm42688 and its kin: sensitivity in counts per 10 dps. */
static void gyro_per_10_dps(int32_t code, int32_t sensitivity, struct sensor_value *value)
{
	int64_t scaled = (int64_t)code * SENSOR_PI * 10;

	value->val1 = (int32_t)(scaled / (sensitivity * INT64_C(180000000)));
	value->val2 = (int32_t)((scaled - value->val1 * INT64_C(180000000) * sensitivity) / (sensitivity * 180));
}

static void check_all_codes(const struct emlearn_imu_scale *scale, convert_t convert, int32_t sensitivity)
{
	for (int32_t code = CODE_MIN; code <= CODE_MAX; code++) {
		struct sensor_value value;

		convert(code, sensitivity, &value);
		if (emlearn_imu_count(scale, &value) != code) {
			zassert_equal(emlearn_imu_count(scale, &value), code, "code %d at sensitivity %d", code,
				      sensitivity);
		}
	}
}

static void check_acc(convert_t convert, int32_t sensitivity, uint32_t num, uint32_t den)
{
	struct emlearn_imu_scale scale;

	zassert_ok(emlearn_imu_scale_acc(&scale, &(struct emlearn_imu_step){num, den}));
	check_all_codes(&scale, convert, sensitivity);
}

static void check_gyro(convert_t convert, int32_t sensitivity, uint32_t num, uint32_t den)
{
	struct emlearn_imu_scale scale;

	zassert_ok(emlearn_imu_scale_gyro(&scale, &(struct emlearn_imu_step){num, den}));
	check_all_codes(&scale, convert, sensitivity);
}

ZTEST(imu_units, test_every_acc_code_of_lsm6dsl_comes_back)
{
	check_acc(acc_in_ug, 61, 61, 1000000);
	check_acc(acc_in_ug, 122, 122, 1000000);
	check_acc(acc_in_ug, 244, 61, 250000);
	check_acc(acc_in_ug, 488, 488, 1000000);
}

ZTEST(imu_units, test_every_gyro_code_of_lsm6dsl_comes_back)
{
	check_gyro(gyro_in_udps, 4375, 7, 1600);
	check_gyro(gyro_in_udps, 8750, 7, 800);
	check_gyro(gyro_in_udps, 70000, 7, 100);
}

ZTEST(imu_units, test_every_acc_code_of_icm42688_comes_back)
{
	check_acc(acc_per_g, 16384, 1, 16384);
	check_acc(acc_per_g, 8192, 1, 8192);
	check_acc(acc_per_g, 2048, 1, 2048);
}

ZTEST(imu_units, test_every_gyro_code_of_icm42688_comes_back)
{
	check_gyro(gyro_per_10_dps, 164, 5, 82);
	check_gyro(gyro_per_10_dps, 1310, 1, 131);
	check_gyro(gyro_per_10_dps, 20972, 10, 20972);
}

/* Zephyr's generic decoder: cut off at a millionth before, and at 31 bits after a shift that all axes share. */
static int32_t generic_q31(const struct sensor_value *value, int8_t shift)
{
	int64_t micro = value->val1 * INT64_C(1000000) + value->val2;

	return (int32_t)(micro * INT32_MAX / 1000000 >> shift);
}

static void check_all_codes_q31(const struct emlearn_imu_scale *scale, convert_t convert, int32_t sensitivity,
				int8_t shift)
{
	for (int32_t code = CODE_MIN; code <= CODE_MAX; code += CODE_STRIDE) {
		struct sensor_value value;
		int32_t q31;

		convert(code, sensitivity, &value);
		q31 = generic_q31(&value, shift);
		if (emlearn_imu_count_q31(scale, q31, shift) != code) {
			zassert_equal(emlearn_imu_count_q31(scale, q31, shift), code, "code %d at sensitivity %d", code,
				      sensitivity);
		}
	}
}

ZTEST(imu_units, test_every_code_comes_back_through_the_generic_decoder)
{
	struct emlearn_imu_scale scale;

	/* 2 g need a shift of 5; a shock of 16 g on another axis makes it 8 for all, gyroscope included. */
	zassert_ok(emlearn_imu_scale_acc(&scale, &(struct emlearn_imu_step){61, 1000000}));
	check_all_codes_q31(&scale, acc_in_ug, 61, 5);
	check_all_codes_q31(&scale, acc_in_ug, 61, 8);
	zassert_ok(emlearn_imu_scale_gyro(&scale, &(struct emlearn_imu_step){7, 1600}));
	check_all_codes_q31(&scale, gyro_in_udps, 4375, 8);
	/* the finest steps of an icm42688 */
	zassert_ok(emlearn_imu_scale_acc(&scale, &(struct emlearn_imu_step){1, 16384}));
	check_all_codes_q31(&scale, acc_per_g, 16384, 8);
	zassert_ok(emlearn_imu_scale_gyro(&scale, &(struct emlearn_imu_step){10, 20972}));
	check_all_codes_q31(&scale, gyro_per_10_dps, 20972, 8);
}

ZTEST(imu_units, test_values_of_a_decoder_are_rounded_and_held)
{
	/* A count is 2 m/s2: a step of 2000000 / 9806650 g. */
	const struct {
		int32_t value;
		int8_t shift;
		int16_t count;
	} cases[] = {
		{0, 0, 0},
		{INT32_MAX, 0, 1},     /* 1 m/s2 but for less than a millionth */
		{0x3fffffff, 1, 1},    /* the same */
		{INT32_MIN / 2, 1, 0}, /* -1 m/s2 */
		{INT32_MIN, 2, -2},    /* -4 m/s2 */
		{6, 29, 1},            /* 1.5 m/s2 */
		{3, 31, 2},            /* 3 m/s2 */
		{-3, 31, -1},          /* -3 m/s2 */
		{INT32_MAX, 31, INT16_MAX},
		{INT32_MIN, 31, INT16_MIN},
		{INT32_MAX, -22, 0},
		{INT32_MAX, 32, 0},
		{INT32_MAX, -23, 0},
	};
	struct emlearn_imu_scale scale;

	zassert_ok(emlearn_imu_scale_acc(&scale, &(struct emlearn_imu_step){40000, 196133}));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		zassert_equal(emlearn_imu_count_q31(&scale, cases[i].value, cases[i].shift), cases[i].count,
			      "case %u: %d", (unsigned int)i,
			      emlearn_imu_count_q31(&scale, cases[i].value, cases[i].shift));
	}
}

#ifdef CONFIG_ARCH_POSIX
/* Drivers that compute in double; soft double takes too long under QEMU. */
static void acc_in_double(int32_t code, int32_t sensitivity, struct sensor_value *value)
{
	zassert_ok(sensor_value_from_double(value, code * (sensitivity / 32768.0) * 9.80665));
}

static void gyro_in_double(int32_t code, int32_t sensitivity, struct sensor_value *value)
{
	zassert_ok(sensor_value_from_double(value, code * (sensitivity / 32768.0) * 3.14159265358979323846 / 180));
}

ZTEST(imu_units, test_every_code_of_full_scale_grids_comes_back)
{
	for (int32_t range = 2; range <= 32; range *= 2) {
		check_acc(acc_in_double, range, (uint32_t)range, 32768);
	}
	for (int32_t range = 125; range <= 4000; range *= 2) {
		check_gyro(gyro_in_double, range, (uint32_t)range, 32768);
	}
}
#endif

ZTEST(imu_units, test_half_a_count_rounds_up_and_more_is_held)
{
	/* A count is 2 m/s2: a step of 2000000 / 9806650 g. */
	const struct emlearn_imu_step step = {40000, 196133};
	const struct {
		struct sensor_value value;
		int16_t count;
	} cases[] = {
		{{0, 0}, 0},
		{{1, 0}, 1},
		{{0, 999999}, 0},
		{{-1, 0}, 0},
		{{-1, -1}, -1},
		{{3, 0}, 2},
		{{-3, 0}, -1},
		{{65534, 0}, 32767},
		{{65535, 0}, 32767},
		{{65537, 0}, 32767},
		{{-65536, 0}, -32768},
		{{-65539, 0}, -32768},
		{{INT32_MAX, 999999}, INT16_MAX},
		{{INT32_MIN, -999999}, INT16_MIN},
	};
	struct emlearn_imu_scale scale;

	zassert_ok(emlearn_imu_scale_acc(&scale, &step));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		zassert_equal(emlearn_imu_count(&scale, &cases[i].value), cases[i].count, "case %u: %d",
			      (unsigned int)i, emlearn_imu_count(&scale, &cases[i].value));
	}
}

ZTEST(imu_units, test_the_largest_step_does_not_overflow)
{
	const struct emlearn_imu_step step = {EMLEARN_IMU_STEP_NUM_MAX, 1};
	const struct sensor_value most = {INT32_MAX, 999999};
	struct emlearn_imu_scale scale;

	/* 2^31 m/s2 is 208.8 of 2^20 g; 2^31 rad/s is 117341.8 of 2^20 dps. */
	zassert_ok(emlearn_imu_scale_acc(&scale, &step));
	zassert_equal(emlearn_imu_count(&scale, &most), 209);
	zassert_ok(emlearn_imu_scale_gyro(&scale, &step));
	zassert_equal(emlearn_imu_count(&scale, &most), INT16_MAX);
	zassert_equal(emlearn_imu_count(&scale, &(struct sensor_value){100000000, 0}), 5464);
}

ZTEST(imu_units, test_the_finest_step_does_not_overflow)
{
	const struct emlearn_imu_step step = {1, UINT32_MAX};
	struct emlearn_imu_scale scale;

	zassert_ok(emlearn_imu_scale_gyro(&scale, &step));
	zassert_equal(emlearn_imu_count(&scale, &(struct sensor_value){0, 0}), 0);
	zassert_equal(emlearn_imu_count(&scale, &(struct sensor_value){0, 1}), INT16_MAX);
	zassert_equal(emlearn_imu_count(&scale, &(struct sensor_value){0, -1}), INT16_MIN);
	zassert_equal(emlearn_imu_count(&scale, &(struct sensor_value){INT32_MIN, 0}), INT16_MIN);
}

ZTEST(imu_units, test_steps_out_of_range_are_refused)
{
	const struct emlearn_imu_step steps[] = {{0, 1}, {1, 0}, {EMLEARN_IMU_STEP_NUM_MAX + 1, 1}};
	struct emlearn_imu_scale scale;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		zassert_equal(emlearn_imu_scale_acc(&scale, &steps[i]), -EINVAL);
		zassert_equal(emlearn_imu_scale_gyro(&scale, &steps[i]), -EINVAL);
	}
}

ZTEST_SUITE(imu_units, NULL, NULL, NULL, NULL, NULL);
