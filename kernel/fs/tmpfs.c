/*
 * kernel/fs/tmpfs.c - see tmpfs.h.
 */
#include "kernel/fs/tmpfs.h"

#include <asm/signal.h>
#include <asm/statfs.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>

#include "kernel/base/clock.h"
#include "kernel/base/string.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/hooks.h"
#include "kernel/fs/pipe.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "mm/uio.h"

#define KEPT_PART 32 /* of all memory */

static const struct inode_ops regular_ops, link_ops, directory_ops, special_ops;

/* ---- Regular files ---- */

/* atime moves as with Linux's relatime: when it would not be newer than the last change. */
static void touch_read(struct inode *inode)
{
	if (inode->atime <= inode->mtime)
		inode->atime = clock_realtime_ns();
}

static int64_t regular_read(struct file *f, struct uio *uio, uint64_t *offset)
{
	int64_t n = object_read(f->inode->object, *offset, uio);

	if (n > 0)
		*offset += (uint64_t)n;
	touch_read(f->inode);
	return n;
}

/* setrlimit(2): a write that begins at the limit fails with SIGXFSZ; one that would cross it is cut short. */
static int clip_to_limit(struct uio *uio, uint64_t offset)
{
	uint64_t limit = fs_file_size_limit();

	if (!uio->left)
		return 0;
	if (offset >= limit) {
		fs_signal_current(SIGXFSZ);
		return -EFBIG;
	}
	uio->left = MIN(uio->left, limit - offset);
	return 0;
}

/* Bytes that files may still take. A part of memory is kept from them: whoever has to make room must be able to fork. */
static uint64_t space_left(void)
{
	struct frame_stats s;
	uint64_t kept;

	frame_stats(&s);
	kept = s.total / KEPT_PART + s.reserved;
	return s.free > kept ? (s.free - kept) << PAGE_SHIFT : 0;
}

/* Cuts a write that makes the file longer to what memory is there for. */
static int clip_to_space(struct uio *uio, uint64_t offset, uint64_t size)
{
	uint64_t within = offset < size ? size - offset : 0, left;

	if (uio->left <= within)
		return 0;
	left = space_left();
	if (!left && !within)
		return -ENOSPC;
	uio->left = MIN(uio->left, within + left);
	return 0;
}

static int64_t regular_write(struct file *f, struct uio *uio, uint64_t *offset)
{
	struct inode *inode = f->inode;
	int64_t n;

	mutex_lock(&inode->mutex);
	if (file_flags(f) & O_APPEND)
		*offset = object_size(inode->object);
	n = clip_to_limit(uio, *offset);
	if (n == 0)
		n = clip_to_space(uio, *offset, object_size(inode->object));
	if (n == 0)
		n = object_write(inode->object, *offset, uio);
	if (n > 0) {
		*offset += (uint64_t)n;
		inode->mtime = inode->ctime = clock_realtime_ns();
	}
	mutex_unlock(&inode->mutex);
	return n == -ENOMEM ? -ENOSPC : n;
}

static int64_t regular_seek(struct file *f, int64_t offset, int whence)
{
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return file_seek_sized(f, offset, whence, object_size(f->inode->object));
	return offset < 0 ? -ENXIO : object_seek(f->inode->object, (uint64_t)offset, whence == SEEK_DATA);
}

static struct object *regular_object(struct file *f) { return f->inode->object; }

/* Fills holes with zeroed pages, so that a later write cannot run out of memory. */
static int fill(struct object *obj, uint64_t offset, uint64_t end)
{
	for (uint64_t page = offset >> PAGE_SHIFT; page < pages_for(end); page++) {
		pfn_t frame;
		int err = object_frame(obj, page, false, &frame);

		if (err)
			return err == -ENOMEM ? -ENOSPC : err;
		frame_put(frame);
	}
	return 0;
}

static int allocate_range(struct object *obj, int mode, uint64_t offset, uint64_t end)
{
	uint64_t old = object_size(obj);
	int err = end > old && end - old > space_left() ? -ENOSPC : 0;

	if (err)
		return err;
	if (end > old)
		err = object_resize(obj, end);
	if (!err)
		err = fill(obj, offset, end);
	if (end > old && (err || (mode & FALLOC_FL_KEEP_SIZE)))
		return object_resize(obj, old) ?: err;
	return err;
}

/* fallocate(2): plain allocation, and punching and zeroing of ranges. */
static int regular_fallocate(struct file *f, int mode, uint64_t offset, uint64_t len)
{
	struct object *obj = f->inode->object;
	int err = 0;

	mutex_lock(&f->inode->mutex);
	if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		object_punch(obj, offset, len);
	else if (mode == 0 || mode == FALLOC_FL_KEEP_SIZE)
		err = allocate_range(obj, mode, offset, offset + len);
	else
		err = -EOPNOTSUPP;
	if (!err)
		f->inode->mtime = f->inode->ctime = clock_realtime_ns();
	mutex_unlock(&f->inode->mutex);
	return err;
}

static const struct file_ops regular_file_ops = {
    .read = regular_read,
    .write = regular_write,
    .seek = regular_seek,
    .object = regular_object,
    .fallocate = regular_fallocate,
};

