/* kernel/base/lock.c - see lock.h. */
#include "kernel/base/lock.h"

#include "kernel/base/cpu.h"
#include "kernel/base/panic.h"
#include "kernel/base/percpu.h"

void spin_wait(struct spinlock *l, uint32_t ticket)
{
	while (__atomic_load_n(&l->serving, __ATOMIC_ACQUIRE) != ticket)
		cpu_pause();
}

#ifdef TINE_CHECKED

/* What this CPU holds, outermost first. A handler's locks stand above those of the code that it interrupted (irq_base). */

static void check_rank(const struct spinlock *l, bool nested)
{
	struct cpu *c = this_cpu();
	const struct spinlock *top = c->nheld > c->irq_base ? c->held[c->nheld - 1] : NULL;

	if (top && (top->rank > l->rank || (top->rank == l->rank && !nested)))
		panic("lock order: %s (rank %d) taken inside %s (rank %d)", l->name, l->rank, top->name, top->rank);
	if (c->nheld == ARRAY_LEN(c->held))
		panic("lock order: %s is one lock too many", l->name);
}

static void note_taken(const struct spinlock *l, bool nested)
{
	uint64_t flags = irq_save();
	struct cpu *c = this_cpu();

	check_rank(l, nested);
	c->held[c->nheld++] = l;
	irq_restore(flags);
}

/* Locks may be released in another order than they were taken. */
static void note_released(const struct spinlock *l)
{
	uint64_t flags = irq_save();
	struct cpu *c = this_cpu();
	uint32_t i = c->nheld;

	while (i && c->held[i - 1] != l)
		i--;
	if (!i)
		panic("lock %s released, but not held", l->name);
	for (c->nheld--; i <= c->nheld; i++)
		c->held[i - 1] = c->held[i];
	irq_restore(flags);
}

bool spin_held(const struct spinlock *l)
{
	uint64_t flags = irq_save();
	struct cpu *c = this_cpu();
	bool held = false;

	for (uint32_t i = 0; i < c->nheld; i++)
		held |= c->held[i] == l;
	irq_restore(flags);
	return held;
}

void lock_assert_none(void)
{
	struct cpu *c = this_cpu();

	if (c->nheld > c->irq_base)
		panic("lock %s held where none may be", c->held[c->nheld - 1]->name);
}

static void ticket_lock(struct spinlock *l) { spin_wait(l, __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED)); }

void spin_lock(struct spinlock *l)
{
	note_taken(l, false);
	ticket_lock(l);
}

void spin_lock_nested(struct spinlock *l)
{
	note_taken(l, true);
	ticket_lock(l);
}

void spin_unlock(struct spinlock *l)
{
	note_released(l);
	__atomic_store_n(&l->serving, l->serving + 1, __ATOMIC_RELEASE);
}

uint64_t spin_lock_irq(struct spinlock *l)
{
	uint64_t flags = irq_save();

	spin_lock(l);
	return flags;
}

void spin_unlock_irq(struct spinlock *l, uint64_t flags)
{
	spin_unlock(l);
	irq_restore(flags);
}

#else

bool spin_held(const struct spinlock *l)
{
	return __atomic_load_n(&l->next, __ATOMIC_RELAXED) != __atomic_load_n(&l->serving, __ATOMIC_RELAXED);
}

void spin_lock_nested(struct spinlock *l) { spin_lock(l); }

#endif
