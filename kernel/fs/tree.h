/*
 * kernel/fs/tree.h - the directory tree: inodes, names, mounts.
 *
 * Role         An inode is a file of any type. A dentry is one name of an inode in one directory; the names of a file system
 *              that keeps everything in memory (tmpfs) ARE its dentries, so the tree is both the store and the cache. A path
 *              is a dentry seen through a mount.
 * Invariants   1. A linked dentry is on its parent's list of children and in the hash, and the tree holds one reference on it.
 *              2. A dentry holds references on its inode and its parent; a root is its own parent and holds none on it.
 *              3. The names that a dynamic file system (procfs) makes up in lookup() are never linked: they live as long as
 *              somebody holds them.
 *              4. A child's `position` never changes while it stays in its directory, and new ones get higher positions: a
 *              reader of the directory sees each entry that stays exactly once, whatever else comes and goes.
 *              5. A mount is on the list of mounts and referenced by it; each path that names it holds one more reference.
 * Locks        tree_lock(), one mutex for all names, links and mounts. Order of mutexes: a file's offset, the tree, an inode.
 *              Legend: [I] immutable, [t] the tree mutex, [i] inode->mutex, [a] atomic.
 * Failure      -ENOMEM, nothing changed.
 * Not handled  Bind mounts, several mounts of one file system, mount propagation.
 */
#ifndef TINE_FS_TREE_H
#define TINE_FS_TREE_H

#include "kernel/base/list.h"
#include "kernel/base/ref.h"
#include "kernel/fs/mode.h"
#include "proc/wait.h"

#define NAME_MAX_LEN 255
#define PATH_MAX_LEN 4096 /* with the NUL */

struct dentry;
struct file;
struct inode;
struct mount;
struct object;
struct path;
struct pipe;
struct statfs;

struct path {
	struct mount *mount; /* NULL for what has no place in the tree: a pipe */
	struct dentry *dentry;
};

struct inode_ops {
	/* Directories of dynamic file systems: the inode of a name, with a reference, or -ENOENT. */
	int (*lookup)(struct inode *dir, const char *name, size_t len, struct inode **ret_inode);
	/* A new inode for a directory of this file system; target for symbolic links. NULL: the file system is read-only. */
	int (*create)(struct inode *dir, uint32_t mode, uint32_t rdev, const char *target, struct inode **ret_inode);
	/* The link's text, cut at size, without a NUL: its length. */
	int64_t (*readlink)(struct inode *link, char *buf, size_t size);
	/* Links that lead to an object and not to a name (/proc/PID/fd/N): the path, with references. */
	int (*follow)(struct inode *link, struct path *ret_path);
	/* Regular files and directories: gives f its ops and private state. */
	int (*open)(struct inode *inode, struct file *f);
	int (*truncate)(struct inode *inode, uint64_t size);
	uint64_t (*size)(struct inode *inode);   /* bytes; NULL: 0 */
	uint64_t (*blocks)(struct inode *inode); /* units of 512 bytes; NULL: 0 */
	/* Brings owner, mode and the like up to date before they are looked at; may be NULL. */
	void (*refresh)(struct inode *inode);
	void (*release)(struct inode *inode); /* the last reference is gone: free the contents */
};

struct inode {
	struct ref ref;
	const struct inode_ops *ops;         /* [I] */
	struct filesystem *fs;               /* [I] */
	uint64_t ino;                        /* [I] */
	uint32_t mode;                       /* type [I], permissions [t] */
	uint32_t nlink;                      /* [t] */
	uint32_t uid, gid;                   /* [t] */
	uint32_t rdev;                       /* [I] devices */
	bool unnamed;                        /* [I] made by O_TMPFILE: may get a name though it has none */
	int32_t writers;                     /* [a] open for writing; below 0: -(number of programs that run it) */
	uint64_t atime, mtime, ctime, btime; /* ns since 1970 */
	struct mutex mutex;                  /* contents: appending writes, truncation, a FIFO's pipe */
	struct locks *locks;                 /* [i] record and flock locks; NULL: there never was one */
	union {
		struct object *object; /* regular files of tmpfs [I] */
		char *target;          /* symbolic links of tmpfs [I] */
		struct pipe *pipe;     /* FIFOs, while open [i] */
		uint64_t private;      /* the file system's own */
	};
};

/* The text of a name; replaced as a whole by rename. */
struct name {
	uint32_t hash;
	uint32_t len;
	char text[]; /* NUL at the end */
};

struct dentry {
	struct ref ref;
	struct inode *inode;      /* [I] */
	struct dentry *parent;    /* [t] */
	struct name *name;        /* [t] */
	struct dentry *hash_next; /* [t] */
	struct list children;     /* [t] by rising position */
	struct list sibling;      /* [t] */
	uint64_t position;        /* [t] in the parent, from DIR_FIRST_POSITION */
	uint64_t next_position;   /* [t] for the next child */
	uint32_t mounts;          /* [t] mounts on top of it */
	bool linked;              /* [t] */
	bool gone;                /* [t] was linked, and is no more */
};

