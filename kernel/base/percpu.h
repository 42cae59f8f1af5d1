/*
 * kernel/base/percpu.h - what one CPU owns, reached through GS.
 *
 * Role         GS.base names this CPU's struct cpu whenever the kernel runs (swapgs at each entry from user mode). Layers above
 *              keep their own per-CPU arrays and index them with cpu_id().
 * Invariants   1. `self` is at offset 0; the offsets that assembly uses are asserted below and stand in cpu_asm.h.
 * Locks        Fields are touched by their own CPU only [c], with interrupts off where an interrupt handler reads them too.
 */
#ifndef TINE_BASE_PERCPU_H
#define TINE_BASE_PERCPU_H

#include "kernel/base/cpu_asm.h"
#include "kernel/base/types.h"

#define MAX_CPUS 64

struct spinlock;
struct thread;

/* The part of the 64-bit task state segment that matters: which stack an interrupt gets (SDM 3, 8.7). */
struct PACKED tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, io_map;
};

struct cpu {
	struct cpu *self;       /* [I] */
	uint64_t user_rsp;      /* [c] scratch of syscall entry */
	struct thread *current; /* [c] */
	uint32_t id;            /* [I] */
	union {
		struct tss tss; /* [c] */
		struct PACKED {
			uint32_t tss_reserved;
			uint64_t kernel_rsp; /* [c] top of the running thread's kernel stack: tss.rsp[0], where
						interrupts from user mode push, and where syscall entry starts */
		};
	};
	uint32_t irq_depth; /* [c] > 0 while an interrupt handler runs */
	bool need_resched;  /* [c] set by interrupts and wake-ups, acted on before return to user mode */
	uint32_t irq_base;  /* [c] locks of what was interrupted: an interrupt handler's order starts above them */
	uint32_t nheld;     /* [c] locks held, outermost first: checked builds */
	const struct spinlock *held[16];
	uint64_t tsc_last; /* [c] for kernel/time.c */
} ALIGNED(256);            /* no TSS crosses a page */

_Static_assert(sizeof(struct tss) == 104, "SDM 3, figure 8-11");
_Static_assert(offsetof(struct cpu, kernel_rsp) == CPU_KERNEL_RSP && CPU_KERNEL_RSP % 8 == 0, "cpu_asm.h");
_Static_assert(offsetof(struct cpu, user_rsp) == CPU_USER_RSP, "cpu_asm.h");
_Static_assert(offsetof(struct cpu, current) == CPU_CURRENT, "cpu_asm.h");

/* Declared so that the compiler may not cache it across a context switch: each call reads GS. */
static inline struct cpu *this_cpu(void)
{
	struct cpu *c;
	__asm__ volatile("movq %%gs:0, %0" : "=r"(c));
	return c;
}

static inline bool cpu_need_resched(void)
{
	bool yes;
	__asm__ volatile("cmpb $0, %%gs:%c1" : "=@ccne"(yes) : "i"(offsetof(struct cpu, need_resched)));
	return yes;
}

static inline uint32_t cpu_id(void)
{
	uint32_t id;
	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(id) : "i"(offsetof(struct cpu, id)));
	return id;
}

static inline struct thread *current(void)
{
	struct thread *t;
	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(t) : "i"(CPU_CURRENT));
	return t;
}

#endif
