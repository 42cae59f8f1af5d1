/*
 * kernel/fs/cpio.h - reading cpio archives of the "newc" format (Linux Documentation/driver-api/early-userspace/
 * buffer-format.rst; cpio(5)).
 *
 * Role         A pure parser over a range of bytes: no allocation, no copies, nothing of the kernel but base/.
 * Invariants   1. Whatever the bytes are, no byte outside the range is read, and each step moves forward.
 *              2. An entry's name ends in NUL within the range and is not empty; its data lies within the range.
 *              3. Archives may follow each other, with zero bytes in between; `archive` counts them, since hard links by inode
 *                 number hold within one archive only.
 * Failure      -EINVAL and what is wrong at which offset.
 * Not handled  The old binary and octal formats; compression (named as such in the error).
 */
#ifndef TINE_FS_CPIO_H
#define TINE_FS_CPIO_H

#include "kernel/base/types.h"

#define CPIO_NAME_MAX 4096 /* with the NUL */

struct cpio {
	const uint8_t *data;
	uint64_t size;
	uint64_t at;      /* the next header, or padding before it */
	uint32_t archive; /* number of the present archive */
	/* After -EINVAL. */
	uint64_t error_offset;
	const char *error;
};

struct cpio_entry {
	uint64_t offset; /* of the header */
	uint32_t ino, mode, uid, gid, nlink, mtime, dev_major, dev_minor, rdev_major, rdev_minor;
	const char *name;
	const uint8_t *data; /* a file's bytes, a symbolic link's target (without NUL) */
	uint64_t size;
	uint32_t archive;
};

void cpio_init(struct cpio *c, const void *data, uint64_t size);
/* 1: the next entry; 0: the end; -EINVAL. */
MUST_CHECK int cpio_next(struct cpio *c, struct cpio_entry *ret_entry);

#endif
