/*
 * kernel/fs/file.c - see file.h.
 */
#include "kernel/fs/file.h"

#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/poll.h>

#include "kernel/base/string.h"
#include "kernel/fs/context.h"
#include "kernel/fs/locks.h"
#include "mm/heap.h"
#include "mm/uio.h"

int file_create(const struct path *path, uint32_t flags, const struct file_ops *ops, struct file **ret_file)
{
	struct file *f = kzalloc(sizeof(*f));
	uint32_t access = flags & O_ACCMODE;

	if (!f)
		return -ENOMEM;
	ref_init(&f->ref);
	mutex_init(&f->mutex);
	f->ops = ops;
	f->path = *path;
	f->inode = path->dentry->inode;
	f->flags = flags & ~(uint32_t)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	f->path_only = flags & O_PATH;
	f->readable = !f->path_only && (access == O_RDONLY || access == O_RDWR);
	f->writable = !f->path_only && (access == O_WRONLY || access == O_RDWR);
	*ret_file = f;
	return 0;
}

int file_create_anonymous(struct inode *inode, const char *name, uint32_t flags, const struct file_ops *ops,
			  struct file **ret_file)
{
	struct path path = {NULL, NULL};
	int err = dentry_create(NULL, name, strlen(name), inode, &path.dentry);

	if (err)
		return err;
	err = file_create(&path, flags, ops, ret_file);
	if (err) {
		path_put(&path);
		return err;
	}
	inode_put(inode);
	return 0;
}

static NOINLINE void file_free(struct file *f)
{
	locks_drop_file(f);
	if (f->ops && f->ops->release)
		f->ops->release(f);
	if (f->writer)
		inode_put_write(f->inode);
	if (f->runs)
		inode_allow_write(f->inode);
	path_put(&f->path);
	kfree(f);
}

void file_put(struct file *f)
{
	if (ref_put(&f->ref))
		file_free(f);
}

/* No byte of a transfer may lie past the largest offset there is. */
static bool offset_ok(uint64_t offset, const struct uio *uio) { return uio->left <= (uint64_t)INT64_MAX - offset; }

int64_t file_read(struct file *f, struct uio *uio)
{
	int64_t n;

	if (!f->readable)
		return -EBADF;
	if (!f->ops->read)
		return inode_is_dir(f->inode) ? -EISDIR : -EINVAL;
	if (!f->ops->seek)
		return f->ops->read(f, uio, NULL);
	mutex_lock(&f->mutex);
	n = offset_ok(f->offset, uio) ? f->ops->read(f, uio, &f->offset) : -EINVAL;
	mutex_unlock(&f->mutex);
	return n;
}

int64_t file_write(struct file *f, struct uio *uio)
{
	int64_t n;

	if (!f->writable)
		return -EBADF;
	if (!f->ops->write)
		return -EINVAL;
	if (!f->ops->seek)
		return f->ops->write(f, uio, NULL);
	mutex_lock(&f->mutex);
	n = offset_ok(f->offset, uio) ? f->ops->write(f, uio, &f->offset) : -EINVAL;
	mutex_unlock(&f->mutex);
	return n;
}

int64_t file_read_at(struct file *f, struct uio *uio, uint64_t offset)
{
	if (!f->ops->seek)
		return f->path_only ? -EBADF : -ESPIPE;
	if (!f->readable)
		return -EBADF;
	if (!f->ops->read)
		return inode_is_dir(f->inode) ? -EISDIR : -EINVAL;
	return offset_ok(offset, uio) ? f->ops->read(f, uio, &offset) : -EINVAL;
}

int64_t file_write_at(struct file *f, struct uio *uio, uint64_t offset)
{
	if (!f->ops->seek)
		return f->path_only ? -EBADF : -ESPIPE;
	if (!f->writable)
		return -EBADF;
	if (!f->ops->write)
		return -EINVAL;
	return offset_ok(offset, uio) ? f->ops->write(f, uio, &offset) : -EINVAL;
}

int64_t file_pread(struct file *f, void *buf, size_t n, uint64_t offset)
{
	struct uio uio = uio_from_kernel(buf, n);

	return file_read_at(f, &uio, offset);
}

int64_t file_seek(struct file *f, int64_t offset, int whence)
{
	int64_t at;

	if (f->path_only)
		return -EBADF;
	if (!f->ops->seek)
		return -ESPIPE;
	mutex_lock(&f->mutex);
	at = f->ops->seek(f, offset, whence);
	if (at >= 0)
		f->offset = (uint64_t)at;
	mutex_unlock(&f->mutex);
	return at;
}

int64_t file_seek_sized(struct file *f, int64_t offset, int whence, uint64_t size)
{
	int64_t base = 0, at;

	if (whence == SEEK_CUR)
		base = (int64_t)f->offset;
	else if (whence == SEEK_END)
		base = (int64_t)size;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (__builtin_add_overflow(base, offset, &at))
		return -EINVAL;
	return at < 0 ? -EINVAL : at;
}

uint32_t file_poll(struct file *f, struct poll_table *pt)
{
	if (!f->ops->poll)
		return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
	return f->ops->poll(f, pt);
}

struct object *file_object(struct file *f) { return f->ops && f->ops->object ? f->ops->object(f) : NULL; }

int file_path(struct file *f, char *buf, size_t size) { return path_describe(&f->path, buf, size); }
