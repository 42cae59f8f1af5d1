/*
 * proc/signal.h - signals.
 *
 * Role         Sending (to a thread, a process, a group), the pending sets, the actions, and delivery on the way to user mode: a frame
 *              on the user's stack as Linux lays it out (struct rt_sigframe: sigcontext, siginfo, FPU image), and rt_sigreturn.
 * Invariants   1. A signal whose action is to be ignored is dropped when it is sent, but for blocked ones (POSIX).
 *              2. A standard signal is pending at most once per set; real-time signals queue.
 *              3. TFLAG_SIGNAL is set on a thread whenever an unblocked signal is pending for it.
 *              4. SIGKILL and SIGSTOP are never blocked, caught or ignored.
 * Locks        signals->lock (LOCK_SIGNAL), interrupts off: timers send signals too.
 * Failure      A frame that cannot be written kills the process with SIGSEGV. Without memory for its siginfo a signal is
 *              delivered all the same, with si_code SI_USER and no more.
 */
#ifndef TINE_PROC_SIGNAL_H
#define TINE_PROC_SIGNAL_H

#include "kernel/base/addr.h"
#include "kernel/base/list.h"
#include "kernel/base/lock.h"
#include "kernel/base/ref.h"
#include "kernel/base/trapframe.h"

struct process;
struct thread;

#define SIGNALS       64
#define SIGNAL_BIT(n) ((uint64_t)1 << ((n)-1))

/* struct sigaction of the kernel's ABI (asm/signal.h; four words). */
struct signal_action {
	uint64_t handler, flags, restorer, mask;
};

/* Shared by reference after fork, copied by the first who changes it. */
struct signal_actions {
	struct ref ref;
	struct signal_action action[SIGNALS];
};

/* What goes into siginfo_t; which fields count depends on the signal and the code. */
struct signal_info {
	int32_t signo, code;
	int32_t pid;
	uint32_t uid;
	int32_t status;        /* SIGCHLD */
	uint64_t value;        /* sigqueue, timers */
	uint64_t address;      /* faults */
	uint64_t utime, stime; /* SIGCHLD, clock ticks */
};

struct signals {
	struct spinlock lock;
	struct signal_actions *actions; /* [s] */
	uint64_t pending;               /* [s] directed at the process */
	struct list pending_info;       /* [s] struct signal_entry */
	uint32_t queued;                /* [s] entries on this list and those of its threads */
	uint64_t ignored;               /* [s] cache: signals whose action is to ignore, by SIG_IGN or default */
};

/* Sets up a child's (NULL parent: init's) signals: same actions, nothing pending. -ENOMEM. */
MUST_CHECK int signals_init(struct signals *s, struct signals *parent);
void signals_destroy(struct signals *s);
/* exec: caught signals go back to their default. May not fail: it takes the copy that signals_prepare_exec() made. */
MUST_CHECK int signals_prepare_exec(struct process *p, struct signal_actions **ret_actions);
void signals_exec(struct process *p, struct signal_actions *fresh);

/* Sending. Permission is the caller's business. */
void signal_send_process(struct process *p, const struct signal_info *info);
void signal_send_thread(struct thread *t, const struct signal_info *info);
/* From the kernel (SI_KERNEL). */
void signal_kernel(struct process *p, int signo);
/* To every process of a group; proc_lock held. The number of processes. */
unsigned signal_group(int32_t pgid, const struct signal_info *info);
/* For kernel/fs: SIGPIPE and SIGXFSZ to the calling thread. */
void signal_current(int signo);
/* A CPU exception of the calling thread: cannot be ignored or blocked away. */
void trap_signal(int signo, int code, uaddr_t address);

/* Delivers what is pending to the calling thread, whose user registers are *tf; may not return (exit). */
void signal_deliver(struct trapframe *tf);

/* Recomputes TFLAG_SIGNAL of current() after its mask changed. */
void signal_recheck(void);
void signal_set_mask(uint64_t mask);

/* Would the calling thread not see this signal (blocked or ignored)? For the tty's SIGTTOU and SIGTTIN rules. */
bool signal_is_deaf(int signo);

/* Dropping a dead thread's or process's pending set. */
void signal_flush(struct list *pending_info);

#endif
