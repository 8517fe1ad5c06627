/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include <emlearn/features.h>

#include "check.h"

#define N_MAX 512

/* A window of one row of each kind, n samples each, that starts `turn` samples into its ring. */
struct fixture {
	int16_t ring[EMLEARN_N_ROWS * N_MAX];
	int16_t scratch[EMLEARN_FEATURES_SCRATCH_LEN(N_MAX)];
	uint8_t row_of[EMLEARN_N_ROWS];
	struct emlearn_window window;
};

static struct fixture f;

static void fill(const int16_t *rows[EMLEARN_N_ROWS], uint16_t n, uint16_t turn)
{
	int16_t frame[EMLEARN_N_ROWS] = {0};

	CHECK_EQ(emlearn_window_init(&f.window, f.ring, EMLEARN_N_ROWS, n, 1), 0);
	for (uint16_t i = 0; i < turn; i++) {
		emlearn_window_push(&f.window, frame);
	}
	for (uint16_t i = 0; i < n; i++) {
		for (uint8_t row = 0; row < EMLEARN_N_ROWS; row++) {
			f.row_of[row] = row;
			frame[row] = rows[row] != NULL ? rows[row][i] : 0;
		}
		emlearn_window_push(&f.window, frame);
	}
}

static int16_t run(uint16_t feature)
{
	int16_t guarded[3] = {111, 0, 222};

	CHECK_EQ(emlearn_features_run(&f.window, f.row_of, &feature, 1, f.scratch, &guarded[1]), 0);
	CHECK_EQ(guarded[0], 111);
	CHECK_EQ(guarded[2], 222);
	return guarded[1];
}

/* Put samples in acc_x, whatever the turn of the ring, and expect a statistic of it. */
#define CHECK_STAT(stat, expected, ...)                                                                                \
	do {                                                                                                           \
		static const int16_t samples_[] = {__VA_ARGS__};                                                       \
		const int16_t *rows_[EMLEARN_N_ROWS] = {samples_};                                                     \
		uint16_t n_ = sizeof(samples_) / sizeof(samples_[0]);                                                  \
                                                                                                                       \
		for (uint16_t turn_ = 0; turn_ <= n_; turn_++) {                                                       \
			fill(rows_, n_, turn_);                                                                        \
			CHECK_EQ(run(EMLEARN_FEATURE(ACC_X, stat)), expected);                                         \
		}                                                                                                      \
	} while (0)

TEST(the_mean_is_rounded_to_nearest)
{
	CHECK_STAT(MEAN, 7, 7);
	CHECK_STAT(MEAN, 2, 1, 2);
	CHECK_STAT(MEAN, -1, -1, -2);
	CHECK_STAT(MEAN, 1, 1, 1, 2);
	CHECK_STAT(MEAN, -1, -1, -1, -2);
	CHECK_STAT(MEAN, INT16_MIN, INT16_MIN, INT16_MIN);
	CHECK_STAT(MEAN, INT16_MAX, INT16_MAX, INT16_MAX, INT16_MAX);
	CHECK_STAT(MEAN, 0, INT16_MIN, INT16_MAX);
}

TEST(the_standard_deviation_is_of_the_population_and_rounded_down)
{
	CHECK_STAT(STD, 0, 5);
	CHECK_STAT(STD, 0, INT16_MIN, INT16_MIN, INT16_MIN);
	CHECK_STAT(STD, 2, 2, 4, 4, 4, 5, 5, 7, 9);
	CHECK_STAT(STD, 0, 0, 1);
	CHECK_STAT(STD, 1, 0, 2);
	CHECK_STAT(STD, 0, 0, 0, 2);
	CHECK_STAT(STD, 32767, INT16_MIN, INT16_MAX);
}

TEST(minimum_and_maximum_are_samples)
{
	CHECK_STAT(MIN, -3, 4, -3, 9);
	CHECK_STAT(MAX, 9, 4, -3, 9);
	CHECK_STAT(MIN, INT16_MIN, INT16_MIN, INT16_MAX);
	CHECK_STAT(MAX, INT16_MAX, INT16_MIN, INT16_MAX);
	CHECK_STAT(MIN, 6, 6);
	CHECK_STAT(MAX, 6, 6);
}

