/*
 * kernel/fs/walk.h - from a path's text to a place in the tree (POSIX.1-2017 XBD 4.13, Linux path_resolution(7)).
 *
 * Role         A walk goes component by component, through symbolic links and across mounts. walk_parent() stops before the
 *              last component, for calls that make or remove a name; walk_last() takes that step too.
 * Use          walk_begin(); walk_parent() and/or walk_last() ...; walk_end() always. The tree is locked throughout.
 * Invariants   1. `at` holds references of the walk's own.
 *              2. Each directory that a name is looked up in is one (-ENOTDIR) that the caller may search (-EACCES).
 *              3. At most WALK_MAX_LINKS symbolic links are followed (-ELOOP).
 *              4. ".." at the caller's root stays there.
 * Failure      -ENOENT, -ENOTDIR, -EACCES, -ELOOP, -ENAMETOOLONG, -ENOMEM.
 */
#ifndef TINE_FS_WALK_H
#define TINE_FS_WALK_H

#include "kernel/fs/tree.h"

#define WALK_MAX_LINKS 40

#define WALK_FOLLOW    1u /* follow a symbolic link that is the last component */
#define WALK_DIRECTORY 2u /* the result must be a directory */
#define WALK_EMPTY     4u /* "" names the start itself (AT_EMPTY_PATH) */
#define WALK_NULL      8u /* for at_lookup(): a NULL address names the descriptor itself (utimensat) */

enum last_kind { LAST_NONE, LAST_NAME, LAST_DOT, LAST_DOTDOT }; /* NONE: the text was / or // */

struct walk {
	struct path at; /* reached so far */
	const struct cred *cred;
	const char *rest; /* text still to do */
	char *expanded;   /* the buffer of `rest` once a symbolic link was put in */
	unsigned flags, links;
	enum last_kind kind; /* the component that comes next, after walk_parent() */
	const char *name;    /* not ended by a NUL */
	size_t len;
	bool slash;   /* a slash follows it */
	bool missing; /* `at` is a directory that has no such name, and may get one */
};

/* start NULL: the caller's working directory. */
MUST_CHECK int walk_begin(struct walk *w, const struct path *start, const char *text, unsigned flags);
void walk_end(struct walk *w);
/* To the directory of the last component. */
MUST_CHECK int walk_parent(struct walk *w);
/*
 * From there through the last component: `at` is the result. A symbolic link is followed if WALK_FOLLOW or a slash asks.
 * When only the last name is missing, the walk stays at its parent, and walk_only_last_missing() holds.
 */
MUST_CHECK int walk_last(struct walk *w);
static inline bool walk_only_last_missing(const struct walk *w) { return w->missing && !*w->rest; }
/* The child of `at` that the last component names, across mounts, with a reference; no link is followed. */
MUST_CHECK int walk_child(struct walk *w, struct path *ret_child);

/* All of it: the place that a text names, with references. Locks the tree. */
MUST_CHECK int walk_path(const struct path *start, const char *text, unsigned flags, struct path *ret_path);

#endif
