/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The least that a unit test needs: a table of named tests, and checks that say where and what.
 *
 *     TEST(a_constant_has_no_spread) { CHECK_EQ(spread(...), 0); }
 *     TESTS(T(a_constant_has_no_spread))
 *
 * A failed check ends the program with status 1, so that a sanitizer's report and a failed check look alike to callers.
 */
#ifndef EMLEARN_TESTS_CHECK_H_
#define EMLEARN_TESTS_CHECK_H_

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct check_test {
	const char *name;
	void (*run)(void);
};

#define TEST(name) static void name(void)

#define T(name) {#name, name}

/* The program: run every test of the table, in order. A test left out of it is an unused function, an error. */
#define TESTS(...)                                                                                                     \
	static const struct check_test check_tests[] = {__VA_ARGS__};                                                  \
	int main(void)                                                                                                 \
	{                                                                                                              \
		for (size_t i = 0; i < sizeof(check_tests) / sizeof(check_tests[0]); i++) {                            \
			printf("%s\n", check_tests[i].name);                                                           \
			fflush(stdout);                                                                                \
			check_tests[i].run();                                                                          \
		}                                                                                                      \
		return 0;                                                                                              \
	}

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                      \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

/* Two integers of any type up to 64 bits signed, or the upper half of uint64_t by its bits. */
#define CHECK_EQ(actual, expected) check_eq((int64_t)(actual), (int64_t)(expected), __FILE__, __LINE__, #actual)

static inline void check_eq(int64_t actual, int64_t expected, const char *file, int line, const char *what)
{
	if (actual != expected) {
		fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", file, line, what, (long long)actual,
			(long long)expected);
		exit(1);
	}
}

/* Random bits for tests: a 64-bit LCG, upper half; the same everywhere. */
static inline uint32_t check_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 32);
}

#endif /* EMLEARN_TESTS_CHECK_H_ */
