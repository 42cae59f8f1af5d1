/*
 * mm/counters.h - event counters: what a fork, a fault, a flush cost in events.
 *
 * Role         One table of names; /proc/tine/counters prints it. A benchmark reads them before and after, beside
 *              instructions and time, since counted instructions hide what a fault or a CR3 load costs.
 * Locks        None: relaxed atomic increments.
 */
#ifndef TINE_MM_COUNTERS_H
#define TINE_MM_COUNTERS_H

#include "kernel/base/types.h"

#define COUNTERS(X)            \
	X(forks_copy)          \
	X(forks_cow)           \
	X(forks_hybrid)        \
	X(forks_tree)          \
	X(forks_failed)        \
	X(vforks)              \
	X(execs)               \
	X(exits)               \
	X(oom_kills)           \
	X(faults_zero)         \
	X(faults_file)         \
	X(faults_cow_copy)     \
	X(faults_cow_reuse)    \
	X(faults_spurious)     \
	X(faults_stack_growth) \
	X(faults_bad)          \
	X(tables_created)      \
	X(tables_copied)       \
	X(tables_shared)       \
	X(tables_healed)       \
	X(frames_copied)       \
	X(frames_zeroed)       \
	X(frame_allocs)        \
	X(frame_frees)         \
	X(invlpg)              \
	X(cr3_loads)           \
	X(window_flushes)      \
	X(heap_allocs)         \
	X(heap_frees)          \
	X(context_switches)    \
	X(interrupts)

enum counter {
#define COUNTER_ENUM(name) COUNTER_##name,
	COUNTERS(COUNTER_ENUM)
#undef COUNTER_ENUM
	    COUNTER_COUNT
};

extern uint64_t counters[COUNTER_COUNT];
extern const char *const counter_names[COUNTER_COUNT];

#define COUNT(name)         __atomic_fetch_add(&counters[COUNTER_##name], 1, __ATOMIC_RELAXED)
#define COUNT_MANY(name, n) __atomic_fetch_add(&counters[COUNTER_##name], (n), __ATOMIC_RELAXED)

#endif
