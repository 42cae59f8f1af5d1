/* kernel/base/math.h - products and quotients of 128 bits, which C would call a library for. */
#ifndef TINE_BASE_MATH_H
#define TINE_BASE_MATH_H

#include "kernel/base/types.h"

/* a * b / c, with the product in full; UINT64_MAX where the quotient has more than 64 bits, or c is 0. */
static inline uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product, quotient, rest;

	if (high >= c)
		return UINT64_MAX;
	__asm__("divq %4" : "=a"(quotient), "=d"(rest) : "a"(low), "d"(high), "r"(c) : "cc");
	return quotient;
}

#endif
