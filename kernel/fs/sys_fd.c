/*
 * kernel/fs/sys_fd.c - system calls on descriptors: dup, close, fcntl, ioctl, pipe, flock.
 */
#include <asm/ioctls.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "kernel/base/syscalls.h"
#include "kernel/fs/files.h"
#include "kernel/fs/locks.h"
#include "kernel/fs/pipe.h"
#include "mm/user.h"
#include "proc/thread.h"

/* Status flags that F_SETFL may change (fcntl(2)). */
#define SETTABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC)

int64_t sys_close(int fd) { return files_close(current()->files, fd); }

int64_t sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	struct files *own;
	int err;

	if (first > last || flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
		return -EINVAL;
	if ((flags & CLOSE_RANGE_UNSHARE) && ref_count(&current()->files->ref) > 1) {
		err = files_clone(current()->files, &own);
		if (err)
			return err;
		files_put(current()->files);
		current()->files = own;
	}
	files_close_range(current()->files, first, last, flags & CLOSE_RANGE_CLOEXEC);
	return 0;
}

static int64_t dup_from(struct file *f, uint64_t from, bool cloexec)
{
	int fd, err;

	if (from >= files_limit(current()->files))
		return -EINVAL;
	err = files_install_from(current()->files, file_get(f), (uint32_t)from, cloexec, &fd);
	if (err) {
		file_put(f);
		return err;
	}
	return fd;
}

int64_t sys_dup(int fd)
{
	struct file *f;
	int64_t new_fd = files_lookup_any(current()->files, fd, &f);

	if (new_fd)
		return new_fd;
	new_fd = dup_from(f, 0, false);
	file_put(f);
	return new_fd == -EINVAL ? -EMFILE : new_fd;
}

int64_t sys_dup2(int from, int to) { return files_dup_to(current()->files, from, to, false); }

int64_t sys_dup3(int from, int to, int flags)
{
	if (flags & ~O_CLOEXEC || from == to)
		return -EINVAL;
	return files_dup_to(current()->files, from, to, flags & O_CLOEXEC);
}

/* ---- fcntl ---- */

static int64_t set_flags(struct file *f, uint64_t flags)
{
	uint32_t keep = file_flags(f) & ~(uint32_t)SETTABLE;

	__atomic_store_n(&f->flags, keep | ((uint32_t)flags & SETTABLE), __ATOMIC_RELAXED);
	return 0;
}

static int64_t fcntl_lock(struct file *f, unsigned cmd, uaddr_t arg)
{
	switch (cmd) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return locks_fcntl(f, cmd, arg);
	default:
		return -EINVAL;
	}
}

/* What needs a description that is open for more than its path. */
static int64_t fcntl_opened(struct file *f, unsigned cmd, uint64_t arg)
{
	if (f->path_only)
		return -EBADF;
	switch (cmd) {
	case F_SETFL:
		return set_flags(f, arg);
	case F_GETOWN:
		return f->owner;
	case F_SETOWN:
		f->owner = (int32_t)arg;
		return 0;
	case F_GETSIG:
		return 0;
	case F_SETSIG:
		return arg ? -EINVAL : 0;
	case F_GETLEASE:
		return F_UNLCK;
	case F_GETPIPE_SZ:
		return pipe_get_size(f);
	case F_SETPIPE_SZ:
		return pipe_set_size(f, arg);
	default:
		return fcntl_lock(f, cmd, UADDR(arg));
	}
}

static int64_t fcntl(struct file *f, int fd, unsigned cmd, uint64_t arg)
{
	switch (cmd) {
	case F_DUPFD:
		return dup_from(f, arg, false);
	case F_DUPFD_CLOEXEC:
		return dup_from(f, arg, true);
	case F_GETFD:
		return files_get_cloexec(current()->files, fd);
	case F_SETFD:
		return files_set_cloexec(current()->files, fd, arg & FD_CLOEXEC);
	case F_GETFL:
		return file_flags(f);
	default:
		return fcntl_opened(f, cmd, arg);
	}
}

int64_t sys_fcntl(int fd, unsigned cmd, uint64_t arg)
{
	struct file *f;
	int64_t value = files_lookup_any(current()->files, fd, &f);

	if (value)
		return value;
	value = fcntl(f, fd, cmd, arg);
	file_put(f);
	return value;
}

int64_t sys_flock(int fd, unsigned operation)
{
	struct file *f;
	int64_t err = files_lookup(current()->files, fd, &f);

	if (err)
		return err;
	err = locks_flock(f, operation);
	file_put(f);
	return err;
}

/* ---- ioctl ---- */

static int64_t set_flag_by_word(struct file *f, uint32_t flag, uaddr_t arg)
{
	uint32_t on;
	int err = user_get_u32(arg, &on);

	if (err)
		return err;
	return set_flags(f, on ? file_flags(f) | flag : file_flags(f) & ~flag);
}

/* Regular files answer this one themselves: bytes from the offset to the end. */
static int64_t bytes_left(struct file *f, uaddr_t arg)
{
	uint64_t size = inode_size(f->inode);

	return user_put_u32(arg, (uint32_t)(size > f->offset ? size - f->offset : 0));
}

static int64_t ioctl(struct file *f, int fd, uint32_t request, uaddr_t arg)
{
	switch (request) {
	case FIOCLEX:
	case FIONCLEX:
		return files_set_cloexec(current()->files, fd, request == FIOCLEX);
	case FIONBIO:
		return set_flag_by_word(f, O_NONBLOCK, arg);
	case FIOASYNC:
		return set_flag_by_word(f, FASYNC, arg);
	default:
		break;
	}
	if (request == FIONREAD && S_ISREG(f->inode->mode))
		return bytes_left(f, arg);
	return f->ops->ioctl ? f->ops->ioctl(f, request, arg) : -ENOTTY;
}

int64_t sys_ioctl(int fd, uint32_t request, uaddr_t arg)
{
	struct file *f;
	int64_t value = files_lookup(current()->files, fd, &f);

	if (value)
		return value;
	value = ioctl(f, fd, request, arg);
	file_put(f);
	return value;
}

/* ---- pipe ---- */

int64_t sys_pipe2(uaddr_t fds_user, int flags)
{
	struct file *end[2];
	int fds[2];
	int err;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = pipe_create(flags & O_NONBLOCK, end);
	if (err)
		return err;
	err = files_install_pair(current()->files, end, flags & O_CLOEXEC, fds);
	if (err) {
		file_put(end[0]);
		file_put(end[1]);
		return err;
	}
	if (copy_to_user(fds_user, fds, sizeof(fds)) == 0)
		return 0;
	if (files_close(current()->files, fds[0]) || files_close(current()->files, fds[1]))
		return -EBADF;
	return -EFAULT;
}

int64_t sys_pipe(uaddr_t fds_user) { return sys_pipe2(fds_user, 0); }
