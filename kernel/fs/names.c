/*
 * kernel/fs/names.c - making, removing and changing names: see vfs.h.
 */
#include <linux/fs.h>

#include "kernel/base/clock.h"
#include "kernel/base/string.h"
#include "kernel/fs/vfs.h"
#include "mm/heap.h"
#include "proc/cred.h"
#include "proc/thread.h"

static const struct cred *caller(void) { return current()->cred ? current()->cred : &cred_root; }

int path_writable(const struct path *p) { return p->mount && (p->mount->flags & MS_RDONLY) ? -EROFS : 0; }

static void touch_dir(struct dentry *dir) { dir->inode->mtime = dir->inode->ctime = clock_realtime_ns(); }

/* May the caller add names to this directory? */
static int may_create(const struct path *dir)
{
	int err = path_writable(dir);

	if (err)
		return err;
	if (dir->dentry->gone || !dir->dentry->inode->ops->create)
		return -ENOENT;
	return inode_permission(dir->dentry->inode, caller(), MAY_WRITE | MAY_EXEC);
}

/* May the caller take this name away? In a sticky directory only its owner, or the directory's, may. */
static int may_remove(const struct path *dir, const struct dentry *child)
{
	const struct inode *d = dir->dentry->inode, *c = child->inode;
	uint32_t uid = caller()->fsuid;
	int err = path_writable(dir);

	if (err)
		return err;
	err = inode_permission(dir->dentry->inode, caller(), MAY_WRITE | MAY_EXEC);
	if (err)
		return err;
	if (!child->linked)
		return child->parent == child ? -EBUSY : -EPERM;
	if ((d->mode & S_ISVTX) && uid != 0 && uid != c->uid && uid != d->uid)
		return -EPERM;
	return child->mounts ? -EBUSY : 0;
}

/* The inode's owner, and the group and set-group-ID bit that a directory with that bit hands down (inode(7)). */
static void inherit_owner(struct inode *inode, const struct inode *dir)
{
	inode->uid = caller()->fsuid;
	inode->gid = caller()->fsgid;
	if (!(dir->mode & S_ISGID))
		return;
	inode->gid = dir->gid;
	if (inode_is_dir(inode))
		inode->mode |= S_ISGID;
}

int vfs_create_at(struct walk *w, uint32_t mode, uint32_t rdev, const char *target, struct dentry **ret_dentry)
{
	struct dentry *dir = w->at.dentry;
	struct inode *inode;
	int err = may_create(&w->at);

	if (err)
		return err;
	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !cred_is_root(caller()))
		return -EPERM;
	err = dir->inode->ops->create(dir->inode, mode, rdev, target, &inode);
	if (err)
		return err;
	inherit_owner(inode, dir->inode);
	err = dentry_create(dir, w->name, w->len, inode, ret_dentry);
	inode_put(inode);
	if (err)
		return err;

	dentry_link(*ret_dentry);
	if (S_ISDIR(mode)) {
		inode->nlink = 2;
		dir->inode->nlink++;
	}
	touch_dir(dir);
	return 0;
}

/* To the parent of a name that must not exist yet. */
static int walk_to_new(struct walk *w)
{
	struct path child;
	int err = walk_parent(w);

	if (err)
		return err;
	if (w->kind != LAST_NAME)
		return -EEXIST;
	err = walk_child(w, &child);
	if (!err) {
		path_put(&child);
		return -EEXIST;
	}
	return w->missing ? 0 : err;
}

/* Makes a name of any type. */
static int make(const struct path *start, const char *text, uint32_t mode, uint32_t rdev, const char *target)
{
	struct dentry *d;
	struct walk w;
	int err;

	tree_lock();
	err = walk_begin(&w, start, text, 0);
	if (err)
		goto unlock;
	err = walk_to_new(&w);
	if (!err && w.slash && !S_ISDIR(mode))
		err = -ENOENT;
	if (!err)
		err = vfs_create_at(&w, mode, rdev, target, &d);
	if (!err)
		dentry_put(d);
	walk_end(&w);
unlock:
	tree_unlock();
	return err;
}

static uint32_t masked(uint32_t mode)
{
	uint32_t umask = current()->fs ? __atomic_load_n(&current()->fs->umask, __ATOMIC_RELAXED) : 0;

	return mode & 07777 & ~umask;
}

