/*
 * kernel/fs/sys_open.c - system calls that open and find: open, creat, access, chdir, chroot, mount.
 */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/openat2.h>

#include "kernel/base/string.h"
#include "kernel/base/syscalls.h"
#include "kernel/fs/sys_path.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "proc/cred.h"
#include "proc/thread.h"

/* Bits that open(2) knows; others are ignored, as on Linux. */
#define OPEN_FLAGS                                                                                                     \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_DIRECT | O_LARGEFILE | \
	 O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | __O_TMPFILE | FASYNC)

int64_t sys_openat(int dirfd, uaddr_t path, int flags, uint32_t mode)
{
	uint32_t wanted = ((uint32_t)flags & OPEN_FLAGS) | (flags & O_PATH ? 0 : O_LARGEFILE);
	struct file *f;
	struct at a;
	int fd, err;

	err = at_get(&a, dirfd, path);
	if (err)
		return err;
	err = vfs_open_at(a.start, a.path.text, wanted, mode, &f);
	at_put(&a);
	if (err)
		return err;
	err = files_install(current()->files, f, flags & O_CLOEXEC, &fd);
	if (err) {
		file_put(f);
		return err;
	}
	return fd;
}

int64_t sys_open(uaddr_t path, int flags, uint32_t mode) { return sys_openat(AT_FDCWD, path, flags, mode); }
int64_t sys_creat(uaddr_t path, uint32_t mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* ---- access ---- */

int64_t sys_faccessat2(int dirfd, uaddr_t path, int mode, int flags)
{
	unsigned walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct path p;
	int err;

	if (mode & ~7 || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = at_lookup(dirfd, path, walk | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0), &p);
	if (err)
		return err;
	err = vfs_access(&p, (uint32_t)mode, !(flags & AT_EACCESS));
	path_put(&p);
	return err;
}

int64_t sys_faccessat(int dirfd, uaddr_t path, int mode) { return sys_faccessat2(dirfd, path, mode, 0); }
int64_t sys_access(uaddr_t path, int mode) { return sys_faccessat2(AT_FDCWD, path, mode, 0); }

/* ---- Working directory and root ---- */

static int64_t go_to(uaddr_t path, int (*go)(const struct path *))
{
	struct path p;
	int err = at_lookup(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &p);

	if (err)
		return err;
	err = go(&p);
	path_put(&p);
	return err;
}

int64_t sys_chdir(uaddr_t path) { return go_to(path, vfs_chdir); }
int64_t sys_chroot(uaddr_t path) { return go_to(path, vfs_chroot); }

int64_t sys_fchdir(int fd)
{
	struct file *f;
	int err = files_lookup_any(current()->files, fd, &f);

	if (err)
		return err;
	err = vfs_chdir(&f->path);
	file_put(f);
	return err;
}

/* The length with the NUL. -ENOENT if the directory is gone, -ERANGE if the text does not fit. */
int64_t sys_getcwd(uaddr_t buf, size_t size)
{
	char *page = kmalloc(PATH_MAX_LEN), *text;
	bool gone = false;
	int64_t n;

	if (!page)
		return -ENOMEM;
	tree_lock();
	n = path_text(current_cwd(), current_root(), page, PATH_MAX_LEN, &text, &gone);
	tree_unlock();
	if (!n && gone)
		n = -ENOENT;
	if (!n) {
		n = (int64_t)strlen(text) + 1;
		if ((uint64_t)n > size)
			n = -ERANGE;
		else if (copy_to_user(buf, text, (size_t)n))
			n = -EFAULT;
	}
	kfree(page);
	return n;
}

int64_t sys_umask(uint32_t mask) { return __atomic_exchange_n(&current()->fs->umask, mask & 0777, __ATOMIC_RELAXED); }

/* ---- mount ---- */

#define KEPT_MOUNT_FLAGS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)

/* MS_REMOUNT: only the flags change. */
static int remount(const struct path *p, uint64_t flags)
{
	if (!p->mount || p->dentry != p->mount->fs->root)
		return -EINVAL;
	tree_lock();
	p->mount->flags = (uint32_t)flags & KEPT_MOUNT_FLAGS;
	tree_unlock();
	return 0;
}

struct mount_arguments {
	struct user_path source, type, options;
};

static int mount_arguments_get(struct mount_arguments *m, uaddr_t source, uaddr_t type, uaddr_t options)
{
	const uaddr_t from[] = {source, type, options};
	struct user_path *const to[] = {&m->source, &m->type, &m->options};
	int err = 0;

	for (unsigned i = 0; i < ARRAY_LEN(from); i++) {
		to[i]->text = to[i]->inline_text;
		to[i]->inline_text[0] = '\0';
	}
	for (unsigned i = 0; i < ARRAY_LEN(from) && !err; i++)
		if (from[i].v) {
			err = user_path_get(to[i], from[i]);
			if (err)
				to[i]->text = to[i]->inline_text;
		}
	return err;
}

static void mount_arguments_put(struct mount_arguments *m)
{
	user_path_put(&m->source);
	user_path_put(&m->type);
	user_path_put(&m->options);
}

int64_t sys_mount(uaddr_t source, uaddr_t target, uaddr_t type, uint64_t flags, uaddr_t options)
{
	struct mount_arguments m;
	struct path p;
	int err;

	if (!cred_is_root(current()->cred))
		return -EPERM;
	if (flags & (MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))
		return -EINVAL;
	err = at_lookup(AT_FDCWD, target, WALK_FOLLOW, &p);
	if (err)
		return err;
	if (flags & MS_REMOUNT) {
		err = remount(&p, flags);
		goto put_path;
	}
	err = mount_arguments_get(&m, source, type, options);
	if (!err)
		err = vfs_mount(*m.source.text ? m.source.text : "none", &p, m.type.text,
				(uint32_t)flags & KEPT_MOUNT_FLAGS, m.options.text);
	mount_arguments_put(&m);
put_path:
	path_put(&p);
	return err;
}

/* umount2(2)'s flags (sys/mount.h; the uapi headers lack them). Lazy detaching is not done: -EBUSY while in use. */
#define UMOUNT_FORCE    1
#define UMOUNT_DETACH   2
#define UMOUNT_NOFOLLOW 8

int64_t sys_umount2(uaddr_t target, int flags)
{
	struct path p;
	int err;

	if (flags & ~(UMOUNT_FORCE | UMOUNT_DETACH | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if (!cred_is_root(current()->cred))
		return -EPERM;
	err = at_lookup(AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &p);
	return err ? err : vfs_umount(&p);
}
