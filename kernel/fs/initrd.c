/*
 * kernel/fs/initrd.c - see initrd.h.
 */
#include "kernel/fs/initrd.h"

#include <linux/fcntl.h>

#include "kernel/base/clock.h"
#include "kernel/base/print.h"
#include "kernel/base/string.h"
#include "kernel/fs/chrdev.h"
#include "kernel/fs/cpio.h"
#include "kernel/fs/vfs.h"
#include "mm/heap.h"
#include "mm/uio.h"

/* A file with several links, by what identifies it in its archive. Names point into the archive. */
struct hard_link {
	struct hard_link *next;
	uint32_t ino, dev_major, dev_minor;
	const char *name;
};

struct unpack {
	struct hard_link *links;
	uint32_t archive;
	unsigned made, failed;
};

static void forget_links(struct unpack *u)
{
	while (u->links) {
		struct hard_link *l = u->links;

		u->links = l->next;
		kfree(l);
	}
}

static const char *first_link(const struct unpack *u, const struct cpio_entry *e)
{
	for (const struct hard_link *l = u->links; l; l = l->next)
		if (l->ino == e->ino && l->dev_major == e->dev_major && l->dev_minor == e->dev_minor)
			return l->name;
	return NULL;
}

static int remember_link(struct unpack *u, const struct cpio_entry *e)
{
	struct hard_link *l = kmalloc(sizeof(*l));

	if (!l)
		return -ENOMEM;
	*l = (struct hard_link){u->links, e->ino, e->dev_major, e->dev_minor, e->name};
	u->links = l;
	return 0;
}

/* Makes way for an entry that is no directory. */
static int clear_name(const char *name)
{
	int err = vfs_unlink(NULL, name);

	if (err == -EISDIR)
		err = vfs_rmdir(NULL, name);
	return err == -ENOENT ? 0 : err;
}

static int write_contents(const struct cpio_entry *e)
{
	struct uio uio = uio_from_kernel((void *)e->data, e->size);
	struct file *f;
	int64_t n = 0;
	int err = vfs_open(e->name, O_WRONLY | O_CREAT | O_TRUNC, 0600, &f);

	if (err)
		return err;
	while (uio.left && n >= 0)
		n = file_write(f, &uio);
	file_put(f);
	return n < 0 ? (int)n : 0;
}

static int make_link(const char *old, const char *name)
{
	struct path p;
	int err = walk_path(NULL, old, 0, &p);

	if (err)
		return err;
	err = vfs_link(&p, NULL, name);
	path_put(&p);
	return err;
}

static int make_regular(struct unpack *u, const struct cpio_entry *e)
{
	const char *first = e->nlink > 1 ? first_link(u, e) : NULL;
	int err = clear_name(e->name);

	if (err)
		return err;
	if (first) {
		err = make_link(first, e->name);
		/* The contents come with one of the links, most often the last. */
		return err || !e->size ? err : write_contents(e);
	}
	if (e->nlink > 1)
		err = remember_link(u, e);
	return err ? err : write_contents(e);
}

static int make_symlink(const struct cpio_entry *e)
{
	char *target;
	int err = clear_name(e->name);

	if (err)
		return err;
	if (e->size >= PATH_MAX_LEN)
		return -ENAMETOOLONG;
	target = kmalloc(e->size + 1);
	if (!target)
		return -ENOMEM;
	memcpy(target, e->data, e->size);
	target[e->size] = '\0';
	err = vfs_symlink(target, NULL, e->name);
	kfree(target);
	return err;
}

static int make_directory(const struct cpio_entry *e)
{
	struct path p;
	int err = vfs_mkdir(NULL, e->name, 0700);

	if (err != -EEXIST)
		return err;
	if (walk_path(NULL, e->name, WALK_FOLLOW | WALK_DIRECTORY, &p) == 0) {
		path_put(&p);
		return 0;
	}
	err = clear_name(e->name);
	return err ? err : vfs_mkdir(NULL, e->name, 0700);
}

static int make_node(const struct cpio_entry *e)
{
	int err = clear_name(e->name);

	return err ? err : vfs_mknod(NULL, e->name, e->mode, dev_encode(e->rdev_major, e->rdev_minor));
}

static int set_attributes(const struct cpio_entry *e)
{
	uint64_t mtime = e->mtime * NSEC_PER_SEC;
	struct path p;
	int err = walk_path(NULL, e->name, S_ISDIR(e->mode) ? WALK_FOLLOW : 0, &p);

	if (err)
		return err;
	err = vfs_chown(&p, e->uid, e->gid);
	if (!err && !S_ISLNK(e->mode))
		err = vfs_chmod(&p, e->mode & 07777);
	if (!err)
		err = vfs_utimes(&p, mtime, mtime);
	path_put(&p);
	return err;
}

static int make_entry(struct unpack *u, const struct cpio_entry *e)
{
	switch (e->mode & S_IFMT) {
	case S_IFDIR:
		return make_directory(e);
	case S_IFREG:
		return make_regular(u, e);
	case S_IFLNK:
		return make_symlink(e);
	default:
		return make_node(e);
	}
}

static int unpack_entry(struct unpack *u, const struct cpio_entry *e)
{
	int err;

	if (e->archive != u->archive) {
		forget_links(u);
		u->archive = e->archive;
	}
	err = make_entry(u, e);
	if (!err)
		err = set_attributes(e);
	if (!err) {
		u->made++;
		return 0;
	}
	u->failed++;
	pr_warn("initrd: %s (offset %llu): error %d", e->name, (unsigned long long)e->offset, -err);
	return err == -ENOSPC || err == -ENOMEM ? -ENOSPC : 0;
}

/* Making what is in a directory moved its time: once all is made, each gets the archive's. */
static void restore_directory_times(const void *data, uint64_t size)
{
	struct cpio_entry e;
	struct cpio c;

	cpio_init(&c, data, size);
	while (cpio_next(&c, &e) > 0) {
		uint64_t mtime = e.mtime * NSEC_PER_SEC;
		struct path p;

		if (!S_ISDIR(e.mode) || walk_path(NULL, e.name, WALK_FOLLOW, &p))
			continue;
		if (vfs_utimes(&p, mtime, mtime))
			pr_debug("initrd: %s keeps its new time", e.name);
		path_put(&p);
	}
}

int initrd_unpack(const void *data, uint64_t size)
{
	struct unpack u = {NULL, 0, 0, 0};
	struct cpio_entry e;
	struct cpio c;
	int more, err = 0;

	cpio_init(&c, data, size);
	while ((more = cpio_next(&c, &e)) > 0) {
		err = unpack_entry(&u, &e);
		if (err)
			break;
	}
	forget_links(&u);
	restore_directory_times(data, size);
	if (more < 0) {
		pr_err("initrd: broken archive: %s at offset %llu of %llu", c.error, (unsigned long long)c.error_offset,
		       (unsigned long long)size);
		err = -EINVAL;
	} else if (err) {
		pr_err("initrd: out of memory at offset %llu of %llu", (unsigned long long)e.offset,
		       (unsigned long long)size);
	}
	pr_info("initrd: %u files unpacked%s", u.made, u.failed ? ", some left out" : "");
	return err;
}
