/*
 * kernel/fs/files.h - descriptor tables.
 *
 * Role         Maps small numbers to open file descriptions. fork copies the table (same descriptions), CLONE_FILES shares
 *              it. FD_CLOEXEC belongs to the descriptor, everything else to the description.
 * Invariants   1. A slot is marked used if and only if it holds a reference on a file, whenever the lock is free.
 *              2. New descriptors are the lowest free number, at least `from` (POSIX.1-2017 XSH 2.6).
 *              3. No slot at or above the limit (RLIMIT_NOFILE) is handed out; those that are there stay.
 * Locks        files->lock (LOCK_FILES). Files are put with it released.
 * Failure      -EBADF: no such descriptor; -EMFILE: limit reached; -ENOMEM.
 */
#ifndef TINE_FS_FILES_H
#define TINE_FS_FILES_H

#include "kernel/base/lock.h"
#include "kernel/base/ref.h"
#include "kernel/fs/file.h"

#define FILES_INLINE        64
#define FILES_DEFAULT_LIMIT 1024u
#define FILES_MAX_LIMIT     (1u << 20)

struct files {
	struct ref ref;
	struct spinlock lock;
	uint32_t capacity;   /* slots, multiple of 64 */
	uint32_t limit;      /* RLIMIT_NOFILE, soft */
	struct file **slots; /* [lock] */
	uint64_t *used;      /* bitmaps [lock] */
	uint64_t *cloexec;
	struct file *inline_slots[FILES_INLINE];
	uint64_t inline_used, inline_cloexec;
};

MUST_CHECK int files_create(struct files **ret_files);
/* The same descriptions under the same numbers. */
MUST_CHECK int files_clone(struct files *files, struct files **ret_files);
struct files *files_get(struct files *files);
void files_put(struct files *files); /* NULL is fine; the last put closes all */
uint32_t files_limit(const struct files *files);
void files_set_limit(struct files *files, uint32_t limit);

/* With a reference. files_lookup() gives -EBADF for O_PATH descriptors too; files_lookup_any() takes those. */
MUST_CHECK int files_lookup(struct files *files, int fd, struct file **ret_file);
MUST_CHECK int files_lookup_any(struct files *files, int fd, struct file **ret_file);

/* Takes over the reference on success only. */
MUST_CHECK int files_install(struct files *files, struct file *f, bool cloexec, int *ret_fd);
MUST_CHECK int files_install_from(struct files *files, struct file *f, uint32_t from, bool cloexec, int *ret_fd);
/* Two at once: both or neither (pipe). */
MUST_CHECK int files_install_pair(struct files *files, struct file *const pair[2], bool cloexec, int ret_fds[2]);

/* dup2, dup3: closes what was there. fd itself if both are the same (dup3 refuses that before). */
MUST_CHECK int files_dup_to(struct files *files, int from, int to, bool cloexec);
MUST_CHECK int files_close(struct files *files, int fd);
/* [first, last]; only_mark: sets FD_CLOEXEC instead. */
void files_close_range(struct files *files, uint32_t first, uint32_t last, bool only_mark);
void files_close_on_exec(struct files *files);
MUST_CHECK int files_get_cloexec(struct files *files, int fd); /* 0 or 1 */
MUST_CHECK int files_set_cloexec(struct files *files, int fd, bool on);
/* The lowest used descriptor >= fd, or -1: for /proc/PID/fd. */
int files_next(struct files *files, int fd);

#endif
