/*
 * tests/host/test.h - unit tests of the kernel's own sources, built for this machine under ASan and UBSan.
 *
 * Role         A test file names the sources that it tests in its first lines (`sources: mm/frame.c ...`), and lists its tests
 *              in main(). What those sources need of hardware stands in tests/host/shim/.
 * Failure      EXPECT prints file, line and both values, and the test goes on; the exit status says whether any failed.
 *              EXPECT_PANIC wants its statement to reach panic().
 */
#ifndef TINE_TESTS_HOST_TEST_H
#define TINE_TESTS_HOST_TEST_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

extern unsigned test_failures;
extern jmp_buf test_panic_jump;
extern bool test_panic_expected;

#define EXPECT(want, got)                                                                                      \
	do {                                                                                                   \
		long long want_ = (long long)(want), got_ = (long long)(got);                                  \
		if (want_ != got_) {                                                                           \
			printf("%s:%d: %s: expected %lld, got %lld\n", __FILE__, __LINE__, #got, want_, got_); \
			test_failures++;                                                                       \
		}                                                                                              \
	} while (0)

#define EXPECT_TRUE(got) EXPECT(1, !!(got))

#define EXPECT_STRING(want, got)                                                                                   \
	do {                                                                                                       \
		const char *want_ = (want), *got_ = (got);                                                         \
		if (strcmp(want_, got_) != 0) {                                                                    \
			printf("%s:%d: %s: expected \"%s\", got \"%s\"\n", __FILE__, __LINE__, #got, want_, got_); \
			test_failures++;                                                                           \
		}                                                                                                  \
	} while (0)

#define EXPECT_PANIC(statement)                                                                  \
	do {                                                                                     \
		test_panic_expected = true;                                                      \
		if (setjmp(test_panic_jump) == 0) {                                              \
			statement;                                                               \
			printf("%s:%d: %s: expected a panic\n", __FILE__, __LINE__, #statement); \
			test_failures++;                                                         \
		}                                                                                \
		test_panic_expected = false;                                                     \
	} while (0)

/* The same sequence in every run. */
static inline unsigned test_random(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static inline int test_result(void)
{
	if (test_failures)
		printf("%u expectations failed\n", test_failures);
	return test_failures != 0;
}

#endif
