/* mm/region.c - see mm/region.h. */
#include "mm/region.h"

#include "kernel/base/string.h"
#include "mm/heap.h"
#include "mm/object.h"

#define CAPACITY_MIN 24

static size_t set_bytes(uint32_t capacity) { return sizeof(struct regions) + capacity * sizeof(struct region); }

static int set_alloc(uint32_t capacity, struct regions **ret_set)
{
	struct regions *set = kmalloc(set_bytes(capacity));

	if (!set)
		return -ENOMEM;
	ref_init(&set->ref);
	set->count = 0;
	set->flags = 0;
	set->capacity = capacity;
	*ret_set = set;
	return 0;
}

static void region_hold(const struct region *r)
{
	if (r->object)
		object_get(r->object);
}

static void region_drop(const struct region *r)
{
	if (r->object)
		object_put(r->object);
}

int regions_create(struct regions **ret_set) { return set_alloc(CAPACITY_MIN, ret_set); }

void regions_get(struct regions *set) { ref_get(&set->ref); }

void regions_put(struct regions *set)
{
	struct region *r;

	if (!ref_put(&set->ref))
		return;
	region_for_each (r, set)
		region_drop(r);
	kfree(set);
}

int regions_copy(const struct regions *set, uint32_t extra, uint8_t without, struct regions **ret_set)
{
	struct regions *copy;
	int err = set_alloc(MAX(set->count + extra + 4, (uint32_t)CAPACITY_MIN), &copy);

	if (err)
		return err;
	for (uint32_t i = 0; i < set->count; i++) {
		if (set->r[i].flags & without)
			continue;
		copy->r[copy->count++] = set->r[i];
		copy->flags |= set->r[i].flags;
		region_hold(&set->r[i]);
	}
	*ret_set = copy;
	return 0;
}

int regions_prepare(struct regions **set, uint32_t extra)
{
	struct regions *old = *set, *copy;
	int err;

	if (ref_count(&old->ref) == 1 && old->count + extra <= old->capacity)
		return 0;
	err = regions_copy(old, extra + old->count / 2, 0, &copy);
	if (err)
		return err;
	*set = copy;
	regions_put(old);
	return 0;
}

/* Index of the first region that ends above va; count if none. */
static uint32_t index_after(const struct regions *set, uaddr_t va)
{
	uint32_t low = 0, high = set->count;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (set->r[mid].end.v > va.v)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct region *region_after(const struct regions *set, uaddr_t va)
{
	uint32_t i = index_after(set, va);

	return i < set->count ? (struct region *)&set->r[i] : NULL;
}

struct region *region_find(const struct regions *set, uaddr_t va)
{
	struct region *r = region_after(set, va);

	return r && r->start.v <= va.v ? r : NULL;
}

bool regions_cover(const struct regions *set, uaddr_t start, uaddr_t end, uaddr_t *ret_hole)
{
	for (uint32_t i = index_after(set, start); start.v < end.v; i++) {
		if (i == set->count || set->r[i].start.v > start.v) {
			*ret_hole = start;
			return false;
		}
		start = set->r[i].end;
	}
	return true;
}

bool regions_overlap(const struct regions *set, uaddr_t start, uaddr_t end)
{
	struct region *r = region_after(set, start);

	return r && r->start.v < end.v;
}

bool regions_gap(const struct regions *set, uaddr_t low, uaddr_t high, uint64_t len, uaddr_t *ret_start)
{
	uint64_t top = high.v;

	for (uint32_t i = index_after(set, high);; i--) {
		uint64_t floor;

		/* r[i] is the region above the gap looked at, r[i - 1] the one below. */
		if (i < set->count)
			top = MIN(top, set->r[i].start.v);
		floor = i > 0 ? MAX(low.v, set->r[i - 1].end.v) : low.v;
		if (top > floor && top - floor >= len) {
			*ret_start = UADDR(top - len);
			return true;
		}
		if (i == 0 || set->r[i - 1].start.v <= low.v)
			return false;
	}
}

bool regions_have(const struct regions *set, uint8_t flags)
{
	const struct region *r;

	if (!(set->flags & flags))
		return false;
	region_for_each (r, set)
		if (r->flags & flags)
			return true;
	return false;
}

uint64_t regions_bytes(const struct regions *set)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < set->count; i++)
		sum += set->r[i].end.v - set->r[i].start.v;
	return sum;
}

