/*
 * tests/host/string.c - the kernel's memory and string functions against this machine's, at every alignment.
 * sources: kernel/base/string.c
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/host/test.h"

/* The sources are compiled with these names, so that both are at hand. */
void *k_memcpy(void *dst, const void *src, size_t n);
void *k_memmove(void *dst, const void *src, size_t n);
void *k_memset(void *dst, int c, size_t n);
int k_memcmp(const void *a, const void *b, size_t n);
void *k_memchr(const void *s, int c, size_t n);
size_t k_strlen(const char *s);
size_t k_strnlen(const char *s, size_t max);
int k_strcmp(const char *a, const char *b);
int k_strncmp(const char *a, const char *b, size_t n);
char *k_strchr(const char *s, int c);
char *k_strrchr(const char *s, int c);
size_t k_strlcpy(char *dst, const char *src, size_t size);
int parse_u64(const char *s, const char **end, uint64_t *ret);

#define SPAN 160

static void fill(unsigned char *p)
{
	for (int i = 0; i < SPAN; i++)
		p[i] = (unsigned char)(i * 7 + 3);
}

static void test_copies(void)
{
	unsigned char want[SPAN], got[SPAN];

	for (size_t to = 0; to < 17; to++) {
		for (size_t from = 0; from < 17; from++) {
			for (size_t n = 0; n < 70; n += 1 + n / 8) {
				fill(want), fill(got);
				memmove(want + to, want + from, n);
				EXPECT_TRUE(k_memmove(got + to, got + from, n) == got + to);
				EXPECT(0, memcmp(want, got, SPAN));
				fill(want), fill(got);
				memcpy(want + 80 + to, want + from, n);
				k_memcpy(got + 80 + to, got + from, n);
				EXPECT(0, memcmp(want, got, SPAN));
				memset(want + to, (int)n, n);
				k_memset(got + to, (int)n, n);
				EXPECT(0, memcmp(want, got, SPAN));
			}
		}
	}
}

static int sign(int v) { return (v > 0) - (v < 0); }

static void test_compare(void)
{
	static const char *const words[] = {"", "a", "b", "ab", "abc", "abd", "\xff", "\x7f", "a\xff"};
	const size_t n = sizeof(words) / sizeof(words[0]);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			EXPECT(sign(strcmp(words[i], words[j])), sign(k_strcmp(words[i], words[j])));
			for (size_t len = 0; len < 5; len++)
				EXPECT(sign(strncmp(words[i], words[j], len)),
				       sign(k_strncmp(words[i], words[j], len)));
		}
	}
	EXPECT(1, sign(k_memcmp("\xff", "\x01", 1)));
	EXPECT(0, k_memcmp("ab", "ac", 1));
	EXPECT(0, k_memcmp("x", "y", 0));
}

static void test_search(void)
{
	const char *s = "hello world";

	for (int c = 0; c < 128; c++) {
		EXPECT_TRUE(strchr(s, c) == k_strchr(s, c));
		EXPECT_TRUE(strrchr(s, c) == k_strrchr(s, c));
		EXPECT_TRUE(memchr(s, c, 5) == k_memchr(s, c, 5));
	}
	EXPECT(11, k_strlen(s));
	EXPECT(0, k_strlen(""));
	EXPECT(5, k_strnlen(s, 5));
	EXPECT(11, k_strnlen(s, 50));
}

static void test_strlcpy(void)
{
	char *exact = malloc(4);

	EXPECT(5, k_strlcpy(exact, "abcde", 4));
	EXPECT_STRING("abc", exact);
	EXPECT(2, k_strlcpy(exact, "xy", 4));
	EXPECT_STRING("xy", exact);
	EXPECT(2, k_strlcpy(exact, "pq", 0));
	EXPECT_STRING("xy", exact);
	free(exact);
}

static void expect_number(const char *text, int err, uint64_t want)
{
	uint64_t got = 99;

	EXPECT(err, parse_u64(text, NULL, &got));
	EXPECT(err ? 99 : want, got);
}

static void test_numbers(void)
{
	const char *end;
	uint64_t v;

	expect_number("0", 0, 0);
	expect_number("42", 0, 42);
	expect_number("0x1f", 0, 31);
	expect_number("0X1F", 0, 31);
	expect_number("017", 0, 15);
	expect_number("18446744073709551615", 0, UINT64_MAX);
	expect_number("18446744073709551616", -ERANGE, 0);
	expect_number("0xffffffffffffffff", 0, UINT64_MAX);
	expect_number("0x10000000000000000", -ERANGE, 0);
	expect_number("", -EINVAL, 0);
	expect_number("x", -EINVAL, 0);
	expect_number("-1", -EINVAL, 0);
	expect_number("12k", -EINVAL, 0);
	EXPECT(0, parse_u64("12k", &end, &v));
	EXPECT(12, v);
	EXPECT_STRING("k", end);
}

int main(void)
{
	test_copies();
	test_compare();
	test_search();
	test_strlcpy();
	test_numbers();
	return test_result();
}
