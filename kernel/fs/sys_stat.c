/*
 * kernel/fs/sys_stat.c - system calls that read and change what an inode says of itself: stat, chmod, chown, times, size.
 */
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/time_types.h>

#include "kernel/base/clock.h"
#include "kernel/base/string.h"
#include "kernel/base/syscalls.h"
#include "kernel/fs/chrdev.h"
#include "kernel/fs/hooks.h"
#include "kernel/fs/sys_path.h"
#include "mm/user.h"
#include "proc/cred.h"
#include "proc/thread.h"

#include <asm/signal.h>

#define BLOCK_SIZE_HINT PAGE_SIZE
#define UTIME_NOW_NSEC  ((1l << 30) - 1l) /* UTIME_NOW and UTIME_OMIT of sys/stat.h */
#define UTIME_OMIT_NSEC ((1l << 30) - 2l)

/* ---- stat ---- */

static void fill_stat(struct inode *inode, struct stat *st)
{
	if (inode->ops->refresh)
		inode->ops->refresh(inode);
	*st = (struct stat){
	    .st_dev = inode->fs->dev,
	    .st_ino = inode->ino,
	    .st_nlink = inode->nlink,
	    .st_mode = inode->mode,
	    .st_uid = inode->uid,
	    .st_gid = inode->gid,
	    .st_rdev = inode->rdev,
	    .st_size = (long)inode_size(inode),
	    .st_blksize = BLOCK_SIZE_HINT,
	    .st_blocks = (long)inode_blocks(inode),
	    .st_atime = inode->atime / NSEC_PER_SEC,
	    .st_atime_nsec = inode->atime % NSEC_PER_SEC,
	    .st_mtime = inode->mtime / NSEC_PER_SEC,
	    .st_mtime_nsec = inode->mtime % NSEC_PER_SEC,
	    .st_ctime = inode->ctime / NSEC_PER_SEC,
	    .st_ctime_nsec = inode->ctime % NSEC_PER_SEC,
	};
}

static int64_t put_stat(struct inode *inode, uaddr_t buf)
{
	struct stat st;

	fill_stat(inode, &st);
	return copy_to_user(buf, &st, sizeof(st));
}

static int64_t stat_at(int dirfd, uaddr_t path, uaddr_t buf, unsigned walk)
{
	struct path p;
	int64_t err = at_lookup(dirfd, path, walk, &p);

	if (err)
		return err;
	err = put_stat(p.dentry->inode, buf);
	path_put(&p);
	return err;
}

