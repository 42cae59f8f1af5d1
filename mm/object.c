/* mm/object.c - see mm/object.h. */
#include "mm/object.h"

#include "mm/commit.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/uio.h"
#include "mm/window.h"

/*
 * The pages stand in a radix tree of 64-way nodes. A slot of the lowest level holds a frame number (0: a hole); one of
 * a higher level a node.
 */
struct node {
	uint64_t slot[OBJECT_FANOUT];
};

#define FANOUT_SHIFT 6

_Static_assert(OBJECT_FANOUT == 1 << FANOUT_SHIFT, "indexes are cut by shifts");

#define OBJECT_SIZE_MAX ((uint64_t)INT64_MAX)

int object_create(uint64_t size, struct object **ret_object)
{
	struct object *obj = kzalloc(sizeof(*obj));

	if (!obj)
		return -ENOMEM;
	ref_init(&obj->ref);
	spin_init(&obj->lock, "object", LOCK_OBJECT);
	obj->size = size;
	*ret_object = obj;
	return 0;
}

int object_create_anonymous(uint64_t size, bool reserve, struct object **ret_object)
{
	uint64_t pages = reserve ? pages_for(size) : 0;
	int err = commit_object(pages);

	if (err)
		return err;
	err = object_create(size, ret_object);
	if (err) {
		commit_object_release(pages);
		return err;
	}
	(*ret_object)->promised = pages;
	(*ret_object)->anonymous = true;
	return 0;
}

void object_get(struct object *obj) { ref_get(&obj->ref); }

static unsigned slot_index(uint64_t index, unsigned height)
{
	return index >> (FANOUT_SHIFT * (height - 1)) & (OBJECT_FANOUT - 1);
}

/* Pages that a tree of `height` can index. */
static uint64_t reach(unsigned height)
{
	return height * FANOUT_SHIFT >= 64 ? UINT64_MAX : (uint64_t)1 << (height * FANOUT_SHIFT);
}

static void page_drop(struct object *obj, uint64_t *slot)
{
	frame_put(PFN(*slot));
	*slot = 0;
	obj->resident--;
	if (!obj->promised)
		commit_object_release(1);
}

/* Drops the frames of page `from` and above below one node; true if nothing is left in it. `base` = its first page. */
static bool node_truncate(struct object *obj, struct node *n, unsigned height, uint64_t base, uint64_t from)
{
	uint64_t span = reach(height - 1);
	bool empty = true;

	for (unsigned i = 0; i < OBJECT_FANOUT; i++) {
		uint64_t first = base + i * span;

		if (!n->slot[i])
			continue;
		if (height == 1 && first >= from) {
			page_drop(obj, &n->slot[i]);
		} else if (height > 1 && first + (span - 1) >= from &&
			   node_truncate(obj, (struct node *)n->slot[i], height - 1, first, from)) {
			kfree((void *)n->slot[i]);
			n->slot[i] = 0;
		}
		empty &= !n->slot[i];
	}
	return empty;
}

static void drop_from(struct object *obj, uint64_t page)
{
	if (obj->root && node_truncate(obj, obj->root, obj->height, 0, page)) {
		kfree(obj->root);
		obj->root = NULL;
		obj->height = 0;
	}
}

void object_put(struct object *obj)
{
	if (!ref_put(&obj->ref))
		return;
	drop_from(obj, 0);
	ASSERT(obj->resident == 0);
	commit_object_release(obj->promised);
	kfree(obj);
}

/* The slot of page `index`, or NULL where there is no node for it. */
static uint64_t *find_slot(struct object *obj, uint64_t index)
{
	struct node *n = obj->root;

	if (!n || index >= reach(obj->height))
		return NULL;
	for (unsigned h = obj->height; h > 1; h--) {
		n = (struct node *)n->slot[slot_index(index, h)];
		if (!n)
			return NULL;
	}
	return &n->slot[slot_index(index, 1)];
}

