/*
 * tests/host/frame.c - the frame allocator against a model that knows who holds which frame.
 * sources: mm/frame.c
 */
#include "mm/frame.h"

#include <stdlib.h>

#include "mm/inject.h"
#include "tests/host/test.h"

#define FRAMES 4096
#define FIRST  300 /* not aligned to anything */
#define LAST   3900

static struct frame records[FRAMES + 512];
struct frame *const test_frame_table = records;
static bool held[FRAMES];

static uint64_t free_count(void)
{
	struct frame_stats s;

	frame_stats(&s);
	return s.free;
}

static void take_note(pfn_t f, unsigned order)
{
	EXPECT(0, f.v & ((1u << order) - 1));
	for (uint64_t i = f.v; i < f.v + (1u << order); i++) {
		EXPECT_TRUE(i >= FIRST && i < LAST && !held[i]);
		EXPECT(1, frame_refs(PFN(i)));
		held[i] = true;
	}
}

static void drop(uint64_t f)
{
	EXPECT_TRUE(held[f]);
	held[f] = false;
	frame_put(PFN(f));
}

static void drop_all(void)
{
	for (uint64_t f = 0; f < FRAMES; f++) {
		if (held[f])
			drop(f);
	}
}

static void test_exhaustion(void)
{
	pfn_t f;
	uint64_t n = 0;

	while (!frame_alloc(FRAME_ANON, &f)) {
		take_note(f, 0);
		n++;
	}
	EXPECT(LAST - FIRST, n);
	EXPECT(0, free_count());
	EXPECT(-ENOMEM, frame_alloc_block(FRAME_KERNEL, 0, &f));
	drop_all();
	EXPECT(LAST - FIRST, free_count());
}

static void test_blocks(void)
{
	pfn_t f;

	for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
		EXPECT(0, frame_alloc_block(FRAME_KERNEL, order, &f));
		take_note(f, order);
	}
	drop_all();
	EXPECT(LAST - FIRST, free_count());
	/* All merges again: the largest blocks that the range holds are there: 512..3584 = 6 of them. */
	for (int i = 0; i < 6; i++) {
		EXPECT(0, frame_alloc_block(FRAME_KERNEL, FRAME_MAX_ORDER, &f));
		take_note(f, FRAME_MAX_ORDER);
	}
	EXPECT(-ENOMEM, frame_alloc_block(FRAME_KERNEL, FRAME_MAX_ORDER, &f));
	drop_all();
}

static void test_random_use(void)
{
	unsigned state = 1;
	pfn_t f;

	for (int step = 0; step < 30000; step++) {
		unsigned r = test_random(&state);

		if (r % 3 == 0 && !frame_alloc(FRAME_ANON, &f))
			take_note(f, 0);
		else if (r % 3 == 1 && !frame_alloc_block(FRAME_L1, r / 3 % 6, &f))
			take_note(f, r / 3 % 6);
		else if (held[r / 3 % FRAMES])
			drop(r / 3 % FRAMES);
	}
	drop_all();
	EXPECT(LAST - FIRST, free_count());
}

static void test_references(void)
{
	uint64_t before = free_count();
	pfn_t f;

	EXPECT(0, frame_alloc(FRAME_CACHE, &f));
	frame_get(f);
	frame_get(f);
	EXPECT(3, frame_refs(f));
	frame_put(f);
	frame_put(f);
	EXPECT(before - 1, free_count());
	frame_put(f);
	EXPECT(before, free_count());
	EXPECT_PANIC(frame_put(f));
	frame_of(f)->ref = 0; /* the panic left it wrapped */
}

/* What is reserved cannot be had by others, and is always there for its owner. */
static void test_reservations(void)
{
	uint64_t all = free_count(), n = 0;
	struct frame_reserve mine, more;
	struct frame_stats s;
	pfn_t f;

	EXPECT(0, frame_reserve(10, &mine));
	EXPECT(-ENOMEM, frame_reserve(all - 9, &more));
	EXPECT(-ENOMEM, frame_reserve(UINT64_MAX, &more));
	while (!frame_alloc(FRAME_ANON, &f)) {
		take_note(f, 0);
		n++;
	}
	EXPECT(all - 10, n);
	for (int i = 0; i < 7; i++)
		take_note(frame_take(&mine, FRAME_L2), 0);
	EXPECT(3, mine.left);
	frame_unreserve(&mine);
	frame_stats(&s);
	EXPECT(0, s.reserved);
	EXPECT(0, frame_alloc(FRAME_ANON, &f));
	take_note(f, 0);
	EXPECT_PANIC(frame_take(&mine, FRAME_L2));
	drop_all();
	EXPECT(all, free_count());
}

static void test_kinds(void)
{
	struct frame_stats s;
	pfn_t f;

	EXPECT(0, frame_alloc(FRAME_ROOT, &f));
	EXPECT(FRAME_ROOT, frame_of(f)->kind);
	EXPECT(0, frame_of(f)->npresent);
	frame_stats(&s);
	EXPECT(1, s.by_kind[FRAME_ROOT]);
	EXPECT(LAST - FIRST, s.total);
	frame_put(f);
	frame_stats(&s);
	EXPECT(0, s.by_kind[FRAME_ROOT]);
	EXPECT(FRAME_FREE, frame_of(f)->kind);
}

static void test_injected_failure(void)
{
	uint64_t before = free_count();
	struct frame_reserve r;
	pfn_t f;

	inject_countdown = 1;
	EXPECT(-ENOMEM, frame_alloc(FRAME_ANON, &f));
	inject_countdown = 1;
	EXPECT(-ENOMEM, frame_reserve(1, &r));
	inject_countdown = 0;
	EXPECT(before, free_count());
}

int main(void)
{
	frame_add_range(PFN(FIRST), 1000);
	frame_add_range(PFN(FIRST + 1000), LAST - FIRST - 1000);
	test_exhaustion();
	test_blocks();
	test_random_use();
	test_references();
	test_reservations();
	test_kinds();
	test_injected_failure();
	return test_result();
}
