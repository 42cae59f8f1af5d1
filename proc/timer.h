/*
 * proc/timer.h - things that happen at a time.
 *
 * Role         A queue of deadlines per CPU. The APIC timer is armed for the nearest one, or for the end of the running thread's
 *              slice, whichever comes first: an idle machine takes no tick.
 * Invariants   1. A timer's function runs in the timer interrupt, with interrupts off: it may wake threads and restart itself.
 *              2. After timer_stop() returns the function does not run (on one CPU; with more it waits for a running one).
 * Locks        LOCK_TIMER, taken with interrupts off; released while a function runs.
 */
#ifndef TINE_PROC_TIMER_H
#define TINE_PROC_TIMER_H

#include "kernel/base/list.h"
#include "kernel/base/types.h"

struct timer {
	struct list node;
	uint64_t deadline; /* clock_ns() */
	void (*fn)(struct timer *);
};

void timer_init(struct timer *t, void (*fn)(struct timer *));
void timer_start(struct timer *t, uint64_t deadline); /* restarts a running one */
bool timer_stop(struct timer *t);                     /* true if it was waiting */

/* Called by the timer interrupt (kernel/apic.c) after acknowledging it. */
void timer_interrupt(void);
/* Sets how the hardware is armed: arm(deadline in clock_ns() time), called with interrupts off. NULL until the APIC is
 * up. */
void timer_set_device(void (*arm)(uint64_t deadline));
/* The scheduler's word that the present slice ends at `deadline` (0: no slice). */
void timer_set_slice(uint64_t deadline);

#endif
