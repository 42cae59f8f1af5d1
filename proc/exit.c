/*
 * proc/exit.c - the end of a process, up to the zombie.
 *
 * Role         process_exit() gives back what the process held, hands its children on, tells its parent, and leaves a zombie with
 *              its status for wait4() - or nothing, where the parent disregards its children.
 * Locks        proc_lock for the family. Resources go first, with no lock held: closing a file may sleep.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "kernel/base/clock.h"
#include "kernel/base/power.h"
#include "kernel/base/print.h"
#include "kernel/base/string.h"
#include "kernel/base/syscalls.h"
#include "kernel/dev/tty.h"
#include "kernel/fs/context.h"
#include "kernel/fs/files.h"
#include "mm/counters.h"
#include "mm/space.h"
#include "mm/user.h"
#include "proc/cred.h"
#include "proc/family.h"
#include "proc/oom.h"
#include "proc/process.h"
#include "proc/sched.h"
#include "proc/signal_private.h"

/* set_tid_address: the word is zeroed where others may still look at it. */
static void clear_tid(struct thread *t)
{
	if (t->clear_tid.v && ref_count(&t->space->ref) > 1)
		(void)!user_put_u32(t->clear_tid, 0);
	t->clear_tid = UADDR(0);
}

static void release_space(struct thread *t)
{
	struct space *s = t->space;

	t->peak_pages = s->peak;
	t->space = NULL;
	space_leave(s);
	oom_space_released();
}

static void release_resources(struct thread *t)
{
	clear_tid(t);
	files_put(t->files);
	fs_context_put(t->fs);
	t->files = NULL;
	t->fs = NULL;
	release_space(t);
}

static struct process *living_subreaper(struct process *p)
{
	for (p = p->parent; p; p = p->parent)
		if (p->subreaper && p->state == PROCESS_ALIVE && !p->exiting)
			return p;
	return init_process;
}

/* Children go to the nearest subreaper or init; zombies among them are announced to it, or are to be freed (ret_dead). */
static void hand_over_children(struct process *p, struct list *ret_dead)
{
	struct process *heir = living_subreaper(p), *child, *next;

	list_for_each_safe (child, next, &p->children, sibling) {
		list_remove(&child->sibling);
		child->parent = heir;
		child->exit_signal = SIGCHLD; /* init and subreapers wait for all (Linux: reparent_leader) */
		__atomic_store_n(&child->parent_pid, heir->pid, __ATOMIC_RELAXED);
		list_append(&heir->children, &child->sibling);
		if (child->parent_death_signal)
			signal_kernel(child, child->parent_death_signal);
		if (child->state == PROCESS_ZOMBIE && family_notify_exit(child))
			list_append(ret_dead, &child->sibling);
	}
}

static void leave_terminal(struct process *p)
{
	struct tty *tty = p->tty;

	if (tty && p->sid == p->pid)
		tty_leader_exited(tty);
}

static void become_zombie(struct process *p, struct thread *t, uint32_t wait_status)
{
	struct usage u = process_usage(p);

	u.peak_pages = MAX(u.peak_pages, t->peak_pages);
	list_remove(&t->process_node);
	p->dead_threads = u;
	p->leader = NULL;
	strlcpy(p->name, t->name, sizeof(p->name));
	p->exit_status = wait_status;
	p->state = PROCESS_ZOMBIE;
	p->stopped = false;
	p->stop_status = 0;
}

/* pid 1 is the system: when it ends, so does the run. */
static NORETURN void init_exited(uint32_t wait_status)
{
	uint8_t status = wait_status & 0x7f ? (uint8_t)(128 + (wait_status & 0x7f)) : (uint8_t)(wait_status >> 8);

	pr_info("init: exited with status %u", status);
	power_off(status);
}

static void free_all(struct list *dead)
{
	struct process *p, *next;

	list_for_each_safe (p, next, dead, sibling) {
		list_remove(&p->sibling);
		process_free(p);
	}
}

void process_exit(uint32_t wait_status)
{
	struct thread *t = current();
	struct process *p = t->process;
	struct list dead = LIST_INIT(dead);

	if (p == init_process)
		init_exited(wait_status);
	p->exiting = true;
	COUNT(exits);
	timer_stop(&p->alarm);
	leave_terminal(p);
	release_resources(t);
	process_release_vfork(p);

	spin_lock(&proc_lock);
	family_orphan_check_exit(p);
	hand_over_children(p, &dead);
	become_zombie(p, t, wait_status);
	if (family_notify_exit(p))
		list_append(&dead, &p->sibling);
	spin_unlock(&proc_lock);
	signal_flush(&t->pending_info);
	cred_put(t->cred);
	t->process = NULL;
	free_all(&dead);
	thread_exit();
}

int64_t sys_exit(int status) { process_exit((uint32_t)(status & 0xff) << 8); }

int64_t sys_exit_group(int status) { process_exit((uint32_t)(status & 0xff) << 8); }