TEST(quantiles_are_lower_order_statistics)
{
	CHECK_STAT(MEDIAN, 4, 4);
	CHECK_STAT(MEDIAN, 4, 9, 4);
	CHECK_STAT(MEDIAN, 5, 9, 4, 5);
	CHECK_STAT(MEDIAN, 5, 9, 4, 5, 6);
	CHECK_STAT(Q25, 4, 9, 4, 5, 6);
	CHECK_STAT(Q75, 6, 9, 4, 5, 6);
	CHECK_STAT(Q25, 5, 9, 4, 5, 6, 7);
	CHECK_STAT(Q75, 7, 9, 4, 5, 6, 7);
	CHECK_STAT(MEDIAN, INT16_MIN, INT16_MAX, INT16_MIN, INT16_MIN);
	CHECK_STAT(Q75, 3, 3, 3, 3, 3, 3, 3, 3);
}

TEST(half_ranges_never_saturate)
{
	CHECK_STAT(IQR, 32767, INT16_MIN, INT16_MAX, INT16_MIN, INT16_MAX, INT16_MAX);
	CHECK_STAT(IQR, 1, 1, 2, 3, 4, 9);
	CHECK_STAT(IQR, 0, 8);
	CHECK_STAT(PTP, 32767, INT16_MIN, INT16_MAX);
	CHECK_STAT(PTP, 2, -2, 3);
	CHECK_STAT(PTP, 0, -2);
}

TEST(the_root_mean_square_is_rounded_down_and_held_to_int16)
{
	CHECK_STAT(RMS, 3, 3, -3);
	CHECK_STAT(RMS, 2, 3, 2, 1);
	CHECK_STAT(RMS, 32767, INT16_MIN);
	CHECK_STAT(RMS, 32767, INT16_MIN, INT16_MIN, INT16_MIN);
	CHECK_STAT(RMS, 0, 0, 0, 0, 1);
}

TEST(crossings_count_changes_between_above_the_mean_and_not_above)
{
	CHECK_STAT(CROSSINGS, 0, 5);
	CHECK_STAT(CROSSINGS, 0, 5, 5, 5);
	CHECK_STAT(CROSSINGS, 3, 1, -1, 1, -1);
	CHECK_STAT(CROSSINGS, 0, 0, 1); /* the mean is rounded up to 1: nothing is above it */
	CHECK_STAT(CROSSINGS, 2, 0, 9, 0, 0);
}

TEST(jerk_is_half_the_mean_step)
{
	CHECK_STAT(JERK, 0, 5);
	CHECK_STAT(JERK, 32767, INT16_MIN, INT16_MAX);
	CHECK_STAT(JERK, 32767, INT16_MAX, INT16_MIN, INT16_MAX);
	CHECK_STAT(JERK, 1, 0, 2, 4);
	CHECK_STAT(JERK, 0, 0, 1, 0);
	CHECK_STAT(JERK, 1, 0, 3, 1);
}

TEST(magnitudes_are_half_the_length_and_motion_is_half_the_difference)
{
	static const int16_t min[] = {INT16_MIN}, max[] = {INT16_MAX}, three[] = {3}, four[] = {4}, twelve[] = {12};
	const int16_t *rows[EMLEARN_N_ROWS] = {three, four, twelve, min, min, min};

	fill(rows, 1, 0);
	CHECK_EQ(run(EMLEARN_FEATURE(ACC_MAG, MEAN)), 6); /* 13 / 2 */
	CHECK_EQ(run(EMLEARN_FEATURE(GYRO_MAG, MEAN)), 28377);
	CHECK_EQ(run(EMLEARN_FEATURE(MOTION_X, MEAN)), 1);
	CHECK_EQ(run(EMLEARN_FEATURE(MOTION_Y, MEAN)), 2);
	CHECK_EQ(run(EMLEARN_FEATURE(MOTION_MAG, MEAN)), 3); /* length of 1 2 6 is 6.4 */

	rows[EMLEARN_ROW_ACC_X] = min;
	rows[EMLEARN_ROW_ACC_Y] = min;
	rows[EMLEARN_ROW_ACC_Z] = max;
	rows[EMLEARN_ROW_GRAVITY_X] = max;
	rows[EMLEARN_ROW_GRAVITY_Y] = max;
	rows[EMLEARN_ROW_GRAVITY_Z] = min;
	fill(rows, 1, 0);
	CHECK_EQ(run(EMLEARN_FEATURE(MOTION_X, MIN)), INT16_MIN);
	CHECK_EQ(run(EMLEARN_FEATURE(MOTION_Z, MAX)), INT16_MAX);
	CHECK_EQ(run(EMLEARN_FEATURE(MOTION_MAG, MAX)), 28377);
	CHECK_EQ(run(EMLEARN_FEATURE(GRAVITY_X, MAX)), INT16_MAX);
}

