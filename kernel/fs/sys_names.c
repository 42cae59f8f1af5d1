/*
 * kernel/fs/sys_names.c - system calls that make, remove and read names: mkdir, unlink, rename, links, getdents.
 */
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "kernel/base/string.h"
#include "kernel/base/syscalls.h"
#include "kernel/fs/sys_path.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "proc/thread.h"

int64_t sys_mknodat(int dirfd, uaddr_t path, uint32_t mode, uint32_t dev)
{
	struct at a;
	int err = at_get(&a, dirfd, path);

	if (err)
		return err;
	err = vfs_mknod(a.start, a.path.text, mode, dev);
	at_put(&a);
	return err;
}

int64_t sys_mknod(uaddr_t path, uint32_t mode, uint32_t dev) { return sys_mknodat(AT_FDCWD, path, mode, dev); }

int64_t sys_mkdirat(int dirfd, uaddr_t path, uint32_t mode)
{
	struct at a;
	int err = at_get(&a, dirfd, path);

	if (err)
		return err;
	err = vfs_mkdir(a.start, a.path.text, mode);
	at_put(&a);
	return err;
}

int64_t sys_mkdir(uaddr_t path, uint32_t mode) { return sys_mkdirat(AT_FDCWD, path, mode); }

int64_t sys_unlinkat(int dirfd, uaddr_t path, int flags)
{
	struct at a;
	int err;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	err = at_get(&a, dirfd, path);
	if (err)
		return err;
	err = flags & AT_REMOVEDIR ? vfs_rmdir(a.start, a.path.text) : vfs_unlink(a.start, a.path.text);
	at_put(&a);
	return err;
}

int64_t sys_unlink(uaddr_t path) { return sys_unlinkat(AT_FDCWD, path, 0); }
int64_t sys_rmdir(uaddr_t path) { return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int64_t sys_symlinkat(uaddr_t target, int dirfd, uaddr_t path)
{
	struct user_path text;
	struct at a;
	int err = user_path_get(&text, target);

	if (err)
		return err;
	err = at_get(&a, dirfd, path);
	if (err)
		goto put_target;
	err = vfs_symlink(text.text, a.start, a.path.text);
	at_put(&a);
put_target:
	user_path_put(&text);
	return err;
}

int64_t sys_symlink(uaddr_t target, uaddr_t path) { return sys_symlinkat(target, AT_FDCWD, path); }

int64_t sys_linkat(int old_dirfd, uaddr_t old, int new_dirfd, uaddr_t new, int flags)
{
	struct path p;
	struct at a;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = at_lookup(old_dirfd, old,
			(flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0), &p);
	if (err)
		return err;
	err = at_get(&a, new_dirfd, new);
	if (err)
		goto put_path;
	err = vfs_link(&p, a.start, a.path.text);
	at_put(&a);
put_path:
	path_put(&p);
	return err;
}

int64_t sys_link(uaddr_t old, uaddr_t new) { return sys_linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

int64_t sys_renameat2(int old_dirfd, uaddr_t old, int new_dirfd, uaddr_t new, unsigned flags)
{
	struct at from, to;
	int err = at_get(&from, old_dirfd, old);

	if (err)
		return err;
	err = at_get(&to, new_dirfd, new);
	if (err)
		goto put_from;
	err = vfs_rename(from.start, from.path.text, to.start, to.path.text, flags);
	at_put(&to);
put_from:
	at_put(&from);
	return err;
}

int64_t sys_renameat(int old_dirfd, uaddr_t old, int new_dirfd, uaddr_t new)
{
	return sys_renameat2(old_dirfd, old, new_dirfd, new, 0);
}

int64_t sys_rename(uaddr_t old, uaddr_t new) { return sys_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0); }

static int64_t put_link(const struct path *p, uaddr_t buf, int size)
{
	char *text = kmalloc(PATH_MAX_LEN);
	int64_t n = text ? vfs_readlink(p, text, MIN((size_t)size, PATH_MAX_LEN)) : -ENOMEM;

	if (n > 0 && copy_to_user(buf, text, (size_t)n))
		n = -EFAULT;
	kfree(text);
	return n;
}

/* An empty path names the descriptor, which must be one of a link (opened with O_PATH and O_NOFOLLOW): else -ENOENT. */
int64_t sys_readlinkat(int dirfd, uaddr_t path, uaddr_t buf, int size)
{
	struct path p;
	struct at a;
	int64_t n;

	if (size <= 0)
		return -EINVAL;
	n = at_get(&a, dirfd, path);
	if (n)
		return n;
	n = walk_path(a.start, a.path.text, WALK_EMPTY, &p);
	if (!n) {
		n = put_link(&p, buf, size);
		if (n == -EINVAL && !*a.path.text)
			n = -ENOENT;
		path_put(&p);
	}
	at_put(&a);
	return n;
}

int64_t sys_readlink(uaddr_t path, uaddr_t buf, int size) { return sys_readlinkat(AT_FDCWD, path, buf, size); }

/* ---- getdents64 ---- */

/* struct linux_dirent64: 19 bytes, then the name with its NUL, padded to 8. */
struct dirent_header {
	uint64_t ino, next;
	uint16_t length;
	uint8_t type;
} PACKED;

struct user_sink {
	struct dir_sink sink;
	uaddr_t at;
	uint64_t left;
	uint64_t used;
	int error;
};

static bool user_emit(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, uint32_t mode, uint64_t next)
{
	struct user_sink *s = CONTAINER_OF(sink, struct user_sink, sink);
	char record[ALIGN_UP(sizeof(struct dirent_header) + NAME_MAX_LEN + 1, 8)];
	size_t size = ALIGN_UP(sizeof(struct dirent_header) + len + 1, 8);
	struct dirent_header h = {ino, next, (uint16_t)size, (uint8_t)(mode >> 12 & 15)};

	if (size > s->left) {
		s->error = -EINVAL; /* counts only if nothing fitted */
		return false;
	}
	memset(record + size - 8, 0, 8);
	memcpy(record, &h, sizeof(h));
	memcpy(record + sizeof(h), name, len);
	if (copy_to_user(s->at, record, size)) {
		s->error = -EFAULT;
		return false;
	}
	s->at = uaddr_add(s->at, size);
	s->left -= size;
	s->used += size;
	return true;
}

static int64_t read_directory(struct file *f, struct user_sink *s)
{
	int err;

	if (!f->ops->readdir)
		return -ENOTDIR;
	mutex_lock(&f->mutex);
	tree_lock();
	err = f->ops->readdir(f, &s->sink);
	tree_unlock();
	mutex_unlock(&f->mutex);
	if (s->used)
		return (int64_t)s->used;
	return err ? err : s->error;
}

int64_t sys_getdents64(int fd, uaddr_t buf, unsigned size)
{
	struct user_sink s = {.sink = {user_emit}, .at = buf, .left = size};
	struct file *f;
	int64_t n = files_lookup(current()->files, fd, &f);

	if (n)
		return n;
	n = read_directory(f, &s);
	file_put(f);
	return n;
}
