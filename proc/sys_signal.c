/* proc/sys_signal.c - system calls about signals and waiting for time (POSIX signal concepts 2.4; Linux signal(7)). */
/* sigcontext.h comes before the others that declare parts of it. */
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/signal.h>
#include <linux/time.h>

#include "kernel/base/clock.h"
#include "kernel/base/string.h"
#include "kernel/base/syscalls.h"
#include "mm/user.h"
#include "proc/cred.h"
#include "proc/oom.h"
#include "proc/process.h"
#include "proc/sched.h"
#include "proc/signal_private.h"

#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

static bool valid_signal(int signo) { return signo >= 1 && signo <= SIGNALS; }

int64_t sys_rt_sigaction(int signo, uaddr_t new, uaddr_t old, size_t size)
{
	struct signal_action action, previous;
	int err;

	if (size != sizeof(uint64_t) || !valid_signal(signo))
		return -EINVAL;
	if (new.v && copy_from_user(&action, new, sizeof(action)))
		return -EFAULT;
	if (new.v && (signo == SIGKILL || signo == SIGSTOP))
		return -EINVAL;
	if (new.v)
		action.mask &= ~UNBLOCKABLE;
	err = signal_set_action(current_process(), signo, new.v ? &action : NULL, &previous);
	if (!err && old.v && copy_to_user(old, &previous, sizeof(previous)))
		err = -EFAULT;
	return err;
}

int64_t sys_rt_sigprocmask(int how, uaddr_t set, uaddr_t old, size_t size)
{
	uint64_t mask, previous = current()->blocked;

	if (size != sizeof(uint64_t))
		return -EINVAL;
	if (set.v) {
		if (user_get_u64(set, &mask))
			return -EFAULT;
		if (how == SIG_BLOCK)
			mask |= previous;
		else if (how == SIG_UNBLOCK)
			mask = previous & ~mask;
		else if (how != SIG_SETMASK)
			return -EINVAL;
		signal_set_mask(mask);
	}
	return old.v ? user_put_u64(old, previous) : 0;
}

int64_t sys_rt_sigpending(uaddr_t set, size_t size)
{
	struct thread *t = current();
	uint64_t pending = (t->pending | t->process->signals.pending) & t->blocked;

	if (size > sizeof(uint64_t))
		return -EINVAL;
	return copy_to_user(set, &pending, size);
}

/* Sleeps until a signal is there to be delivered. */
static int64_t pause_here(void)
{
	int err = 0;

	do {
		wait_prepare(true);
		err = wait_sleep(NO_DEADLINE);
	} while (!err);
	return -ERESTARTNOHAND;
}

int64_t sys_pause(void) { return pause_here(); }

int64_t sys_rt_sigsuspend(uaddr_t set, size_t size)
{
	struct thread *t = current();
	uint64_t mask;

	if (size != sizeof(uint64_t))
		return -EINVAL;
	if (user_get_u64(set, &mask))
		return -EFAULT;
	t->saved_blocked = t->blocked;
	t->restore_blocked = true;
	signal_set_mask(mask);
	return pause_here();
}

