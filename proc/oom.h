/*
 * proc/oom.h - out of memory: who has to go.
 *
 * Role         A page fault of user code that finds no frame comes to oom_wait(). If memory is really short, the process whose death
 *              gives back most is killed, and the one that faulted sleeps until memory came back, and tries again. One that is
 *              dying already is waited for instead.
 *              Kernel code that faults on a user address cannot sleep where it stands: it may use the frames that mm/commit.h keeps
 *              back, and what it used or missed is settled by oom_settle() before the thread returns to user mode: a system
 *              call that ended with -EFAULT only for want of a frame is restarted.
 * The choice   Most: the frames that the process holds alone, and its share of those that it has together with others (mm/census.h),
 *              moved by its oom_score_adj as on Linux. Not what is mapped: of a hundred processes that share their memory none
 *              gives it back alone. Nor what is its own alone: then a family of forks, which shares most of what it holds, would
 *              see every stranger killed first. By shares, who has less than the average is never chosen.
 * Invariants   1. init is never chosen, nor what runs in its space; nor a process with oom_score_adj -1000.
 *              2. With the victim dies whoever shares its space (vfork), since its memory comes back only then.
 *              3. Each process is chosen at most once. Is a victim's memory not back after VICTIM_PATIENCE, the log says so
 *                 and the next is chosen: so a fault ends, at the latest when the faulting process itself is the victim.
 *              4. Who waits holds no lock and no mutex, so no victim waits for it; SIGKILL ends the wait.
 * Nobody left  If nobody may be killed: init goes on trying, once a second, with a line in the log every ten; another process,
 *              which is protected by -1000 then, tries as long and is killed all the same.
 * Locks        proc_lock while choosing, the spaces' locks inside.
 * Not handled  Kernel memory (heap, pipes) and files count for nobody: such a system call fails with -ENOMEM or -ENOSPC.
 */
#ifndef TINE_PROC_OOM_H
#define TINE_PROC_OOM_H

#include "proc/process.h"

#define OOM_ADJ_MIN (-1000) /* never to be chosen */
#define OOM_ADJ_MAX 1000

/* User code of current() faulted and found no frame: returns when it should try again, or has been killed. May sleep. */
void oom_wait(void);
/* Kernel code faulted on a user address of current(): was there a frame (-ENOMEM: no)? For oom_settle() and oom_retry(). */
void oom_note(int err);
/* Before the return to user mode with TFLAG_OOM. May sleep. True: the system call is to be restarted, as signal_deliver() does. */
MUST_CHECK bool oom_settle(struct trapframe *tf);

/*
 * What the kernel did for current() failed with err, where it may sleep. True: only for want of memory, which may be there now; false:
 * not for that, or the process has to go.
 */
MUST_CHECK bool oom_retry(int err);
/* copy_to_user() of what was taken for good, so that the system call cannot be restarted: waits for memory. No lock held. */
MUST_CHECK int oom_copy_to_user(uaddr_t dst, const void *src, size_t n);

/* A space went: whoever waits looks again. */
void oom_space_released(void);

/* /proc/PID/oom_score: 0 (never) to 2000. proc_lock not held. -ESRCH. */
MUST_CHECK int oom_score(int32_t pid, uint32_t *ret_score);
/* -EINVAL out of range, -EACCES below what only root may set, -ESRCH. */
MUST_CHECK int oom_set_adj(int32_t pid, int64_t adj);

#endif
