/*
 * kernel/fs/sys_path.c - see sys_path.h.
 */
#include "kernel/fs/sys_path.h"

#include <linux/fcntl.h>

#include "mm/heap.h"
#include "mm/user.h"
#include "proc/thread.h"

int user_path_get(struct user_path *p, uaddr_t user)
{
	int64_t n = user_string(p->inline_text, user, sizeof(p->inline_text));

	p->text = p->inline_text;
	if (n != -ENAMETOOLONG)
		return n < 0 ? (int)n : 0;
	p->text = kmalloc(PATH_MAX_LEN);
	if (!p->text)
		return -ENOMEM;
	n = user_string(p->text, user, PATH_MAX_LEN);
	if (n < 0) {
		kfree(p->text);
		return (int)n;
	}
	return 0;
}

void user_path_put(struct user_path *p)
{
	if (p->text != p->inline_text)
		kfree(p->text);
}

static int start_get(struct at *a, int dirfd)
{
	int err;

	a->dir = NULL;
	a->start = NULL;
	if (dirfd == AT_FDCWD || a->path.text[0] == '/')
		return 0;
	err = files_lookup_any(current()->files, dirfd, &a->dir);
	if (!err)
		a->start = &a->dir->path;
	return err;
}

int at_get(struct at *a, int dirfd, uaddr_t user_path)
{
	int err = user_path_get(&a->path, user_path);

	if (err)
		return err;
	err = start_get(a, dirfd);
	if (err)
		user_path_put(&a->path);
	return err;
}

void at_put(struct at *a)
{
	if (a->dir)
		file_put(a->dir);
	user_path_put(&a->path);
}

/* A descriptor's own place. */
static int fd_path(int fd, struct path *ret_path)
{
	struct file *f;
	int err = files_lookup_any(current()->files, fd, &f);

	if (err)
		return err;
	*ret_path = path_get(&f->path);
	file_put(f);
	return 0;
}

int at_lookup(int dirfd, uaddr_t user_path, unsigned walk_flags, struct path *ret_path)
{
	struct at a;
	int err;

	if (!user_path.v && (walk_flags & WALK_NULL) && dirfd != AT_FDCWD)
		return fd_path(dirfd, ret_path);
	err = at_get(&a, dirfd, user_path);
	if (err)
		return err;
	err = walk_path(a.start, a.path.text, walk_flags, ret_path);
	at_put(&a);
	return err;
}
