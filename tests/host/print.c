/*
 * tests/host/print.c - ksnprintf against this machine's snprintf: same text, same length, same truncation.
 * sources: kernel/base/print.c kernel/base/string.c
 */
#include "kernel/base/print.h"

#include <inttypes.h>
#include <limits.h>

#include "kernel/base/clock.h"
#include "tests/host/test.h"

uint64_t clock_ns(void) { return 1234567890123ull; }

/* Both with the same arguments, whole and cut at every size. */
#define SAME(...)                                                     \
	do {                                                          \
		char want[256], got[256];                             \
		int n = snprintf(want, sizeof(want), __VA_ARGS__);    \
		EXPECT(n, ksnprintf(got, sizeof(got), __VA_ARGS__));  \
		EXPECT_STRING(want, got);                             \
		for (size_t size = 0; size < 12; size++) {            \
			memset(want, '#', sizeof(want));              \
			memset(got, '#', sizeof(got));                \
			snprintf(want, size, __VA_ARGS__);            \
			EXPECT(n, ksnprintf(got, size, __VA_ARGS__)); \
			EXPECT(0, memcmp(want, got, sizeof(want)));   \
		}                                                     \
	} while (0)

#pragma clang diagnostic ignored "-Wformat"

static void test_integers(void)
{
	static const int values[] = {0, 1, -1, 42, -42, 1000000, INT_MAX, INT_MIN};

	for (unsigned i = 0; i < ARRAY_LEN(values); i++) {
		int v = values[i];

		SAME("%d|%i|%u|%x|%X|%o", v, v, v, v, v, v);
		SAME("%5d|%-5d|%05d|%+d|% d|%.3d|%8.3d|%-8.3d|%08.3d", v, v, v, v, v, v, v, v, v);
		SAME("%#x|%#o|%#10x|%#010x|%-#10x", v, v, v, v, v);
		SAME("%hhd|%hd|%hhu|%hu|%hhx", v, v, v, v, v);
	}
	SAME("%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
	SAME("%lld %llu %llx", LLONG_MIN, ULLONG_MAX, ULLONG_MAX);
	SAME("%zu %zd %td %jd %ju", (size_t)-1, (ssize_t)-1, (ptrdiff_t)-5, INTMAX_MIN, UINTMAX_MAX);
	SAME("%" PRIu64 " %016" PRIx64, (uint64_t)7, (uint64_t)0xdeadbeef);
	SAME("%*d|%-*d|%.*d|%*.*d", 6, 42, 6, 42, 4, 42, 8, 3, 42);
	SAME("%*d|%.*d", -6, 42, -1, 42);
	SAME("%.0d|%.d|%+.0d", 0, 0, 0);
}

static void test_strings(void)
{
	SAME("%s|%10s|%-10s|%.2s|%10.2s|%.0s|", "text", "text", "text", "text", "text", "text");
	SAME("%c|%5c|%-5c|", 'a', 'b', 'c');
	SAME("%%|100%%");
	SAME("plain");
	SAME("%s", "");
	SAME("%.*s|", 3, "abcdef");
}

static void test_pointers(void)
{
	char got[64];

	ksnprintf(got, sizeof(got), "%p", (void *)0x1234);
	EXPECT_TRUE(strstr(got, "1234"));
	ksnprintf(got, sizeof(got), "%s", (char *)NULL);
	EXPECT_STRING("(null)", got);
}

/* %.Ns must not read past the N bytes, which end where the address sanitizer watches. */
static void test_bounds(void)
{
	char exact[4] = {'a', 'b', 'c', 'd'}, got[16];

	EXPECT(4, ksnprintf(got, sizeof(got), "%.4s", exact));
	EXPECT(0, memcmp(got, "abcd", 5));
	EXPECT(4, ksnprintf(NULL, 0, "%.4s", exact));
}

static void test_log(void)
{
	char text[256];
	uint64_t pos = log_end();
	size_t n;

	log_line(LOG_INFO, "hello %d", 5);
	n = log_read(&pos, text, sizeof(text) - 1);
	text[n] = '\0';
	EXPECT_TRUE(strstr(text, "] hello 5\n"));
	EXPECT_TRUE(strstr(text, "[ 1234.567890]"));
	EXPECT(0, log_read(&pos, text, sizeof(text)));
}

/* The ring wraps: the oldest goes, a late reader skips to what is still there, and every line is whole. */
static void test_log_wraps(void)
{
	static char text[LOG_RING_SIZE + 1];
	uint64_t pos = 0;
	size_t n;

	for (int i = 0; i < 20000; i++)
		log_line(LOG_INFO, "line number %d of a long log", i);
	n = log_read(&pos, text, LOG_RING_SIZE);
	EXPECT_TRUE(n <= LOG_RING_SIZE && n > LOG_RING_SIZE / 2);
	text[n] = '\0';
	EXPECT_TRUE(strstr(text, "line number 19999 of a long log\n"));
	EXPECT_TRUE(!strstr(text, "line number 1 of"));
	EXPECT(log_end(), pos);
}

int main(void)
{
	test_integers();
	test_strings();
	test_pointers();
	test_bounds();
	test_log();
	test_log_wraps();
	return test_result();
}
