/*
 * kernel/base/types.h - the words that every file of Tine uses.
 *
 * Role         Fixed-width integers, attributes, and the few helpers that have no other home. Includes nothing of Tine.
 * Errors       A function that can fail returns 0 (or a count) or -errno as <asm/errno.h> numbers it, is marked
 *              MUST_CHECK, and hands results back through `ret_` pointers that a failure leaves untouched.
 */
#ifndef TINE_BASE_TYPES_H
#define TINE_BASE_TYPES_H

#include <asm/errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK    __attribute__((warn_unused_result))
#define NORETURN      __attribute__((noreturn))
#define PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define PACKED        __attribute__((packed))
#define ALIGNED(n)    __attribute__((aligned(n)))
#define NOINLINE      __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define UNUSED        __attribute__((unused))
#define likely(x)     __builtin_expect(!!(x), 1)
#define unlikely(x)   __builtin_expect(!!(x), 0)

#define ARRAY_LEN(a)                    (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define ALIGN_DOWN(x, a)                ((x) & ~((uint64_t)(a)-1))
#define ALIGN_UP(x, a)                  ALIGN_DOWN((x) + (uint64_t)(a)-1, a)

#define MIN(a, b)                       \
	({                              \
		__typeof__(a) a_ = (a); \
		__typeof__(b) b_ = (b); \
		a_ < b_ ? a_ : b_;      \
	})
#define MAX(a, b)                       \
	({                              \
		__typeof__(a) a_ = (a); \
		__typeof__(b) b_ = (b); \
		a_ > b_ ? a_ : b_;      \
	})

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/* The facts of the target ABI that everything else leans on: LP64, 64-bit enums where a value needs it. */
_Static_assert(sizeof(long) == 8 && sizeof(void *) == 8, "Tine is built for an LP64 target");

#endif
