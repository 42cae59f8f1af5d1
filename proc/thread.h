/*
 * proc/thread.h - a thread: what the scheduler runs.
 *
 * Role         The record of one thread of control, user or kernel: kernel stack, saved registers, and references to what it
 *              shares with others (space, files, credentials). The process that it belongs to is proc/process.h's business; file
 *              code reaches its own objects through the opaque pointers here.
 * Invariants   1. A user thread's registers are the struct trapframe at the top of its kernel stack while it is in the kernel.
 *              2. `state` changes under the run queue's lock, or by the thread itself on its way to sleep.
 *              3. A thread on a run queue is RUNNABLE and not current anywhere.
 * Locks        [I] immutable after creation, [t] the thread itself, [r] run queue lock, [s] signal lock of its process, [a]
 *              atomic.
 */
#ifndef TINE_PROC_THREAD_H
#define TINE_PROC_THREAD_H

#include "kernel/base/addr.h"
#include "kernel/base/list.h"
#include "kernel/base/percpu.h"
#include "kernel/base/trapframe.h"

struct cred;
struct files;
struct fs_context;
struct process;
struct space;

#define KERNEL_STACK_SIZE KIB(16)

enum thread_state {
	THREAD_NEW,      /* being built, nobody else sees it */
	THREAD_RUNNABLE, /* running or on a run queue */
	THREAD_SLEEPING, /* until thread_wake() or, if interruptible, a signal */
	THREAD_STOPPED,  /* job control: until SIGCONT or SIGKILL */
	THREAD_DEAD,     /* has run its last instruction; its stack is freed by whoever switches away from it */
};

/* Thread flags [a]: reasons to leave the straight path before returning to user mode. */
#define TFLAG_SIGNAL  0x1u /* a deliverable signal may be pending */
#define TFLAG_RESCHED 0x2u /* time slice used up */
#define TFLAG_STOP    0x4u /* the process is stopped or exiting: look */
#define TFLAG_OOM     0x8u /* the kernel was short of frames on its behalf: oom_settle() */

struct thread {
	struct list run_node;    /* [r] */
	enum thread_state state; /* see invariant 2 */
	bool interruptible;      /* [t] a signal may end the present sleep */
	uint32_t flags;          /* [a] TFLAG_* */
	int32_t tid;             /* [I] */
	char name[16];           /* [t] comm */

	vaddr_t stack;             /* [I] lowest address of the kernel stack */
	uint64_t switch_rsp;       /* [r] saved stack pointer while not running */
	void *fpu;                 /* [I] XSAVE area, NULL for kernel threads */
	uint64_t fs_base, gs_base; /* [t] user's; valid while not running */

	struct space *space;     /* [t] NULL for kernel threads */
	struct process *process; /* [I] NULL for kernel threads */
	struct files *files;     /* [t] */
	struct fs_context *fs;   /* [t] cwd, root, umask */
	struct cred *cred;       /* [t] */

	/* Signals: proc/signal.c. Bit n - 1 is signal n. */
	uint64_t blocked;         /* [t] */
	uint64_t awaited;         /* [t] sigtimedwait: unblocked for the sleep, and not to be dropped as ignored */
	uint64_t saved_blocked;   /* [t] sigsuspend, ppoll, pselect: the mask to restore after the handler */
	bool restore_blocked;     /* [t] */
	uint64_t pending;         /* [s] directed at this thread */
	struct list pending_info; /* [s] */
	uaddr_t altstack;         /* [t] sigaltstack */
	uint64_t altstack_size;   /* [t] */
	uint32_t altstack_flags;  /* [t] */
	int64_t (*restart)(struct thread *); /* [t] restart_syscall's function */
	uint64_t restart_args[4];            /* [t] */

	uaddr_t set_tid;     /* [t] where a new thread writes its tid before its first user instruction; 0: nowhere */
	uaddr_t clear_tid;   /* [t] set_tid_address */
	uaddr_t robust_list; /* [t] */

	uint64_t slice_end;                           /* [r] ns */
	uint64_t run_start;                           /* [r] clock_ns() at the switch to it */
	uint64_t user_ns, system_ns;                  /* [t] */
	uint64_t switches_voluntary, switches_forced; /* [r] */
	uint64_t faults_minor;                        /* [t] */
	uint64_t peak_pages;                          /* [t] of the space that it left */
	bool oom_refused, oom_short; /* [t] a copy to user memory ended for want of a frame; none was left */
	uint8_t oom_tries;           /* [t] of the present system call, for that */
	struct list process_node;    /* [proc] process->threads */
	bool killable;               /* [t] SIGKILL ends the present sleep, no other signal does */
};

/* The user registers of a user thread. */
static inline struct trapframe *thread_frame(const struct thread *t)
{
	return (struct trapframe *)(t->stack.v + KERNEL_STACK_SIZE) - 1;
}

static inline void thread_set_flag(struct thread *t, uint32_t flag)
{
	__atomic_or_fetch(&t->flags, flag, __ATOMIC_RELEASE);
}

static inline void thread_clear_flag(struct thread *t, uint32_t flag)
{
	__atomic_and_fetch(&t->flags, ~flag, __ATOMIC_RELEASE);
}

/* A signal wants this thread: an interruptible sleep must end with -ERESTARTSYS (or -EINTR). */
static inline bool signal_pending(const struct thread *t)
{
	return __atomic_load_n(&t->flags, __ATOMIC_ACQUIRE) & (TFLAG_SIGNAL | TFLAG_STOP);
}

/*
 * What a system call returns to ask for a restart; never seen by user programs (numbers as in Linux,
 * include/linux/errno.h). The signal code turns them into -EINTR or a restart.
 */
#define ERESTARTSYS           512 /* restart if the handler has SA_RESTART, or if no handler runs */
#define ERESTARTNOINTR        513 /* restart always */
#define ERESTARTNOHAND        514 /* restart if no handler runs */
#define ERESTART_RESTARTBLOCK 516 /* call thread->restart if no handler runs */

#endif
