/*
 * proc/fork.c - fork, vfork and clone of a process.
 *
 * Role         Builds a child that nobody else sees, then publishes it. All that can fail comes before the line "Nothing below can
 *              fail"; what was built is undone in reverse order. space_clone() comes last, since it alone touches the parent.
 * Locks        None is held across the whole; each step takes its own.
 * Failure      -EAGAIN (pids, RLIMIT_NPROC), -ENOMEM, -EINVAL (flags): no child, and the parent is as before.
 * Not handled  CLONE_THREAD and sharing of single resources other than the space: -EINVAL.
 */
#include <linux/sched.h>

#include "kernel/base/print.h"
#include "kernel/base/string.h"
#include "kernel/fs/context.h"
#include "kernel/fs/files.h"
#include "mm/clone.h"
#include "mm/counters.h"
#include "mm/user.h"
#include "proc/cred.h"
#include "proc/fpu.h"
#include "proc/process.h"
#include "proc/sched.h"
#include "proc/signal_private.h"

#define CLONE_SUPPORTED                                                                                            \
	(CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_SETTLS | \
	 CLONE_UNTRACED | CLONE_DETACHED | CLONE_PTRACE | CLONE_CLEAR_SIGHAND | CLONE_IO)

/* The child's memory: the parent's own for vfork and posix_spawn, else a copy by the process's policy. */
static int clone_space(struct thread *parent, uint64_t flags, struct space **ret_space)
{
	if (!(flags & CLONE_VM))
		return space_clone(parent->space, parent->process->fork_policy, UADDR(thread_frame(parent)->rsp),
				   ret_space);
	space_get(parent->space);
	*ret_space = parent->space;
	return 0;
}

/* The child returns from the same system call with 0, and every other register as the parent's. */
static void clone_registers(struct thread *child, struct thread *parent, const struct clone_request *req)
{
	struct trapframe *tf = thread_frame(child);

	*tf = *thread_frame(parent);
	tf->rax = 0;
	if (req->stack.v)
		tf->rsp = req->stack.v;
	fpu_clone_current(child->fpu);
	thread_save_bases(child);
	if (req->flags & CLONE_SETTLS)
		child->fs_base = req->tls;
}

/* What a child thread has from its parent; pending signals, timers and robust lists are not among it. */
static void clone_thread_state(struct thread *child, const struct thread *parent, const struct clone_request *req)
{
	child->blocked = parent->blocked;
	memcpy(child->name, parent->name, sizeof(child->name));
	if (!(req->flags & CLONE_VM) || (req->flags & CLONE_VFORK)) {
		child->altstack = parent->altstack;
		child->altstack_size = parent->altstack_size;
		child->altstack_flags = parent->altstack_flags;
	}
	if (req->flags & CLONE_CHILD_CLEARTID)
		child->clear_tid = req->child_tid;
	child->cred = parent->cred;
	cred_get(child->cred);
}

static void trace(const struct thread *parent, const struct thread *child)
{
	pr_info("fork: parent %d rip %#llx, child %d rip %#llx, %llu pages mapped", parent->tid,
		(unsigned long long)thread_frame(parent)->rip, child->tid, (unsigned long long)thread_frame(child)->rip,
		(unsigned long long)child->space->resident);
}

/* Sleeps until the child has a space of its own or is gone; only SIGKILL ends the wait earlier. */
static void wait_for_vfork(struct vfork *v)
{
	struct thread *t = current();
	struct waiter w;

	t->killable = true;
	waitq_enter(&v->wait, &w);
	for (;;) {
		wait_prepare(false);
		if (!__atomic_load_n(&v->child, __ATOMIC_ACQUIRE) || signal_fatal_pending(t))
			break;
		(void)!wait_sleep(NO_DEADLINE);
	}
	wait_cancel();
	waitq_leave(&w);
	t->killable = false;
	spin_lock(&proc_lock);
	if (v->child)
		v->child->vfork = NULL;
	spin_unlock(&proc_lock);
}

void process_release_vfork(struct process *p)
{
	spin_lock(&proc_lock);
	if (p->vfork) {
		__atomic_store_n(&p->vfork->child, NULL, __ATOMIC_RELEASE);
		waitq_wake_all(&p->vfork->wait);
		p->vfork = NULL;
	}
	spin_unlock(&proc_lock);
}

/* Bad pointers are not an error: the child is there already (Linux ignores them too). */
static void set_tids(struct thread *child, const struct clone_request *req)
{
	if (req->flags & CLONE_PARENT_SETTID)
		(void)!user_put_u32(req->parent_tid, (uint32_t)child->tid);
	if (req->flags & CLONE_CHILD_SETTID)
		child->set_tid = req->child_tid;
}

static bool too_many(const struct thread *parent)
{
	return parent->cred->uid != 0 && process_count() >= parent->process->limits[RLIMIT_NPROC].soft;
}

int64_t process_fork(const struct clone_request *req)
{
	struct thread *parent = current(), *child;
	struct process *p;
	struct vfork vfork;
	int32_t pid;
	int err;

	if ((req->flags & ~(uint64_t)CLONE_SUPPORTED) || req->exit_signal > SIGNALS)
		return -EINVAL;
	if ((req->flags & CLONE_SETTLS) && req->tls >= USER_END) /* WRFSBASE of a non-canonical address faults */
		return -EPERM;
	if (too_many(parent))
		return -EAGAIN;
	err = process_create(parent->process, &p);
	if (err)
		return err;
	err = thread_create(&child);
	if (err)
		goto free_process;
	err = files_clone(parent->files, &child->files);
	if (err)
		goto free_thread;
	err = fs_context_clone(parent->fs, &child->fs);
	if (err)
		goto put_files;
	err = clone_space(parent, req->flags, &child->space);
	if (err)
		goto put_fs;

	/* Nothing below can fail, and until process_publish() nobody else can see the child. */
	pid = child->tid = p->pid;
	child->process = p;
	p->exit_signal = req->exit_signal;
	clone_registers(child, parent, req);
	clone_thread_state(child, parent, req);
	if (unlikely(options.fork_trace))
		trace(parent, child);
	set_tids(child, req);
	if (req->flags & CLONE_VFORK) {
		waitq_init(&vfork.wait);
		vfork.child = p;
		p->vfork = &vfork;
	}
	process_publish(p, child);
	thread_start_user(child);
	if (req->flags & CLONE_VFORK)
		wait_for_vfork(&vfork);
	return pid;

put_fs:
	fs_context_put(child->fs);
put_files:
	files_put(child->files);
free_thread:
	thread_free(child);
free_process:
	process_free(p);
	return err;
}