TEST(correlation_runs_from_minus_one_to_one_and_is_zero_without_spread)
{
	static const int16_t up[] = {INT16_MIN, -5, 7, INT16_MAX}, constant[] = {9, 9, 9, 9};
	static const int16_t down[] = {INT16_MAX, 4, -8, INT16_MIN}, even[] = {1, -1, -1, 1}, odd[] = {1, 1, -1, -1};
	static const int16_t one_up[] = {0, 0, 1}, one_down[] = {0, 0, -1};
	const int16_t *rows[EMLEARN_N_ROWS] = {up, up, down};

	fill(rows, 4, 0);
	CHECK_EQ(run(EMLEARN_FEATURE(ACC_XY, CORR)), 32767);
	CHECK_EQ(run(EMLEARN_FEATURE(ACC_XZ, CORR)), -32767);
	rows[EMLEARN_ROW_ACC_X] = one_up;
	rows[EMLEARN_ROW_ACC_Y] = one_up;
	rows[EMLEARN_ROW_ACC_Z] = one_down;
	fill(rows, 3, 0); /* the roots are rounded down, so the quotient is 2 */
	CHECK_EQ(run(EMLEARN_FEATURE(ACC_XY, CORR)), 32767);
	CHECK_EQ(run(EMLEARN_FEATURE(ACC_XZ, CORR)), -32767);
	rows[EMLEARN_ROW_ACC_X] = constant;
	rows[EMLEARN_ROW_ACC_Y] = up;
	rows[EMLEARN_ROW_ACC_Z] = down;
	rows[EMLEARN_ROW_GYRO_X] = even;
	rows[EMLEARN_ROW_GYRO_Y] = odd;
	fill(rows, 4, 3);
	CHECK_EQ(run(EMLEARN_FEATURE(ACC_XY, CORR)), 0);
	CHECK_EQ(run(EMLEARN_FEATURE(GYRO_XY, CORR)), 0);
}

TEST(a_long_window_of_extremes_overflows_nothing)
{
	static int16_t ring[2 * EMLEARN_WINDOW_LEN_MAX];
	static int16_t scratch[EMLEARN_FEATURES_SCRATCH_LEN(EMLEARN_WINDOW_LEN_MAX)];
	static const uint16_t features[] = {EMLEARN_FEATURE(ACC_X, MEAN),      EMLEARN_FEATURE(ACC_X, STD),
					    EMLEARN_FEATURE(ACC_X, RMS),       EMLEARN_FEATURE(ACC_X, JERK),
					    EMLEARN_FEATURE(ACC_X, CROSSINGS), EMLEARN_FEATURE(ACC_XY, CORR)};
	uint8_t row_of[EMLEARN_N_ROWS] = {0, 1};
	struct emlearn_window window;
	int16_t out[6];

	CHECK_EQ(emlearn_window_init(&window, ring, 2, EMLEARN_WINDOW_LEN_MAX, 1), 0);
	for (int i = 0; i < EMLEARN_WINDOW_LEN_MAX; i++) {
		int16_t x = i % 2 == 0 ? INT16_MIN : INT16_MAX;
		int16_t frame[2] = {x, (int16_t)~x};

		emlearn_window_push(&window, frame);
	}
	CHECK_EQ(emlearn_features_run(&window, row_of, features, 6, scratch, out), 0);
	CHECK_EQ(out[0], -2); /* -49151 / 32767 */
	CHECK_EQ(out[1], 32767);
	CHECK_EQ(out[2], 32767);
	CHECK_EQ(out[3], 32767);
	CHECK_EQ(out[4], 32766);
	CHECK_EQ(out[5], -32767);
}

