/*
 * kernel/fs/context.h - what a process sees of the tree: root, working directory, umask.
 *
 * Role         fork copies it, CLONE_FS shares it.
 * Locks        [t] the tree mutex; umask [a].
 * Failure      -ENOMEM.
 */
#ifndef TINE_FS_CONTEXT_H
#define TINE_FS_CONTEXT_H

#include "kernel/fs/tree.h"

struct fs_context {
	struct ref ref;
	struct path root, cwd; /* [t] */
	uint32_t umask;        /* [a] */
};

/* Root and working directory at the tree's root, umask 022. */
MUST_CHECK int fs_context_create(struct fs_context **ret_fs);
MUST_CHECK int fs_context_clone(struct fs_context *fs, struct fs_context **ret_fs);
struct fs_context *fs_context_get(struct fs_context *fs);
void fs_context_put(struct fs_context *fs); /* NULL is fine */

/* Replaces one of the two paths; takes a reference of its own. */
void fs_context_set_cwd(struct fs_context *fs, const struct path *p);
void fs_context_set_root(struct fs_context *fs, const struct path *p);

/* The caller's root: of the tree if it is a kernel thread. Tree locked; no new reference. */
const struct path *current_root(void);
const struct path *current_cwd(void);

/* The text of a path from the caller's root, " (deleted)" at its end if it was removed: its length or -errno. */
MUST_CHECK int path_describe(const struct path *p, char *buf, size_t size);

#endif
