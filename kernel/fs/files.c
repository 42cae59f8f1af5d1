/*
 * kernel/fs/files.c - see files.h.
 */
#include "kernel/fs/files.h"

#include "kernel/base/string.h"
#include "kernel/fs/hooks.h"
#include "kernel/fs/locks.h"
#include "mm/heap.h"

static bool bit_test(const uint64_t *map, uint32_t i) { return map[i / 64] >> (i % 64) & 1; }
static void bit_set(uint64_t *map, uint32_t i) { map[i / 64] |= 1ull << (i % 64); }
static void bit_clear(uint64_t *map, uint32_t i) { map[i / 64] &= ~(1ull << (i % 64)); }

static void bit_assign(uint64_t *map, uint32_t i, bool on)
{
	if (on)
		bit_set(map, i);
	else
		bit_clear(map, i);
}

/* The first set (or clear) bit in [from, end), or end. */
static uint32_t bit_find(const uint64_t *map, uint32_t from, uint32_t end, bool set)
{
	while (from < end) {
		uint64_t word = (set ? map[from / 64] : ~map[from / 64]) >> (from % 64);

		if (word)
			return MIN(end, from + (uint32_t)__builtin_ctzll(word));
		from = (from / 64 + 1) * 64;
	}
	return end;
}

int files_create(struct files **ret_files)
{
	struct files *files = kmalloc(sizeof(*files));

	if (!files)
		return -ENOMEM;
	ref_init(&files->ref);
	spin_init(&files->lock, "files", LOCK_FILES);
	files->capacity = FILES_INLINE;
	files->limit = FILES_DEFAULT_LIMIT;
	files->slots = files->inline_slots;
	files->used = &files->inline_used;
	files->cloexec = &files->inline_cloexec;
	files->inline_used = files->inline_cloexec = 0;
	*ret_files = files;
	return 0;
}

/* Slots and both bitmaps in one block. */
struct table {
	struct file **slots;
	uint64_t *used, *cloexec;
};

static int table_alloc(uint32_t capacity, struct table *ret_table)
{
	size_t map_bytes = capacity / 8;
	char *block = kmalloc(capacity * sizeof(struct file *) + 2 * map_bytes);

	if (!block)
		return -ENOMEM;
	ret_table->slots = (struct file **)block;
	ret_table->used = (uint64_t *)(block + capacity * sizeof(struct file *));
	ret_table->cloexec = ret_table->used + capacity / 64;
	memset(ret_table->used, 0, 2 * map_bytes);
	return 0;
}

/* Makes the table the files' own, with what they hold. */
static void table_adopt(struct files *files, const struct table *t, uint32_t capacity)
{
	uint32_t old = files->capacity;

	memcpy(t->slots, files->slots, old * sizeof(struct file *));
	memcpy(t->used, files->used, old / 8);
	memcpy(t->cloexec, files->cloexec, old / 8);
	if (files->slots != files->inline_slots)
		kfree(files->slots);
	files->slots = t->slots;
	files->used = t->used;
	files->cloexec = t->cloexec;
	files->capacity = capacity;
}

/* Room for slot `fd`, below the limit. Lock held. */
static int files_grow(struct files *files, uint32_t fd)
{
	uint32_t capacity = files->capacity;
	struct table t;
	int err;

	while (capacity <= fd)
		capacity *= 2;
	if (capacity == files->capacity)
		return 0;
	err = table_alloc(capacity, &t);
	if (!err)
		table_adopt(files, &t, capacity);
	return err;
}

/* Copies what `from` holds into the empty `to` of enough capacity. from's lock held. */
static void files_copy_slots(struct files *to, const struct files *from)
{
	for (uint32_t w = 0; w < from->capacity / 64; w++) {
		for (uint64_t left = from->used[w]; left; left &= left - 1) {
			uint32_t fd = w * 64 + (uint32_t)__builtin_ctzll(left);

			if (from->slots[fd]) {
				to->slots[fd] = file_get(from->slots[fd]);
				bit_set(to->used, fd);
			}
		}
		to->cloexec[w] = from->cloexec[w] & to->used[w];
	}
}

