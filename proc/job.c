/*
 * proc/job.c - job control: process groups, sessions, stopping and continuing, and the terminal's questions.
 *
 * Role         setpgid, setsid and their kin (POSIX 2.4, 11.1.4; Linux setpgid(2), setsid(2)); what a stop signal does; the functions
 *              that kernel/dev/tty.h asks of the process layer.
 * Locks        proc_lock.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "kernel/base/syscalls.h"
#include "kernel/dev/tty.h"
#include "kernel/fs/hooks.h"
#include "proc/family.h"
#include "proc/job.h"
#include "proc/process.h"
#include "proc/sched.h"
#include "proc/signal_private.h"

void process_stop(int signo)
{
	struct process *p = current_process();
	bool stop;

	spin_lock(&proc_lock);
	/* Nobody could continue an orphaned group: the terminal's stop signals do nothing there (POSIX 2.4.3). */
	stop = (signo == SIGSTOP || !family_group_orphaned(p->pgid, NULL)) && !signal_fatal_pending(current());
	if (stop) {
		p->stopped = true;
		p->stop_status = (uint32_t)signo << 8 | 0x7f;
		if (p->parent)
			family_notify_job(p, CLD_STOPPED, signo);
		thread_stop_here();
	}
	spin_unlock(&proc_lock);
	if (stop)
		schedule();
}

void process_continued(struct process *p)
{
	if (!p->stopped)
		return;
	p->stopped = false;
	p->stop_status = 0xffff;
	if (p->parent)
		family_notify_job(p, CLD_CONTINUED, SIGCONT);
}

static bool group_in_session(int32_t pgid, int32_t sid)
{
	for (struct process *p = process_next(0); p; p = process_next(p->pid))
		if (p->pgid == pgid && p->sid == sid)
			return true;
	return false;
}

static int check_setpgid(const struct process *p, int32_t pgid)
{
	const struct process *self = current_process();

	if (!p || (p != self && p->parent != self))
		return -ESRCH;
	if (p != self && p->sid != self->sid)
		return -EPERM;
	if (p != self && p->execed)
		return -EACCES;
	if (p->sid == p->pid)
		return -EPERM;
	if (pgid != p->pid && !group_in_session(pgid, self->sid))
		return -EPERM;
	return 0;
}

int64_t sys_setpgid(int pid, int pgid)
{
	struct process *p;
	int err;

	if (pgid < 0)
		return -EINVAL;
	spin_lock(&proc_lock);
	p = pid ? process_find(pid) : current_process();
	if (!pgid && p)
		pgid = p->pid;
	err = check_setpgid(p, pgid);
	if (!err)
		process_set_group(p, pgid, p->sid);
	spin_unlock(&proc_lock);
	return err;
}

static int64_t read_id(int pid, bool session)
{
	struct process *p;
	int64_t id = -ESRCH;

	spin_lock(&proc_lock);
	p = pid ? process_find(pid) : current_process();
	if (p)
		id = session ? p->sid : p->pgid;
	spin_unlock(&proc_lock);
	return id;
}

int64_t sys_getpgid(int pid) { return read_id(pid, false); }

int64_t sys_getpgrp(void) { return read_id(0, false); }

int64_t sys_getsid(int pid) { return read_id(pid, true); }

int64_t sys_setsid(void)
{
	struct process *p = current_process();
	int64_t result = -EPERM;
	bool taken = false;

	spin_lock(&proc_lock);
	for (struct process *q = process_next(0); q; q = process_next(q->pid))
		taken |= q->pgid == p->pid;
	if (!taken) {
		process_set_group(p, p->pid, p->pid);
		p->tty = NULL;
		result = p->pid;
	}
	spin_unlock(&proc_lock);
	return result;
}

/* The terminal's questions. */
static int32_t tty_current_pgid(void) { return current_process()->pgid; }

static int32_t tty_current_sid(void) { return current_process()->sid; }

static bool tty_current_leads(void) { return current_process()->sid == current_process()->pid; }

static struct tty *tty_current(void) { return current_process() ? current_process()->tty : NULL; }

static void tty_set(struct tty *tty)
{
	int32_t sid = current_process()->sid;

	spin_lock(&proc_lock);
	for (struct process *p = process_next(0); p; p = process_next(p->pid))
		if (p->sid == sid)
			p->tty = tty;
	spin_unlock(&proc_lock);
}

static bool tty_pgrp_in_session(int32_t pgid, int32_t sid)
{
	bool found;

	spin_lock(&proc_lock);
	found = group_in_session(pgid, sid);
	spin_unlock(&proc_lock);
	return found;
}

static bool tty_is_orphaned(int32_t pgid)
{
	bool orphaned;

	spin_lock(&proc_lock);
	orphaned = family_group_orphaned(pgid, NULL);
	spin_unlock(&proc_lock);
	return orphaned;
}

static int tty_signal_pgrp(int32_t pgid, int signo)
{
	struct signal_info info = {.signo = signo, .code = SI_KERNEL};
	unsigned n;

	spin_lock(&proc_lock);
	n = signal_group(pgid, &info);
	spin_unlock(&proc_lock);
	return n ? 0 : -ESRCH;
}

static const struct job_control tty_answers = {
    .current_pgid = tty_current_pgid,
    .current_sid = tty_current_sid,
    .current_leads_session = tty_current_leads,
    .current_tty = tty_current,
    .set_tty = tty_set,
    .current_ignores = signal_is_deaf,
    .pgrp_in_session = tty_pgrp_in_session,
    .is_orphaned = tty_is_orphaned,
    .signal_pgrp = tty_signal_pgrp,
};

static uint64_t file_size_limit(void)
{
	return current_process() ? current_process()->limits[RLIMIT_FSIZE].soft : UINT64_MAX;
}

static int32_t current_pid(void) { return current_process() ? current_process()->pid : 0; }

static const struct fs_hooks fs_answers = {
    .signal_current = signal_current,
    .file_size_limit = file_size_limit,
    .current_pid = current_pid,
    .set_signal_mask = signal_set_mask,
};

void job_init(void)
{
	job_control_register(&tty_answers);
	fs_set_hooks(&fs_answers);
}
