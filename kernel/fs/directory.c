/*
 * kernel/fs/directory.c - see directory.h.
 */
#include "kernel/fs/directory.h"

#include <linux/fs.h>

int64_t directory_seek(struct file *f, int64_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += (int64_t)f->offset;
	else if (whence != SEEK_SET)
		return -EINVAL;
	return offset < 0 ? -EINVAL : offset;
}

bool directory_emit_dots(struct file *f, struct dir_sink *sink)
{
	struct dentry *d = f->path.dentry;

	if (f->offset == 0) {
		if (!sink->emit(sink, ".", 1, d->inode->ino, S_IFDIR, 1))
			return false;
		f->offset = 1;
	}
	if (f->offset == 1) {
		if (!sink->emit(sink, "..", 2, d->parent->inode->ino, S_IFDIR, DIR_FIRST_POSITION))
			return false;
		f->offset = DIR_FIRST_POSITION;
	}
	return true;
}

static int directory_read(struct file *f, struct dir_sink *sink)
{
	struct dentry *dir = f->path.dentry, *d;

	if (dir->gone)
		return -ENOENT;
	if (!directory_emit_dots(f, sink))
		return 0;
	list_for_each (d, &dir->children, sibling) {
		if (d->position < f->offset)
			continue;
		if (!sink->emit(sink, d->name->text, d->name->len, d->inode->ino, d->inode->mode, d->position + 1))
			return 0;
		f->offset = d->position + 1;
	}
	return 0;
}

static const struct file_ops directory_file_ops = {.seek = directory_seek, .readdir = directory_read};

int directory_open(struct inode *inode, struct file *f)
{
	(void)inode;
	f->ops = &directory_file_ops;
	return 0;
}