static void slot_open(struct regions *set, uint32_t at)
{
	ASSERT(set->count < set->capacity && ref_count(&set->ref) == 1);
	memmove(&set->r[at + 1], &set->r[at], (set->count - at) * sizeof(set->r[0]));
	set->count++;
}

static void slots_close(struct regions *set, uint32_t from, uint32_t to)
{
	memmove(&set->r[from], &set->r[to], (set->count - to) * sizeof(set->r[0]));
	set->count -= to - from;
}

static void trim_front(struct region *r, uaddr_t start)
{
	if (r->object)
		r->offset += start.v - r->start.v;
	r->start = start;
}

/* Splits the region that holds `at`, so that a region starts there. */
static void split(struct regions *set, uaddr_t at)
{
	uint32_t i = index_after(set, at);

	if (i == set->count || set->r[i].start.v >= at.v)
		return;
	slot_open(set, i);
	region_hold(&set->r[i]);
	set->r[i].end = at;
	trim_front(&set->r[i + 1], at);
}

static bool can_join(const struct region *a, const struct region *b)
{
	return a->end.v == b->start.v && a->prot == b->prot && a->flags == b->flags && a->object == b->object &&
	       !(a->flags & REGION_STACK) && (!a->object || a->offset + (a->end.v - a->start.v) == b->offset);
}

/* Joins r[i] with its successor, and its predecessor with it, where they can be one. */
static void join_around(struct regions *set, uint32_t i)
{
	if (i + 1 < set->count && can_join(&set->r[i], &set->r[i + 1])) {
		set->r[i].end = set->r[i + 1].end;
		region_drop(&set->r[i + 1]);
		slots_close(set, i + 1, i + 2);
	}
	if (i > 0 && i < set->count && can_join(&set->r[i - 1], &set->r[i])) {
		set->r[i - 1].end = set->r[i].end;
		region_drop(&set->r[i]);
		slots_close(set, i, i + 1);
	}
}

void regions_cut(struct regions *set, uaddr_t start, uaddr_t end)
{
	uint32_t from = index_after(set, start), to;
	struct region *r = from < set->count ? &set->r[from] : NULL;

	ASSERT(ref_count(&set->ref) == 1);
	if (!r || r->start.v >= end.v)
		return;
	if (r->start.v < start.v && r->end.v > end.v) { /* a hole in the middle: the only case that needs room */
		split(set, start);
		trim_front(&set->r[from + 1], end);
		return;
	}
	if (r->start.v < start.v) {
		r->end = start;
		from++;
	}
	for (to = from; to < set->count && set->r[to].end.v <= end.v; to++)
		region_drop(&set->r[to]);
	if (to < set->count && set->r[to].start.v < end.v)
		trim_front(&set->r[to], end);
	slots_close(set, from, to);
}

void regions_insert(struct regions *set, const struct region *r)
{
	uint32_t at = index_after(set, r->start);

	ASSERT(r->start.v < r->end.v && r->end.v <= USER_END);
	ASSERT(at == set->count || set->r[at].start.v >= r->end.v);
	slot_open(set, at);
	set->r[at] = *r;
	set->flags |= r->flags;
	region_hold(r);
	join_around(set, at);
}

void regions_edit(struct regions *set, uaddr_t start, uaddr_t end, void (*edit)(struct region *, unsigned),
		  unsigned arg)
{
	split(set, start);
	split(set, end);
	for (uint32_t i = index_after(set, start); i < set->count && set->r[i].start.v < end.v; i++) {
		edit(&set->r[i], arg);
		set->flags |= set->r[i].flags;
	}
	/* Join from the top down, so that indexes below stay valid. */
	for (uint32_t i = index_after(set, end); i-- > 0 && set->r[i].end.v >= start.v;)
		if (i + 1 < set->count && can_join(&set->r[i], &set->r[i + 1])) {
			set->r[i].end = set->r[i + 1].end;
			region_drop(&set->r[i + 1]);
			slots_close(set, i + 1, i + 2);
		}
}
