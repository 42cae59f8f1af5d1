/*
 * kernel/fs/tree.c - see tree.h.
 */
#include "kernel/fs/tree.h"

#include "kernel/base/clock.h"
#include "kernel/base/string.h"
#include "mm/heap.h"
#include "proc/cred.h"

#define HASH_BUCKETS 4096

static struct mutex tree_mutex = MUTEX_INIT(tree_mutex);
static struct dentry *buckets[HASH_BUCKETS]; /* [t] */
struct list mounts = LIST_INIT(mounts);
struct path tree_root;
static struct filesystem_type *types;

void tree_lock(void) { mutex_lock(&tree_mutex); }
void tree_unlock(void) { mutex_unlock(&tree_mutex); }
bool tree_locked(void) { return mutex_held(&tree_mutex); }

/* ---- Inodes ---- */

int inode_create(struct filesystem *fs, const struct inode_ops *ops, uint32_t mode, struct inode **ret_inode)
{
	struct inode *inode = kzalloc(sizeof(*inode));

	if (!inode)
		return -ENOMEM;
	ref_init(&inode->ref);
	mutex_init(&inode->mutex);
	inode->ops = ops;
	inode->fs = fs;
	inode->ino = __atomic_add_fetch(&fs->next_ino, 1, __ATOMIC_RELAXED);
	inode->mode = mode;
	inode->nlink = 1;
	inode->btime = inode->atime = inode->mtime = inode->ctime = clock_realtime_ns();
	*ret_inode = inode;
	return 0;
}

void inode_put(struct inode *inode)
{
	if (!ref_put(&inode->ref))
		return;
	if (inode->ops->release)
		inode->ops->release(inode);
	kfree(inode->locks);
	kfree(inode);
}

uint64_t inode_size(struct inode *inode) { return inode->ops->size ? inode->ops->size(inode) : 0; }
uint64_t inode_blocks(struct inode *inode) { return inode->ops->blocks ? inode->ops->blocks(inode) : 0; }

int inode_permission(struct inode *inode, const struct cred *cred, uint32_t mask)
{
	uint32_t granted;

	if (inode->ops->refresh)
		inode->ops->refresh(inode);
	if (cred->fsuid == 0) {
		bool may_exec = inode_is_dir(inode) || (inode->mode & 0111);

		return (mask & MAY_EXEC) && !may_exec ? -EACCES : 0;
	}
	if (cred->fsuid == inode->uid)
		granted = inode->mode >> 6;
	else if (cred_in_group(cred, inode->gid))
		granted = inode->mode >> 3;
	else
		granted = inode->mode;
	return (granted & mask) == mask ? 0 : -EACCES;
}

