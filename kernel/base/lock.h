/*
 * kernel/base/lock.h - spin locks with ranks.
 *
 * Role         Short critical sections. A spinlock is a ticket lock; the kernel does not preempt itself, so on one CPU it is never
 *              contended, and it is written for many.
 * Invariants   1. A CPU takes locks in rising rank only (equal ranks: never, except by spin_lock_nested).
 *              2. Who holds a spinlock does not sleep.
 *              3. A lock that an interrupt handler takes is taken with spin_lock_irq() everywhere.
 * Failure      In checked builds a breach of 1 or 2 panics with the names of both locks.
 *
 * This enum is the one list of all spin locks, outermost first, each with what it covers.
 */
#ifndef TINE_BASE_LOCK_H
#define TINE_BASE_LOCK_H

#include "kernel/base/cpu.h"
#include "kernel/base/types.h"

enum lock_rank {
	LOCK_PROC,    /* process table: pids, parents, children, groups, sessions, zombies */
	LOCK_SIGNAL,  /* one process's signal actions and pending sets */
	LOCK_VFS,     /* directory tree: names, links, mounts */
	LOCK_FILES,   /* one descriptor table */
	LOCK_FILE,    /* one pipe, one tty, one eventfd: its buffer and state */
	LOCK_SPACES,  /* the list of all address spaces */
	LOCK_SPACE,   /* one address space: its regions and page tables */
	LOCK_TABLE,   /* page tables that several spaces share: copying them, giving them up */
	LOCK_OBJECT,  /* one page object: its pages and size */
	LOCK_THREADS, /* threads that ended and are kept for the next */
	LOCK_HEAP,    /* the kernel heap's size classes */
	LOCK_KMAP,    /* the kernel's own page tables and address ranges */
	LOCK_FRAME,   /* the frame allocator's free lists */
	LOCK_WAITQ,   /* one wait queue */
	LOCK_TIMER,   /* the timer queue */
	LOCK_RUNQ,    /* one CPU's run queue and the state of its threads */
	LOCK_RANDOM,  /* the random generator's state */
	LOCK_DEVICE,  /* one device's registers */
	LOCK_LOG,     /* the log ring and its sinks */
	LOCK_RANKS
};

struct spinlock {
	uint32_t next, serving; /* tickets [a] */
	enum lock_rank rank;    /* [I] */
	const char *name;       /* [I] */
};

#define SPINLOCK_INIT(name, rank) \
	{                         \
		0, 0, rank, name  \
	}

static inline void spin_init(struct spinlock *l, const char *name, enum lock_rank rank)
{
	*l = (struct spinlock)SPINLOCK_INIT(name, rank);
}

/* Until the ticket's turn has come. */
void spin_wait(struct spinlock *l, uint32_t ticket);

#ifdef TINE_CHECKED
void spin_lock(struct spinlock *l);
void spin_unlock(struct spinlock *l);
/* The same with interrupts off; returns the flags to hand back to the unlock. */
uint64_t spin_lock_irq(struct spinlock *l);
void spin_unlock_irq(struct spinlock *l, uint64_t flags);
#else

static ALWAYS_INLINE void spin_lock(struct spinlock *l)
{
	uint32_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	if (unlikely(__atomic_load_n(&l->serving, __ATOMIC_ACQUIRE) != ticket))
		spin_wait(l, ticket);
}

static ALWAYS_INLINE void spin_unlock(struct spinlock *l)
{
	__atomic_store_n(&l->serving, l->serving + 1, __ATOMIC_RELEASE);
}

static ALWAYS_INLINE uint64_t spin_lock_irq(struct spinlock *l)
{
	uint64_t flags = irq_save();

	spin_lock(l);
	return flags;
}

static ALWAYS_INLINE void spin_unlock_irq(struct spinlock *l, uint64_t flags)
{
	spin_unlock(l);
	irq_restore(flags);
}
#endif
/* For a second lock of the same rank; the caller states the order (by address, parent before child) where it calls. */
void spin_lock_nested(struct spinlock *l);
bool spin_held(const struct spinlock *l); /* by this CPU: exact in checked builds, "by anyone" in others */

/* Panics if this CPU holds a spinlock. Called where a thread is about to sleep or return to user mode. Checked builds
 * only. */
#ifdef TINE_CHECKED
void lock_assert_none(void);
#else
static inline void lock_assert_none(void) {}
#endif

#endif
