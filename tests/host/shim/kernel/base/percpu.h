/* tests/host/shim/kernel/base/percpu.h - one CPU, one thread, no GS. */
#ifndef TINE_BASE_PERCPU_H
#define TINE_BASE_PERCPU_H

#include "kernel/base/types.h"

#define MAX_CPUS 1

struct thread;
extern struct thread *test_thread;

static inline uint32_t cpu_id(void) { return 0; }
static inline struct thread *current(void) { return test_thread; }

#endif