TEST(features_come_out_in_the_order_asked_also_twice_and_mixed)
{
	static const int16_t x[] = {1, 2, 6}, y[] = {-4, 0, 4};
	const int16_t *rows[EMLEARN_N_ROWS] = {x, y};
	static const uint16_t features[] = {EMLEARN_FEATURE(ACC_Y, MAX),    EMLEARN_FEATURE(ACC_X, MEAN),
					    EMLEARN_FEATURE(ACC_Y, MIN),    EMLEARN_FEATURE(ACC_X, MEDIAN),
					    EMLEARN_FEATURE(ACC_X, MEDIAN), EMLEARN_FEATURE(ACC_X, MAX),
					    EMLEARN_FEATURE(ACC_X, Q25),    EMLEARN_FEATURE(ACC_X, JERK)};
	static const int16_t expected[] = {4, 3, -4, 2, 2, 6, 1, 1};
	int16_t out[8];

	fill(rows, 3, 2);
	CHECK_EQ(emlearn_features_run(&f.window, f.row_of, features, 8, f.scratch, out), 0);
	CHECK_EQ(memcmp(out, expected, sizeof(expected)), 0);
}

TEST(a_number_that_is_no_feature_is_refused)
{
	static const int16_t zeros[3] = {0};
	const int16_t *rows[EMLEARN_N_ROWS] = {zeros};
	static const uint16_t wrong[] = {
		(uint16_t)(EMLEARN_N_STREAMS << 8),
		UINT16_MAX,
		EMLEARN_N_STATS,
		(uint16_t)(EMLEARN_STREAM_ACC_X << 8 | 0xff),
		EMLEARN_FEATURE(ACC_X, CORR),
		EMLEARN_FEATURE(ACC_XY, MEAN),
		EMLEARN_FEATURE(GYRO_YZ, JERK),
	};
	int16_t out[2];

	fill(rows, 3, 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint16_t features[2] = {EMLEARN_FEATURE(ACC_X, MEAN), wrong[i]};

		CHECK_EQ(emlearn_features_run(&f.window, f.row_of, features, 2, f.scratch, out), -EINVAL);
		CHECK_EQ(emlearn_features_run(&f.window, f.row_of, &wrong[i], 1, f.scratch, out), -EINVAL);
	}
	CHECK_EQ(emlearn_features_run(&f.window, f.row_of, wrong, 0, f.scratch, out), 0);
}

TEST(a_stream_whose_row_the_window_lacks_is_refused)
{
	static const int16_t zeros[3] = {0};
	const int16_t *rows[EMLEARN_N_ROWS] = {zeros};
	/* Each feature with a row that it needs. */
	static const struct {
		uint16_t feature;
		uint8_t row;
	} needs[] = {
		{EMLEARN_FEATURE(ACC_X, MEAN), EMLEARN_ROW_ACC_X},
		{EMLEARN_FEATURE(GRAVITY_Y, MEAN), EMLEARN_ROW_GRAVITY_Y},
		{EMLEARN_FEATURE(MOTION_Z, MEAN), EMLEARN_ROW_ACC_Z},
		{EMLEARN_FEATURE(MOTION_Z, MEAN), EMLEARN_ROW_GRAVITY_Z},
		{EMLEARN_FEATURE(ACC_MAG, MEAN), EMLEARN_ROW_ACC_X},
		{EMLEARN_FEATURE(ACC_MAG, MEAN), EMLEARN_ROW_ACC_Y},
		{EMLEARN_FEATURE(ACC_MAG, MEAN), EMLEARN_ROW_ACC_Z},
		{EMLEARN_FEATURE(MOTION_MAG, MEAN), EMLEARN_ROW_ACC_X},
		{EMLEARN_FEATURE(MOTION_MAG, MEAN), EMLEARN_ROW_GRAVITY_X},
		{EMLEARN_FEATURE(MOTION_MAG, MEAN), EMLEARN_ROW_ACC_Z},
		{EMLEARN_FEATURE(MOTION_MAG, MEAN), EMLEARN_ROW_GRAVITY_Z},
		{EMLEARN_FEATURE(GYRO_MAG, MEAN), EMLEARN_ROW_GYRO_Y},
		{EMLEARN_FEATURE(ACC_XY, CORR), EMLEARN_ROW_ACC_X},
		{EMLEARN_FEATURE(ACC_XY, CORR), EMLEARN_ROW_ACC_Y},
		{EMLEARN_FEATURE(MOTION_YZ, CORR), EMLEARN_ROW_GRAVITY_Z},
		{EMLEARN_FEATURE(GYRO_XZ, CORR), EMLEARN_ROW_GYRO_Z},
	};
	int16_t out;

	fill(rows, 3, 0);
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		f.row_of[needs[i].row] = EMLEARN_ROW_NONE;
		CHECK_EQ(emlearn_features_run(&f.window, f.row_of, &needs[i].feature, 1, f.scratch, &out), -EINVAL);
		f.row_of[needs[i].row] = needs[i].row;
		CHECK_EQ(emlearn_features_run(&f.window, f.row_of, &needs[i].feature, 1, f.scratch, &out), 0);
	}
}

