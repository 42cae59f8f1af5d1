/*
 * kernel/fs/file.h - open file descriptions.
 *
 * Role         What open() makes and descriptors name: an inode (or pipe, or device) with an offset and status flags, shared
 *              over dup() and fork() (POSIX.1-2017 XSH 2.5.1).
 * Invariants   1. `inode` is path.dentry->inode; both stay until the last reference is put.
 *              2. The offset of a seekable file is read and changed under `mutex` only, so that readers and writers that
 *              share the description never use an offset twice (POSIX.1-2017 XSH 2.9.7).
 *              3. A file that is open for writing counts in inode->writers; one that a program runs from counts against it.
 * Locks        f->mutex for the offset: before the tree's and the inode's. [I] immutable, [m] f->mutex, [a] atomic.
 * Failure      Operations return counts or -errno; -ERESTARTSYS where a signal ended a sleep before anything was moved.
 */
#ifndef TINE_FS_FILE_H
#define TINE_FS_FILE_H

#include "kernel/base/addr.h"
#include "kernel/fs/tree.h"

struct poll_table;
struct uio;

/* Where readdir puts entries. */
struct dir_sink {
	/* False: the sink is full and did not take the entry. `next` is the position after it. */
	bool (*emit)(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, uint32_t mode, uint64_t next);
};

/* Missing operations: read, write: -EINVAL; ioctl: -ENOTTY; seek: -ESPIPE; readdir: -ENOTDIR; object: -ENODEV. */
struct file_ops {
	/* From *offset, which they advance; files that cannot seek ignore it. */
	int64_t (*read)(struct file *f, struct uio *uio, uint64_t *offset);
	int64_t (*write)(struct file *f, struct uio *uio, uint64_t *offset);
	/* The new offset. f->mutex held. */
	int64_t (*seek)(struct file *f, int64_t offset, int whence);
	int64_t (*ioctl)(struct file *f, uint32_t request, uaddr_t arg);
	/* POLL* bits of <asm/poll.h> that hold now; NULL: always readable and writable. */
	uint32_t (*poll)(struct file *f, struct poll_table *pt);
	/* Feeds entries from f->offset on, and advances it past what the sink took. f->mutex and the tree held. */
	int (*readdir)(struct file *f, struct dir_sink *sink);
	struct object *(*object)(struct file *f); /* for mmap: no new reference; NULL: cannot be mapped */
	int (*fallocate)(struct file *f, int mode, uint64_t offset, uint64_t len);
	void (*release)(struct file *f); /* the last reference is gone */
};

struct file {
	struct ref ref;
	const struct file_ops *ops; /* [I] */
	struct path path;           /* [I] */
	struct inode *inode;        /* [I] */
	uint32_t flags;             /* [a] O_* status flags, as F_GETFL gives them */
	bool readable, writable;    /* [I] */
	bool path_only;             /* [I] O_PATH */
	bool writer;                /* [I] counted in inode->writers */
	bool runs;                  /* [I] counted against them: a program runs from it */
	struct mutex mutex;
	uint64_t offset; /* [m] */
	int32_t owner;   /* [a] F_SETOWN */
	void *private;
};

/*
 * A description of `path`, which it takes over when it succeeds. flags: O_*, access mode included. The operations are
 * the caller's to set.
 */
MUST_CHECK int file_create(const struct path *path, uint32_t flags, const struct file_ops *ops, struct file **ret_file);
/* The same for something without a name in the tree; `name` is what /proc/PID/fd shows. Takes over the inode reference. */
MUST_CHECK int file_create_anonymous(struct inode *inode, const char *name, uint32_t flags, const struct file_ops *ops,
				     struct file **ret_file);
static inline struct file *file_get(struct file *f)
{
	ref_get(&f->ref);
	return f;
}
void file_put(struct file *f);

/* At the description's own offset. -EBADF if it is not open that way. */
MUST_CHECK int64_t file_read(struct file *f, struct uio *uio);
MUST_CHECK int64_t file_write(struct file *f, struct uio *uio);
/* At an offset of the caller's; the description's stays. -ESPIPE if it cannot seek. */
MUST_CHECK int64_t file_read_at(struct file *f, struct uio *uio, uint64_t offset);
MUST_CHECK int64_t file_write_at(struct file *f, struct uio *uio, uint64_t offset);
/* Into kernel memory. */
MUST_CHECK int64_t file_pread(struct file *f, void *buf, size_t n, uint64_t offset);

MUST_CHECK int64_t file_seek(struct file *f, int64_t offset, int whence);
/* For file systems: seek over [0, INT64_MAX] with SEEK_SET, SEEK_CUR, SEEK_END of a file of `size` bytes. f->mutex held. */
MUST_CHECK int64_t file_seek_sized(struct file *f, int64_t offset, int whence, uint64_t size);
uint32_t file_poll(struct file *f, struct poll_table *pt);
/* The page object behind it, without a new reference; NULL if it cannot be mapped. */
struct object *file_object(struct file *f);
/* May it be mapped MAP_SHARED with PROT_WRITE? */
static inline bool file_mmap_writable(const struct file *f) { return f->readable && f->writable; }
/* Its path from the caller's root, with a NUL; " (deleted)" at the end if the name was removed. The length or -errno. */
MUST_CHECK int file_path(struct file *f, char *buf, size_t size);

static inline uint32_t file_flags(const struct file *f) { return __atomic_load_n(&f->flags, __ATOMIC_RELAXED); }

#endif