/* A timespec as nanoseconds; -EINVAL as the clocks say. What does not fit is the end of time. */
static int get_timespec(uaddr_t from, uint64_t *ret_ns)
{
	struct timespec ts;

	if (copy_from_user(&ts, from, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= (long)NSEC_PER_SEC)
		return -EINVAL;
	*ret_ns = (uint64_t)ts.tv_sec > UINT64_MAX / NSEC_PER_SEC / 4
		      ? UINT64_MAX / 4
		      : (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
	return 0;
}

int64_t sys_rt_sigtimedwait(uaddr_t set, uaddr_t info, uaddr_t timeout, size_t size)
{
	uint64_t wanted, ns = 0, deadline = NO_DEADLINE, old = current()->blocked;
	struct signal_info si;
	struct siginfo out;
	int err = 0;
	bool found;

	if (size != sizeof(uint64_t))
		return -EINVAL;
	if (user_get_u64(set, &wanted))
		return -EFAULT;
	if (timeout.v) {
		err = get_timespec(timeout, &ns);
		if (err)
			return err;
		deadline = clock_ns() + ns;
	}
	wanted &= ~UNBLOCKABLE;
	current()->awaited = wanted;
	signal_set_mask(old & ~wanted); /* so that their arrival ends the sleep */
	for (;;) {
		wait_prepare(true);
		found = signal_take(wanted, &si);
		if (found || err)
			break;
		err = wait_sleep(deadline);
	}
	wait_cancel();
	current()->awaited = 0;
	signal_set_mask(old);
	if (!found)
		return err == -ETIMEDOUT ? -EAGAIN : -EINTR;
	signal_fill_siginfo(&out, &si);
	if (info.v && oom_copy_to_user(info, &out, sizeof(out)))
		return -EFAULT;
	return si.signo;
}

int64_t sys_sigaltstack(uaddr_t new, uaddr_t old)
{
	struct thread *t = current();
	uint64_t rsp = thread_frame(t)->rsp;
	bool active = t->altstack_size && rsp > t->altstack.v && rsp - t->altstack.v <= t->altstack_size;
	stack_t s, previous = {(void *)t->altstack.v, 0, t->altstack_size};

	previous.ss_flags = !t->altstack_size ? SS_DISABLE : active ? SS_ONSTACK : 0;
	if (new.v) {
		if (copy_from_user(&s, new, sizeof(s)))
			return -EFAULT;
		if (active)
			return -EPERM;
		if (s.ss_flags & ~(SS_DISABLE | SS_ONSTACK | (int)SS_AUTODISARM))
			return -EINVAL;
		if (!(s.ss_flags & SS_DISABLE) && s.ss_size < MINSIGSTKSZ)
			return -ENOMEM;
		t->altstack = UADDR(s.ss_sp);
		t->altstack_size = s.ss_flags & SS_DISABLE ? 0 : s.ss_size;
		t->altstack_flags = (uint32_t)s.ss_flags & SS_AUTODISARM;
	}
	return old.v ? copy_to_user(old, &previous, sizeof(previous)) : 0;
}

/* Sending. */
static bool may_signal(const struct process *p, int signo)
{
	const struct cred *me = current()->cred, *it = p->cred;

	if (me->euid == 0 || me->euid == it->suid || me->euid == it->uid || me->uid == it->suid || me->uid == it->uid)
		return true;
	return signo == SIGCONT && p->sid == current_process()->sid;
}

/* Signals every process of a group, or with pgid 0 every one but init and the caller: 0 if one could be. */
static int signal_many(int32_t pgid, const struct signal_info *info)
{
	int err = -ESRCH;

	for (struct process *p = process_next(0); p; p = process_next(p->pid)) {
		if (pgid ? p->pgid != pgid : p == init_process || p == current_process())
			continue;
		if (!may_signal(p, info->signo)) {
			err = err == -ESRCH ? -EPERM : err;
			continue;
		}
		signal_send_process(p, info);
		err = 0;
	}
	return err;
}

static int signal_one(int32_t pid, const struct signal_info *info)
{
	struct process *p = process_find(pid);

	if (!p)
		return -ESRCH;
	if (!may_signal(p, info->signo))
		return -EPERM;
	signal_send_process(p, info);
	return 0;
}

int64_t sys_kill(int pid, int signo)
{
	struct signal_info info = {
	    .signo = signo, .code = SI_USER, .pid = current_process()->pid, .uid = current()->cred->uid};
	int err;

	if (signo && !valid_signal(signo))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	spin_lock(&proc_lock);
	if (pid > 0)
		err = signal_one(pid, &info);
	else
		err = signal_many(pid == -1 ? 0 : pid ? -pid : current_process()->pgid, &info);
	spin_unlock(&proc_lock);
	return err;
}

static struct thread *find_thread(int32_t tgid, int32_t tid)
{
	struct process *p = process_find(tgid ? tgid : tid);
	struct thread *t;

	if (p)
		list_for_each (t, &p->threads, process_node)
			if (t->tid == tid)
				return t;
	return NULL;
}

static int64_t signal_thread(int tgid, int tid, int signo)
{
	struct signal_info info = {
	    .signo = signo, .code = SI_TKILL, .pid = current_process()->pid, .uid = current()->cred->uid};
	struct thread *t;
	int err = -ESRCH;

	if (tid <= 0 || (signo && !valid_signal(signo)))
		return -EINVAL;
	spin_lock(&proc_lock);
	t = find_thread(tgid, tid);
	if (t && !may_signal(t->process, signo)) {
		err = -EPERM;
	} else if (t) {
		signal_send_thread(t, &info);
		err = 0;
	}
	spin_unlock(&proc_lock);
	return err;
}

int64_t sys_tkill(int tid, int signo) { return signal_thread(0, tid, signo); }

int64_t sys_tgkill(int tgid, int tid, int signo) { return tgid > 0 ? signal_thread(tgid, tid, signo) : -EINVAL; }

int64_t sys_rt_sigqueueinfo(int pid, int signo, uaddr_t info)
{
	struct siginfo in;
	struct signal_info si;
	struct process *target;
	int err;

	if (copy_from_user(&in, info, sizeof(in)))
		return -EFAULT;
	if (signo && !valid_signal(signo))
		return -EINVAL;
	if ((in.si_code >= 0 || in.si_code == SI_TKILL) && pid != current_process()->pid)
		return -EPERM;
	si = (struct signal_info){.signo = signo,
				  .code = in.si_code,
				  .pid = in.si_pid,
				  .uid = in.si_uid,
				  .value = (uint64_t)in.si_value.sival_ptr};
	spin_lock(&proc_lock);
	target = process_find(pid);
	err = target && signal_queue_full(target) ? -EAGAIN : signal_one(pid, &si);
	spin_unlock(&proc_lock);
	return err;
}

/* Time. */
static int64_t restart_sleep(struct thread *t);

/* Sleeps to `deadline` (clock_ns); if a signal cuts that short, the rest goes to *rem (unless the deadline was absolute). */
static int64_t sleep_until(uint64_t deadline, uaddr_t rem, bool absolute)
{
	struct thread *t = current();
	struct timespec left;
	uint64_t now;
	int err;

	do {
		wait_prepare(true);
		err = wait_sleep(deadline);
	} while (!err);
	if (err == -ETIMEDOUT)
		return 0;
	if (absolute)
		return -ERESTARTNOHAND;
	now = clock_ns();
	if (now >= deadline)
		return 0;
	left = (struct timespec){(long)((deadline - now) / NSEC_PER_SEC), (long)((deadline - now) % NSEC_PER_SEC)};
	if (rem.v && copy_to_user(rem, &left, sizeof(left)))
		return -EFAULT;
	t->restart = restart_sleep;
	t->restart_args[0] = deadline;
	t->restart_args[1] = rem.v;
	return -ERESTART_RESTARTBLOCK;
}

static int64_t restart_sleep(struct thread *t)
{
	return sleep_until(t->restart_args[0], UADDR(t->restart_args[1]), false);
}

int64_t sys_restart_syscall(void)
{
	struct thread *t = current();

	return t->restart ? t->restart(t) : -EINTR;
}

int64_t sys_nanosleep(uaddr_t req, uaddr_t rem)
{
	uint64_t ns;
	int err = get_timespec(req, &ns);

	return err ? err : sleep_until(clock_ns() + ns, rem, false);
}

int64_t sys_clock_nanosleep(int clock, int flags, uaddr_t req, uaddr_t rem)
{
	uint64_t ns, now = clock_ns();
	int err;

	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME && clock != CLOCK_TAI)
		return clock == CLOCK_PROCESS_CPUTIME_ID ? -EOPNOTSUPP : -EINVAL;
	err = get_timespec(req, &ns);
	if (err)
		return err;
	if (!(flags & TIMER_ABSTIME))
		return sleep_until(now + ns, rem, false);
	if (clock == CLOCK_REALTIME || clock == CLOCK_TAI) {
		uint64_t real = clock_realtime_ns();

		ns = ns > real ? now + (ns - real) : now;
	}
	return sleep_until(ns, rem, true);
}

static uint64_t timeval_ns(const struct timeval *tv)
{
	if ((uint64_t)tv->tv_sec > UINT64_MAX / NSEC_PER_SEC / 4) /* the end of time */
		return UINT64_MAX / 4;
	return (uint64_t)tv->tv_sec * NSEC_PER_SEC + (uint64_t)tv->tv_usec * NSEC_PER_USEC;
}

static struct timeval ns_timeval(uint64_t ns)
{
	return (struct timeval){(long)(ns / NSEC_PER_SEC), (long)(ns % NSEC_PER_SEC / NSEC_PER_USEC)};
}

static bool timeval_ok(const struct timeval *tv)
{
	return tv->tv_sec >= 0 && tv->tv_usec >= 0 && tv->tv_usec < 1000000;
}

/* Sets ITIMER_REAL; returns what was left of the old one. */
static uint64_t set_alarm(struct process *p, uint64_t ns, uint64_t interval)
{
	uint64_t now = clock_ns(), left = 0;

	if (timer_stop(&p->alarm))
		left = p->alarm.deadline > now ? p->alarm.deadline - now : 1;
	p->alarm_interval = interval;
	if (ns)
		timer_start(&p->alarm, now + ns);
	return left;
}

static uint64_t alarm_left(const struct process *p)
{
	uint64_t now = clock_ns();

	if (list_empty(&p->alarm.node))
		return 0;
	return p->alarm.deadline > now ? p->alarm.deadline - now : 1;
}

int64_t sys_getitimer(int which, uaddr_t value)
{
	struct process *p = current_process();
	struct itimerval v;

	if (which != ITIMER_REAL)
		return -EINVAL;
	v = (struct itimerval){ns_timeval(p->alarm_interval), ns_timeval(alarm_left(p))};
	return copy_to_user(value, &v, sizeof(v));
}

int64_t sys_setitimer(int which, uaddr_t value, uaddr_t old)
{
	struct process *p = current_process();
	struct itimerval v = {0}, previous;
	uint64_t interval = p->alarm_interval, left;

	if (which != ITIMER_REAL)
		return -EINVAL;
	if (value.v && copy_from_user(&v, value, sizeof(v)))
		return -EFAULT;
	if (!timeval_ok(&v.it_value) || !timeval_ok(&v.it_interval))
		return -EINVAL;
	left = set_alarm(p, timeval_ns(&v.it_value), timeval_ns(&v.it_interval));
	previous = (struct itimerval){ns_timeval(interval), ns_timeval(left)};
	return old.v ? copy_to_user(old, &previous, sizeof(previous)) : 0;
}

int64_t sys_alarm(unsigned seconds)
{
	uint64_t left = set_alarm(current_process(), seconds * NSEC_PER_SEC, 0);

	return (int64_t)((left + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
}
