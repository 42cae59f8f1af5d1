/* proc/family.c - see proc/family.h. */
#include "proc/family.h"

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "proc/cred.h"
#include "proc/process.h"
#include "proc/signal_private.h"

#define TICK_NS 10000000ull /* of the 100 Hz that clock_t counts */

static void add_usage(struct usage *to, const struct usage *u)
{
	to->user_ns += u->user_ns;
	to->system_ns += u->system_ns;
	to->faults += u->faults;
	to->switches_voluntary += u->switches_voluntary;
	to->switches_forced += u->switches_forced;
	to->peak_pages = MAX(to->peak_pages, u->peak_pages);
}

static void tell_parent(struct process *p, int signo, int code, int status)
{
	struct usage u = p->state == PROCESS_ZOMBIE ? p->dead_threads : process_usage(p);
	struct signal_info info = {.signo = signo, .code = code, .pid = p->pid, .status = status};

	info.uid = p->cred->uid;
	info.utime = u.user_ns / TICK_NS;
	info.stime = u.system_ns / TICK_NS;
	if (signo)
		signal_send_process(p->parent, &info);
	waitq_wake_all(&p->parent->child_wait);
}

void family_bury(struct process *zombie)
{
	list_remove(&zombie->sibling);
	zombie->parent = NULL;
}

bool family_notify_exit(struct process *p)
{
	struct signal_action action;
	bool disregarded;
	int signal = (int)(p->exit_status & 0x7f);

	if (!p->parent) {
		family_bury(p);
		return true;
	}
	action = signal_action_of(p->parent, SIGCHLD);
	disregarded =
	    p->exit_signal == SIGCHLD && (action.handler == (uint64_t)SIG_IGN || (action.flags & SA_NOCLDWAIT));
	if (disregarded && action.handler == (uint64_t)SIG_IGN)
		tell_parent(p, 0, 0, 0);
	else
		tell_parent(p, p->exit_signal, signal ? CLD_KILLED : CLD_EXITED,
			    signal ? signal : (int)(p->exit_status >> 8));
	if (disregarded)
		family_bury(p);
	return disregarded;
}

void family_notify_job(struct process *p, int code, int status)
{
	struct signal_action action = signal_action_of(p->parent, SIGCHLD);

	tell_parent(p, action.flags & SA_NOCLDSTOP ? 0 : SIGCHLD, code, status);
}

void family_add_child_usage(struct process *parent, const struct process *child)
{
	add_usage(&parent->children_usage, &child->dead_threads);
	add_usage(&parent->children_usage, &child->children_usage);
}

/* A member whose parent is in another group of the same session can be restarted by it. */
static bool keeps_group_owned(const struct process *member)
{
	const struct process *parent = member->parent;

	return parent && parent->pgid != member->pgid && parent->sid == member->sid;
}

bool family_group_orphaned(int32_t pgid, const struct process *but)
{
	for (struct process *p = process_next(0); p; p = process_next(p->pid))
		if (p->pgid == pgid && p != but && p->parent != but && p->state == PROCESS_ALIVE &&
		    keeps_group_owned(p))
			return false;
	return true;
}

static bool group_has_stopped(int32_t pgid)
{
	for (struct process *p = process_next(0); p; p = process_next(p->pid))
		if (p->pgid == pgid && p->stopped)
			return true;
	return false;
}

static void hang_up_group(int32_t pgid)
{
	struct signal_info hup = {.signo = SIGHUP, .code = SI_KERNEL}, cont = {.signo = SIGCONT, .code = SI_KERNEL};

	signal_group(pgid, &hup);
	signal_group(pgid, &cont);
}

static void check_group(int32_t pgid, const struct process *leaving)
{
	if (group_has_stopped(pgid) && family_group_orphaned(pgid, leaving))
		hang_up_group(pgid);
}

void family_orphan_check_exit(struct process *p)
{
	struct process *child;

	if (p->parent && keeps_group_owned(p))
		check_group(p->pgid, p);
	list_for_each (child, &p->children, sibling)
		if (child->pgid != p->pgid && child->sid == p->sid && child->stopped)
			check_group(child->pgid, p);
}
