/*
 * kernel/fs/poll.h - waiting for one of several files.
 *
 * Role         A file's poll operation tells what the file is ready for, and names the queues that will be woken when that
 *              changes: poll_on(). The caller (poll, select) then sleeps on all of them at once.
 * Use          poll_begin(&pt); do { wait_prepare(true); ask every file; } while (nothing && !(err = wait_sleep(...)));
 *              poll_end(&pt). The first round registers the waiters, later rounds only ask.
 * Invariants   1. Each waiter stands on its queue until poll_end(): the queue's owner is kept alive by a reference that the
 *              caller holds on the file.
 * Failure      -ENOMEM from poll_end() or poll_error(): a waiter had no room; what was registered is taken back.
 */
#ifndef TINE_FS_POLL_H
#define TINE_FS_POLL_H

#include "proc/wait.h"

#define POLL_INLINE 6
#define POLL_CHUNK  24

struct poll_chunk {
	struct poll_chunk *next;
	unsigned used;
	struct waiter waiters[POLL_CHUNK];
};

struct poll_table {
	bool registering;
	int error;
	unsigned used;
	struct waiter waiters[POLL_INLINE];
	struct poll_chunk *chunks;
};

void poll_begin(struct poll_table *pt);
void poll_end(struct poll_table *pt);

/* Called by poll operations, before they look at their state. pt may be NULL: the caller only asks. */
void poll_on(struct poll_table *pt, struct waitq *q);

#endif
