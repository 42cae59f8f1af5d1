/*
 * mm/inject.h - allocation failure on demand, to prove that every caller survives it.
 *
 * Role         inject_arm(n) makes the n-th allocation from now (1 = the next) fail, once, and inject_arm(0) disarms. The sites
 *              are the frame allocator, reservations and the heap. /proc/tine/fail_nth writes it for the thread that forks.
 * Invariants   1. Unarmed, a site costs one load and one branch.
 *              2. Only allocations of the thread that armed it count; interrupts do not allocate.
 */
#ifndef TINE_MM_INJECT_H
#define TINE_MM_INJECT_H

#include "kernel/base/types.h"

enum inject_site { INJECT_FRAME, INJECT_RESERVE, INJECT_HEAP };

extern uint64_t inject_countdown; /* 0: not armed */
bool inject_step(enum inject_site site);

static ALWAYS_INLINE bool inject_failure(enum inject_site site)
{
	return unlikely(inject_countdown) && inject_step(site);
}

/* Arms for the calling thread; returns what was left of an earlier arming (0: it has fired, or never was armed). */
uint64_t inject_arm(uint64_t nth);

#endif
