/* tests/host/shim/kernel/base/percpu.h - one CPU, one thread, no GS. */
#ifndef TINE_BASE_PERCPU_H
#define TINE_BASE_PERCPU_H

#include "kernel/base/types.h"

#define MAX_CPUS 1

struct spinlock;
struct thread;
extern struct thread *test_thread;

/* What kernel/base/lock.c keeps of the locks that are held. */
struct cpu {
	uint32_t irq_base, nheld;
	const struct spinlock *held[16];
};
extern struct cpu test_cpu;

static inline struct cpu *this_cpu(void) { return &test_cpu; }
static inline uint32_t cpu_id(void) { return 0; }
static inline struct thread *current(void) { return test_thread; }

#endif
