/*
 * kernel/base/string.c - memory and strings. The compiler emits calls to memcpy, memmove, memset and memcmp by itself.
 *
 * Bulk moves are `rep movsq`/`rep stosq`: one instruction per 8 bytes where instructions are counted, and within
 * a few percent of the best loop in wall time. Byte-wise `rep` is several times slower under emulation.
 */
#include "kernel/base/string.h"

#define WORD       sizeof(uint64_t)
#define BULK_BYTES 64 /* from here on `rep` pays for its start-up */

typedef uint64_t __attribute__((may_alias, aligned(1))) word_t;

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	char *d = dst;
	const char *s = src;

	if (n >= BULK_BYTES) {
		size_t words = n / WORD;
		__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
		n %= WORD;
	}
	for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
		*(word_t *)d = *(const word_t *)s;
	for (; n; n--)
		*d++ = *s++;
	return dst;
}

/* From the last byte down: for a destination that begins inside the source. */
static void copy_backwards(char *dst, const char *src, size_t n)
{
	for (; n >= WORD; n -= WORD)
		*(word_t *)(dst + n - WORD) = *(const word_t *)(src + n - WORD);
	for (; n; n--)
		dst[n - 1] = src[n - 1];
}

void *memmove(void *dst, const void *src, size_t n)
{
	if ((uintptr_t)dst - (uintptr_t)src >= n)
		return memcpy(dst, src, n);
	copy_backwards(dst, src, n);
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	char *d = dst;
	uint64_t word = (uint8_t)c * 0x0101010101010101ull;

	if (n >= BULK_BYTES) {
		size_t words = n / WORD;
		__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(word) : "memory");
		n %= WORD;
	}
	for (; n >= WORD; n -= WORD, d += WORD)
		*(word_t *)d = word;
	for (; n; n--)
		*d++ = (char)c;
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n >= WORD && *(const word_t *)x == *(const word_t *)y; n -= WORD)
		x += WORD, y += WORD;
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const uint8_t *p = s; n; n--, p++)
		if (*p == (uint8_t)c)
			return (void *)p;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; a++, n--)
		b++;
	return n ? (uint8_t)*a - (uint8_t)*b : 0;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return (char *)s;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)last;
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size) {
		size_t n = MIN(len, size - 1);
		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

static unsigned parse_base(const char **s)
{
	if ((*s)[0] != '0')
		return 10;
	if (((*s)[1] | 0x20) == 'x' && digit_value((*s)[2]) < 16) {
		*s += 2;
		return 16;
	}
	return 8;
}

int parse_u64(const char *s, const char **end, uint64_t *ret)
{
	unsigned base = parse_base(&s);
	const char *start = s;
	uint64_t v = 0;

	for (; digit_value(*s) < base; s++)
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit_value(*s), &v))
			return -ERANGE;
	if (s == start || (!end && *s))
		return -EINVAL;
	if (end)
		*end = s;
	*ret = v;
	return 0;
}
