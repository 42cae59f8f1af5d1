/* tests/host/shim/shim.c - what the kernel's sources need of the rest of the kernel, for one thread on this machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/base/lock.h"
#include "kernel/base/panic.h"
#include "kernel/base/percpu.h"
#include "mm/counters.h"
#include "mm/heap.h"
#include "mm/inject.h"
#include "tests/host/test.h"

unsigned test_failures;
jmp_buf test_panic_jump;
bool test_panic_expected;
long test_live_blocks; /* kmalloc minus kfree */
long test_fail_after;  /* > 0: the n-th kmalloc from now fails */

uint64_t counters[COUNTER_COUNT];
uint64_t inject_countdown;

bool inject_step(enum inject_site site)
{
	(void)site;
	return --inject_countdown == 0;
}

void panic(const char *fmt, ...)
{
	va_list ap;

	if (test_panic_expected)
		longjmp(test_panic_jump, 1);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\npanic\n");
	exit(3);
}

/* Locks are checked for balance only: taking one twice, or leaving one that is not held, is the bug to find. */
void spin_lock(struct spinlock *l)
{
	if (l->next != l->serving)
		panic("lock %s taken twice", l->name);
	l->next++;
}

void spin_unlock(struct spinlock *l)
{
	if (l->next == l->serving)
		panic("lock %s is not held", l->name);
	l->serving++;
}

void spin_lock_nested(struct spinlock *l) { spin_lock(l); }

uint64_t spin_lock_irq(struct spinlock *l)
{
	spin_lock(l);
	return 0;
}

void spin_unlock_irq(struct spinlock *l, uint64_t flags)
{
	(void)flags;
	spin_unlock(l);
}

bool spin_held(const struct spinlock *l) { return l->next != l->serving; }

void lock_assert_none(void) {}

void *kmalloc(size_t n)
{
	if (test_fail_after && --test_fail_after == 0)
		return NULL;
	test_live_blocks++;
	return malloc(n);
}

void *kzalloc(size_t n)
{
	if (test_fail_after && --test_fail_after == 0)
		return NULL;
	test_live_blocks++;
	return calloc(1, n);
}

void kfree(void *p)
{
	test_live_blocks -= p != NULL;
	free(p);
}