int files_clone(struct files *files, struct files **ret_files)
{
	struct files *copy;
	int err = files_create(&copy);

	if (err)
		return err;
	spin_lock(&files->lock);
	err = files_grow(copy, files->capacity - 1);
	if (!err) {
		copy->limit = files->limit;
		files_copy_slots(copy, files);
	}
	spin_unlock(&files->lock);
	if (err) {
		files_put(copy);
		return err;
	}
	*ret_files = copy;
	return 0;
}

struct files *files_get(struct files *files)
{
	ref_get(&files->ref);
	return files;
}

/* What closing one descriptor does besides dropping the reference (fcntl(2): record locks of the process go). */
static void close_file(struct file *f)
{
	locks_drop_process(f->inode, fs_current_pid());
	file_put(f);
}

/* Nobody else has the table any more: no lock. */
static void close_all(struct files *files)
{
	for (uint32_t w = 0; w < files->capacity / 64; w++)
		for (uint64_t left = files->used[w]; left; left &= left - 1) {
			struct file *f = files->slots[w * 64 + (uint32_t)__builtin_ctzll(left)];

			if (f)
				close_file(f);
		}
}

void files_put(struct files *files)
{
	if (!files || !ref_put(&files->ref))
		return;
	close_all(files);
	if (files->slots != files->inline_slots)
		kfree(files->slots);
	kfree(files);
}

uint32_t files_limit(const struct files *files) { return __atomic_load_n(&files->limit, __ATOMIC_RELAXED); }

void files_set_limit(struct files *files, uint32_t limit)
{
	__atomic_store_n(&files->limit, MIN(limit, FILES_MAX_LIMIT), __ATOMIC_RELAXED);
}

/* The file of a descriptor, or NULL. Lock held. */
static struct file *slot_file(const struct files *files, int fd)
{
	uint32_t i = (uint32_t)fd;

	return i < files->capacity && bit_test(files->used, i) ? files->slots[i] : NULL;
}

int files_lookup_any(struct files *files, int fd, struct file **ret_file)
{
	struct file *f;

	spin_lock(&files->lock);
	f = slot_file(files, fd);
	if (f)
		*ret_file = file_get(f);
	spin_unlock(&files->lock);
	return f ? 0 : -EBADF;
}

int files_lookup(struct files *files, int fd, struct file **ret_file)
{
	struct file *f;

	spin_lock(&files->lock);
	f = slot_file(files, fd);
	if (f && f->path_only)
		f = NULL;
	if (f)
		*ret_file = file_get(f);
	spin_unlock(&files->lock);
	return f ? 0 : -EBADF;
}

/* Marks the lowest free slot >= from as used. Lock held. */
static int slot_reserve(struct files *files, uint32_t from, uint32_t *ret_slot)
{
	uint32_t slot = from < files->capacity ? bit_find(files->used, from, files->capacity, false) : from;
	int err;

	if (slot >= files->limit)
		return -EMFILE;
	err = files_grow(files, slot);
	if (err)
		return err;
	bit_set(files->used, slot);
	files->slots[slot] = NULL;
	*ret_slot = slot;
	return 0;
}

int files_install_from(struct files *files, struct file *f, uint32_t from, bool cloexec, int *ret_fd)
{
	uint32_t slot;
	int err;

	spin_lock(&files->lock);
	err = slot_reserve(files, from, &slot);
	if (!err) {
		files->slots[slot] = f;
		bit_assign(files->cloexec, slot, cloexec);
		*ret_fd = (int)slot;
	}
	spin_unlock(&files->lock);
	return err;
}

int files_install(struct files *files, struct file *f, bool cloexec, int *ret_fd)
{
	return files_install_from(files, f, 0, cloexec, ret_fd);
}

