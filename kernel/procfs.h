/*
 * kernel/procfs.h - /proc: processes and the kernel's own figures as files (Linux proc(5)).
 *
 * Role         A file system whose names are made up when they are looked up. Tables of entries (proc_files.c for the system,
 *              proc_pid.c for processes) say what is there; procfs.c turns them into inodes, directories and text.
 * Invariants   1. An inode holds no process: only its pid. What is shown is looked up anew each time (-ESRCH when it is gone).
 *              2. A file's text is made as a whole when it is read from offset 0, and served from that copy until the next
 *                 such read: a reader never sees half of two states.
 *              3. proc_lock is held only while scalars are copied and references taken, never while text is made.
 * Locks        A text belongs to its open file description, under f->mutex. proc_lock inside.
 * Failure      -ENOENT, -ESRCH, -EACCES, -ENOMEM.
 * Not handled  Load averages (zeros), per-thread figures under task/ beyond name, state and times, /proc/PID/mem, smaps.
 */
#ifndef TINE_KERNEL_PROCFS_H
#define TINE_KERNEL_PROCFS_H

#include "kernel/base/types.h"

/* Registers the file system and mounts it on /proc. After vfs_init(). */
MUST_CHECK int procfs_init(void);

#endif
