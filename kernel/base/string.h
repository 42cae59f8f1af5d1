/*
 * kernel/base/string.h - memory and strings, with C's meaning; strlcpy as OpenBSD's.
 */
#ifndef TINE_BASE_STRING_H
#define TINE_BASE_STRING_H

#include "kernel/base/types.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
/* Copies at most size - 1 bytes, always ends in NUL (size > 0); returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t size);
/* Decimal, 0x hex or 0 octal to the end of s (or to `end` if not NULL, which gets the first byte not used). -EINVAL,
 * -ERANGE. */
MUST_CHECK int parse_u64(const char *s, const char **end, uint64_t *ret);

#endif