static int regular_open(struct inode *inode, struct file *f)
{
	(void)inode;
	f->ops = &regular_file_ops;
	return 0;
}

static int regular_truncate(struct inode *inode, uint64_t size) { return object_resize(inode->object, size); }
static uint64_t regular_size(struct inode *inode) { return object_size(inode->object); }
static uint64_t regular_blocks(struct inode *inode) { return inode->object->resident * (PAGE_SIZE / 512); }
static void regular_release(struct inode *inode) { object_put(inode->object); }

static const struct inode_ops regular_ops = {
    .open = regular_open,
    .truncate = regular_truncate,
    .size = regular_size,
    .blocks = regular_blocks,
    .release = regular_release,
};

/* ---- Symbolic links ---- */

static int64_t link_read(struct inode *link, char *buf, size_t size)
{
	size_t len = MIN(strlen(link->target), size);

	memcpy(buf, link->target, len);
	return (int64_t)len;
}

static uint64_t link_size(struct inode *link) { return strlen(link->target); }
static void link_release(struct inode *link) { kfree(link->target); }

static const struct inode_ops link_ops = {.readlink = link_read, .size = link_size, .release = link_release};

/* ---- Everything else ---- */

static int set_contents(struct inode *inode, const char *target)
{
	size_t len;

	if (S_ISREG(inode->mode))
		return object_create(0, &inode->object);
	if (!S_ISLNK(inode->mode))
		return 0;
	len = strlen(target);
	inode->target = kmalloc(len + 1);
	if (!inode->target)
		return -ENOMEM;
	memcpy(inode->target, target, len + 1);
	return 0;
}

static const struct inode_ops *ops_for(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return &regular_ops;
	case S_IFLNK:
		return &link_ops;
	case S_IFDIR:
		return &directory_ops;
	default:
		return &special_ops;
	}
}

static int tmpfs_inode(struct filesystem *fs, uint32_t mode, uint32_t rdev, const char *target,
		       struct inode **ret_inode)
{
	struct inode *inode;
	int err = inode_create(fs, &special_ops, mode, &inode);

	if (err)
		return err;
	inode->rdev = rdev;
	err = set_contents(inode, target);
	if (err) {
		inode_put(inode);
		return err;
	}
	inode->ops = ops_for(mode);
	*ret_inode = inode;
	return 0;
}

static int directory_create(struct inode *dir, uint32_t mode, uint32_t rdev, const char *target,
			    struct inode **ret_inode)
{
	return tmpfs_inode(dir->fs, mode, rdev, target, ret_inode);
}

/* Programs take a directory of size 0 for one that is missing something: a page, as most file systems say. */
static uint64_t directory_size(struct inode *dir)
{
	(void)dir;
	return PAGE_SIZE;
}

static const struct inode_ops directory_ops = {
    .create = directory_create, .open = directory_open, .size = directory_size};
/* Devices, FIFOs and sockets: what they do when opened is not the file system's business. */
static const struct inode_ops special_ops = {.open = NULL};

/* ---- The file system ---- */

int tmpfs_create(const struct filesystem_type *type, uint32_t mode, struct filesystem **ret_fs)
{
	struct filesystem *fs;
	struct inode *root;
	int err = filesystem_alloc(type, &fs);

	if (err)
		return err;
	err = tmpfs_inode(fs, S_IFDIR | mode, 0, NULL, &root);
	if (err)
		goto free_fs;
	root->nlink = 2;
	err = dentry_create(NULL, "", 0, root, &fs->root);
	inode_put(root);
	if (err)
		goto free_fs;
	*ret_fs = fs;
	return 0;

free_fs:
	kfree(fs);
	return err;
}

/* The permission bits that mode=... in the mount options asks for. */
static uint32_t mode_option(const char *options, uint32_t mode)
{
	uint32_t v = 0;

	while (options && strncmp(options, "mode=", 5) != 0) {
		options = strchr(options, ',');
		options += options != NULL;
	}
	if (!options)
		return mode;
	for (options += 5; *options >= '0' && *options <= '7'; options++)
		v = v * 8 + (uint32_t)(*options - '0');
	return v & 07777;
}

static int tmpfs_mount(const char *options, struct filesystem **ret_fs)
{
	return tmpfs_create(&tmpfs_type, mode_option(options, 01777), ret_fs);
}

static int ramfs_mount(const char *options, struct filesystem **ret_fs)
{
	return tmpfs_create(&ramfs_type, mode_option(options, 0755), ret_fs);
}

static void tmpfs_statfs(struct filesystem *fs, struct statfs *ret)
{
	struct frame_stats s;

	(void)fs;
	frame_stats(&s);
	ret->f_blocks = (long)s.total;
	ret->f_bfree = ret->f_bavail = (long)(space_left() >> PAGE_SHIFT);
	ret->f_files = ret->f_blocks;
	ret->f_ffree = ret->f_bfree;
}

struct filesystem_type tmpfs_type = {"tmpfs", TMPFS_MAGIC, tmpfs_mount, tmpfs_statfs, NULL};
struct filesystem_type devtmpfs_type = {"devtmpfs", TMPFS_MAGIC, NULL, tmpfs_statfs, NULL};
struct filesystem_type ramfs_type = {"ramfs", RAMFS_MAGIC, ramfs_mount, NULL, NULL};
