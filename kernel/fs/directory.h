/*
 * kernel/fs/directory.h - reading directories whose names are dentries.
 *
 * Role         The open file of such a directory: entries in order of position, "." and ".." first. procfs uses the two
 *              helpers for its own lists.
 * Invariants   1. file->offset is the position of the next entry: entries that come and go do not shift the others.
 */
#ifndef TINE_FS_DIRECTORY_H
#define TINE_FS_DIRECTORY_H

#include "kernel/fs/file.h"

int directory_open(struct inode *inode, struct file *f);

/* "." and ".." for positions 0 and 1. False: the sink is full. */
bool directory_emit_dots(struct file *f, struct dir_sink *sink);
/* Positions are not bytes: any that readdir gave may be sought to, and 0. */
int64_t directory_seek(struct file *f, int64_t offset, int whence);

#endif
