/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/q.h>

#include "check.h"

static void check_root32(uint32_t x)
{
	uint64_t r = emlearn_q_isqrt32(x);

	CHECK(r * r <= x && (r + 1) * (r + 1) > x);
}

/* r is the root of x if 0 <= x - r^2 <= 2 r; neither side can overflow once r < 2^32. */
static void check_root64(uint64_t x)
{
	uint64_t r = emlearn_q_isqrt64(x);

	CHECK(r <= UINT32_MAX);
	CHECK(r * r <= x && x - r * r <= 2 * r);
}

TEST(the_32_bit_root_is_exact_for_every_number_below_2_to_the_21)
{
	uint32_t r = 0;

	for (uint32_t x = 0; x < 1u << 21; x++) {
		if ((r + 1) * (r + 1) <= x) {
			r++;
		}
		CHECK_EQ(emlearn_q_isqrt32(x), r);
	}
}

TEST(the_32_bit_root_is_exact_around_every_square)
{
	for (uint32_t r = 1; r <= 65535; r++) {
		CHECK_EQ(emlearn_q_isqrt32(r * r), r);
		CHECK_EQ(emlearn_q_isqrt32(r * r - 1), r - 1);
		CHECK_EQ(emlearn_q_isqrt32(r * r + 2 * r), r);
	}
	CHECK_EQ(emlearn_q_isqrt32(UINT32_MAX), 65535);
}

TEST(the_32_bit_root_is_exact_for_random_numbers_of_every_length)
{
	uint64_t state = 1;

	for (uint32_t i = 0; i < 200000; i++) {
		check_root32(check_random(&state) >> (i % 32));
	}
}

TEST(the_64_bit_root_is_exact_for_every_number_below_2_to_the_20)
{
	for (uint64_t x = 0; x < 1u << 20; x++) {
		check_root64(x);
	}
}

TEST(the_64_bit_root_is_exact_around_powers_of_two_and_around_squares)
{
	uint64_t state = 2;

	for (uint32_t bit = 0; bit < 64; bit++) {
		uint64_t power = (uint64_t)1 << bit;

		for (uint64_t d = 0; d < 4; d++) {
			check_root64(power + d);
			check_root64(power - d > power ? 0 : power - d);
		}
	}
	for (uint32_t i = 0; i < 200000; i++) {
		uint64_t r = check_random(&state) >> (i % 32);

		CHECK_EQ(emlearn_q_isqrt64(r * r), r);
		CHECK_EQ(emlearn_q_isqrt64(r * r + 2 * r), r);
		if (r > 0) {
			CHECK_EQ(emlearn_q_isqrt64(r * r - 1), r - 1);
		}
	}
	CHECK_EQ(emlearn_q_isqrt64(UINT64_MAX), UINT32_MAX);
	CHECK_EQ(emlearn_q_isqrt64((uint64_t)UINT32_MAX * UINT32_MAX), UINT32_MAX);
	CHECK_EQ(emlearn_q_isqrt64((uint64_t)UINT32_MAX * UINT32_MAX - 1), UINT32_MAX - 1);
}

TEST(the_64_bit_root_is_exact_for_random_numbers_of_every_length)
{
	uint64_t state = 3;

	for (uint32_t i = 0; i < 200000; i++) {
		uint64_t high = check_random(&state);

		check_root64((high << 32 | check_random(&state)) >> (i % 64));
	}
}

static void check_quotient(int32_t num, int32_t den)
{
	int64_t twice = 2 * (int64_t)num + den;
	int64_t q = emlearn_q_div_round(num, den);

	CHECK(q * 2 * den <= twice && twice < (q + 1) * 2 * den);
}

TEST(division_rounds_to_nearest_and_halves_up)
{
	CHECK_EQ(emlearn_q_div_round(3, 2), 2);
	CHECK_EQ(emlearn_q_div_round(-3, 2), -1);
	CHECK_EQ(emlearn_q_div_round(-5, 2), -2);
	for (int32_t num = -300; num <= 300; num++) {
		for (int32_t den = 1; den <= 40; den++) {
			check_quotient(num, den);
		}
	}
}

TEST(division_does_not_overflow_at_the_ends_of_int32)
{
	static const int32_t ends[] = {INT32_MIN, INT32_MIN + 1, -1073741825, -1073741824,   -1,
				       0,         1073741823,    1073741824,  INT32_MAX - 1, INT32_MAX};
	static const int32_t dens[] = {1, 2, 3, 1073741823, 1073741824, INT32_MAX - 1, INT32_MAX};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		for (size_t j = 0; j < sizeof(dens) / sizeof(dens[0]); j++) {
			check_quotient(ends[i], dens[j]);
		}
	}
}

TEST(saturation_keeps_int16_and_clamps_the_rest)
{
	for (int32_t x = INT16_MIN; x <= INT16_MAX; x++) {
		CHECK_EQ(emlearn_q_sat16(x), x);
	}
	CHECK_EQ(emlearn_q_sat16(INT16_MAX + 1), INT16_MAX);
	CHECK_EQ(emlearn_q_sat16(INT16_MIN - 1), INT16_MIN);
	CHECK_EQ(emlearn_q_sat16(INT32_MAX), INT16_MAX);
	CHECK_EQ(emlearn_q_sat16(INT32_MIN), INT16_MIN);
}

TESTS(T(the_32_bit_root_is_exact_for_every_number_below_2_to_the_21), T(the_32_bit_root_is_exact_around_every_square),
      T(the_32_bit_root_is_exact_for_random_numbers_of_every_length),
      T(the_64_bit_root_is_exact_for_every_number_below_2_to_the_20),
      T(the_64_bit_root_is_exact_around_powers_of_two_and_around_squares),
      T(the_64_bit_root_is_exact_for_random_numbers_of_every_length), T(division_rounds_to_nearest_and_halves_up),
      T(division_does_not_overflow_at_the_ends_of_int32), T(saturation_keeps_int16_and_clamps_the_rest))
