/* mm/frame.c - see mm/frame.h. */
#include "mm/frame.h"

#include "kernel/base/lock.h"
#include "mm/counters.h"
#include "mm/inject.h"

#define ORDERS    (FRAME_MAX_ORDER + 1)
#define HOT_MAX   256 /* frames freed last, handed out first: their lines are warm, and no block is split or merged */
#define HOT_DRAIN 128

static struct {
	struct spinlock lock;
	uint32_t head[ORDERS]; /* free blocks by order, 0 = none */
	uint32_t hot;          /* stack of single frames through `next` */
	uint32_t hot_count;
	uint64_t total, free, reserved;
	uint64_t by_kind[FRAME_KINDS];
} pool = {.lock = SPINLOCK_INIT("frame", LOCK_FRAME)};

static void block_push(uint32_t f, unsigned order)
{
	struct frame *rec = frame_of(PFN(f));

	rec->order = (uint8_t)order;
	rec->kind = FRAME_FREE;
	rec->npresent = 1; /* heads a block on a list, as opposed to lying inside one or on the hot stack */
	rec->prev = 0;
	rec->next = pool.head[order];
	if (rec->next)
		frame_of(PFN(rec->next))->prev = f;
	pool.head[order] = f;
}

static void block_remove(uint32_t f)
{
	struct frame *rec = frame_of(PFN(f));

	if (rec->prev)
		frame_of(PFN(rec->prev))->next = rec->next;
	else
		pool.head[rec->order] = rec->next;
	if (rec->next)
		frame_of(PFN(rec->next))->prev = rec->prev;
	rec->npresent = 0;
}

/* A buddy never lies outside the 2 MiB stretch, whose records are mapped as a whole (mm/boot.c). */
static void block_merge(uint32_t f, unsigned order)
{
	while (order < FRAME_MAX_ORDER) {
		uint32_t buddy = f ^ (1u << order);
		struct frame *rec = frame_of(PFN(buddy));

		if (rec->kind != FRAME_FREE || rec->npresent != 1 || rec->order != order)
			break;
		block_remove(buddy);
		f &= ~(1u << order);
		order++;
	}
	block_push(f, order);
}

/* Takes a block off the lists, splitting a larger one: 0 if there is none. */
static uint32_t block_take(unsigned order)
{
	unsigned have = order;
	uint32_t f;

	while (have < ORDERS && !pool.head[have])
		have++;
	if (have == ORDERS)
		return 0;
	f = pool.head[have];
	block_remove(f);
	while (have > order) {
		have--;
		block_push(f + (1u << have), have);
	}
	return f;
}

static uint32_t hot_pop(void)
{
	uint32_t f = pool.hot;

	if (f) {
		pool.hot = frame_of(PFN(f))->next;
		pool.hot_count--;
	}
	return f;
}

static void hot_drain(uint32_t keep)
{
	while (pool.hot_count > keep)
		block_merge(hot_pop(), 0);
}

static void frame_born(pfn_t f, enum frame_kind kind)
{
	struct frame *rec = frame_of(f);

	CHECK(rec->kind == FRAME_FREE && rec->ref == 0);
	rec->kind = (uint8_t)kind;
	rec->npresent = 0;
	rec->order = 0;
	__atomic_store_n(&rec->ref, 1, __ATOMIC_RELAXED);
}

/* The caller has seen that free > 0, or holds a reservation: there is one. */
static pfn_t take_one(enum frame_kind kind)
{
	uint32_t f = hot_pop();

	if (!f)
		f = block_take(0);
	ASSERT(f != 0);
	pool.free--;
	pool.by_kind[kind]++;
	frame_born(PFN(f), kind);
	return PFN(f);
}

