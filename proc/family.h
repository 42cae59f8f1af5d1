/*
 * proc/family.h - what parents learn of their children, and process groups of each other.
 *
 * Role         SIGCHLD and wake-ups at exit, stop and continue; orphaned process groups (POSIX 3.260); reaping.
 * Locks        proc_lock is held at every call.
 */
#ifndef TINE_PROC_FAMILY_H
#define TINE_PROC_FAMILY_H

#include "kernel/base/types.h"

struct process;

/* A zombie is announced to its parent. True: the parent disregards its children, so the zombie left the family; free it. */
MUST_CHECK bool family_notify_exit(struct process *p);
/* code is CLD_STOPPED or CLD_CONTINUED; status the signal. */
void family_notify_job(struct process *p, int code, int status);
/* Takes a zombie out of the family and books its usage on the parent. process_free() is then due, without the lock. */
void family_bury(struct process *zombie);
/* Books a waited-for child's usage on its parent. */
void family_add_child_usage(struct process *parent, const struct process *child);

/* Has no member of the group a parent outside of the group, in the same session? `but` is left out of account, as
 * a member and as a parent. */
bool family_group_orphaned(int32_t pgid, const struct process *but);
/* p is about to exit: groups that it alone kept from being orphaned, and that have a stopped member, get SIGHUP and SIGCONT. */
void family_orphan_check_exit(struct process *p);

#endif
