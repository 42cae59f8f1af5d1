/*
 * kernel/base/panic.h - the end of the line: a broken invariant.
 *
 * Role         panic() reports and stops. ASSERT() is always compiled in; CHECK() only where TINE_CHECKED is defined
 *              (the build that `make test` boots), for tests too dear for every call.
 * Failure      Nothing that a user program or the firmware does may reach any of them.
 */
#ifndef TINE_BASE_PANIC_H
#define TINE_BASE_PANIC_H

#include "kernel/base/types.h"

/* Prints the reason (with its values), registers and a backtrace, then stops the machine. printf's format. */
NORETURN PRINTF(1, 2) void panic(const char *fmt, ...);

#define ASSERT(cond)                                                                      \
	do {                                                                              \
		if (unlikely(!(cond)))                                                    \
			panic("assertion failed: %s (%s:%d)", #cond, __FILE__, __LINE__); \
	} while (0)

#ifdef TINE_CHECKED
#define CHECK(cond) ASSERT(cond)
#else
#define CHECK(cond) ((void)sizeof(!(cond)))
#endif

#endif
