/* proc/wait.c - see proc/wait.h. */
#include "proc/wait.h"

#include "kernel/base/clock.h"
#include "kernel/base/panic.h"
#include "proc/sched.h"
#include "proc/timer.h"

void waitq_init(struct waitq *q)
{
	spin_init(&q->lock, "waitq", LOCK_WAITQ);
	list_init(&q->waiters);
}

void waitq_enter(struct waitq *q, struct waiter *w)
{
	uint64_t flags = spin_lock_irq(&q->lock);

	w->queue = q;
	w->thread = current();
	list_append(&q->waiters, &w->node);
	spin_unlock_irq(&q->lock, flags);
}

void waitq_leave(struct waiter *w)
{
	uint64_t flags = spin_lock_irq(&w->queue->lock);

	list_remove(&w->node);
	spin_unlock_irq(&w->queue->lock, flags);
}

void waitq_wake_one(struct waitq *q)
{
	uint64_t flags;
	struct waiter *w;

	if (list_empty(&q->waiters))
		return;
	flags = spin_lock_irq(&q->lock);
	list_for_each (w, &q->waiters, node)
		if (thread_wake(w->thread))
			break;
	spin_unlock_irq(&q->lock, flags);
}

void waitq_wake_all(struct waitq *q)
{
	uint64_t flags;
	struct waiter *w;

	if (list_empty(&q->waiters))
		return;
	flags = spin_lock_irq(&q->lock);
	list_for_each (w, &q->waiters, node)
		thread_wake(w->thread);
	spin_unlock_irq(&q->lock, flags);
}

bool waitq_empty(struct waitq *q) { return list_empty(&q->waiters); }

/* Sleeping. The order "state, then condition, then schedule()" is what loses no wake-up. */
void wait_prepare(bool interruptible)
{
	current()->interruptible = interruptible;
	__atomic_store_n(&current()->state, THREAD_SLEEPING, __ATOMIC_SEQ_CST);
}

void wait_cancel(void) { current()->state = THREAD_RUNNABLE; }

struct alarm_clock {
	struct timer timer;
	struct thread *thread;
	bool rang;
};

static void ring(struct timer *t)
{
	struct alarm_clock *a = CONTAINER_OF(t, struct alarm_clock, timer);

	a->rang = true;
	thread_wake(a->thread);
}

int wait_sleep(uint64_t deadline)
{
	struct thread *t = current();
	struct alarm_clock a = {.thread = t};

	if (t->interruptible && signal_pending(t)) {
		wait_cancel();
		return -ERESTARTSYS;
	}
	if (deadline == NO_DEADLINE) {
		schedule();
	} else {
		timer_init(&a.timer, ring);
		timer_start(&a.timer, deadline);
		schedule();
		timer_stop(&a.timer);
	}
	if (t->interruptible && signal_pending(t))
		return -ERESTARTSYS;
	return a.rang ? -ETIMEDOUT : 0;
}

/* Mutexes hand over: the one who unlocks makes the first in line the owner. */
void mutex_init(struct mutex *m)
{
	spin_init(&m->lock, "mutex", LOCK_WAITQ);
	m->owner = NULL;
	list_init(&m->waiters);
}

void mutex_lock(struct mutex *m)
{
	struct thread *t = current();
	struct waiter w = {.thread = t};
	uint64_t flags = spin_lock_irq(&m->lock);

	if (likely(!m->owner)) {
		m->owner = t;
		spin_unlock_irq(&m->lock, flags);
		return;
	}
	ASSERT(m->owner != t);
	list_append(&m->waiters, &w.node);
	while (m->owner != t) {
		wait_prepare(false);
		spin_unlock_irq(&m->lock, flags);
		schedule();
		flags = spin_lock_irq(&m->lock);
	}
	spin_unlock_irq(&m->lock, flags);
}

void mutex_unlock(struct mutex *m)
{
	uint64_t flags = spin_lock_irq(&m->lock);
	struct waiter *w;

	ASSERT(m->owner == current());
	m->owner = NULL;
	if (!list_empty(&m->waiters)) {
		w = list_first(&m->waiters, struct waiter, node);
		list_remove(&w->node);
		m->owner = w->thread;
		thread_wake(w->thread);
	}
	spin_unlock_irq(&m->lock, flags);
}

bool mutex_held(const struct mutex *m) { return m->owner == current(); }