int vfs_mknod(const struct path *start, const char *path, uint32_t mode, uint32_t rdev)
{
	uint32_t type = mode & S_IFMT;

	if (type == 0)
		type = S_IFREG;
	if (type == S_IFDIR)
		return -EPERM;
	if (type != S_IFREG && type != S_IFIFO && type != S_IFCHR && type != S_IFBLK && type != S_IFSOCK)
		return -EINVAL;
	return make(start, path, type | masked(mode), rdev, NULL);
}

int vfs_mkdir(const struct path *start, const char *path, uint32_t mode)
{
	return make(start, path, S_IFDIR | masked(mode & 01777), 0, NULL);
}

int vfs_symlink(const char *target, const struct path *start, const char *path)
{
	if (!*target)
		return -ENOENT;
	return make(start, path, S_IFLNK | 0777, 0, target);
}

static int link_at(struct walk *w, const struct path *old)
{
	struct inode *inode = old->dentry->inode;
	struct dentry *d;
	int err = walk_to_new(w);

	if (err)
		return err;
	if (w->slash)
		return -ENOENT;
	if (w->at.mount != old->mount)
		return -EXDEV;
	err = may_create(&w->at);
	if (err)
		return err;
	if (inode_is_dir(inode))
		return -EPERM;
	if (!inode->nlink && !inode->unnamed)
		return -ENOENT;
	err = dentry_create(w->at.dentry, w->name, w->len, inode, &d);
	if (err)
		return err;

	dentry_link(d);
	dentry_put(d);
	inode->nlink++;
	inode->ctime = clock_realtime_ns();
	touch_dir(w->at.dentry);
	return 0;
}

int vfs_link(const struct path *old, const struct path *start, const char *path)
{
	struct walk w;
	int err;

	tree_lock();
	err = walk_begin(&w, start, path, 0);
	if (err)
		goto unlock;
	err = link_at(&w, old);
	walk_end(&w);
unlock:
	tree_unlock();
	return err;
}

/* Takes a name off the tree; nothing can fail. */
static void drop_name(struct dentry *child)
{
	struct dentry *dir = child->parent;
	struct inode *inode = child->inode;

	if (inode_is_dir(inode)) {
		inode->nlink = 0;
		dir->inode->nlink--;
	} else {
		inode->nlink--;
	}
	inode->ctime = clock_realtime_ns();
	touch_dir(dir);
	dentry_unlink(child);
}

static int check_unlink(const struct walk *w, const struct path *child)
{
	bool is_dir = inode_is_dir(child->dentry->inode);
	int err;

	if (w->slash)
		return is_dir ? -EISDIR : -ENOTDIR;
	err = may_remove(&w->at, child->dentry);
	if (err)
		return err;
	return is_dir ? -EISDIR : 0;
}

static int check_rmdir(const struct walk *w, const struct path *child)
{
	int err;

	if (!inode_is_dir(child->dentry->inode))
		return -ENOTDIR;
	if (child->dentry->parent == child->dentry)
		return -EBUSY;
	err = may_remove(&w->at, child->dentry);
	if (err)
		return err;
	return list_empty(&child->dentry->children) ? 0 : -ENOTEMPTY;
}

static int remove_last(struct walk *w, int (*check)(const struct walk *, const struct path *))
{
	struct path child;
	int err = walk_child(w, &child);

	if (err)
		return err;
	err = check(w, &child);
	if (!err)
		drop_name(child.dentry);
	path_put(&child);
	return err;
}

int vfs_unlink(const struct path *start, const char *path)
{
	struct walk w;
	int err;

	tree_lock();
	err = walk_begin(&w, start, path, 0);
	if (err)
		goto unlock;
	err = walk_parent(&w);
	if (!err)
		err = w.kind == LAST_NAME ? remove_last(&w, check_unlink) : -EISDIR;
	walk_end(&w);
unlock:
	tree_unlock();
	return err;
}

int vfs_rmdir(const struct path *start, const char *path)
{
	static const int by_kind[] = {
	    [LAST_NONE] = -EBUSY, [LAST_NAME] = 0, [LAST_DOT] = -EINVAL, [LAST_DOTDOT] = -ENOTEMPTY};
	struct walk w;
	int err;

	tree_lock();
	err = walk_begin(&w, start, path, 0);
	if (err)
		goto unlock;
	err = walk_parent(&w);
	if (!err)
		err = by_kind[w.kind];
	if (!err)
		err = remove_last(&w, check_rmdir);
	walk_end(&w);
unlock:
	tree_unlock();
	return err;
}

/* ---- rename ---- */