static int compare(const void *a, const void *b)
{
	return *(const int16_t *)a - *(const int16_t *)b;
}

/* Fill a window with one of several kinds of samples that are hard for selection. */
static void hard_samples(int16_t *x, uint16_t n, uint32_t kind, uint64_t *random)
{
	for (uint16_t i = 0; i < n; i++) {
		uint32_t r = check_random(random);

		switch (kind % 8) {
		case 0:
			x[i] = (int16_t)(r >> 16);
			break;
		case 1:
			x[i] = (int16_t)(r % 3);
			break;
		case 2:
			x[i] = (int16_t)i;
			break;
		case 3:
			x[i] = (int16_t)-i;
			break;
		case 4:
			x[i] = (int16_t)(i % 2 == 0 ? i : -i);
			break;
		case 5:
			x[i] = r % 2 == 0 ? INT16_MIN : INT16_MAX;
			break;
		case 6:
			x[i] = (int16_t)(i < n / 2 ? i : n - i);
			break;
		default:
			x[i] = (int16_t)(i % 7 == 0 ? (int16_t)(r >> 16) : 5);
			break;
		}
	}
}

TEST(selection_agrees_with_sorting_for_every_length_and_kind_of_window)
{
	static const uint16_t features[] = {EMLEARN_FEATURE(ACC_X, MIN), EMLEARN_FEATURE(ACC_X, Q25),
					    EMLEARN_FEATURE(ACC_X, MEDIAN), EMLEARN_FEATURE(ACC_X, Q75),
					    EMLEARN_FEATURE(ACC_X, MAX)};
	uint64_t random = 4;

	for (uint16_t n = 1; n <= N_MAX; n = (uint16_t)(n < 70 ? n + 1 : n + 37)) {
		for (uint32_t kind = 0; kind < 8; kind++) {
			int16_t x[N_MAX];
			const int16_t *rows[EMLEARN_N_ROWS] = {x};
			int16_t out[5];

			hard_samples(x, n, kind, &random);
			fill(rows, n, (uint16_t)(check_random(&random) % n));
			CHECK_EQ(emlearn_features_run(&f.window, f.row_of, features, 5, f.scratch, out), 0);
			qsort(x, n, sizeof(x[0]), compare);
			CHECK_EQ(out[0], x[0]);
			CHECK_EQ(out[1], x[(n - 1) / 4]);
			CHECK_EQ(out[2], x[(n - 1) / 2]);
			CHECK_EQ(out[3], x[3 * (n - 1) / 4]);
			CHECK_EQ(out[4], x[n - 1]);
			for (size_t k = 0; k < 5; k++) { /* each alone, too: nothing rests on its neighbours */
				CHECK_EQ(run(features[k]), out[k]);
			}
		}
	}
}

TESTS(T(the_mean_is_rounded_to_nearest), T(the_standard_deviation_is_of_the_population_and_rounded_down),
      T(minimum_and_maximum_are_samples), T(quantiles_are_lower_order_statistics), T(half_ranges_never_saturate),
      T(the_root_mean_square_is_rounded_down_and_held_to_int16),
      T(crossings_count_changes_between_above_the_mean_and_not_above), T(jerk_is_half_the_mean_step),
      T(magnitudes_are_half_the_length_and_motion_is_half_the_difference),
      T(correlation_runs_from_minus_one_to_one_and_is_zero_without_spread),
      T(a_long_window_of_extremes_overflows_nothing), T(features_come_out_in_the_order_asked_also_twice_and_mixed),
      T(a_number_that_is_no_feature_is_refused), T(a_stream_whose_row_the_window_lacks_is_refused),
      T(selection_agrees_with_sorting_for_every_length_and_kind_of_window))
