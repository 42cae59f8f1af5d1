/*
 * kernel/procfs_private.h - what procfs.c and its tables of entries share.
 */
#ifndef TINE_KERNEL_PROCFS_PRIVATE_H
#define TINE_KERNEL_PROCFS_PRIVATE_H

#include "kernel/base/print.h"
#include "kernel/fs/file.h"

/* Growing text. After a failed growth `error` is set and appending does nothing. */
struct text {
	char *buf;
	size_t used, room;
	int error;
};

PRINTF(2, 3) void text_printf(struct text *t, const char *fmt, ...);
void text_append(struct text *t, const char *s, size_t n);
/* With space, tab, newline and backslash as octal escapes (mounts, proc(5)). */
void text_append_escaped(struct text *t, const char *s);

/* Whom an entry is about. */
struct subject {
	int32_t pid; /* 0: the system */
	int32_t tid; /* 0: the process as a whole */
	int32_t fd;  /* below fd/ */
};

struct dir_entry;

/* What a directory holds besides its table of entries. */
struct dynamic_dir {
	/* The entry and subject of a name, or -ENOENT. */
	int (*lookup)(const struct subject *s, const char *name, size_t len, const struct dir_entry **ret_entry,
		      struct subject *ret_subject);
	/* The first number at or after `from`, or -1; names are decimal numbers. */
	int32_t (*next)(const struct subject *s, int32_t from);
	uint32_t type; /* S_IF* of its names */
};

struct dir_entry {
	const char *name; /* NULL ends a table; made-up names have their own entries outside of tables */
	uint32_t mode;    /* type and permissions */
	int (*show)(struct text *t, const struct subject *s);
	/* A whole write, as a string without a newline at its end. */
	int (*store)(const struct subject *s, const char *value);
	/* Symbolic links: the text; and where it leads, if that is not what the text names. */
	int (*target)(const struct subject *s, char *buf, size_t size);
	int (*follow)(const struct subject *s, struct path *ret_path);
	const struct dir_entry *children;
	const struct dynamic_dir *dynamic;
};

#define ENTRY_FILE(name_, show_)                                     \
	{                                                            \
		.name = name_, .mode = S_IFREG | 0444, .show = show_ \
	}
#define ENTRY_PRIVATE(name_, show_)                                  \
	{                                                            \
		.name = name_, .mode = S_IFREG | 0400, .show = show_ \
	}
#define ENTRY_WRITABLE(name_, show_, set)                                          \
	{                                                                          \
		.name = name_, .mode = S_IFREG | 0644, .show = show_, .store = set \
	}
#define ENTRY_DIR(name_, table)                                          \
	{                                                                \
		.name = name_, .mode = S_IFDIR | 0555, .children = table \
	}

extern const struct dir_entry proc_root;   /* proc_files.c */
extern const struct dynamic_dir proc_pids; /* proc_pid.c: the directories of the processes */

/* Owner of the process, for the inodes of its directory: false if it is gone. */
bool proc_owner(int32_t pid, uint32_t *ret_uid, uint32_t *ret_gid);
/* May the caller look into this process beyond what everybody may? 0, -EACCES, -ESRCH. */
MUST_CHECK int proc_may_inspect(int32_t pid);
/* User and system time of all processes, for /proc/stat. */
void proc_total_times(uint64_t *ret_user_ns, uint64_t *ret_system_ns);

int show_mounts(struct text *t, const struct subject *s);
int show_mountinfo(struct text *t, const struct subject *s);

/* Decimal digits only, without a leading zero, at most 9: the number, or -1. */
int32_t parse_decimal_name(const char *name, size_t len);

#endif