int files_install_pair(struct files *files, struct file *const pair[2], bool cloexec, int ret_fds[2])
{
	uint32_t slot[2];
	int err;

	spin_lock(&files->lock);
	err = slot_reserve(files, 0, &slot[0]);
	if (err)
		goto out;
	err = slot_reserve(files, slot[0] + 1, &slot[1]);
	if (err) {
		bit_clear(files->used, slot[0]);
		goto out;
	}
	for (int i = 0; i < 2; i++) {
		files->slots[slot[i]] = pair[i];
		bit_assign(files->cloexec, slot[i], cloexec);
		ret_fds[i] = (int)slot[i];
	}
out:
	spin_unlock(&files->lock);
	return err;
}

int files_dup_to(struct files *files, int from, int to, bool cloexec)
{
	struct file *f, *old;
	int err = -EBADF;

	spin_lock(&files->lock);
	f = slot_file(files, from);
	if (!f || (uint32_t)to >= files->limit)
		goto unlock;
	err = to;
	if (from == to)
		goto unlock;
	err = files_grow(files, (uint32_t)to);
	if (err)
		goto unlock;
	old = slot_file(files, to);
	bit_set(files->used, (uint32_t)to);
	bit_assign(files->cloexec, (uint32_t)to, cloexec);
	files->slots[to] = file_get(f);
	spin_unlock(&files->lock);
	if (old)
		close_file(old);
	return to;

unlock:
	spin_unlock(&files->lock);
	return err;
}

/* Takes a file out of its slot, with the slot's reference. Lock held. */
static struct file *slot_take(struct files *files, uint32_t fd)
{
	struct file *f = slot_file(files, (int)fd);

	if (f) {
		bit_clear(files->used, fd);
		bit_clear(files->cloexec, fd);
	}
	return f;
}

int files_close(struct files *files, int fd)
{
	struct file *f;

	spin_lock(&files->lock);
	f = slot_take(files, (uint32_t)fd);
	spin_unlock(&files->lock);
	if (!f)
		return -EBADF;
	close_file(f);
	return 0;
}

/* Closes all of [first, last] that `map` names: used or cloexec. */
static void close_marked(struct files *files, uint32_t first, uint32_t last, bool only_cloexec)
{
	uint32_t fd = first;

	for (;;) {
		const uint64_t *map;
		uint32_t end;
		struct file *f;

		spin_lock(&files->lock);
		map = only_cloexec ? files->cloexec : files->used;
		end = last < files->capacity ? last + 1 : files->capacity;
		fd = bit_find(map, fd, end, true);
		f = fd < end ? slot_take(files, fd) : NULL;
		spin_unlock(&files->lock);
		if (fd >= end)
			return;
		if (f)
			close_file(f);
		fd++;
	}
}

void files_close_range(struct files *files, uint32_t first, uint32_t last, bool only_mark)
{
	if (!only_mark) {
		close_marked(files, first, last, false);
		return;
	}
	spin_lock(&files->lock);
	for (uint32_t fd = first; fd < files->capacity && fd <= last; fd++)
		if (bit_test(files->used, fd))
			bit_set(files->cloexec, fd);
	spin_unlock(&files->lock);
}

void files_close_on_exec(struct files *files) { close_marked(files, 0, UINT32_MAX, true); }

int files_get_cloexec(struct files *files, int fd)
{
	int on = -EBADF;

	spin_lock(&files->lock);
	if (slot_file(files, fd))
		on = bit_test(files->cloexec, (uint32_t)fd);
	spin_unlock(&files->lock);
	return on;
}

int files_set_cloexec(struct files *files, int fd, bool on)
{
	int err = -EBADF;

	spin_lock(&files->lock);
	if (slot_file(files, fd)) {
		bit_assign(files->cloexec, (uint32_t)fd, on);
		err = 0;
	}
	spin_unlock(&files->lock);
	return err;
}

int files_next(struct files *files, int fd)
{
	uint32_t found;

	spin_lock(&files->lock);
	found = bit_find(files->used, (uint32_t)fd, files->capacity, true);
	if (found >= files->capacity)
		found = UINT32_MAX;
	spin_unlock(&files->lock);
	return (int)found;
}
