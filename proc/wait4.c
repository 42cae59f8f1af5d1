/*
 * proc/wait4.c - wait4 and waitid: a parent learns what became of its children.
 *
 * Role         One loop over the caller's children under proc_lock, which finds a child that matches and has something to
 *              report: an exit, a stop, or a continue. Checklist: POSIX wait(), waitid(); Linux wait4(2).
 * Invariants   1. A zombie is reported once and then gone, unless WNOWAIT; a stop or a continue is reported once.
 *              2. A bad status pointer is -EFAULT, and the child is reaped all the same (as Linux).
 * Failure      -ECHILD no child matches; -EINTR (through -ERESTARTSYS); -EINVAL; -ESRCH.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/resource.h>
#include <linux/wait.h>

#include "kernel/base/string.h"
#include "kernel/base/syscalls.h"
#include "mm/user.h"
#include "proc/cred.h"
#include "proc/family.h"
#include "proc/oom.h"
#include "proc/process.h"
#include "proc/signal_private.h"

#define WAIT_OPTIONS_ANY (WNOHANG | __WNOTHREAD | __WALL | __WCLONE)

/* What is waited for. */
struct want {
	enum { ANY, PID, GROUP } which;
	int32_t id;
	int options;
};

/* What was found. */
struct report {
	int32_t pid;
	uint32_t uid, status;
	int code; /* CLD_* */
	struct usage usage;
};

static bool matches(const struct process *child, const struct want *want)
{
	if (want->which == PID && child->pid != want->id)
		return false;
	if (want->which == GROUP && child->pgid != want->id)
		return false;
	if (want->options & __WALL)
		return true;
	return !(want->options & __WCLONE) == (child->exit_signal == SIGCHLD);
}

static struct usage usage_of(const struct process *child)
{
	struct usage u = child->state == PROCESS_ZOMBIE ? child->dead_threads : process_usage(child);

	u.user_ns += child->children_usage.user_ns;
	u.system_ns += child->children_usage.system_ns;
	u.faults += child->children_usage.faults;
	u.switches_voluntary += child->children_usage.switches_voluntary;
	u.switches_forced += child->children_usage.switches_forced;
	u.peak_pages = MAX(u.peak_pages, child->children_usage.peak_pages);
	return u;
}

/* Does the child have something of the wanted kind to report? */
static bool reportable(struct process *child, const struct want *want, struct report *r)
{
	uint32_t status = child->stop_status;

	if (child->state == PROCESS_ZOMBIE && (want->options & WEXITED)) {
		r->status = child->exit_status;
		r->code = r->status & 0x7f ? CLD_KILLED : CLD_EXITED;
	} else if (status && status != 0xffff && (want->options & WSTOPPED)) {
		r->status = status;
		r->code = CLD_STOPPED;
	} else if (status == 0xffff && (want->options & WCONTINUED)) {
		r->status = status;
		r->code = CLD_CONTINUED;
	} else {
		return false;
	}
	r->pid = child->pid;
	r->uid = child->cred->uid;
	r->usage = usage_of(child);
	return true;
}

/* Takes the report away from the child. A zombie that was buried is returned, to be freed. */
static struct process *consume(struct process *parent, struct process *child, const struct want *want)
{
	if (want->options & WNOWAIT)
		return NULL;
	if (child->state != PROCESS_ZOMBIE) {
		child->stop_status = 0;
		return NULL;
	}
	family_add_child_usage(parent, child);
	family_bury(child);
	return child;
}

/* 0 with *ret_report filled, -ECHILD, or -EAGAIN: children match, but have nothing to say. */
static int look(struct process *parent, const struct want *want, struct report *ret_report)
{
	struct process *child, *dead = NULL;
	int err = -ECHILD;

	spin_lock(&proc_lock);
	list_for_each (child, &parent->children, sibling) {
		if (!matches(child, want))
			continue;
		err = -EAGAIN;
		if (reportable(child, want, ret_report)) {
			err = 0;
			dead = consume(parent, child, want);
			break;
		}
	}
	spin_unlock(&proc_lock);
	if (dead)
		process_free(dead);
	return err;
}

