/*
 * kernel/fs/vfs.c - opening, mounting, and the start of it all: see vfs.h.
 */
#include "kernel/fs/vfs.h"

#include <linux/fcntl.h>
#include <linux/fs.h>

#include "kernel/base/clock.h"
#include "kernel/base/print.h"
#include "kernel/base/string.h"
#include "kernel/dev/devices.h"
#include "kernel/fs/chrdev.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/tmpfs.h"
#include "mm/heap.h"
#include "proc/cred.h"
#include "proc/thread.h"

static const struct cred *caller(void) { return current()->cred ? current()->cred : &cred_root; }

/* ---- open ---- */

static uint32_t wanted_rights(uint32_t flags)
{
	static const uint32_t by_access[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE};

	return by_access[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

/* What the type of the file and the flags forbid, then what the permissions do. */
static int check_open(const struct path *p, uint32_t flags, bool created)
{
	struct inode *inode = p->dentry->inode;
	uint32_t rights = wanted_rights(flags);
	int err;

	if (S_ISLNK(inode->mode))
		return -ELOOP;
	if (inode_is_dir(inode) && ((rights & MAY_WRITE) || (flags & O_CREAT)))
		return -EISDIR;
	if (!inode_is_dir(inode) && (flags & O_DIRECTORY))
		return -ENOTDIR;
	if (S_ISSOCK(inode->mode) || S_ISBLK(inode->mode))
		return -ENXIO;
	if ((rights & MAY_WRITE) && S_ISREG(inode->mode)) {
		err = path_writable(p);
		if (err)
			return err;
	}
	return created ? 0 : inode_permission(inode, caller(), rights);
}

/* Type by type: gives the description its operations. May sleep (FIFOs). */
static int open_by_type(struct file *f)
{
	struct inode *inode = f->inode;

	if (S_ISCHR(inode->mode))
		return chrdev_open(f);
	if (S_ISFIFO(inode->mode))
		return fifo_open(f);
	return inode->ops->open ? inode->ops->open(inode, f) : -ENXIO;
}

static int truncate_opened(struct inode *inode)
{
	int err;

	if (!S_ISREG(inode->mode) || !inode->ops->truncate)
		return 0;
	mutex_lock(&inode->mutex);
	err = inode->ops->truncate(inode, 0);
	inode->mtime = inode->ctime = clock_realtime_ns();
	mutex_unlock(&inode->mutex);
	return err;
}

static int finish_open(struct file *f, uint32_t flags, bool created)
{
	bool write = wanted_rights(flags) & MAY_WRITE;
	int err;

	if (write && S_ISREG(f->inode->mode)) {
		err = inode_get_write(f->inode);
		if (err)
			return err;
		f->writer = true;
	}
	err = open_by_type(f);
	if (!err && (flags & O_TRUNC) && !created)
		err = truncate_opened(f->inode);
	return err;
}

/* Opens a place already found. Takes over the path's references on success. */
static int open_path(const struct path *p, uint32_t flags, bool created, struct file **ret_file)
{
	static const struct file_ops no_ops;
	struct file *f;
	int err;

	if (flags & O_PATH) {
		if ((flags & O_DIRECTORY) && !inode_is_dir(p->dentry->inode))
			return -ENOTDIR;
		return file_create(p, flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW), &no_ops, ret_file);
	}
	err = check_open(p, flags, created);
	if (err)
		return err;
	err = file_create(p, flags, &no_ops, &f);
	if (err)
		return err;
	err = finish_open(f, flags, created);
	if (err) {
		f->ops = &no_ops; /* nothing was opened, so nothing is to be released */
		path_get(p);      /* for the caller: file_put() drops the file's own */
		file_put(f);
		return err;
	}
	*ret_file = f;
	return 0;
}

static uint32_t masked(uint32_t mode)
{
	uint32_t umask = current()->fs ? __atomic_load_n(&current()->fs->umask, __ATOMIC_RELAXED) : 0;

	return mode & 07777 & ~umask;
}

/* The last component of a walk that is at its parent, made if it is missing. */
static int walk_or_create(struct walk *w, uint32_t flags, uint32_t mode, bool *ret_created)
{
	struct dentry *d;
	int err = walk_last(w);

	*ret_created = false;
	if (!err)
		return flags & O_EXCL ? -EEXIST : 0;
	if (err != -ENOENT || !walk_only_last_missing(w))
		return err;
	if (w->slash)
		return -EISDIR;
	err = vfs_create_at(w, S_IFREG | masked(mode), 0, NULL, &d);
	if (err)
		return err;
	/* The walk's reference on the directory goes, the one on the new name takes its place. */
	w->at.dentry = d;
	dentry_put(d->parent);
	*ret_created = true;
	return 0;
}

static int find_or_create(const struct path *start, const char *text, uint32_t flags, uint32_t mode,
			  struct path *ret_path, bool *ret_created)
{
	bool follow = !(flags & (O_NOFOLLOW | O_EXCL));
	struct walk w;
	int err;

	tree_lock();
	err = walk_begin(&w, start, text, follow ? WALK_FOLLOW : 0);
	if (err)
		goto unlock;
	err = walk_parent(&w);
	if (!err)
		err = walk_or_create(&w, flags, mode, ret_created);
	if (!err)
		*ret_path = path_get(&w.at);
	walk_end(&w);
unlock:
	tree_unlock();
	return err;
}

/* O_TMPFILE: an inode in the directory's file system, with a dentry that never was in it. */
static int make_unnamed(const struct path *dir, uint32_t mode, struct path *ret_path)
{
	struct inode *parent = dir->dentry->inode, *inode;
	struct dentry *d;
	int err = inode_permission(parent, caller(), MAY_WRITE | MAY_EXEC);

	if (!err && !parent->ops->create)
		err = -EOPNOTSUPP;
	if (!err)
		err = parent->ops->create(parent, S_IFREG | masked(mode), 0, NULL, &inode);
	if (err)
		return err;
	inode->uid = caller()->fsuid;
	inode->gid = caller()->fsgid;
	inode->nlink = 0;
	inode->unnamed = true;
	err = dentry_create(dir->dentry, "#tmpfile", 8, inode, &d);
	inode_put(inode);
	if (err)
		return err;
	d->gone = true;
	ref_get(&dir->mount->ref);
	*ret_path = (struct path){dir->mount, d};
	return 0;
}

static int find_unnamed(const struct path *start, const char *text, uint32_t flags, uint32_t mode,
			struct path *ret_path)
{
	struct path dir;
	int err;

	if (!(wanted_rights(flags) & MAY_WRITE))
		return -EINVAL;
	err = walk_path(start, text, WALK_FOLLOW | WALK_DIRECTORY, &dir);
	if (err)
		return err;
	tree_lock();
	err = path_writable(&dir);
	if (!err)
		err = make_unnamed(&dir, mode, ret_path);
	tree_unlock();
	path_put(&dir);
	return err;
}

static int find_for_open(const struct path *start, const char *text, uint32_t flags, uint32_t mode,
			 struct path *ret_path, bool *ret_created)
{
	unsigned walk_flags = flags & O_NOFOLLOW ? 0 : WALK_FOLLOW;

	*ret_created = false;
	if (flags & O_PATH)
		return walk_path(start, text, walk_flags | (flags & O_DIRECTORY ? WALK_DIRECTORY : 0), ret_path);
	if ((flags & __O_TMPFILE) && (flags & O_DIRECTORY)) {
		*ret_created = true;
		return find_unnamed(start, text, flags, mode, ret_path);
	}
	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return -EINVAL;
	if (flags & O_CREAT)
		return find_or_create(start, text, flags, mode, ret_path, ret_created);
	return walk_path(start, text, walk_flags | (flags & O_DIRECTORY ? WALK_DIRECTORY : 0), ret_path);
}

int vfs_open_at(const struct path *start, const char *path, uint32_t flags, uint32_t mode, struct file **ret_file)
{
	struct path p;
	bool created;
	int err = find_for_open(start, path, flags, mode, &p, &created);

	if (err)
		return err;
	if (created)
		flags &= ~(uint32_t)(O_DIRECTORY | O_CREAT | __O_TMPFILE);
	err = open_path(&p, flags, created, ret_file);
	if (err)
		path_put(&p);
	return err;
}

int vfs_open(const char *path, int flags, int mode, struct file **ret_file)
{
	return vfs_open_at(NULL, path, (uint32_t)flags, (uint32_t)mode, ret_file);
}

/* execve(2): EACCES for what is not a regular file, or not executable. */
static int open_program(const struct path *p, struct file **ret_file)
{
	struct inode *inode = p->dentry->inode;
	int err;

	if (S_ISLNK(inode->mode))
		return -ELOOP;
	if (!S_ISREG(inode->mode))
		return -EACCES;
	err = inode_permission(inode, caller(), MAY_EXEC);
	if (!err)
		err = inode_deny_write(inode);
	if (err)
		return err;
	err = open_path(p, O_RDONLY, true, ret_file);
	if (err)
		inode_allow_write(inode);
	else
		(*ret_file)->runs = true;
	return err;
}

int vfs_open_exec_at(const struct path *start, const char *path, unsigned walk_flags, struct file **ret_file)
{
	struct path p;
	int err = walk_path(start, path, walk_flags, &p);

	if (err)
		return err;
	err = open_program(&p, ret_file);
	if (err)
		path_put(&p);
	return err;
}

int vfs_open_exec(const char *path, struct file **ret_file)
{
	return vfs_open_exec_at(NULL, path, WALK_FOLLOW, ret_file);
}

/* ---- mount ---- */

static const struct filesystem_type *find_type(const char *name)
{
	for (const struct filesystem_type *t = filesystem_types(); t; t = t->next)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

int vfs_mount(const char *source, const struct path *at, const char *type, uint32_t flags, const char *options)
{
	const struct filesystem_type *t = find_type(type);
	struct filesystem *fs;
	int err;

	if (!t)
		return -ENODEV;
	if (!t->create)
		return -EBUSY;
	if (!inode_is_dir(at->dentry->inode))
		return -ENOTDIR;
	err = t->create(options, &fs);
	if (err)
		return err;
	tree_lock();
	err = mount_add(fs, at, flags, source);
	tree_unlock();
	return err;
}

int vfs_umount(const struct path *p)
{
	struct mount *m = p->mount;
	int err;

	if (!m || p->dentry != m->fs->root)
		return -EINVAL;
	path_put(p); /* the caller's own reference must not count as a user */
	tree_lock();
	err = mount_remove(m);
	tree_unlock();
	return err;
}

/* ---- start ---- */

static int make_dirs(void)
{
	static const struct {
		const char *path;
		uint32_t mode;
	} dirs[] = {{"/dev", 0755}, {"/proc", 0555}, {"/sys", 0555}, {"/tmp", 01777}};
	int err = 0;

	for (unsigned i = 0; i < ARRAY_LEN(dirs) && !err; i++)
		err = vfs_mkdir(NULL, dirs[i].path, dirs[i].mode);
	return err;
}

static int make_device_nodes(void)
{
	char path[48];
	int err = 0;

	for (const struct chrdev *dev = chrdev_first(); dev && !err; dev = dev->next) {
		ksnprintf(path, sizeof(path), "/dev/%s", dev->name);
		err = vfs_mknod(NULL, path, S_IFCHR | dev->mode, dev_encode(dev->major, dev->minor));
	}
	return err;
}

static int make_device_links(void)
{
	static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
					       {"/proc/self/fd/0", "/dev/stdin"},
					       {"/proc/self/fd/1", "/dev/stdout"},
					       {"/proc/self/fd/2", "/dev/stderr"}};
	int err = 0;

	for (unsigned i = 0; i < ARRAY_LEN(links) && !err; i++)
		err = vfs_symlink(links[i][0], NULL, links[i][1]);
	return err;
}

static int mount_new(const struct filesystem_type *type, uint32_t mode, const char *where)
{
	struct filesystem *fs;
	struct path at;
	int err = tmpfs_create(type, mode, &fs);

	if (err)
		return err;
	if (!where) {
		tree_lock();
		err = mount_add(fs, NULL, 0, type->name);
		tree_unlock();
		return err;
	}
	err = walk_path(NULL, where, WALK_FOLLOW | WALK_DIRECTORY, &at);
	if (err)
		return err;
	tree_lock();
	err = mount_add(fs, &at, 0, type->name);
	tree_unlock();
	path_put(&at);
	return err;
}

int vfs_init(void)
{
	int err;

	filesystem_register(&ramfs_type);
	filesystem_register(&devtmpfs_type);
	filesystem_register(&tmpfs_type);
	devices_init();
	err = mount_new(&tmpfs_type, 0755, NULL);
	if (!err)
		err = make_dirs();
	if (!err)
		err = mount_new(&devtmpfs_type, 0755, "/dev");
	if (!err)
		err = make_device_nodes();
	if (!err)
		err = make_device_links();
	return err;
}
