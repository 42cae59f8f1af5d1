/*
 * kernel/fs/pipe.h - pipes and FIFOs (POSIX.1-2017 XSH pipe, read, write; Linux pipe(7), fifo(7)).
 *
 * Role         A ring of bytes between two open file descriptions. It starts with one page and grows, as it fills, to its
 *              capacity (64 KiB, F_SETPIPE_SZ).
 * Invariants   1. used <= room <= capacity; room is a power of two, at least PIPE_BUF.
 *              2. A write of at most PIPE_BUF bytes goes in as a whole or not at all.
 *              3. readers and writers count the open descriptions of each end. Nobody waits for a side that cannot come.
 * Locks        p->lock (LOCK_FILE), held while bytes move to and from user memory.
 * Failure      -EAGAIN with O_NONBLOCK, -EPIPE (and SIGPIPE) without readers, -ERESTARTSYS.
 * Not handled  Packet mode (O_DIRECT): -EINVAL.
 */
#ifndef TINE_FS_PIPE_H
#define TINE_FS_PIPE_H

#include "kernel/fs/file.h"

#define PIPE_BUF_BYTES    4096u /* PIPE_BUF of <linux/limits.h> */
#define PIPE_CAPACITY     65536u
#define PIPE_MAX_CAPACITY (1u << 20)

/* Both ends; flags: O_NONBLOCK. ret_ends[0] is read from, [1] written to. */
MUST_CHECK int pipe_create(uint32_t flags, struct file *ret_ends[2]);

/* Opens a FIFO's inode for f; sleeps until the other side is there, as open(2) says. */
MUST_CHECK int fifo_open(struct file *f);

/* F_GETPIPE_SZ, F_SETPIPE_SZ: the capacity, or -EBADF if f is no pipe; -EBUSY, -EPERM, -ENOMEM. */
MUST_CHECK int64_t pipe_get_size(struct file *f);
MUST_CHECK int64_t pipe_set_size(struct file *f, uint64_t size);

#endif
