/*
 * kernel/base/percpu.h - what one CPU owns, reached through GS.
 *
 * Role         GS.base names this CPU's struct cpu whenever the kernel runs (swapgs at each entry from user mode).
 *              Layers above keep their own per-CPU arrays and index them with cpu_id().
 * Invariants   1. `self` is at offset 0; the offsets that assembly uses are asserted below and stand in cpu_asm.h.
 * Locks        Fields are touched by their own CPU only [c], with interrupts off where an interrupt handler reads them
 * too.
 */
#ifndef TINE_BASE_PERCPU_H
#define TINE_BASE_PERCPU_H

#include "kernel/base/cpu_asm.h"
#include "kernel/base/types.h"

#define MAX_CPUS 64

struct spinlock;
struct thread;

struct cpu {
	struct cpu *self;       /* [I] */
	uint64_t kernel_rsp;    /* [c] top of the running thread's kernel stack: where syscall entry starts pushing */
	uint64_t user_rsp;      /* [c] scratch of syscall entry */
	struct thread *current; /* [c] */
	uint32_t id;            /* [I] */
	uint32_t irq_depth;     /* [c] > 0 while an interrupt handler runs */
	bool need_resched;      /* [c] set by interrupts and wake-ups, acted on before return to user mode */
	uint32_t nheld;         /* [c] locks held, outermost first: checked builds */
	const struct spinlock *held[16];
	uint64_t tsc_last; /* [c] for kernel/time.c */
};

_Static_assert(offsetof(struct cpu, kernel_rsp) == CPU_KERNEL_RSP, "cpu_asm.h");
_Static_assert(offsetof(struct cpu, user_rsp) == CPU_USER_RSP, "cpu_asm.h");
_Static_assert(offsetof(struct cpu, current) == CPU_CURRENT, "cpu_asm.h");

/* Declared so that the compiler may not cache it across a context switch: each call reads GS. */
static inline struct cpu *this_cpu(void)
{
	struct cpu *c;
	__asm__ volatile("movq %%gs:0, %0" : "=r"(c));
	return c;
}

static inline uint32_t cpu_id(void) { return this_cpu()->id; }

static inline struct thread *current(void)
{
	struct thread *t;
	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(t) : "i"(CPU_CURRENT));
	return t;
}

#endif
