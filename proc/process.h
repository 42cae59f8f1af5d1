/*
 * proc/process.h - a process: what fork makes, exec changes and wait buries.
 *
 * Role         The record that threads share: identity, family, resources that belong to the whole (limits, signal actions, times).
 *              fork.c, exec.c, exit.c, wait4.c, signal.c and job.c are its chapters.
 * Invariants   1. A process has a parent as long as it lives or is a zombie; init's is NULL. Orphans go to the nearest living
 *                 subreaper, else to init.
 *              2. A pid stays taken while a process, a process group or a session bears it.
 *              3. A zombie has no space, no files, no threads; only wait4() of its parent, or the parent's disregard, frees it.
 *              4. Nobody but the forking thread sees a process before process_publish().
 * Locks        proc_lock (LOCK_PROC): family, ids, groups, state. signals->lock (LOCK_SIGNAL): actions and pending sets.
 *              Legend: [I] immutable after publication, [p] proc_lock, [s] signal lock, [a] atomic, [t] its own threads only.
 * Failure      -EAGAIN: no pid or thread to be had; -ENOMEM.
 */
#ifndef TINE_PROC_PROCESS_H
#define TINE_PROC_PROCESS_H

#include <linux/resource.h>

#include "kernel/base/lock.h"
#include "kernel/base/options.h"
#include "proc/signal.h"
#include "proc/thread.h"
#include "proc/timer.h"
#include "proc/wait.h"

struct cred;
struct file;
struct tty;

#define PID_MAX 32768

enum process_state { PROCESS_NEW, PROCESS_ALIVE, PROCESS_ZOMBIE };

/* A parent that sleeps until its vfork child has a space of its own; on the parent's stack. */
struct vfork {
	struct waitq wait;
	struct process *child; /* [p] NULL: done */
};

/* Linux's struct rlimit64. */
struct limit {
	uint64_t soft, hard;
};

/* What getrusage() and wait4() report: of a process, or summed over waited-for children. */
struct usage {
	uint64_t user_ns, system_ns, faults, switches_voluntary, switches_forced, peak_pages;
};

struct process {
	int32_t pid;              /* [I] */
	int32_t pgid, sid;        /* [p] */
	enum process_state state; /* [p] */
	struct process *parent;   /* [p] */
	int32_t parent_pid;       /* [a] of it, 0: none; so that getppid() takes no lock */
	char name[16];            /* [p] the leader's, once it is gone */
	struct list children;     /* [p] */
	struct list sibling;      /* [p] parent->children */
	struct list all;          /* [p] the table of processes */
	struct list threads;      /* [p] thread->process_node */
	struct thread *leader;    /* [p] the thread whose tid is the pid */
	bool subreaper;           /* [p] */
	bool execed;              /* [p] setpgid() of the parent is refused from then on */

	int32_t exit_signal;  /* [p] sent to the parent at exit: SIGCHLD, or 0 */
	uint32_t exit_status; /* [p] as wait4() gives it, valid for a zombie */
	bool exiting;         /* [a] */

	/* Job control. */
	uint32_t stop_status; /* [p] status to report once: stopped or continued; 0: none */
	bool stopped;         /* [p] */
	struct tty *tty;      /* [p] controlling terminal, shared by the session; owned by the session leader */

	struct waitq child_wait; /* the parent sleeps here for its children */
	struct vfork *vfork;     /* [p] the parent's sleep, ended when this child execs or exits; NULL: none */

	struct signals signals;            /* [s] */
	struct limit limits[RLIM_NLIMITS]; /* [p] */
	struct usage dead_threads;         /* [p] */
	struct usage children_usage;       /* [p] */
	uint64_t start_ns;                 /* [I] clock_ns() at fork */
	struct timer alarm;                /* ITIMER_REAL */
	uint64_t alarm_interval;           /* [s] ns */

	/* Out of memory: proc/oom.h. */
	int16_t oom_score_adj, oom_score_adj_min; /* [p] as Linux's; the least that may be set without being root */
	uint64_t oom_until;                       /* [p] it was killed, and is waited for until then; 0: not */
	bool oom_given_up;                        /* [p] that time is over */

	struct cred *cred;            /* [p] of the process as a whole: who may signal it */
	struct file *exe;             /* [t] what was executed last */
	enum fork_policy fork_policy; /* [t] */
	uint32_t personality;         /* [t] */
	bool dumpable;                /* [t] */
	int32_t parent_death_signal;  /* [t] */
};

extern struct spinlock proc_lock;
extern struct process *init_process;

static inline struct process *current_process(void) { return current()->process; }

/* Starts pid 1: what init= names, else /init, /sbin/init, /etc/init, /bin/init, /bin/sh. -ENOMEM. */
MUST_CHECK int process_start_init(void);

/* A process in state NEW, with a pid and what a child inherits from `parent` (NULL: init). process_free() undoes it. */
MUST_CHECK int process_create(struct process *parent, struct process **ret_process);
void process_free(struct process *p);
/* From now on the process can be found, signalled and waited for. */
void process_publish(struct process *p, struct thread *leader);

/* By pid, zombies included; proc_lock held. */
struct process *process_find(int32_t pid);
/* The process after `pid` in rising order, for listings; proc_lock held. NULL at the end. */
struct process *process_next(int32_t pid);
uint32_t process_count(void);
int32_t process_last_pid(void);

/* Moves p to group pgid and session sid, which keeps those pids taken. proc_lock held. */
void process_set_group(struct process *p, int32_t pgid, int32_t sid);

struct usage process_usage(const struct process *p); /* proc_lock held */

/* Ends the calling process with a wait status. */
NORETURN void process_exit(uint32_t wait_status);

/* What fork, vfork and clone share. Value: the child's pid, or -errno. */
struct clone_request {
	uint64_t flags; /* CLONE_* of <linux/sched.h>, without the signal */
	int32_t exit_signal;
	uaddr_t stack; /* 0: the parent's */
	uint64_t tls;
	uaddr_t parent_tid, child_tid;
};
int64_t process_fork(const struct clone_request *req);

/* exec's work: replaces the calling process's program. 0, or -errno with nothing changed. */
MUST_CHECK int process_exec(const char *path, const char *const argv[], const char *const envp[]);

/* Lets the vfork parent of the calling process go on. */
void process_release_vfork(struct process *p);

/* Job control: stops the calling process until SIGCONT or SIGKILL; what SIGCONT does to a stopped one (proc_lock held). */
void process_stop(int signo);
void process_continued(struct process *p);

/* /proc: copies the argument or environment strings. The number of bytes. */
size_t process_read_arguments(struct process *p, bool environment, char *buf, size_t size);

#endif
