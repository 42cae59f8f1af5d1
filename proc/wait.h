/*
 * proc/wait.h - sleeping: wait queues and mutexes.
 *
 * Role         A wait queue is a list of threads that wait for "something about this object changed". A waiter may
 * stand on several queues at once (poll). A mutex is a lock whose holder may sleep. Use          struct waiter w;
 *              waitq_enter(&q, &w);
 *              while (!(condition)) {          -- looked at after the sleep was announced: no lost wake-up
 *                      err = waitq_sleep(...);
 *              }
 *              waitq_leave(&w);
 *              which is what WAIT_UNTIL() does.
 * Invariants   1. waitq_wake_*() wakes; it never runs anybody at once, so it may be called with spinlocks held.
 *              2. A woken thread looks at its condition again.
 * Locks        q->lock (LOCK_WAITQ), then LOCK_RUNQ. Wake-ups are legal from interrupt handlers.
 * Failure      -ERESTARTSYS: a signal ended an interruptible sleep; -ETIMEDOUT: the deadline passed.
 */
#ifndef TINE_PROC_WAIT_H
#define TINE_PROC_WAIT_H

#include "kernel/base/list.h"
#include "kernel/base/lock.h"
#include "proc/thread.h"

struct waitq {
	struct spinlock lock;
	struct list waiters;
};

struct waiter {
	struct list node;
	struct waitq *queue;
	struct thread *thread;
};

#define WAITQ_INIT(q)                                                      \
	{                                                                  \
		SPINLOCK_INIT("waitq", LOCK_WAITQ), LIST_INIT((q).waiters) \
	}
void waitq_init(struct waitq *q);
void waitq_enter(struct waitq *q, struct waiter *w); /* last in line */
void waitq_leave(struct waiter *w);
void waitq_wake_one(struct waitq *q);
void waitq_wake_all(struct waitq *q);
bool waitq_empty(struct waitq *q);

#define NO_DEADLINE UINT64_MAX

/* Announces that current() is about to sleep. Between this and wait_sleep() the condition is looked at. */
void wait_prepare(bool interruptible);
/* Takes the announcement back (the condition held). */
void wait_cancel(void);
/* Sleeps: 0 woken, -ERESTARTSYS signal (interruptible only), -ETIMEDOUT at deadline (clock_ns() time). No spinlock
 * held. */
MUST_CHECK int wait_sleep(uint64_t deadline);

struct mutex {
	struct spinlock lock;
	struct thread *owner;
	struct list waiters;
};
#define MUTEX_INIT(m)                                                            \
	{                                                                        \
		SPINLOCK_INIT("mutex", LOCK_WAITQ), NULL, LIST_INIT((m).waiters) \
	}
void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m); /* not interruptible; may sleep */
void mutex_unlock(struct mutex *m);
bool mutex_held(const struct mutex *m); /* by current() */

/*
 * Sleeps until cond holds, interruptibly; `mutex` is held at the call and at the end, and released while asleep.
 * Value: 0, -ERESTARTSYS, -ETIMEDOUT.
 */
#define WAIT_UNTIL(q, mutex, cond, deadline)              \
	({                                                \
		struct waiter wait_w_;                    \
		int wait_err_ = 0;                        \
		waitq_enter(q, &wait_w_);                 \
		for (;;) {                                \
			wait_prepare(true);               \
			if (cond)                         \
				break;                    \
			mutex_unlock(mutex);              \
			wait_err_ = wait_sleep(deadline); \
			mutex_lock(mutex);                \
			if (wait_err_)                    \
				break;                    \
		}                                         \
		wait_cancel();                            \
		waitq_leave(&wait_w_);                    \
		(cond) ? 0 : wait_err_;                   \
	})

#endif
