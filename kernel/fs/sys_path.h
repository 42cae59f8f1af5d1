/*
 * kernel/fs/sys_path.h - what the system calls that take paths share: names from user memory, and where they begin.
 *
 * Role         at_get() copies a path and finds its directory descriptor; at_lookup() goes on to the place it names.
 * Failure      -EFAULT, -ENAMETOOLONG, -ENOENT (empty), -EBADF, -ENOMEM.
 */
#ifndef TINE_FS_SYS_PATH_H
#define TINE_FS_SYS_PATH_H

#include "kernel/fs/vfs.h"

#define SHORT_PATH 128

struct user_path {
	char *text;
	char inline_text[SHORT_PATH];
};

MUST_CHECK int user_path_get(struct user_path *p, uaddr_t user);
void user_path_put(struct user_path *p);

/* A path argument: text, and where it begins if it is relative. */
struct at {
	struct file *dir;         /* the descriptor's, held; or NULL */
	const struct path *start; /* NULL: the working directory */
	struct user_path path;
};

MUST_CHECK int at_get(struct at *a, int dirfd, uaddr_t user_path);
void at_put(struct at *a);
/* walk_flags: WALK_*. */
MUST_CHECK int at_lookup(int dirfd, uaddr_t user_path, unsigned walk_flags, struct path *ret_path);

#endif