static unsigned walk_flags(int at_flags)
{
	return (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (at_flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

int64_t sys_newfstatat(int dirfd, uaddr_t path, uaddr_t buf, int flags)
{
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	return stat_at(dirfd, path, buf, walk_flags(flags));
}

int64_t sys_stat(uaddr_t path, uaddr_t buf) { return stat_at(AT_FDCWD, path, buf, WALK_FOLLOW); }
int64_t sys_lstat(uaddr_t path, uaddr_t buf) { return stat_at(AT_FDCWD, path, buf, 0); }

int64_t sys_fstat(int fd, uaddr_t buf)
{
	struct file *f;
	int64_t err = files_lookup_any(current()->files, fd, &f);

	if (err)
		return err;
	err = put_stat(f->inode, buf);
	file_put(f);
	return err;
}

static struct statx_timestamp statx_time(uint64_t ns)
{
	return (struct statx_timestamp){.tv_sec = (int64_t)(ns / NSEC_PER_SEC),
					.tv_nsec = (uint32_t)(ns % NSEC_PER_SEC)};
}

static int64_t put_statx(const struct path *p, uaddr_t buf)
{
	struct inode *inode = p->dentry->inode;
	struct statx sx;

	if (inode->ops->refresh)
		inode->ops->refresh(inode);
	sx = (struct statx){
	    .stx_mask = STATX_BASIC_STATS | STATX_BTIME,
	    .stx_blksize = BLOCK_SIZE_HINT,
	    .stx_nlink = inode->nlink,
	    .stx_uid = inode->uid,
	    .stx_gid = inode->gid,
	    .stx_mode = (uint16_t)inode->mode,
	    .stx_ino = inode->ino,
	    .stx_size = inode_size(inode),
	    .stx_blocks = inode_blocks(inode),
	    .stx_atime = statx_time(inode->atime),
	    .stx_btime = statx_time(inode->btime),
	    .stx_ctime = statx_time(inode->ctime),
	    .stx_mtime = statx_time(inode->mtime),
	    .stx_rdev_major = dev_major(inode->rdev),
	    .stx_rdev_minor = dev_minor(inode->rdev),
	    .stx_dev_minor = inode->fs->dev,
	    .stx_attributes_mask = STATX_ATTR_MOUNT_ROOT,
	    .stx_attributes = p->mount && p->dentry == p->mount->fs->root ? STATX_ATTR_MOUNT_ROOT : 0,
	};
	return copy_to_user(buf, &sx, sizeof(sx));
}

int64_t sys_statx(int dirfd, uaddr_t path, int flags, unsigned mask, uaddr_t buf)
{
	struct path p;
	int64_t err;

	if (mask & STATX__RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
	    flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	err = at_lookup(dirfd, path, walk_flags(flags), &p);
	if (err)
		return err;
	err = put_statx(&p, buf);
	path_put(&p);
	return err;
}

/* ---- statfs ---- */

static int64_t put_statfs(const struct path *p, uaddr_t buf)
{
	struct filesystem *fs = p->dentry->inode->fs;
	struct statfs st = {
	    .f_type = fs->type->magic,
	    .f_bsize = PAGE_SIZE,
	    .f_frsize = PAGE_SIZE,
	    .f_namelen = NAME_MAX_LEN,
	    .f_flags = p->mount ? p->mount->flags | 0x20 : 0x20, /* ST_VALID: the flags mean something */
	    .f_fsid = {{(int)fs->dev, 0}},
	};

	if (fs->type->statfs)
		fs->type->statfs(fs, &st);
	return copy_to_user(buf, &st, sizeof(st));
}

int64_t sys_statfs(uaddr_t path, uaddr_t buf)
{
	struct path p;
	int64_t err = at_lookup(AT_FDCWD, path, WALK_FOLLOW, &p);

	if (err)
		return err;
	err = put_statfs(&p, buf);
	path_put(&p);
	return err;
}

int64_t sys_fstatfs(int fd, uaddr_t buf)
{
	struct file *f;
	int64_t err = files_lookup_any(current()->files, fd, &f);

	if (err)
		return err;
	err = put_statfs(&f->path, buf);
	file_put(f);
	return err;
}

/* ---- chmod, chown ---- */

int64_t sys_fchmodat(int dirfd, uaddr_t path, uint32_t mode)
{
	struct path p;
	int err = at_lookup(dirfd, path, WALK_FOLLOW, &p);

	if (err)
		return err;
	err = vfs_chmod(&p, mode);
	path_put(&p);
	return err;
}

int64_t sys_chmod(uaddr_t path, uint32_t mode) { return sys_fchmodat(AT_FDCWD, path, mode); }

int64_t sys_fchmod(int fd, uint32_t mode)
{
	struct file *f;
	int err = files_lookup(current()->files, fd, &f);

	if (err)
		return err;
	err = vfs_chmod(&f->path, mode);
	file_put(f);
	return err;
}

static int64_t chown_at(int dirfd, uaddr_t path, uint32_t uid, uint32_t gid, unsigned walk)
{
	struct path p;
	int err = at_lookup(dirfd, path, walk, &p);

	if (err)
		return err;
	err = vfs_chown(&p, uid, gid);
	path_put(&p);
	return err;
}

int64_t sys_fchownat(int dirfd, uaddr_t path, uint32_t uid, uint32_t gid, int flags)
{
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return chown_at(dirfd, path, uid, gid, walk_flags(flags));
}

int64_t sys_chown(uaddr_t path, uint32_t uid, uint32_t gid) { return chown_at(AT_FDCWD, path, uid, gid, WALK_FOLLOW); }
int64_t sys_lchown(uaddr_t path, uint32_t uid, uint32_t gid) { return chown_at(AT_FDCWD, path, uid, gid, 0); }

int64_t sys_fchown(int fd, uint32_t uid, uint32_t gid)
{
	struct file *f;
	int err = files_lookup(current()->files, fd, &f);

	if (err)
		return err;
	err = vfs_chown(&f->path, uid, gid);
	file_put(f);
	return err;
}

/* ---- Times ---- */

static int time_from_parts(int64_t sec, int64_t nsec, uint64_t *ret_ns)
{
	if (nsec == UTIME_NOW_NSEC) {
		*ret_ns = TIME_NOW;
	} else if (nsec == UTIME_OMIT_NSEC) {
		*ret_ns = TIME_OMIT;
	} else if (nsec < 0 || nsec >= (int64_t)NSEC_PER_SEC) {
		return -EINVAL;
	} else {
		/* Times before 1970 and after 2554 are cut to what an inode can hold. */
		sec = MAX(sec, (int64_t)0);
		*ret_ns = (uint64_t)MIN(sec, (int64_t)(UINT64_MAX / NSEC_PER_SEC) - 2) * NSEC_PER_SEC + (uint64_t)nsec;
	}
	return 0;
}

static int64_t set_times(int dirfd, uaddr_t path, unsigned walk, const uint64_t times[2])
{
	struct path p;
	int err = at_lookup(dirfd, path, walk, &p);

	if (err)
		return err;
	err = vfs_utimes(&p, times[0], times[1]);
	path_put(&p);
	return err;
}

int64_t sys_utimensat(int dirfd, uaddr_t path, uaddr_t user_times, int flags)
{
	struct __kernel_timespec ts[2];
	uint64_t times[2] = {TIME_NOW, TIME_NOW};
	unsigned walk = walk_flags(flags) | (path.v ? 0 : WALK_NULL);
	int err = 0;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (user_times.v)
		err = copy_from_user(ts, user_times, sizeof(ts));
	for (unsigned i = 0; i < 2 && user_times.v && !err; i++)
		err = time_from_parts(ts[i].tv_sec, ts[i].tv_nsec, &times[i]);
	if (err || (times[0] == TIME_OMIT && times[1] == TIME_OMIT))
		return err;
	return set_times(dirfd, path, walk, times);
}

/* struct timeval: microseconds. */
int64_t sys_futimesat(int dirfd, uaddr_t path, uaddr_t user_times)
{
	int64_t tv[2][2];
	uint64_t times[2] = {TIME_NOW, TIME_NOW};
	int err = 0;

	if (user_times.v)
		err = copy_from_user(tv, user_times, sizeof(tv));
	for (unsigned i = 0; i < 2 && user_times.v && !err; i++) {
		if (tv[i][1] < 0 || tv[i][1] >= 1000000)
			return -EINVAL;
		err = time_from_parts(tv[i][0], tv[i][1] * 1000, &times[i]);
	}
	if (err)
		return err;
	return set_times(dirfd, path, WALK_FOLLOW | (path.v ? 0 : WALK_NULL), times);
}

int64_t sys_utimes(uaddr_t path, uaddr_t times) { return sys_futimesat(AT_FDCWD, path, times); }

int64_t sys_utime(uaddr_t path, uaddr_t user_times)
{
	int64_t sec[2];
	uint64_t times[2] = {TIME_NOW, TIME_NOW};
	int err = user_times.v ? copy_from_user(sec, user_times, sizeof(sec)) : 0;

	for (unsigned i = 0; i < 2 && user_times.v && !err; i++)
		err = time_from_parts(sec[i], 0, &times[i]);
	return err ? err : set_times(AT_FDCWD, path, WALK_FOLLOW, times);
}

/* ---- Size ---- */

int64_t sys_truncate(uaddr_t path, int64_t size)
{
	struct path p;
	int err;

	if (size < 0)
		return -EINVAL;
	err = at_lookup(AT_FDCWD, path, WALK_FOLLOW, &p);
	if (err)
		return err;
	err = inode_is_dir(p.dentry->inode) ? -EISDIR : vfs_access(&p, MAY_WRITE, false);
	if (!err)
		err = vfs_truncate(&p, (uint64_t)size);
	path_put(&p);
	return err;
}

int64_t sys_ftruncate(int fd, int64_t size)
{
	struct file *f;
	int err;

	if (size < 0)
		return -EINVAL;
	err = files_lookup(current()->files, fd, &f);
	if (err)
		return err;
	err = f->writable && S_ISREG(f->inode->mode) ? vfs_truncate(&f->path, (uint64_t)size) : -EINVAL;
	file_put(f);
	return err;
}

static int fallocate(struct file *f, int mode, uint64_t offset, uint64_t len)
{
	if (!f->writable)
		return -EBADF;
	if (S_ISFIFO(f->inode->mode))
		return -ESPIPE;
	if (inode_is_dir(f->inode))
		return -EISDIR;
	if (!f->ops->fallocate)
		return S_ISREG(f->inode->mode) ? -EOPNOTSUPP : -ENODEV;
	if (!(mode & FALLOC_FL_KEEP_SIZE) && offset + len > fs_file_size_limit()) {
		fs_signal_current(SIGXFSZ);
		return -EFBIG;
	}
	return f->ops->fallocate(f, mode, offset, len);
}

int64_t sys_fallocate(int fd, int mode, int64_t offset, int64_t len)
{
	struct file *f;
	int err;

	if (offset < 0 || len <= 0)
		return -EINVAL;
	if (len > INT64_MAX - offset)
		return -EFBIG;
	err = files_lookup(current()->files, fd, &f);
	if (err)
		return err;
	err = fallocate(f, mode, (uint64_t)offset, (uint64_t)len);
	file_put(f);
	return err;
}

/* ---- Extended attributes: no file system here has them ---- */

static int64_t no_attributes(int dirfd, uaddr_t path, unsigned walk)
{
	struct path p;
	int err = at_lookup(dirfd, path, walk, &p);

	if (err)
		return err;
	path_put(&p);
	return -EOPNOTSUPP;
}

int64_t sys_getxattr(uaddr_t path, uaddr_t name, uaddr_t value, size_t size)
{
	(void)name, (void)value, (void)size;
	return no_attributes(AT_FDCWD, path, WALK_FOLLOW);
}

int64_t sys_lgetxattr(uaddr_t path, uaddr_t name, uaddr_t value, size_t size)
{
	(void)name, (void)value, (void)size;
	return no_attributes(AT_FDCWD, path, 0);
}

int64_t sys_fgetxattr(int fd, uaddr_t name, uaddr_t value, size_t size)
{
	(void)name, (void)value, (void)size;
	return no_attributes(fd, UADDR(0), WALK_NULL);
}

static int64_t empty_list(int64_t err) { return err == -EOPNOTSUPP ? 0 : err; }

int64_t sys_listxattr(uaddr_t path, uaddr_t list, size_t size)
{
	(void)list, (void)size;
	return empty_list(no_attributes(AT_FDCWD, path, WALK_FOLLOW));
}

int64_t sys_llistxattr(uaddr_t path, uaddr_t list, size_t size)
{
	(void)list, (void)size;
	return empty_list(no_attributes(AT_FDCWD, path, 0));
}

int64_t sys_flistxattr(int fd, uaddr_t list, size_t size)
{
	(void)list, (void)size;
	return empty_list(no_attributes(fd, UADDR(0), WALK_NULL));
}