/* 0 if page `index` is there; else how many pages from it on are surely not (at least 1, at most what remains of 2^51: sizes end at 2^63). */
static uint64_t hole_pages(struct object *obj, uint64_t index)
{
	uint64_t all = ((uint64_t)1 << 51) - index;
	struct node *n = obj->root;

	if (!n || index >= reach(obj->height))
		return all;
	for (unsigned h = obj->height;; h--) {
		uint64_t slot = n->slot[slot_index(index, h)];

		if (!slot)
			return MIN(all, reach(h - 1) - (index & (reach(h - 1) - 1)));
		if (h == 1)
			return 0;
		n = (struct node *)slot;
	}
}

static int grow_height(struct object *obj, uint64_t index)
{
	while (!obj->root || index >= reach(obj->height)) {
		struct node *n = kzalloc(sizeof(*n));

		if (!n)
			return -ENOMEM;
		n->slot[0] = (uint64_t)obj->root;
		obj->root = n;
		obj->height++;
	}
	return 0;
}

static int make_slot(struct object *obj, uint64_t index, uint64_t **ret_slot)
{
	struct node *n;
	int err = grow_height(obj, index);

	if (err)
		return err;
	n = obj->root;
	for (unsigned h = obj->height; h > 1; h--) {
		uint64_t *slot = &n->slot[slot_index(index, h)];

		if (!*slot)
			*slot = (uint64_t)kzalloc(sizeof(struct node));
		if (!*slot)
			return -ENOMEM;
		n = (struct node *)*slot;
	}
	*ret_slot = &n->slot[slot_index(index, 1)];
	return 0;
}

/* Fills a hole. [obj] */
static int page_fill(struct object *obj, uint64_t *slot, bool kernel)
{
	pfn_t f;
	int err;

	if (!kernel && commit_low())
		return -ENOMEM;
	if (!obj->promised && commit_object(1))
		return -ENOSPC;
	err = frame_alloc(FRAME_CACHE, &f);
	if (err) {
		if (!obj->promised)
			commit_object_release(1);
		return err;
	}
	frame_zero(f);
	*slot = f.v;
	obj->resident++;
	return 0;
}

/* The frame of a page, made if it is a hole. [obj] */
static int page_make(struct object *obj, uint64_t index, bool kernel, pfn_t *ret_frame)
{
	uint64_t *slot;
	int err = make_slot(obj, index, &slot);

	if (!err && !*slot)
		err = page_fill(obj, slot, kernel);
	if (!err)
		*ret_frame = PFN(*slot);
	return err;
}

int object_frame(struct object *obj, uint64_t index, bool kernel, pfn_t *ret_frame)
{
	int err = -ENXIO;

	spin_lock(&obj->lock);
	if (index < pages_for(obj->size))
		err = page_make(obj, index, kernel, ret_frame);
	if (!err)
		frame_get(*ret_frame);
	spin_unlock(&obj->lock);
	return err;
}

uint64_t object_size(struct object *obj) { return __atomic_load_n(&obj->size, __ATOMIC_RELAXED); }

static void zero_part(pfn_t f, uint64_t from, uint64_t to)
{
	struct window w = window_map(f);

	for (uint64_t i = from; i < to; i++)
		((char *)w.dst)[i] = 0;
	window_unmap(w);
}

/* Zeroes bytes [from, to) of one page, if it is there. [obj] */
static void zero_within(struct object *obj, uint64_t page, uint64_t from, uint64_t to)
{
	uint64_t *slot = find_slot(obj, page);

	if (slot && *slot && from < to)
		zero_part(PFN(*slot), from, to);
}

int object_resize(struct object *obj, uint64_t size)
{
	if (size > OBJECT_SIZE_MAX)
		return -EFBIG;
	spin_lock(&obj->lock);
	if (size < obj->size) {
		drop_from(obj, pages_for(size));
		if (page_offset(size))
			zero_within(obj, size >> PAGE_SHIFT, page_offset(size), PAGE_SIZE);
	}
	obj->size = size;
	spin_unlock(&obj->lock);
	return 0;
}

