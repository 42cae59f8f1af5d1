/*
 * kernel/fs/context.c - see context.h.
 */
#include "kernel/fs/context.h"

#include "kernel/base/string.h"
#include "mm/heap.h"
#include "proc/thread.h"

static int context_alloc(const struct path *root, const struct path *cwd, uint32_t umask, struct fs_context **ret_fs)
{
	struct fs_context *fs = kmalloc(sizeof(*fs));

	if (!fs)
		return -ENOMEM;
	ref_init(&fs->ref);
	fs->root = path_get(root);
	fs->cwd = path_get(cwd);
	fs->umask = umask;
	*ret_fs = fs;
	return 0;
}

int fs_context_create(struct fs_context **ret_fs) { return context_alloc(&tree_root, &tree_root, 022, ret_fs); }

int fs_context_clone(struct fs_context *fs, struct fs_context **ret_fs)
{
	int err;

	tree_lock();
	err = context_alloc(&fs->root, &fs->cwd, __atomic_load_n(&fs->umask, __ATOMIC_RELAXED), ret_fs);
	tree_unlock();
	return err;
}

struct fs_context *fs_context_get(struct fs_context *fs)
{
	ref_get(&fs->ref);
	return fs;
}

void fs_context_put(struct fs_context *fs)
{
	if (!fs || !ref_put(&fs->ref))
		return;
	path_put(&fs->root);
	path_put(&fs->cwd);
	kfree(fs);
}

static void replace(struct path *slot, const struct path *p)
{
	struct path old;

	tree_lock();
	old = *slot;
	*slot = path_get(p);
	tree_unlock();
	path_put(&old);
}

void fs_context_set_cwd(struct fs_context *fs, const struct path *p) { replace(&fs->cwd, p); }
void fs_context_set_root(struct fs_context *fs, const struct path *p) { replace(&fs->root, p); }

const struct path *current_root(void) { return current()->fs ? &current()->fs->root : &tree_root; }
const struct path *current_cwd(void) { return current()->fs ? &current()->fs->cwd : &tree_root; }

int path_describe(const struct path *p, char *buf, size_t size)
{
	static const char suffix[] = " (deleted)";
	char *text;
	bool gone = false;
	size_t len;
	int err;

	tree_lock();
	err = path_text(p, current_root(), buf, size, &text, &gone);
	tree_unlock();
	if (err)
		return err;
	len = strlen(text);
	memmove(buf, text, len + 1);
	if (gone && len + sizeof(suffix) <= size) {
		memcpy(buf + len, suffix, sizeof(suffix));
		len += sizeof(suffix) - 1;
	}
	return (int)len;
}
