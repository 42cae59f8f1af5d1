/*
 * kernel/trap.h - exceptions and interrupts.
 *
 * Role         trap_dispatch() gets every frame that trap.S builds: exceptions by one table (what each means for user
 *              and for kernel code), interrupts by the handlers that drivers register.
 * Invariants   1. Interrupts are off in an interrupt's handler. An exception's handler runs with them as they were.
 *              2. User mode is left to by exit_to_user() only: it acts on all reasons not to go yet.
 * Failure      An exception in the kernel that no fixup covers is a broken invariant: panic, with the frame.
 */
#ifndef TINE_KERNEL_TRAP_H
#define TINE_KERNEL_TRAP_H

#include "kernel/base/percpu.h"
#include "kernel/base/trapframe.h"
#include "proc/thread.h"

#define VECTOR_IRQ_BASE 0x30 /* vectors from here on are interrupts; 0x20-0x2f are the masked PIC's */
#define VECTOR_TIMER    0x30
#define VECTOR_SERIAL   0x31
#define VECTOR_SPURIOUS 0xff

/* handler() runs with interrupts off, after the interrupt was acknowledged. */
void irq_set_handler(uint8_t vector, void (*handler)(void));
/* How an interrupt is acknowledged; NULL until there is a controller. */
void irq_set_ack(void (*ack)(void));

/* Called by trap.S and syscall_entry.S only. */
void trap_dispatch(struct trapframe *tf);
struct trapframe *trap_to_thread_stack(const struct trapframe *tf);

/* The last act before user mode, interrupts off at the end: reschedules, stops, delivers signals until nothing is left.
 */
void exit_to_user(struct trapframe *tf);
/* Its two parts, for the system call's straight path: is there anything to do? Then do it. Interrupts off in both. */
static inline bool exit_work_pending(void)
{
	return cpu_need_resched() || __atomic_load_n(&current()->flags, __ATOMIC_RELAXED);
}
void exit_work(struct trapframe *tf);

#endif
