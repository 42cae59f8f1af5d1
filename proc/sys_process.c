/* proc/sys_process.c - system calls about the calling process: birth, names, limits, times. */
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/times.h>

#include <asm/signal.h>

#include "kernel/base/clock.h"
#include "kernel/base/string.h"
#include "kernel/base/syscalls.h"
#include "kernel/fs/files.h"
#include "mm/space.h"
#include "mm/user.h"
#include "proc/cred.h"
#include "proc/process.h"
#include "proc/usage.h"

/* fork and its kin. */
int64_t sys_fork(void)
{
	struct clone_request req = {.exit_signal = SIGCHLD};

	return process_fork(&req);
}

int64_t sys_vfork(void)
{
	struct clone_request req = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD};

	return process_fork(&req);
}

int64_t sys_clone(uint64_t flags, uaddr_t stack, uaddr_t parent_tid, uaddr_t child_tid, uint64_t tls)
{
	struct clone_request req = {.flags = flags & ~(uint64_t)CSIGNAL,
				    .exit_signal = (int32_t)(flags & CSIGNAL),
				    .stack = stack,
				    .tls = tls,
				    .parent_tid = parent_tid,
				    .child_tid = child_tid};

	return process_fork(&req);
}

int64_t sys_clone3(uaddr_t args, size_t size)
{
	struct clone_args a = {0};
	struct clone_request req;

	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (size > sizeof(a))
		return -E2BIG;
	if (copy_from_user(&a, args, size))
		return -EFAULT;
	if ((a.flags & CSIGNAL) || a.exit_signal > SIGNALS || !a.stack != !a.stack_size || a.set_tid_size || a.cgroup)
		return -EINVAL;
	req = (struct clone_request){.flags = a.flags,
				     .exit_signal = (int32_t)a.exit_signal,
				     .stack = UADDR(a.stack ? a.stack + a.stack_size : 0),
				     .tls = a.tls,
				     .parent_tid = UADDR(a.parent_tid),
				     .child_tid = UADDR(a.child_tid)};
	return process_fork(&req);
}

/* Names. */
int64_t sys_getpid(void) { return current_process()->pid; }

int64_t sys_gettid(void) { return current()->tid; }

int64_t sys_getppid(void) { return __atomic_load_n(&current_process()->parent_pid, __ATOMIC_RELAXED); }

int64_t sys_set_tid_address(uaddr_t address)
{
	current()->clear_tid = address;
	return current()->tid;
}

int64_t sys_set_robust_list(uaddr_t head, size_t len)
{
	if (len != 24) /* sizeof(struct robust_list_head), <linux/futex.h> */
		return -EINVAL;
	current()->robust_list = head;
	return 0;
}

int64_t sys_personality(uint64_t persona)
{
	struct process *p = current_process();
	uint32_t old = p->personality;

	if ((uint32_t)persona != 0xffffffff)
		p->personality = (uint32_t)persona;
	return old;
}

static int64_t set_name(uaddr_t name)
{
	char text[sizeof(current()->name)];
	int64_t n = user_string(text, name, sizeof(text));

	if (n == -ENAMETOOLONG)
		text[sizeof(text) - 1] = 0;
	else if (n < 0)
		return n;
	strlcpy(current()->name, text, sizeof(text));
	return 0;
}

static int64_t put_name(uaddr_t to)
{
	char text[sizeof(current()->name)] = "";

	strlcpy(text, current()->name, sizeof(text));
	return copy_to_user(to, text, sizeof(text));
}

int64_t sys_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct process *p = current_process();

	(void)b, (void)c, (void)d;
	switch (option) {
	case PR_SET_NAME:
		return set_name(UADDR(a));
	case PR_GET_NAME:
		return put_name(UADDR(a));
	case PR_SET_PDEATHSIG:
		if (a > SIGNALS)
			return -EINVAL;
		p->parent_death_signal = (int32_t)a;
		return 0;
	case PR_GET_PDEATHSIG:
		return user_put_u32(UADDR(a), (uint32_t)p->parent_death_signal);
	case PR_GET_DUMPABLE:
		return p->dumpable;
	case PR_SET_DUMPABLE:
		if (a > 1)
			return -EINVAL;
		p->dumpable = a;
		return 0;
	case PR_SET_CHILD_SUBREAPER:
		p->subreaper = a;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return user_put_u32(UADDR(a), p->subreaper);
	default:
		return -EINVAL;
	}
}