struct rename {
	struct walk *from, *to;
	struct path old, new; /* the children; new.dentry NULL: no such name */
	uint32_t flags;
};

static bool is_dir(const struct path *p) { return inode_is_dir(p->dentry->inode); }

/* What an existing target allows. */
static int check_target(const struct rename *r)
{
	int err;

	if (r->flags & RENAME_NOREPLACE)
		return -EEXIST;
	err = may_remove(&r->to->at, r->new.dentry);
	if (err)
		return err;
	if (r->flags & RENAME_EXCHANGE)
		return 0;
	if (is_dir(&r->old) && !is_dir(&r->new))
		return -ENOTDIR;
	if (!is_dir(&r->old) && is_dir(&r->new))
		return -EISDIR;
	return is_dir(&r->new) && !list_empty(&r->new.dentry->children) ? -ENOTEMPTY : 0;
}

/* Moving a directory below itself, or over one that it lies in, would cut a ring off the tree. */
static int check_ancestry(const struct rename *r)
{
	if (dentry_is_below(r->to->at.dentry, r->old.dentry))
		return -EINVAL;
	if (r->new.dentry && dentry_is_below(r->from->at.dentry, r->new.dentry))
		return r->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int check_rename(const struct rename *r)
{
	int err = check_ancestry(r);

	if (err)
		return err;
	if (!is_dir(&r->old) && (r->from->slash || (r->to->slash && !r->new.dentry)))
		return -ENOTDIR;
	err = may_remove(&r->from->at, r->old.dentry);
	if (err)
		return err;
	if (r->new.dentry)
		return check_target(r);
	return r->flags & RENAME_EXCHANGE ? -ENOENT : may_create(&r->to->at);
}

/* Moves a name and the link that a directory's ".." is. */
static void move_name(struct dentry *d, struct dentry *dir, struct name *name)
{
	if (inode_is_dir(d->inode)) {
		d->parent->inode->nlink--;
		dir->inode->nlink++;
	}
	touch_dir(d->parent);
	touch_dir(dir);
	d->inode->ctime = clock_realtime_ns();
	dentry_move(d, dir, name);
}

static int rename_commit(const struct rename *r)
{
	struct name *to_name, *back_name = NULL;
	int err = name_create(r->to->name, r->to->len, &to_name);

	if (err)
		return err;
	if (r->flags & RENAME_EXCHANGE)
		err = name_create(r->from->name, r->from->len, &back_name);
	if (err) {
		kfree(to_name);
		return err;
	}

	/* Nothing below can fail. */
	if (back_name)
		move_name(r->new.dentry, r->from->at.dentry, back_name);
	else if (r->new.dentry)
		drop_name(r->new.dentry);
	move_name(r->old.dentry, r->to->at.dentry, to_name);
	return 0;
}

/* Both walks are at the parents of their last names. */
static int rename_between(struct walk *from, struct walk *to, uint32_t flags)
{
	struct rename r = {from, to, {NULL, NULL}, {NULL, NULL}, flags};
	bool same;
	int err;

	if (from->kind != LAST_NAME || to->kind != LAST_NAME)
		return flags & RENAME_NOREPLACE && to->kind != LAST_NAME ? -EEXIST : -EBUSY;
	if (from->at.mount != to->at.mount)
		return -EXDEV;
	err = walk_child(from, &r.old);
	if (err)
		return err;
	err = walk_child(to, &r.new);
	if (err && !to->missing)
		goto put_old;
	/* Two names of one file: nothing to do (POSIX.1-2017 rename). */
	same = r.new.dentry &&r.new.dentry->inode == r.old.dentry->inode && !flags;
	err = same ? 0 : check_rename(&r);
	if (!err && !same)
		err = rename_commit(&r);
	if (r.new.dentry)
		path_put(&r.new);
put_old:
	path_put(&r.old);
	return err;
}

int vfs_rename(const struct path *old_start, const char *old, const struct path *new_start, const char *new,
	       uint32_t flags)
{
	struct walk from, to;
	int err;

	if (flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE) || flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	tree_lock();
	err = walk_begin(&from, old_start, old, 0);
	if (err)
		goto unlock;
	err = walk_begin(&to, new_start, new, 0);
	if (err)
		goto end_from;
	err = walk_parent(&from);
	if (!err)
		err = walk_parent(&to);
	if (!err)
		err = rename_between(&from, &to, flags);
	walk_end(&to);
end_from:
	walk_end(&from);
unlock:
	tree_unlock();
	return err;
}
