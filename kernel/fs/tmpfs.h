/*
 * kernel/fs/tmpfs.h - files in memory.
 *
 * Role         The root file system, /dev, /tmp. Names are the tree's dentries; a regular file's bytes are a page object
 *              (mm/object.h), which mappings share; a symbolic link's text is a heap block.
 * Invariants   1. A regular file's inode owns its object from creation to the last reference.
 * Locks        inode->mutex for appending writes and truncation.
 * Failure      -ENOSPC where memory for contents ran out, -ENOMEM for names, -EFBIG past the file size limit.
 * Not handled  Size limits of a mount (size=, nr_inodes=: accepted and ignored).
 */
#ifndef TINE_FS_TMPFS_H
#define TINE_FS_TMPFS_H

#include "kernel/fs/file.h"

extern struct filesystem_type tmpfs_type, devtmpfs_type, ramfs_type;

/* A file system whose root has these permission bits. */
MUST_CHECK int tmpfs_create(const struct filesystem_type *type, uint32_t mode, struct filesystem **ret_fs);

#endif
