/*
 * kernel/procfs.c - see procfs.h: text, inodes and directories made from tables of entries.
 */
#include "kernel/procfs.h"

#include <linux/fs.h>
#include <linux/magic.h>

#include "kernel/base/string.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/vfs.h"
#include "kernel/procfs_private.h"
#include "mm/heap.h"
#include "mm/uio.h"

#define TEXT_START    512u
#define STORE_LIMIT   64
#define DYNAMIC_FIRST 1024 /* positions of made-up names begin here, behind the table's */

/* ---- Text ---- */

static bool text_reserve(struct text *t, size_t n)
{
	size_t room = MAX(t->room, TEXT_START);
	char *buf;

	if (t->error)
		return false;
	if (t->buf && t->used + n <= t->room)
		return true;
	while (room < t->used + n)
		room *= 2;
	buf = kmalloc(room);
	if (!buf) {
		t->error = -ENOMEM;
		return false;
	}
	memcpy(buf, t->buf ? t->buf : "", t->used);
	kfree(t->buf);
	t->buf = buf;
	t->room = room;
	return true;
}

void text_append(struct text *t, const char *s, size_t n)
{
	if (!text_reserve(t, n + 1))
		return;
	memcpy(t->buf + t->used, s, n);
	t->used += n;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (!text_reserve(t, (size_t)n + 1))
		return;
	va_start(ap, fmt);
	kvsnprintf(t->buf + t->used, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->used += (size_t)n;
}

void text_append_escaped(struct text *t, const char *s)
{
	for (; *s; s++) {
		if (strchr(" \t\n\\", *s))
			text_printf(t, "\\%03o", (unsigned)*s);
		else
			text_append(t, s, 1);
	}
}

int32_t parse_decimal_name(const char *name, size_t len)
{
	int32_t v = 0;

	if (!len || len > 9 || (len > 1 && name[0] == '0'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		v = v * 10 + (name[i] - '0');
	}
	return v;
}

/* ---- Inodes ---- */

struct node {
	const struct dir_entry *entry;
	struct subject subject;
};

static const struct inode_ops node_ops, jump_ops;

static struct node *node_of(const struct inode *inode) { return (struct node *)inode->private; }

/* The same for the same entry of the same subject each time: 64-bit FNV-1a over what identifies it. */
static uint64_t node_number(const struct dir_entry *entry, const struct subject *s)
{
	const uint64_t parts[] = {(uint64_t)entry, (uint64_t)s->pid, (uint64_t)s->tid, (uint64_t)s->fd};
	uint64_t h = 0xcbf29ce484222325ull;

	for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
		h = (h ^ parts[i]) * 0x100000001b3ull;
	return (h >> 24) + 2;
}

static void node_refresh(struct inode *inode)
{
	const struct node *n = node_of(inode);

	if (n->subject.pid && !proc_owner(n->subject.pid, &inode->uid, &inode->gid))
		inode->uid = inode->gid = 0;
}

static int node_create(struct filesystem *fs, const struct dir_entry *entry, const struct subject *s,
		       struct inode **ret_inode)
{
	struct node *n = kmalloc(sizeof(*n));
	struct inode *inode;
	int err;

	if (!n)
		return -ENOMEM;
	err = inode_create(fs, entry->follow ? &jump_ops : &node_ops, entry->mode, &inode);
	if (err) {
		kfree(n);
		return err;
	}
	*n = (struct node){entry, *s};
	inode->private = (uint64_t)n;
	inode->ino = node_number(entry, s);
	inode->nlink = S_ISDIR(entry->mode) ? 2 : 1;
	node_refresh(inode);
	*ret_inode = inode;
	return 0;
}

static void node_release(struct inode *inode) { kfree(node_of(inode)); }

static int node_lookup(struct inode *dir, const char *name, size_t len, struct inode **ret_inode)
{
	const struct node *n = node_of(dir);
	const struct dir_entry *found;
	struct subject subject;
	int err;

	for (const struct dir_entry *e = n->entry->children; e && e->name; e++)
		if (strlen(e->name) == len && memcmp(e->name, name, len) == 0)
			return node_create(dir->fs, e, &n->subject, ret_inode);
	if (!n->entry->dynamic)
		return -ENOENT;
	err = n->entry->dynamic->lookup(&n->subject, name, len, &found, &subject);
	return err ? err : node_create(dir->fs, found, &subject, ret_inode);
}

static int64_t node_readlink(struct inode *link, char *buf, size_t size)
{
	const struct node *n = node_of(link);
	char *text;
	int len;

	if (!n->entry->target)
		return -EINVAL;
	text = kmalloc(PATH_MAX_LEN);
	if (!text)
		return -ENOMEM;
	len = n->entry->target(&n->subject, text, PATH_MAX_LEN);
	if (len > 0)
		memcpy(buf, text, MIN((size_t)len, size));
	kfree(text);
	return len < 0 ? len : (int64_t)MIN((size_t)len, size);
}

static int node_follow(struct inode *link, struct path *ret_path)
{
	const struct node *n = node_of(link);

	return n->entry->follow(&n->subject, ret_path);
}

/* ---- Files ---- */

static void text_free(struct text *t)
{
	if (t)
		kfree(t->buf);
	kfree(t);
}

/* The file's text, new at offset 0. f->mutex held, or the caller reads at an offset of its own. */
static int make_text(struct file *f, struct text **ret_text)
{
	const struct node *n = node_of(f->inode);
	struct text *t;
	int err;

	if (!n->entry->show)
		return -EINVAL;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	err = n->entry->show(t, &n->subject);
	if (!err)
		err = t->error;
	if (err) {
		text_free(t);
		return err;
	}
	*ret_text = t;
	return 0;
}

static int64_t file_text_read(struct file *f, struct uio *uio, uint64_t *offset)
{
	struct text *t = f->private;
	size_t n, moved;
	int err;

	if (!t || *offset == 0) {
		err = make_text(f, &t);
		if (err)
			return err;
		text_free(f->private);
		f->private = t;
	}
	if (*offset >= t->used)
		return 0;
	n = MIN(t->used - *offset, uio->left);
	moved = uio_put(uio, t->buf + *offset, n);
	*offset += moved;
	return moved || !n ? (int64_t)moved : -EFAULT;
}

static int64_t file_text_write(struct file *f, struct uio *uio, uint64_t *offset)
{
	const struct node *n = node_of(f->inode);
	char value[STORE_LIMIT];
	int64_t size = (int64_t)uio->left;
	size_t len = uio_get(uio, value, MIN(uio->left, sizeof(value) - 1));
	int err;

	if (!n->entry->store || (uint64_t)size >= sizeof(value))
		return -EINVAL;
	if (len < (size_t)size)
		return -EFAULT;
	while (len && value[len - 1] == '\n')
		len--;
	value[len] = '\0';
	err = n->entry->store(&n->subject, value);
	if (err)
		return err;
	*offset += (uint64_t)size;
	return size;
}

static int64_t file_text_seek(struct file *f, int64_t offset, int whence)
{
	return file_seek_sized(f, offset, whence, f->private ? ((struct text *)f->private)->used : 0);
}

static void file_text_release(struct file *f) { text_free(f->private); }

static const struct file_ops text_ops = {
    .read = file_text_read,
    .write = file_text_write,
    .seek = file_text_seek,
    .release = file_text_release,
};

/* ---- Directories ---- */

static bool emit_entry(struct file *f, struct dir_sink *sink, const struct dir_entry *e)
{
	uint64_t ino = node_number(e, &node_of(f->inode)->subject);

	return sink->emit(sink, e->name, strlen(e->name), ino, e->mode, f->offset + 1);
}

/* Numbers from a dynamic directory; position DYNAMIC_FIRST + number. */
static void emit_numbers(struct file *f, struct dir_sink *sink)
{
	const struct node *n = node_of(f->inode);
	const struct dynamic_dir *d = n->entry->dynamic;
	char name[16];

	f->offset = MAX(f->offset, (uint64_t)DYNAMIC_FIRST);
	while (f->offset < DYNAMIC_FIRST + (uint64_t)INT32_MAX) {
		int32_t number = d->next(&n->subject, (int32_t)(f->offset - DYNAMIC_FIRST));
		uint64_t next = DYNAMIC_FIRST + (uint64_t)number + 1;
		int len;

		if (number < 0)
			return;
		len = ksnprintf(name, sizeof(name), "%d", number);
		if (!sink->emit(sink, name, (size_t)len, (uint64_t)number + 2, d->type, next))
			return;
		f->offset = next;
	}
}

static int dir_read(struct file *f, struct dir_sink *sink)
{
	const struct dir_entry *table = node_of(f->inode)->entry->children;
	uint64_t count = 0;

	if (!directory_emit_dots(f, sink))
		return 0;
	while (table && table[count].name)
		count++;
	while (f->offset < DIR_FIRST_POSITION + count) {
		if (!emit_entry(f, sink, &table[f->offset - DIR_FIRST_POSITION]))
			return 0;
		f->offset++;
	}
	if (node_of(f->inode)->entry->dynamic)
		emit_numbers(f, sink);
	return 0;
}

static const struct file_ops dir_ops = {.seek = directory_seek, .readdir = dir_read};

static int node_open(struct inode *inode, struct file *f)
{
	f->ops = S_ISDIR(inode->mode) ? &dir_ops : &text_ops;
	return 0;
}

/* Truncation by O_TRUNC (`echo x > /proc/...`) means nothing here, and is no error. */
static int node_truncate(struct inode *inode, uint64_t size)
{
	(void)inode, (void)size;
	return 0;
}

static const struct inode_ops node_ops = {
    .lookup = node_lookup,
    .readlink = node_readlink,
    .open = node_open,
    .truncate = node_truncate,
    .refresh = node_refresh,
    .release = node_release,
};

/* Links with a place of their own, that no text has to name. */
static const struct inode_ops jump_ops = {
    .readlink = node_readlink,
    .follow = node_follow,
    .refresh = node_refresh,
    .release = node_release,
};

/* ---- The file system ---- */

static int procfs_create(const char *options, struct filesystem **ret_fs);
static struct filesystem_type procfs_type = {"proc", PROC_SUPER_MAGIC, procfs_create, NULL, NULL};

static int procfs_create(const char *options, struct filesystem **ret_fs)
{
	const struct subject nobody = {0, 0, -1};
	struct filesystem *fs;
	struct inode *root;
	int err = filesystem_alloc(&procfs_type, &fs);

	(void)options;
	if (err)
		return err;
	err = node_create(fs, &proc_root, &nobody, &root);
	if (err)
		goto free_fs;
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

int procfs_init(void)
{
	struct path at;
	int err;

	filesystem_register(&procfs_type);
	err = walk_path(NULL, "/proc", WALK_FOLLOW | WALK_DIRECTORY, &at);
	if (err)
		return err;
	err = vfs_mount("proc", &at, "proc", 0, "");
	path_put(&at);
	return err;
}
