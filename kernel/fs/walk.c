/*
 * kernel/fs/walk.c - see walk.h.
 */
#include "kernel/fs/walk.h"

#include "kernel/base/string.h"
#include "kernel/fs/context.h"
#include "mm/heap.h"
#include "proc/cred.h"
#include "proc/thread.h"

static void move_to(struct walk *w, struct path to)
{
	path_put(&w->at);
	w->at = to;
}

int walk_begin(struct walk *w, const struct path *start, const char *text, unsigned flags)
{
	if (!*text && !(flags & WALK_EMPTY))
		return -ENOENT;
	if (strnlen(text, PATH_MAX_LEN) >= PATH_MAX_LEN)
		return -ENAMETOOLONG;
	w->cred = current()->cred ? current()->cred : &cred_root;
	w->rest = text;
	w->expanded = NULL;
	w->flags = flags;
	w->links = 0;
	w->kind = LAST_NONE;
	w->slash = w->missing = false;
	if (*text == '/')
		start = current_root();
	else if (!start)
		start = current_cwd();
	w->at = path_get(start);
	return 0;
}

void walk_end(struct walk *w)
{
	path_put(&w->at);
	kfree(w->expanded);
}

static int may_search(const struct walk *w)
{
	struct inode *dir = w->at.dentry->inode;

	if (!inode_is_dir(dir))
		return -ENOTDIR;
	return inode_permission(dir, w->cred, MAY_EXEC);
}

static enum last_kind kind_of(const char *name, size_t len)
{
	if (len == 1 && name[0] == '.')
		return LAST_DOT;
	if (len == 2 && name[0] == '.' && name[1] == '.')
		return LAST_DOTDOT;
	return LAST_NAME;
}

/* Cuts the next component off `rest`; kind NONE when nothing is left. */
static int next_component(struct walk *w)
{
	const char *p = w->rest, *end;

	while (*p == '/')
		p++;
	w->kind = LAST_NONE;
	w->missing = false;
	w->rest = p;
	if (!*p)
		return 0;
	for (end = p; *end && *end != '/'; end++)
		;
	w->name = p;
	w->len = (size_t)(end - p);
	w->slash = *end == '/';
	while (*end == '/')
		end++;
	w->rest = end;
	w->kind = kind_of(p, w->len);
	return may_search(w);
}

/* Down to the root of what is mounted here, if anything is. Consumes the reference, returns one. */
static struct path cross_mounts(struct path p)
{
	struct mount *m;

	while (p.dentry->mounts && (m = mount_on(&p))) {
		struct path top = {m, m->fs->root};
		struct path under = p;

		p = path_get(&top);
		path_put(&under);
	}
	return p;
}

static void step_up(struct walk *w)
{
	struct path p = w->at;

	if (path_same(&p, current_root()))
		return;
	while (p.mount && p.dentry == p.mount->fs->root && p.mount->at.dentry)
		p = p.mount->at;
	p.dentry = p.dentry->parent;
	p = path_get(&p);
	move_to(w, cross_mounts(p));
}

/* A name that the file system makes up: a dentry that lives while it is held. */
static int lookup_dynamic(const struct walk *w, struct dentry *dir, struct dentry **ret_dentry)
{
	struct inode *inode;
	int err = dir->inode->ops->lookup(dir->inode, w->name, w->len, &inode);

	if (err)
		return err;
	err = dentry_create(dir, w->name, w->len, inode, ret_dentry);
	inode_put(inode);
	return err;
}

int walk_child(struct walk *w, struct path *ret_child)
{
	struct dentry *dir = w->at.dentry, *child;
	struct path p;
	int err;

	if (w->len > NAME_MAX_LEN)
		return -ENAMETOOLONG;
	if (dir->gone)
		return -ENOENT;
	child = dentry_find(dir, w->name, w->len);
	if (child) {
		dentry_get(child);
	} else {
		w->missing = !dir->inode->ops->lookup;
		if (w->missing)
			return -ENOENT;
		err = lookup_dynamic(w, dir, &child);
		if (err)
			return err;
	}
	p.mount = w->at.mount;
	p.dentry = child;
	if (p.mount)
		ref_get(&p.mount->ref);
	*ret_child = cross_mounts(p);
	return 0;
}

/* The link's text, then what was left of the path, as the new rest. */
static int expand_link(struct walk *w, struct inode *link)
{
	size_t rest = strlen(w->rest), known = inode_size(link), room = known ? known : PATH_MAX_LEN;
	char *text = kmalloc(room + 1 + rest + 1);
	int64_t len;

	if (!text)
		return -ENOMEM;
	len = link->ops->readlink ? link->ops->readlink(link, text, room) : -EINVAL;
	if (len <= 0) {
		kfree(text);
		return len < 0 ? (int)len : -ENOENT;
	}
	if (w->slash)
		text[len++] = '/';
	memcpy(text + len, w->rest, rest + 1);
	kfree(w->expanded);
	w->expanded = text;
	w->rest = text;
	if (*text == '/')
		move_to(w, path_get(current_root()));
	return 0;
}

/* Follows a symbolic link that was found in `at`. *ret_jumped: `at` is now what it leads to. */
static int follow_link(struct walk *w, struct inode *link, bool *ret_jumped)
{
	struct path to;
	int err;

	*ret_jumped = false;
	if (++w->links > WALK_MAX_LINKS)
		return -ELOOP;
	if (!link->ops->follow)
		return expand_link(w, link);
	err = link->ops->follow(link, &to);
	if (err)
		return err;
	move_to(w, to);
	*ret_jumped = true;
	return 0;
}

/*
 * Takes the step to the present component. *ret_pending: it was a link whose text is now in front of the rest, and the
 * walk has not moved.
 */
static int step(struct walk *w, bool follow, bool *ret_pending)
{
	struct path child;
	bool jumped;
	int err;

	*ret_pending = false;
	if (w->kind == LAST_DOT)
		return 0;
	if (w->kind == LAST_DOTDOT) {
		step_up(w);
		return 0;
	}
	err = walk_child(w, &child);
	if (err)
		return err;
	if (!S_ISLNK(child.dentry->inode->mode) || !follow) {
		move_to(w, child);
		return 0;
	}
	err = follow_link(w, child.dentry->inode, &jumped);
	path_put(&child);
	*ret_pending = !err && !jumped;
	return err;
}

int walk_parent(struct walk *w)
{
	for (;;) {
		bool pending;
		int err = next_component(w);

		if (err || w->kind == LAST_NONE || !*w->rest)
			return err;
		err = step(w, true, &pending);
		if (err)
			return err;
	}
}

int walk_last(struct walk *w)
{
	bool pending, directory = w->flags & WALK_DIRECTORY;
	int err;

	while (w->kind != LAST_NONE) {
		directory |= w->slash;
		err = step(w, w->slash || (w->flags & WALK_FOLLOW), &pending);
		if (err)
			return err;
		if (!pending)
			break;
		err = walk_parent(w);
		if (err)
			return err;
	}
	return directory && !inode_is_dir(w->at.dentry->inode) ? -ENOTDIR : 0;
}

int walk_path(const struct path *start, const char *text, unsigned flags, struct path *ret_path)
{
	struct walk w;
	int err;

	tree_lock();
	err = walk_begin(&w, start, text, flags);
	if (err)
		goto unlock;
	err = walk_parent(&w);
	if (!err)
		err = walk_last(&w);
	if (!err)
		*ret_path = path_get(&w.at);
	walk_end(&w);
unlock:
	tree_unlock();
	return err;
}
