/*
 * kernel/base/clock.h - time since boot, in nanoseconds.
 *
 * Role         clock_ns() is monotonic, from the TSC by a multiplier that kernel/time.c calibrates at boot (before that
 * it returns an estimate that never runs backwards). clock_realtime_ns() adds the firmware's wall time. Locks None: the
 * parameters are written once, on one CPU, before a second one runs.
 */
#ifndef TINE_BASE_CLOCK_H
#define TINE_BASE_CLOCK_H

#include "kernel/base/types.h"

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

uint64_t clock_ns(void);
uint64_t clock_realtime_ns(void);         /* since 1970-01-01 UTC */
void clock_set_realtime(uint64_t now_ns); /* settimeofday */
/* tsc_hz > 0; tsc_start = the TSC reading that is time zero. */
void clock_calibrate(uint64_t tsc_hz, uint64_t tsc_start);
uint64_t clock_tsc_hz(void);

#endif
