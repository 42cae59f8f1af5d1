/* mm/frame.c - see mm/frame.h. */
#include "mm/frame.h"

#include "kernel/base/lock.h"
#include "mm/counters.h"
#include "mm/inject.h"

#define ORDERS      (FRAME_MAX_ORDER + 1)
#define HOT_DRAIN   128
#define ARENA_ORDER 6

/* Stacks of single free frames, through `next`. */
enum stack_name {
	STACK_HOT,    /* freed last, handed out first: their lines are warm, and no block is split or merged */
	STACK_TABLES, /* were page tables, and are all zero */
	STACK_ROOTS,  /* were roots: the user half zero, the kernel half and the recursive entry in place */
	STACK_ARENA,  /* cut from a block for page tables to come, so that their records lie side by side */
	STACKS
};

static const uint32_t stack_max[STACKS] = {256, 512, 64, 1u << ARENA_ORDER};

static struct {
	struct spinlock lock;
	uint32_t head[ORDERS]; /* free blocks by order, 0 = none */
	struct stack {
		uint32_t top, count;
	} stacks[STACKS];
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

static void stack_push(enum stack_name name, uint32_t f)
{
	struct stack *s = &pool.stacks[name];

	frame_of(PFN(f))->next = s->top;
	s->top = f;
	s->count++;
}

static uint32_t stack_pop(enum stack_name name)
{
	struct stack *s = &pool.stacks[name];
	uint32_t f = s->top;

	if (f) {
		s->top = frame_of(PFN(f))->next;
		s->count--;
	}
	return f;
}

static void stack_drain(enum stack_name name, uint32_t keep)
{
	while (pool.stacks[name].count > keep)
		block_merge(stack_pop(name), 0);
}

static ALWAYS_INLINE void frame_born(pfn_t f, enum frame_kind kind)
{
	struct frame *rec = frame_of(f);

	CHECK(rec->kind == FRAME_FREE && rec->ref == 0);
	rec->kind = (uint8_t)kind;
	rec->npresent = 0;
	rec->order = 0;
	rec->lines = 0;
	__atomic_store_n(&rec->ref, 1, __ATOMIC_RELAXED);
}

/* Where a frame of a kind goes when it is given back, and where one is looked for first. */
static const uint8_t stack_of[FRAME_KINDS] = {
    [FRAME_L1] = STACK_TABLES,
    [FRAME_L2] = STACK_TABLES,
    [FRAME_L3] = STACK_TABLES,
    [FRAME_ROOT] = STACK_ROOTS,
};

static uint32_t arena_take(void)
{
	uint32_t f = stack_pop(STACK_ARENA);

	if (f)
		return f;
	f = block_take(ARENA_ORDER);
	for (uint32_t i = (1u << ARENA_ORDER) - 1; f && i > 0; i--) {
		frame_of(PFN(f + i))->kind = FRAME_FREE;
		stack_push(STACK_ARENA, f + i);
	}
	return f;
}

/* Nothing where it is looked for first: the hot frames, the lists, then what other kinds have put by. */
static NOINLINE uint32_t take_elsewhere(enum frame_kind kind)
{
	uint32_t f = frame_is_table(kind) ? arena_take() : 0;

	if (!f)
		f = stack_pop(STACK_HOT);
	if (!f)
		f = block_take(0);
	for (int name = STACKS - 1; !f && name > STACK_HOT; name--)
		f = stack_pop((enum stack_name)name);
	return f;
}

/* The caller has seen that free > 0, or holds a reservation: there is one. */
static ALWAYS_INLINE pfn_t take_one(enum frame_kind kind)
{
	enum stack_name name = (enum stack_name)stack_of[kind];
	uint32_t f = stack_pop(name);
	bool kept = name != STACK_HOT;

	if (unlikely(!f)) {
		f = take_elsewhere(kind);
		kept = false;
	}
	ASSERT(f != 0);
	pool.free--;
	pool.by_kind[kind]++;
	frame_born(PFN(f), kind);
	frame_of(PFN(f))->order = kept;
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
			for (int name = 0; name < STACKS; name++)
				stack_drain((enum stack_name)name, 0);
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

static ALWAYS_INLINE void give_back(uint32_t f)
{
	struct frame *rec = frame_of(PFN(f));
	enum stack_name name = (enum stack_name)stack_of[rec->kind];

	ASSERT(rec->kind != FRAME_FREE && rec->kind != FRAME_UNUSABLE && rec->ref == 0);
	CHECK(rec->npresent == 0 || !frame_is_table((enum frame_kind)rec->kind));
	pool.by_kind[rec->kind]--;
	pool.free++;
	rec->kind = FRAME_FREE;
	rec->npresent = 0;
	if (unlikely(pool.stacks[name].count >= stack_max[name])) {
		name = STACK_HOT;
		if (pool.stacks[name].count >= stack_max[name])
			stack_drain(name, HOT_DRAIN);
	}
	stack_push(name, f);
}

void frame_free(pfn_t f)
{
	spin_lock(&pool.lock);
	give_back((uint32_t)f.v);
	spin_unlock(&pool.lock);
	COUNT(frame_frees);
}

void frame_free_list(uint32_t first)
{
	uint64_t freed = 0;

	spin_lock(&pool.lock);
	for (uint32_t next; first; first = next, freed++) {
		next = frame_of(PFN(first))->next;
		give_back(first);
	}
	spin_unlock(&pool.lock);
	COUNT_MANY(frame_frees, freed);
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

uint64_t frame_total(void) { return pool.total; }

uint64_t frame_available(void) { return pool.free - pool.reserved; }

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
