/*
 * proc/sched.h - the scheduler.
 *
 * Role         Decides which thread runs. Per-CPU run queues, round robin, a slice of SCHED_SLICE. User code is preempted by the
 *              timer at any instruction; kernel code runs until it sleeps, returns to user mode, or calls sched_point().
 * Invariants   1. schedule() is called with no spinlock held and interrupts on or off; it returns with them as they were.
 *              2. A sleeper sets its state first, then looks at its condition, then calls schedule(): a wake-up in between makes
 *                 it RUNNABLE again and is not lost.
 *              3. The address space of the thread that runs is the one in CR3, or the thread has none.
 * Locks        LOCK_RUNQ; LOCK_THREADS for the threads that ended and are kept for the next fork.
 */
#ifndef TINE_PROC_SCHED_H
#define TINE_PROC_SCHED_H

#include "proc/thread.h"

#define SCHED_SLICE (10 * 1000 * 1000ull) /* ns */

/* Turns the boot context into this CPU's idle thread. */
void sched_init(void);
NORETURN void sched_idle(void);

/* A thread with a kernel stack, in state NEW. -ENOMEM, -EAGAIN. thread_free() for one that never ran. */
MUST_CHECK int thread_create(struct thread **ret_thread);
void thread_free(struct thread *t);
/* Makes a NEW thread run: entry(arg) in kernel mode. */
void thread_start_kernel(struct thread *t, void (*entry)(void *), void *arg);
/* Makes a NEW thread return to user mode through its trapframe. */
void thread_start_user(struct thread *t);
/* The same after load(arg), which runs in the new thread and fills the trapframe: pid 1. */
void thread_start_program(struct thread *t, void (*load)(void *), void *arg);

void schedule(void);
/* Gives way if the slice is used up: for long loops in the kernel. No spinlock held. */
void sched_point(void);
void sched_yield_now(void);

/* From sleep (any kind) to the run queue; true if it slept. Any context, interrupt handlers included. */
bool thread_wake(struct thread *t);
/* Only if it sleeps interruptibly: for signals. */
bool thread_interrupt(struct thread *t);

/*
 * Job control: announces that current() will stop at its next schedule(); thread_continue() ends the stop (true if it was
 * stopped or on its way).
 */
void thread_stop_here(void);
bool thread_continue(struct thread *t);

/* FS and GS base of the user, from the CPU into a thread's record (its own, or a forked child's), and back (current only). */
void thread_save_bases(struct thread *t);
void thread_load_bases(const struct thread *t);

/* For proc/switch.S and proc/timer.c. */
void sched_switched(void);
void sched_slice_over(void);

/* The last act of a thread; its memory is freed by its successor on the CPU. */
NORETURN void thread_exit(void);

/* Load average and run queue length for /proc. */
uint32_t sched_runnable(void);
uint64_t sched_context_switches(void);
uint64_t sched_idle_ns(void);

#endif
