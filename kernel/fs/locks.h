/*
 * kernel/fs/locks.h - advisory locks: fcntl(2) record locks, open-file-description locks, flock(2).
 *
 * Role         A list of locked ranges per inode. Record locks belong to a process (a pid), the other two kinds to an open
 *              file description; flock's are a class of their own and do not see the rest.
 * Invariants   1. Ranges of one owner and kind do not overlap.
 *              2. Closing any descriptor of a file drops the process's record locks on it (POSIX.1-2017 fcntl); the last
 *                 close of a description drops its own.
 * Locks        inode->mutex.
 * Failure      -EAGAIN: held by another; -EDEADLK is not detected (a signal ends the wait); -ENOLCK: no memory.
 */
#ifndef TINE_FS_LOCKS_H
#define TINE_FS_LOCKS_H

#include "kernel/fs/file.h"

/* F_GETLK, F_SETLK, F_SETLKW and the F_OFD_ three; `arg` names a struct flock in user memory. */
MUST_CHECK int64_t locks_fcntl(struct file *f, unsigned cmd, uaddr_t arg);
/* flock(2): LOCK_SH, LOCK_EX, LOCK_UN, with LOCK_NB. */
MUST_CHECK int64_t locks_flock(struct file *f, unsigned operation);

/* A descriptor was closed by process `pid`. */
void locks_drop_process(struct inode *inode, int32_t pid);
/* A description is gone. */
void locks_drop_file(struct file *f);

#endif