/* Looks until there is a report. With WNOHANG and nothing to report: pid 0. */
static int wait_for(const struct want *want, struct report *r)
{
	struct process *parent = current_process();
	struct waiter w;
	int err;

	memset(r, 0, sizeof(*r));
	waitq_enter(&parent->child_wait, &w);
	for (;;) {
		wait_prepare(true);
		err = look(parent, want, r);
		if (err != -EAGAIN)
			break;
		if (want->options & WNOHANG) {
			err = 0;
			break;
		}
		err = wait_sleep(NO_DEADLINE);
		/* A report that is there beats the signal that announced it. */
		if (err && look(parent, want, r) == 0)
			err = 0;
		if (err || r->pid)
			break;
	}
	wait_cancel();
	waitq_leave(&w);
	return err;
}

void usage_to_rusage(const struct usage *u, struct rusage *ru)
{
	memset(ru, 0, sizeof(*ru));
	ru->ru_utime.tv_sec = (long)(u->user_ns / 1000000000);
	ru->ru_utime.tv_usec = (long)(u->user_ns / 1000 % 1000000);
	ru->ru_stime.tv_sec = (long)(u->system_ns / 1000000000);
	ru->ru_stime.tv_usec = (long)(u->system_ns / 1000 % 1000000);
	ru->ru_maxrss = (long)(u->peak_pages * 4);
	ru->ru_minflt = (long)u->faults;
	ru->ru_nvcsw = (long)u->switches_voluntary;
	ru->ru_nivcsw = (long)u->switches_forced;
}

static int put_usage(uaddr_t to, const struct usage *u)
{
	struct rusage ru;

	if (!to.v)
		return 0;
	usage_to_rusage(u, &ru);
	return oom_copy_to_user(to, &ru, sizeof(ru));
}

static int want_from_pid(int32_t pid, struct want *want)
{
	if (pid == INT32_MIN)
		return -ESRCH;
	want->which = pid == -1 ? ANY : pid > 0 ? PID : GROUP;
	want->id = pid > 0 ? pid : pid == 0 ? current_process()->pgid : -pid;
	return 0;
}

int64_t sys_wait4(int pid, uaddr_t status, int options, uaddr_t usage)
{
	struct want want = {.options = options | WEXITED};
	struct report r;
	int err;

	if (options & ~(WAIT_OPTIONS_ANY | WUNTRACED | WCONTINUED))
		return -EINVAL;
	err = want_from_pid(pid, &want);
	if (!err)
		err = wait_for(&want, &r);
	if (err || !r.pid)
		return err;
	if (status.v && oom_copy_to_user(status, &r.status, sizeof(r.status)))
		return -EFAULT;
	if (put_usage(usage, &r.usage))
		return -EFAULT;
	return r.pid;
}

static int want_from_id(int type, int32_t id, struct want *want)
{
	switch (type) {
	case P_ALL:
		want->which = ANY;
		return 0;
	case P_PID:
		want->which = PID;
		want->id = id;
		return id > 0 ? 0 : -EINVAL;
	case P_PGID:
		want->which = GROUP;
		want->id = id ? id : current_process()->pgid;
		return id >= 0 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

static uint32_t siginfo_status(const struct report *r)
{
	switch (r->code) {
	case CLD_EXITED:
	case CLD_STOPPED:
		return r->status >> 8;
	case CLD_CONTINUED:
		return SIGCONT;
	default:
		return r->status & 0x7f;
	}
}

int64_t sys_waitid(int type, int id, uaddr_t info, int options, uaddr_t usage)
{
	struct want want = {.options = options};
	struct signal_info si = {0};
	struct siginfo out;
	struct report r;
	int err;

	if ((options & ~(WAIT_OPTIONS_ANY | WEXITED | WSTOPPED | WCONTINUED | WNOWAIT)) ||
	    !(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	err = want_from_id(type, id, &want);
	if (!err)
		err = wait_for(&want, &r);
	if (err)
		return err;
	if (r.pid) {
		si = (struct signal_info){.signo = SIGCHLD, .code = r.code, .pid = r.pid, .uid = r.uid};
		si.status = (int32_t)siginfo_status(&r);
	}
	signal_fill_siginfo(&out, &si);
	if (info.v && oom_copy_to_user(info, &out, sizeof(out)))
		return -EFAULT;
	return r.pid ? put_usage(usage, &r.usage) : 0;
}
