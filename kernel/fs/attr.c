/*
 * kernel/fs/attr.c - what an inode says about itself, and the caller's place in the tree: see vfs.h.
 */
#include "kernel/base/clock.h"
#include "kernel/base/string.h"
#include "kernel/fs/hooks.h"
#include "kernel/fs/vfs.h"
#include "proc/cred.h"
#include "proc/thread.h"

#include <asm/signal.h>

static const struct cred *caller(void) { return current()->cred ? current()->cred : &cred_root; }

static bool owns(const struct inode *inode) { return caller()->fsuid == 0 || caller()->fsuid == inode->uid; }

int64_t vfs_readlink(const struct path *p, char *buf, size_t size)
{
	struct inode *inode = p->dentry->inode;

	return inode->ops->readlink ? inode->ops->readlink(inode, buf, size) : -EINVAL;
}

static int chmod_locked(const struct path *p, uint32_t mode)
{
	struct inode *inode = p->dentry->inode;
	int err = path_writable(p);

	if (err)
		return err;
	if (S_ISLNK(inode->mode))
		return -EOPNOTSUPP;
	if (!owns(inode))
		return -EPERM;
	mode &= 07777;
	if (caller()->fsuid != 0 && !cred_in_group(caller(), inode->gid))
		mode &= ~(uint32_t)S_ISGID;
	inode->mode = (inode->mode & S_IFMT) | mode;
	inode->ctime = clock_realtime_ns();
	return 0;
}

int vfs_chmod(const struct path *p, uint32_t mode)
{
	int err;

	tree_lock();
	err = chmod_locked(p, mode);
	tree_unlock();
	return err;
}

static int chown_locked(const struct path *p, uint32_t uid, uint32_t gid)
{
	struct inode *inode = p->dentry->inode;
	bool root = caller()->fsuid == 0;
	int err = path_writable(p);

	if (err)
		return err;
	if (uid != UINT32_MAX && !root && !(owns(inode) && uid == inode->uid))
		return -EPERM;
	if (gid != UINT32_MAX && !root && !(owns(inode) && (gid == inode->gid || cred_in_group(caller(), gid))))
		return -EPERM;
	if (uid != UINT32_MAX)
		inode->uid = uid;
	if (gid != UINT32_MAX)
		inode->gid = gid;
	/* chown(2): set-ID bits do not survive on files. The group's only where it is one: with execute permission. */
	if (!inode_is_dir(inode)) {
		inode->mode &= ~(uint32_t)S_ISUID;
		if (inode->mode & 010)
			inode->mode &= ~(uint32_t)S_ISGID;
	}
	inode->ctime = clock_realtime_ns();
	return 0;
}

int vfs_chown(const struct path *p, uint32_t uid, uint32_t gid)
{
	int err;

	tree_lock();
	err = chown_locked(p, uid, gid);
	tree_unlock();
	return err;
}

int vfs_truncate(const struct path *p, uint64_t size)
{
	struct inode *inode = p->dentry->inode;
	int err = path_writable(p);

	if (inode_is_dir(inode))
		return -EISDIR;
	if (err || !S_ISREG(inode->mode) || !inode->ops->truncate)
		return err ? err : -EINVAL;
	if (size > fs_file_size_limit()) {
		fs_signal_current(SIGXFSZ);
		return -EFBIG;
	}
	err = inode_get_write(inode);
	if (err)
		return err;
	mutex_lock(&inode->mutex);
	err = inode->ops->truncate(inode, size);
	if (!err)
		inode->mtime = inode->ctime = clock_realtime_ns();
	mutex_unlock(&inode->mutex);
	inode_put_write(inode);
	return err;
}

static void set_time(uint64_t *slot, uint64_t value, uint64_t now)
{
	if (value != TIME_OMIT)
		*slot = value == TIME_NOW ? now : value;
}

int vfs_utimes(const struct path *p, uint64_t atime, uint64_t mtime)
{
	struct inode *inode = p->dentry->inode;
	uint64_t now = clock_realtime_ns();
	bool both_now = atime == TIME_NOW && mtime == TIME_NOW;
	int err = 0;

	tree_lock();
	err = path_writable(p);
	if (!err && !owns(inode))
		err = both_now ? inode_permission(inode, caller(), MAY_WRITE) : -EPERM;
	if (!err) {
		set_time(&inode->atime, atime, now);
		set_time(&inode->mtime, mtime, now);
		inode->ctime = now;
	}
	tree_unlock();
	return err;
}

int vfs_access(const struct path *p, uint32_t mask, bool real)
{
	struct inode *inode = p->dentry->inode;
	struct cred as;
	int err;

	if (!mask)
		return 0;
	as = *caller();
	if (real) {
		as.fsuid = as.uid;
		as.fsgid = as.gid;
	}
	err = inode_permission(inode, &as, mask);
	if (!err && (mask & MAY_WRITE) && (S_ISREG(inode->mode) || inode_is_dir(inode)))
		err = path_writable(p);
	return err;
}

int vfs_chdir(const struct path *p)
{
	int err;

	if (!inode_is_dir(p->dentry->inode))
		return -ENOTDIR;
	err = inode_permission(p->dentry->inode, caller(), MAY_EXEC);
	if (err)
		return err;
	fs_context_set_cwd(current()->fs, p);
	return 0;
}

int vfs_chroot(const struct path *p)
{
	int err;

	if (!inode_is_dir(p->dentry->inode))
		return -ENOTDIR;
	err = inode_permission(p->dentry->inode, caller(), MAY_EXEC);
	if (err)
		return err;
	if (!cred_is_root(caller()))
		return -EPERM;
	fs_context_set_root(current()->fs, p);
	return 0;
}