void object_punch(struct object *obj, uint64_t offset, uint64_t len)
{
	uint64_t end;

	spin_lock(&obj->lock);
	end = offset + MIN(len, obj->size - MIN(offset, obj->size));
	while (offset < end) {
		uint64_t page = offset >> PAGE_SHIFT, stop = MIN(end, (page + 1) << PAGE_SHIFT);
		uint64_t absent = hole_pages(obj, page), *slot;

		if (absent) {
			stop = MIN(end, (page + absent) << PAGE_SHIFT);
		} else if (stop - offset == PAGE_SIZE) {
			slot = find_slot(obj, page);
			page_drop(obj, slot);
		} else {
			zero_within(obj, page, page_offset(offset), stop - (page << PAGE_SHIFT));
		}
		offset = stop;
	}
	spin_unlock(&obj->lock);
}

/* A reference on the page's frame, or 0 for a hole. */
static uint64_t page_hold(struct object *obj, uint64_t index)
{
	uint64_t *slot, f;

	spin_lock(&obj->lock);
	slot = find_slot(obj, index);
	f = slot ? *slot : 0;
	if (f)
		frame_get(PFN(f));
	spin_unlock(&obj->lock);
	return f;
}

int64_t object_read(struct object *obj, uint64_t offset, struct uio *uio)
{
	uint64_t size = object_size(obj), done = 0;

	while (uio->left && offset < size) {
		uint64_t in = page_offset(offset), part = MIN(MIN(PAGE_SIZE - in, size - offset), uio->left), moved;
		uint64_t f = page_hold(obj, offset >> PAGE_SHIFT);

		if (f) {
			struct window w = window_map(PFN(f));

			moved = uio_put(uio, (const char *)w.dst + in, part);
			window_unmap(w);
			frame_put(PFN(f));
		} else {
			moved = uio_put_zero(uio, part);
		}
		done += moved;
		offset += moved;
		if (moved < part)
			return done ? (int64_t)done : -EFAULT;
	}
	return (int64_t)done;
}

static int page_hold_for_write(struct object *obj, uint64_t index, pfn_t *ret_frame)
{
	int err;

	spin_lock(&obj->lock);
	err = page_make(obj, index, false, ret_frame);
	if (!err)
		frame_get(*ret_frame);
	spin_unlock(&obj->lock);
	return err;
}

static void extend_to(struct object *obj, uint64_t size)
{
	spin_lock(&obj->lock);
	obj->size = MAX(obj->size, size);
	spin_unlock(&obj->lock);
}

int64_t object_write(struct object *obj, uint64_t offset, struct uio *uio)
{
	uint64_t done = 0;
	int err = 0;

	if (offset >= OBJECT_SIZE_MAX && uio->left)
		return -EFBIG;
	while (uio->left && !err) {
		uint64_t in = page_offset(offset), part = MIN(PAGE_SIZE - in, uio->left), moved;
		struct window w;
		pfn_t f;

		err = page_hold_for_write(obj, offset >> PAGE_SHIFT, &f);
		if (err)
			break;
		w = window_map(f);
		moved = uio_get(uio, (char *)w.dst + in, part);
		window_unmap(w);
		frame_put(f);
		done += moved;
		offset += moved;
		if (moved)
			extend_to(obj, offset);
		if (moved < part)
			err = -EFAULT;
	}
	return done ? (int64_t)done : err;
}

int64_t object_seek(struct object *obj, uint64_t offset, bool want_data)
{
	int64_t result = -ENXIO;

	spin_lock(&obj->lock);
	if (offset < obj->size) {
		while (offset < obj->size) {
			uint64_t page = offset >> PAGE_SHIFT, absent = hole_pages(obj, page);

			if (!absent == want_data)
				break;
			offset = (page + MAX(absent, 1ull)) << PAGE_SHIFT;
		}
		if (offset < obj->size || !want_data)
			result = (int64_t)MIN(offset, obj->size);
	}
	spin_unlock(&obj->lock);
	return result;
}
