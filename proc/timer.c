/* proc/timer.c - see proc/timer.h. */
#include "proc/timer.h"

#include "kernel/base/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/lock.h"
#include "kernel/base/percpu.h"
#include "proc/sched.h"

static struct {
	struct spinlock lock;
	struct list queue;  /* by deadline, nearest first */
	uint64_t slice_end; /* 0: none */
	uint64_t armed;     /* deadline that the device was armed for, 0: not */
	void (*arm)(uint64_t deadline);
} timers = {.lock = SPINLOCK_INIT("timer", LOCK_TIMER), .queue = LIST_INIT(timers.queue)};

/* Arms the device where what comes next is sooner than what it waits for; a later end needs no new arming. */
static void rearm(void)
{
	uint64_t next = timers.slice_end ? timers.slice_end : UINT64_MAX;

	if (!list_empty(&timers.queue))
		next = MIN(next, list_first(&timers.queue, struct timer, node)->deadline);
	if (next == UINT64_MAX || !timers.arm || (timers.armed && timers.armed <= next))
		return;
	timers.armed = next;
	timers.arm(next);
}

void timer_init(struct timer *t, void (*fn)(struct timer *))
{
	list_init(&t->node);
	t->fn = fn;
	t->deadline = 0;
}

void timer_start(struct timer *t, uint64_t deadline)
{
	uint64_t flags = spin_lock_irq(&timers.lock);
	struct timer *at;

	list_remove(&t->node);
	t->deadline = deadline;
	list_for_each (at, &timers.queue, node)
		if (at->deadline > deadline)
			break;
	list_append(&at->node, &t->node); /* before `at`, or last */
	rearm();
	spin_unlock_irq(&timers.lock, flags);
}

bool timer_stop(struct timer *t)
{
	uint64_t flags = spin_lock_irq(&timers.lock);
	bool waiting = !list_empty(&t->node);

	list_remove(&t->node);
	spin_unlock_irq(&timers.lock, flags);
	return waiting;
}

static struct timer *take_due(uint64_t now)
{
	struct timer *t;

	if (list_empty(&timers.queue))
		return NULL;
	t = list_first(&timers.queue, struct timer, node);
	if (t->deadline > now)
		return NULL;
	list_remove(&t->node);
	return t;
}

void timer_interrupt(void)
{
	uint64_t now = clock_ns(), flags = spin_lock_irq(&timers.lock);
	bool slice_over = timers.slice_end && timers.slice_end <= now;
	struct timer *t;

	timers.armed = 0;
	if (slice_over)
		timers.slice_end = 0;
	while ((t = take_due(now))) {
		spin_unlock_irq(&timers.lock, flags);
		t->fn(t);
		flags = spin_lock_irq(&timers.lock);
	}
	rearm();
	spin_unlock_irq(&timers.lock, flags);
	if (slice_over)
		sched_slice_over();
}

void timer_set_device(void (*arm)(uint64_t deadline))
{
	uint64_t flags = spin_lock_irq(&timers.lock);

	timers.arm = arm;
	timers.armed = 0;
	rearm();
	spin_unlock_irq(&timers.lock, flags);
}

/* Called by the scheduler with the run queue's lock held, interrupts off: so no lock here, the fields are this CPU's own. */
void timer_set_slice(uint64_t deadline)
{
	timers.slice_end = deadline;
	if (deadline)
		rearm();
}
