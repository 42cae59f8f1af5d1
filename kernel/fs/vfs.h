/*
 * kernel/fs/vfs.h - operations on files by name.
 *
 * Role         What the system calls of <fcntl.h>, <unistd.h> and <sys/stat.h> do, on kernel strings. `start` is where a
 *              relative path begins (a descriptor's directory), NULL: the caller's working directory.
 * Invariants   1. Every change of a name checks all it needs, allocates, and only then changes the tree.
 *              2. Permissions are the caller's file system ids (proc/cred.h); root passes all but execution.
 * Locks        Each takes and releases the tree mutex; none is held while opening a FIFO waits.
 * Failure      The errno that Linux gives for the case, as the man page of the call lists it; nothing was changed.
 */
#ifndef TINE_FS_VFS_H
#define TINE_FS_VFS_H

#include "kernel/fs/context.h"
#include "kernel/fs/file.h"
#include "kernel/fs/files.h"
#include "kernel/fs/walk.h"

struct stat;

/* Mounts the root tmpfs and /dev. After the scheduler is up, once. */
MUST_CHECK int vfs_init(void);

MUST_CHECK int vfs_open(const char *path, int flags, int mode, struct file **ret_file);
MUST_CHECK int vfs_open_at(const struct path *start, const char *path, uint32_t flags, uint32_t mode,
			   struct file **ret_file);
/* For exec: a regular file that the caller may execute (-EACCES); while it is open nobody writes it (-ETXTBSY). */
MUST_CHECK int vfs_open_exec(const char *path, struct file **ret_file);
MUST_CHECK int vfs_open_exec_at(const struct path *start, const char *path, unsigned walk_flags,
				struct file **ret_file);

/* Any type but directories and links, as mknod(2). mode before umask. */
MUST_CHECK int vfs_mknod(const struct path *start, const char *path, uint32_t mode, uint32_t rdev);
MUST_CHECK int vfs_mkdir(const struct path *start, const char *path, uint32_t mode);
MUST_CHECK int vfs_symlink(const char *target, const struct path *start, const char *path);
MUST_CHECK int vfs_link(const struct path *old, const struct path *start, const char *path);
MUST_CHECK int vfs_unlink(const struct path *start, const char *path);
MUST_CHECK int vfs_rmdir(const struct path *start, const char *path);
/* flags: RENAME_NOREPLACE, RENAME_EXCHANGE of <linux/fs.h>. */
MUST_CHECK int vfs_rename(const struct path *old_start, const char *old, const struct path *new_start, const char *new,
			  uint32_t flags);

/* On places already found. */
MUST_CHECK int64_t vfs_readlink(const struct path *p, char *buf, size_t size);
MUST_CHECK int vfs_chmod(const struct path *p, uint32_t mode);
MUST_CHECK int vfs_chown(const struct path *p, uint32_t uid, uint32_t gid); /* UINT32_MAX: leave */
MUST_CHECK int vfs_truncate(const struct path *p, uint64_t size);
/* ns since 1970, or TIME_OMIT / TIME_NOW. */
#define TIME_OMIT UINT64_MAX
#define TIME_NOW  (UINT64_MAX - 1)
MUST_CHECK int vfs_utimes(const struct path *p, uint64_t atime, uint64_t mtime);
/* mask: MAY_*; by real ids if `real`. */
MUST_CHECK int vfs_access(const struct path *p, uint32_t mask, bool real);
MUST_CHECK int vfs_chdir(const struct path *p);
MUST_CHECK int vfs_chroot(const struct path *p);

MUST_CHECK int vfs_mount(const char *source, const struct path *at, const char *type, uint32_t flags,
			 const char *options);
/* Takes over the path's references, which would count as users of the mount. */
MUST_CHECK int vfs_umount(const struct path *p);

/* -EROFS if the place is on a read-only mount. */
MUST_CHECK int path_writable(const struct path *p);

/* For names.c and vfs.c: a new inode under the walk's last component, which is missing. Tree locked. */
MUST_CHECK int vfs_create_at(struct walk *w, uint32_t mode, uint32_t rdev, const char *target,
			     struct dentry **ret_dentry);

#endif