int frame_alloc(enum frame_kind kind, pfn_t *ret_frame)
{
	int err = -ENOMEM;

	if (inject_failure(INJECT_FRAME))
		return -ENOMEM;
	spin_lock(&pool.lock);
	if (pool.free > pool.reserved) {
		*ret_frame = take_one(kind);
		err = 0;
	}
	spin_unlock(&pool.lock);
	COUNT(frame_allocs);
	return err;
}

int frame_alloc_block(enum frame_kind kind, unsigned order, pfn_t *ret_frame)
{
	uint64_t n = (uint64_t)1 << order;
	uint32_t f = 0;

	ASSERT(order <= FRAME_MAX_ORDER);
	if (inject_failure(INJECT_FRAME))
		return -ENOMEM;
	spin_lock(&pool.lock);
	if (pool.free >= pool.reserved + n) {
		f = block_take(order);
		if (!f) {
			hot_drain(0);
			f = block_take(order);
		}
	}
	if (f) {
		pool.free -= n;
		pool.by_kind[kind] += n;
		for (uint64_t i = 0; i < n; i++) {
			frame_of(PFN(f + i))->kind = FRAME_FREE;
			frame_born(PFN(f + i), kind);
		}
	}
	spin_unlock(&pool.lock);
	COUNT(frame_allocs);
	if (!f)
		return -ENOMEM;
	*ret_frame = PFN(f);
	return 0;
}

int frame_reserve(uint64_t n, struct frame_reserve *ret_reserve)
{
	int err = -ENOMEM;

	if (inject_failure(INJECT_RESERVE))
		return -ENOMEM;
	spin_lock(&pool.lock);
	if (pool.free - pool.reserved >= n) {
		pool.reserved += n;
		ret_reserve->left = n;
		err = 0;
	}
	spin_unlock(&pool.lock);
	return err;
}

pfn_t frame_take(struct frame_reserve *r, enum frame_kind kind)
{
	pfn_t f;

	ASSERT(r->left > 0);
	spin_lock(&pool.lock);
	r->left--;
	pool.reserved--;
	f = take_one(kind);
	spin_unlock(&pool.lock);
	COUNT(frame_allocs);
	return f;
}

void frame_unreserve(struct frame_reserve *r)
{
	if (!r->left)
		return;
	spin_lock(&pool.lock);
	pool.reserved -= r->left;
	spin_unlock(&pool.lock);
	r->left = 0;
}

void frame_free(pfn_t f)
{
	struct frame *rec = frame_of(f);

	ASSERT(rec->kind != FRAME_FREE && rec->kind != FRAME_UNUSABLE && rec->ref == 0);
	spin_lock(&pool.lock);
	pool.by_kind[rec->kind]--;
	pool.free++;
	rec->kind = FRAME_FREE;
	rec->npresent = 0;
	rec->next = pool.hot;
	pool.hot = (uint32_t)f.v;
	if (++pool.hot_count > HOT_MAX)
		hot_drain(HOT_MAX - HOT_DRAIN);
	spin_unlock(&pool.lock);
	COUNT(frame_frees);
}

void frame_add_range(pfn_t start, uint64_t count)
{
	spin_lock(&pool.lock);
	pool.total += count;
	pool.free += count;
	for (uint64_t f = start.v, end = start.v + count; f < end;) {
		unsigned order = 0;

		while (order < FRAME_MAX_ORDER && !(f & (1ull << order)) && f + (2ull << order) <= end)
			order++;
		for (uint64_t i = 0; i < 1ull << order; i++)
			*frame_of(PFN(f + i)) = (struct frame){.kind = FRAME_FREE};
		block_merge((uint32_t)f, order);
		f += 1ull << order;
	}
	spin_unlock(&pool.lock);
}

void frame_stats(struct frame_stats *ret)
{
	spin_lock(&pool.lock);
	ret->total = pool.total;
	ret->free = pool.free;
	ret->reserved = pool.reserved;
	for (int k = 0; k < FRAME_KINDS; k++)
		ret->by_kind[k] = pool.by_kind[k];
	spin_unlock(&pool.lock);
}