#define DIR_FIRST_POSITION 2 /* after . and .. */

struct filesystem_type {
	const char *name;
	uint32_t magic; /* linux/magic.h */
	int (*create)(const char *options, struct filesystem **ret_fs);
	void (*statfs)(struct filesystem *fs, struct statfs *ret); /* fills the counts; NULL: zeros */
	struct filesystem_type *next;
};

struct filesystem {
	const struct filesystem_type *type;
	struct dentry *root;
	uint32_t dev;      /* st_dev: an unnamed device */
	uint64_t next_ino; /* [a] */
	uint64_t private;
};

struct mount {
	struct list node;
	struct ref ref;
	struct filesystem *fs;
	struct path at; /* what it covers; {NULL, NULL} for the root */
	uint32_t flags; /* MS_* */
	uint32_t id, parent_id;
	char *source;
};

void tree_lock(void);
void tree_unlock(void);
bool tree_locked(void);

/* Inodes. A new one has one reference, nlink 1 and the time of now. */
MUST_CHECK int inode_create(struct filesystem *fs, const struct inode_ops *ops, uint32_t mode,
			    struct inode **ret_inode);
static inline struct inode *inode_get(struct inode *inode)
{
	ref_get(&inode->ref);
	return inode;
}
void inode_put(struct inode *inode);
uint64_t inode_size(struct inode *inode);
uint64_t inode_blocks(struct inode *inode);
static inline bool inode_is_dir(const struct inode *inode) { return S_ISDIR(inode->mode); }

#define MAY_EXEC  1u
#define MAY_WRITE 2u
#define MAY_READ  4u
struct cred;
/* Does `cred` have all of `mask` on the inode, by its file system ids? 0 or -EACCES. */
MUST_CHECK int inode_permission(struct inode *inode, const struct cred *cred, uint32_t mask);
/* Write access counts (ETXTBSY): writers and programs exclude each other. */
MUST_CHECK int inode_get_write(struct inode *inode);
void inode_put_write(struct inode *inode);
MUST_CHECK int inode_deny_write(struct inode *inode);
void inode_allow_write(struct inode *inode);

/* Dentries. A new one is not linked; the caller has its one reference. parent NULL: a root. */
MUST_CHECK int dentry_create(struct dentry *parent, const char *name, size_t len, struct inode *inode,
			     struct dentry **ret_dentry);
static inline struct dentry *dentry_get(struct dentry *d)
{
	ref_get(&d->ref);
	return d;
}
void dentry_put(struct dentry *d);
/* Into and out of the tree; the tree's reference is taken and dropped. Counts and times of inodes are the caller's. */
void dentry_link(struct dentry *d);
void dentry_unlink(struct dentry *d);
/* Gives a linked dentry another name and parent; cannot fail. Takes over `name` from name_create(). */
void dentry_move(struct dentry *d, struct dentry *parent, struct name *name);
/* A linked child: no new reference. NULL if there is none. */
struct dentry *dentry_find(struct dentry *dir, const char *name, size_t len);
bool dentry_is_below(struct dentry *d, const struct dentry *ancestor); /* or the same */
MUST_CHECK int name_create(const char *text, size_t len, struct name **ret_name);

static inline struct path path_get(const struct path *p)
{
	if (p->mount)
		ref_get(&p->mount->ref);
	dentry_get(p->dentry);
	return *p;
}
void path_put(const struct path *p);
static inline bool path_same(const struct path *a, const struct path *b)
{
	return a->mount == b->mount && a->dentry == b->dentry;
}

/* File systems and mounts. */
void filesystem_register(struct filesystem_type *type);
const struct filesystem_type *filesystem_types(void);
MUST_CHECK int filesystem_alloc(const struct filesystem_type *type, struct filesystem **ret_fs);
uint32_t filesystem_new_dev(void);
/* at NULL: the root. Takes over `fs`, also when it fails. Tree locked. */
MUST_CHECK int mount_add(struct filesystem *fs, const struct path *at, uint32_t flags, const char *source);
/* -EBUSY while a path names it or something is mounted below. Tree locked. */
MUST_CHECK int mount_remove(struct mount *m);
struct mount *mount_on(const struct path *at); /* no new reference; NULL if nothing is mounted there */
extern struct list mounts;                     /* [t] */
extern struct path tree_root;                  /* [I] once the root is mounted */

/*
 * The text of a path as seen from `root`, at the end of buf: a pointer into buf. -ENAMETOOLONG. Tree locked.
 * *ret_gone (may be NULL): the last name or one above it was removed.
 */
MUST_CHECK int path_text(const struct path *p, const struct path *root, char *buf, size_t size, char **ret_text,
			 bool *ret_gone);

#endif
