/* kernel/sys_clock.c - system calls that read and set clocks. Sleeping is proc/'s business. */
#include <linux/time.h>
#include <linux/time_types.h>

#include "kernel/base/clock.h"
#include "kernel/base/syscalls.h"
#include "mm/user.h"
#include "proc/cred.h"
#include "proc/process.h"
#include "proc/thread.h"

#define CLOCK_RES_NS 1

/* CPU-time clocks of other processes and threads have negative numbers: the pid's complement, then 3 bits of kind. */
#define CPU_CLOCK_PER_THREAD 4

static uint64_t thread_cpu_ns(const struct thread *t)
{
	return t->user_ns + t->system_ns + (t == current() ? clock_ns() - t->run_start : 0);
}

static uint64_t process_cpu_ns(const struct process *p)
{
	const struct thread *t;
	uint64_t ns;

	spin_lock(&proc_lock);
	ns = p->dead_threads.user_ns + p->dead_threads.system_ns;
	list_for_each (t, &p->threads, process_node)
		ns += thread_cpu_ns(t);
	spin_unlock(&proc_lock);
	return ns;
}

/* Time of a clock whose number names a process: only the caller's own is supported. */
static int64_t read_cpu_clock(int32_t clock, uint64_t *ret_ns)
{
	int32_t pid = ~(clock >> 3);

	if (pid && pid != current_process()->pid && pid != current()->tid)
		return -EINVAL;
	*ret_ns = clock & CPU_CLOCK_PER_THREAD ? thread_cpu_ns(current()) : process_cpu_ns(current_process());
	return 0;
}

static int64_t read_clock(int32_t clock, uint64_t *ret_ns)
{
	if (clock < 0)
		return read_cpu_clock(clock, ret_ns);
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		*ret_ns = clock_realtime_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ret_ns = clock_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ret_ns = process_cpu_ns(current_process());
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ret_ns = thread_cpu_ns(current());
		return 0;
	default:
		return -EINVAL;
	}
}

static int put_timespec(uaddr_t to, uint64_t ns)
{
	struct __kernel_timespec ts = {(int64_t)(ns / NSEC_PER_SEC), (long long)(ns % NSEC_PER_SEC)};

	return copy_to_user(to, &ts, sizeof(ts));
}

int64_t sys_clock_gettime(int32_t clock, uaddr_t time)
{
	uint64_t ns;
	int64_t err = read_clock(clock, &ns);

	return err ? err : put_timespec(time, ns);
}

int64_t sys_clock_getres(int32_t clock, uaddr_t time)
{
	uint64_t ns;
	int64_t err = read_clock(clock, &ns);

	if (err || !time.v)
		return err;
	return put_timespec(time, CLOCK_RES_NS);
}

static int set_realtime(int64_t seconds, int64_t ns)
{
	if (seconds < 0 || seconds > INT64_MAX / (int64_t)NSEC_PER_SEC - 1 || ns < 0 || ns >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	if (!cred_is_root(current()->cred))
		return -EPERM;
	clock_set_realtime((uint64_t)seconds * NSEC_PER_SEC + (uint64_t)ns);
	return 0;
}

int64_t sys_clock_settime(int32_t clock, uaddr_t time)
{
	struct __kernel_timespec ts;

	if (clock != CLOCK_REALTIME)
		return -EINVAL;
	if (copy_from_user(&ts, time, sizeof(ts)))
		return -EFAULT;
	return set_realtime(ts.tv_sec, ts.tv_nsec);
}

int64_t sys_gettimeofday(uaddr_t time, uaddr_t zone)
{
	uint64_t now = clock_realtime_ns();
	struct timeval tv = {(long)(now / NSEC_PER_SEC), (long)(now % NSEC_PER_SEC / NSEC_PER_USEC)};
	struct timezone utc = {0, 0};

	if (time.v && copy_to_user(time, &tv, sizeof(tv)))
		return -EFAULT;
	if (zone.v && copy_to_user(zone, &utc, sizeof(utc)))
		return -EFAULT;
	return 0;
}

int64_t sys_settimeofday(uaddr_t time, uaddr_t zone)
{
	struct timeval tv;

	(void)zone; /* the kernel keeps UTC */
	if (!time.v)
		return cred_is_root(current()->cred) ? 0 : -EPERM;
	if (copy_from_user(&tv, time, sizeof(tv)))
		return -EFAULT;
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EINVAL;
	return set_realtime(tv.tv_sec, tv.tv_usec * (int64_t)NSEC_PER_USEC);
}

int64_t sys_time(uaddr_t time)
{
	uint64_t now = clock_realtime_ns() / NSEC_PER_SEC;

	if (time.v && user_put_u64(time, now))
		return -EFAULT;
	return (int64_t)now;
}