/* Limits. */
static int64_t set_limit(struct process *p, unsigned resource, const struct limit *new)
{
	struct limit *old = &p->limits[resource];

	if (new->soft > new->hard)
		return -EINVAL;
	if (new->hard > old->hard && p->cred->euid != 0)
		return -EPERM;
	if (resource == RLIMIT_NOFILE && new->hard > FILES_MAX_LIMIT)
		return -EPERM;
	*old = *new;
	if (p != current_process())
		return 0;
	if (ref_count(&current()->space->ref) > 1 && resource != RLIMIT_NOFILE)
		return 0; /* a vfork child's space is its parent's */
	if (resource == RLIMIT_NOFILE)
		files_set_limit(current()->files, (uint32_t) new->soft);
	if (resource == RLIMIT_STACK)
		current()->space->stack_limit = new->soft;
	if (resource == RLIMIT_DATA)
		current()->space->data_limit = new->soft;
	return 0;
}

static bool may_change(const struct process *p)
{
	const struct cred *me = current()->cred, *it = p->cred;

	return me->euid == 0 || (me->uid == it->uid && me->uid == it->euid && me->uid == it->suid);
}

static int64_t limits_of(int pid, unsigned resource, const struct limit *new, struct limit *ret_old)
{
	struct process *p;
	int64_t result = -ESRCH;

	spin_lock(&proc_lock);
	p = pid ? process_find(pid) : current_process();
	if (p && !may_change(p)) {
		result = -EPERM;
	} else if (p) {
		*ret_old = p->limits[resource];
		result = new ? set_limit(p, resource, new) : 0;
	}
	spin_unlock(&proc_lock);
	return result;
}

int64_t sys_prlimit64(int pid, unsigned resource, uaddr_t new, uaddr_t old)
{
	struct limit limit, previous;
	int64_t result;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	if (new.v && copy_from_user(&limit, new, sizeof(limit)))
		return -EFAULT;
	result = limits_of(pid, resource, new.v ? &limit : NULL, &previous);
	if (!result && old.v && copy_to_user(old, &previous, sizeof(previous)))
		return -EFAULT;
	return result;
}

int64_t sys_getrlimit(unsigned resource, uaddr_t limit)
{
	return limit.v ? sys_prlimit64(0, resource, UADDR(0), limit) : -EFAULT;
}

int64_t sys_setrlimit(unsigned resource, uaddr_t limit)
{
	return limit.v ? sys_prlimit64(0, resource, limit, UADDR(0)) : -EFAULT;
}

/* Times. */
int64_t sys_getrusage(int who, uaddr_t usage)
{
	struct process *p = current_process();
	struct rusage ru;
	struct usage u;

	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD)
		return -EINVAL;
	spin_lock(&proc_lock);
	u = who == RUSAGE_CHILDREN ? p->children_usage : process_usage(p);
	spin_unlock(&proc_lock);
	usage_to_rusage(&u, &ru);
	return copy_to_user(usage, &ru, sizeof(ru));
}

#define TICK_NS (NSEC_PER_SEC / 100)

int64_t sys_times(uaddr_t buf)
{
	struct process *p = current_process();
	struct usage u;
	struct tms t;

	spin_lock(&proc_lock);
	u = process_usage(p);
	t = (struct tms){(long)(u.user_ns / TICK_NS), (long)(u.system_ns / TICK_NS),
			 (long)(p->children_usage.user_ns / TICK_NS), (long)(p->children_usage.system_ns / TICK_NS)};
	spin_unlock(&proc_lock);
	if (buf.v && copy_to_user(buf, &t, sizeof(t)))
		return -EFAULT;
	return (int64_t)(clock_ns() / TICK_NS);
}
