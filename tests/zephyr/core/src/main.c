/* SPDX-License-Identifier: Apache-2.0 */
/* The golden vectors on the target, in four ways of cutting the signal. */
#include <zephyr/ztest.h>

#include "vectors.h"
#include <vectors_cases.h>

BUILD_ASSERT(VECTORS_N_WINDOWS >= 200, "too few windows to prove anything");

static void check_all(size_t chunk)
{
	uint32_t n_windows = 0;

	for (size_t i = 0; i < VECTORS_N_CASES; i++) {
		uint16_t n_passed;
		const char *wrong = vectors_run(&vectors_cases[i], chunk, &n_passed);

		zassert_is_null(wrong, "%s, chunks of %u, window %u: %s", vectors_cases[i].name, (unsigned int)chunk,
				n_passed, wrong);
		n_windows += n_passed;
	}
	zassert_equal(n_windows, VECTORS_N_WINDOWS);
}

ZTEST(vectors, test_every_window_is_as_expected_frame_by_frame)
{
	check_all(1);
}

ZTEST(vectors, test_every_window_is_as_expected_in_chunks_of_7)
{
	check_all(7);
}

ZTEST(vectors, test_every_window_is_as_expected_in_chunks_of_32)
{
	check_all(32);
}

ZTEST(vectors, test_every_window_is_as_expected_all_at_once)
{
	check_all(VECTORS_CHUNK_ALL);
}

ZTEST_SUITE(vectors, NULL, NULL, NULL, NULL, NULL);