/* One step away from zero in the wanted direction, unless the other side holds it. */
static int count_step(int32_t *count, int32_t step)
{
	int32_t old = __atomic_load_n(count, __ATOMIC_RELAXED);

	do {
		if (step > 0 ? old < 0 : old > 0)
			return -ETXTBSY;
	} while (!__atomic_compare_exchange_n(count, &old, old + step, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return 0;
}

int inode_get_write(struct inode *inode) { return count_step(&inode->writers, 1); }
void inode_put_write(struct inode *inode) { __atomic_fetch_sub(&inode->writers, 1, __ATOMIC_ACQ_REL); }
int inode_deny_write(struct inode *inode) { return count_step(&inode->writers, -1); }
void inode_allow_write(struct inode *inode) { __atomic_fetch_add(&inode->writers, 1, __ATOMIC_ACQ_REL); }

/* ---- Names ---- */

/* FNV-1a, then the parent's address mixed in where the bucket is chosen. */
static uint32_t hash_name(const char *text, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * 16777619u;
	return h;
}

static struct dentry **bucket_of(const struct dentry *parent, uint32_t hash)
{
	uint64_t p = (uint64_t)parent >> 4;

	return &buckets[(hash ^ p ^ (p >> 12)) % HASH_BUCKETS];
}

int name_create(const char *text, size_t len, struct name **ret_name)
{
	struct name *n = kmalloc(sizeof(*n) + len + 1);

	if (!n)
		return -ENOMEM;
	n->hash = hash_name(text, len);
	n->len = (uint32_t)len;
	memcpy(n->text, text, len);
	n->text[len] = '\0';
	*ret_name = n;
	return 0;
}

int dentry_create(struct dentry *parent, const char *name, size_t len, struct inode *inode, struct dentry **ret_dentry)
{
	struct dentry *d = kzalloc(sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	err = name_create(name, len, &d->name);
	if (err)
		goto free_dentry;
	ref_init(&d->ref);
	d->inode = inode_get(inode);
	d->parent = parent ? dentry_get(parent) : d;
	d->next_position = DIR_FIRST_POSITION;
	list_init(&d->children);
	list_init(&d->sibling);
	*ret_dentry = d;
	return 0;

free_dentry:
	kfree(d);
	return err;
}

void dentry_put(struct dentry *d)
{
	while (ref_put(&d->ref)) {
		struct dentry *parent = d->parent;
		bool is_root = parent == d;

		ASSERT(!d->linked && list_empty(&d->children));
		inode_put(d->inode);
		kfree(d->name);
		kfree(d);
		if (is_root)
			break;
		d = parent;
	}
}

static void hash_insert(struct dentry *d)
{
	struct dentry **b = bucket_of(d->parent, d->name->hash);

	d->hash_next = *b;
	*b = d;
}

static void hash_remove(struct dentry *d)
{
	struct dentry **link = bucket_of(d->parent, d->name->hash);

	while (*link != d) {
		ASSERT(*link);
		link = &(*link)->hash_next;
	}
	*link = d->hash_next;
}

void dentry_link(struct dentry *d)
{
	CHECK(tree_locked() && !d->linked && d->parent != d);
	dentry_get(d);
	d->linked = true;
	d->position = d->parent->next_position++;
	list_append(&d->parent->children, &d->sibling);
	hash_insert(d);
}

void dentry_unlink(struct dentry *d)
{
	CHECK(tree_locked() && d->linked);
	hash_remove(d);
	list_remove(&d->sibling);
	d->linked = false;
	d->gone = true;
	dentry_put(d);
}

void dentry_move(struct dentry *d, struct dentry *parent, struct name *name)
{
	struct dentry *old_parent = d->parent;

	CHECK(tree_locked() && d->linked);
	hash_remove(d);
	kfree(d->name);
	d->name = name;
	if (parent != old_parent) {
		list_remove(&d->sibling);
		d->parent = dentry_get(parent);
		d->position = parent->next_position++;
		list_append(&parent->children, &d->sibling);
	}
	hash_insert(d);
	if (parent != old_parent)
		dentry_put(old_parent);
}

struct dentry *dentry_find(struct dentry *dir, const char *name, size_t len)
{
	uint32_t hash = hash_name(name, len);

	CHECK(tree_locked());
	for (struct dentry *d = *bucket_of(dir, hash); d; d = d->hash_next)
		if (d->parent == dir && d->name->hash == hash && d->name->len == len &&
		    memcmp(d->name->text, name, len) == 0)
			return d;
	return NULL;
}

bool dentry_is_below(struct dentry *d, const struct dentry *ancestor)
{
	while (d != ancestor && d->parent != d)
		d = d->parent;
	return d == ancestor;
}

void path_put(const struct path *p)
{
	struct mount *m = p->mount;

	dentry_put(p->dentry);
	if (m && ref_put(&m->ref))
		panic("mount %s lost its own reference", m->fs->type->name);
}

/* ---- File systems and mounts ---- */

void filesystem_register(struct filesystem_type *type)
{
	type->next = types;
	types = type;
}

const struct filesystem_type *filesystem_types(void) { return types; }

/* Unnamed devices have major number 0; the minor's encoding is plain below 256 (linux/kdev_t.h). */
uint32_t filesystem_new_dev(void)
{
	static uint32_t last;

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

int filesystem_alloc(const struct filesystem_type *type, struct filesystem **ret_fs)
{
	struct filesystem *fs = kzalloc(sizeof(*fs));

	if (!fs)
		return -ENOMEM;
	fs->type = type;
	fs->dev = filesystem_new_dev();
	*ret_fs = fs;
	return 0;
}

/* Gives all names back, leaves first, without recursion: directories may be nested deeper than a stack is. */
static void filesystem_destroy(struct filesystem *fs)
{
	struct dentry *d = fs->root;

	for (;;) {
		struct dentry *parent = d->parent;

		if (!list_empty(&d->children)) {
			d = list_first(&d->children, struct dentry, sibling);
			continue;
		}
		if (d == fs->root)
			break;
		dentry_unlink(d);
		d = parent;
	}
	dentry_put(fs->root);
	kfree(fs);
}

struct mount *mount_on(const struct path *at)
{
	struct mount *m;

	list_for_each (m, &mounts, node)
		if (m->at.dentry && path_same(&m->at, at))
			return m;
	return NULL;
}

static int mount_create(struct filesystem *fs, uint32_t flags, const char *source, struct mount **ret_mount)
{
	static uint32_t last_id = 20;
	struct mount *m = kzalloc(sizeof(*m));
	size_t len = strlen(source);

	if (!m)
		return -ENOMEM;
	m->source = kmalloc(len + 1);
	if (!m->source) {
		kfree(m);
		return -ENOMEM;
	}
	memcpy(m->source, source, len + 1);
	ref_init(&m->ref);
	m->fs = fs;
	m->flags = flags;
	m->id = ++last_id;
	m->parent_id = m->id;
	*ret_mount = m;
	return 0;
}

int mount_add(struct filesystem *fs, const struct path *at, uint32_t flags, const char *source)
{
	struct mount *m;
	int err = mount_create(fs, flags, source, &m);

	if (err) {
		filesystem_destroy(fs);
		return err;
	}
	list_append(&mounts, &m->node);
	if (at) {
		m->at = path_get(at);
		m->parent_id = at->mount->id;
		at->dentry->mounts++;
	} else {
		struct path root = {m, fs->root};

		tree_root = path_get(&root);
	}
	return 0;
}

int mount_remove(struct mount *m)
{
	struct mount *other;

	if (!m->at.dentry || ref_count(&m->ref) != 1)
		return -EBUSY;
	list_for_each (other, &mounts, node)
		if (other->at.mount == m)
			return -EBUSY;
	list_remove(&m->node);
	m->at.dentry->mounts--;
	path_put(&m->at);
	filesystem_destroy(m->fs);
	kfree(m->source);
	kfree(m);
	return 0;
}

/* ---- Path text ---- */

/* Puts "/name" in front of *pos. */
static int prepend(char *buf, char **pos, const struct name *name)
{
	if ((size_t)(*pos - buf) < name->len + 1u)
		return -ENAMETOOLONG;
	*pos -= name->len;
	memcpy(*pos, name->text, name->len);
	*--*pos = '/';
	return 0;
}

/* Climbs from a mount's root to what it covers; false at the top. */
static bool climb_mounts(struct path *p)
{
	while (p->mount && p->dentry == p->mount->fs->root && p->mount->at.dentry)
		*p = p->mount->at;
	return p->dentry->parent != p->dentry;
}

int path_text(const struct path *p, const struct path *root, char *buf, size_t size, char **ret_text, bool *ret_gone)
{
	struct path at = *p;
	char *pos = buf + size - 1;
	bool gone = false;
	int err;

	if (size < 2)
		return -ENAMETOOLONG;
	*pos = '\0';
	if (!at.mount) {
		err = prepend(buf, &pos, at.dentry->name);
		*ret_text = pos + 1;
		return err;
	}
	while (!path_same(&at, root) && climb_mounts(&at) && !path_same(&at, root)) {
		gone |= at.dentry->gone;
		err = prepend(buf, &pos, at.dentry->name);
		if (err)
			return err;
		at.dentry = at.dentry->parent;
	}
	if (!*pos)
		*--pos = '/';
	if (ret_gone)
		*ret_gone = gone;
	*ret_text = pos;
	return 0;
}
