/*
 * tests/host/region.c - the set of regions against a model of one byte per page.
 * sources: mm/region.c kernel/base/string.c
 */
#include "mm/region.h"

#include "mm/object.h"
#include "tests/host/test.h"

#define PAGES 256
#define BASE  0x100000ull

extern long test_live_blocks, test_fail_after;

static struct object objects[3];
static long object_refs;

void object_get(struct object *obj)
{
	EXPECT_TRUE(obj >= objects && obj < objects + 3);
	object_refs++;
}

void object_put(struct object *obj)
{
	EXPECT_TRUE(obj >= objects && obj < objects + 3);
	object_refs--;
}

/* What the model knows of a page: 0 nothing, else which object (1 = none), rights, and the offset that it must have. */
struct page {
	unsigned what, prot;
	uint64_t offset;
};

static struct page model[PAGES];

static uaddr_t page_at(unsigned i) { return UADDR(BASE + i * PAGE_SIZE); }

static void check_invariants(const struct regions *set)
{
	const struct region *r;
	long with_object = 0;

	region_for_each (r, set) {
		EXPECT_TRUE(r->start.v < r->end.v && page_offset(r->start.v) == 0 && page_offset(r->end.v) == 0);
		if (r > set->r)
			EXPECT_TRUE(r[-1].end.v <= r->start.v);
		with_object += r->object != NULL;
	}
	EXPECT(with_object, object_refs);
	EXPECT_TRUE(set->count <= set->capacity);
}

static void check_model(const struct regions *set)
{
	uint64_t bytes = 0;

	check_invariants(set);
	for (unsigned i = 0; i < PAGES; i++) {
		struct region *r = region_find(set, page_at(i));

		EXPECT(model[i].what != 0, r != NULL);
		if (!r || !model[i].what)
			continue;
		bytes += PAGE_SIZE;
		EXPECT(model[i].prot, r->prot);
		EXPECT_TRUE(r->object == (model[i].what > 1 ? &objects[model[i].what - 2] : NULL));
		if (r->object)
			EXPECT(model[i].offset, r->offset + (page_at(i).v - r->start.v));
	}
	EXPECT(bytes, regions_bytes(set));
}

static void put(struct regions **set, unsigned first, unsigned n, unsigned what, unsigned prot, uint64_t offset)
{
	struct region r = {
	    page_at(first),       page_at(first + n), (uint8_t)prot, 0, what > 1 ? &objects[what - 2] : NULL,
	    what > 1 ? offset : 0};

	EXPECT(0, regions_prepare(set, 2));
	regions_cut(*set, r.start, r.end);
	regions_insert(*set, &r);
	for (unsigned i = first; i < first + n; i++)
		model[i] = (struct page){what, prot, offset + (i - first) * PAGE_SIZE};
}

static void take(struct regions **set, unsigned first, unsigned n)
{
	EXPECT(0, regions_prepare(set, 1));
	regions_cut(*set, page_at(first), page_at(first + n));
	memset(&model[first], 0, n * sizeof(model[0]));
}

static void set_prot(struct region *r, unsigned prot) { r->prot = (uint8_t)prot; }

static void protect(struct regions **set, unsigned first, unsigned n, unsigned prot)
{
	EXPECT(0, regions_prepare(set, 2));
	regions_edit(*set, page_at(first), page_at(first + n), set_prot, prot);
	for (unsigned i = first; i < first + n; i++)
		model[i].prot = model[i].what ? prot : 0;
}

static struct regions *fresh(void)
{
	struct regions *set = NULL;

	EXPECT(0, regions_create(&set));
	memset(model, 0, sizeof(model));
	return set;
}

static void drop(struct regions *set)
{
	regions_put(set);
	EXPECT(0, object_refs);
	EXPECT(0, test_live_blocks);
}

static void test_joining(void)
{
	struct regions *set = fresh();

	put(&set, 0, 4, 1, 3, 0);
	put(&set, 8, 4, 1, 3, 0);
	EXPECT(2, set->count);
	put(&set, 4, 4, 1, 3, 0);
	EXPECT(1, set->count);
	protect(&set, 4, 2, 1);
	EXPECT(3, set->count);
	protect(&set, 4, 2, 3);
	EXPECT(1, set->count);
	put(&set, 20, 2, 2, 1, 0);
	put(&set, 22, 2, 2, 1, 2 * PAGE_SIZE);
	EXPECT(2, set->count); /* the object's offsets follow each other */
	put(&set, 24, 2, 2, 1, 9 * PAGE_SIZE);
	EXPECT(3, set->count);
	check_model(set);
	drop(set);
}

static void test_questions(void)
{
	struct regions *set = fresh();
	uaddr_t hole = UADDR(0), gap = UADDR(0);

	put(&set, 4, 4, 1, 3, 0);
	put(&set, 8, 4, 1, 1, 0);
	put(&set, 20, 10, 1, 3, 0);
	EXPECT_TRUE(regions_cover(set, page_at(4), page_at(12), &hole));
	EXPECT_TRUE(!regions_cover(set, page_at(4), page_at(13), &hole));
	EXPECT(page_at(12).v, hole.v);
	EXPECT_TRUE(!regions_cover(set, page_at(3), page_at(5), &hole));
	EXPECT(page_at(3).v, hole.v);
	EXPECT_TRUE(regions_overlap(set, page_at(11), page_at(15)));
	EXPECT_TRUE(!regions_overlap(set, page_at(12), page_at(20)));
	EXPECT_TRUE(regions_gap(set, page_at(0), page_at(40), 8 * PAGE_SIZE, &gap));
	EXPECT(page_at(32).v, gap.v);
	EXPECT_TRUE(regions_gap(set, page_at(0), page_at(30), 8 * PAGE_SIZE, &gap));
	EXPECT(page_at(12).v, gap.v);
	EXPECT_TRUE(regions_gap(set, page_at(0), page_at(30), 4 * PAGE_SIZE, &gap));
	EXPECT(page_at(16).v, gap.v);
	EXPECT_TRUE(regions_gap(set, page_at(0), page_at(12), 4 * PAGE_SIZE, &gap));
	EXPECT(page_at(0).v, gap.v);
	EXPECT_TRUE(!regions_gap(set, page_at(2), page_at(12), 4 * PAGE_SIZE, &gap));
	EXPECT_TRUE(!regions_gap(set, page_at(0), page_at(30), UINT64_MAX, &gap));
	EXPECT(page_at(8).v, region_after(set, page_at(8))->start.v);
	EXPECT(page_at(20).v, region_after(set, page_at(12))->start.v);
	EXPECT_TRUE(!region_after(set, page_at(30)));
	EXPECT_TRUE(!region_find(set, page_at(12)));
	drop(set);
}

/* Fork shares the set; whoever changes it first gets a copy, and the other sees nothing of it. */
static void test_sharing(void)
{
	struct regions *set = fresh(), *other;

	put(&set, 4, 4, 2, 3, 0);
	put(&set, 10, 4, 3, 3, 0);
	other = set;
	regions_get(other);
	EXPECT(0, regions_prepare(&set, 1));
	EXPECT_TRUE(set != other);
	regions_cut(set, page_at(4), page_at(20));
	EXPECT(0, set->count);
	EXPECT(2, other->count);
	EXPECT(2, object_refs);
	EXPECT_PANIC((regions_get(other), regions_cut(other, page_at(4), page_at(8))));
	regions_put(other);
	regions_put(set);
	drop(other);
}

static void test_without(void)
{
	struct regions *set = fresh(), *copy = NULL;

	put(&set, 4, 4, 2, 3, 0);
	put(&set, 10, 4, 3, 3, 0);
	set->r[0].flags = REGION_DONTFORK;
	EXPECT(0, regions_copy(set, 0, REGION_DONTFORK, &copy));
	EXPECT(1, copy->count);
	EXPECT(page_at(10).v, copy->r[0].start.v);
	regions_put(copy);
	drop(set);
}

static void test_no_memory(void)
{
	struct regions *set = fresh(), *shared = set;

	put(&set, 4, 4, 2, 3, 0);
	shared = set;
	regions_get(shared);
	test_fail_after = 1;
	EXPECT(-ENOMEM, regions_prepare(&set, 1));
	EXPECT_TRUE(set == shared);
	EXPECT(1, set->count);
	EXPECT(1, object_refs);
	test_fail_after = 1;
	EXPECT(-ENOMEM, regions_create(&shared));
	EXPECT_TRUE(set == shared);
	regions_put(shared);
	drop(set);
}

static void test_random_use(void)
{
	struct regions *set = fresh();
	unsigned state = 3;

	for (int step = 0; step < 6000; step++) {
		unsigned first = test_random(&state) % (PAGES - 1), n = 1 + test_random(&state) % 24;
		unsigned what = 1 + test_random(&state) % 4, prot = test_random(&state) % 8;

		n = first + n > PAGES ? PAGES - first : n;
		switch (test_random(&state) % 3) {
		case 0:
			put(&set, first, n, what, prot, (uint64_t)first * PAGE_SIZE);
			break;
		case 1:
			take(&set, first, n);
			break;
		default:
			protect(&set, first, n, prot);
		}
		check_model(set);
	}
	drop(set);
}

int main(void)
{
	test_joining();
	test_questions();
	test_sharing();
	test_without();
	test_no_memory();
	test_random_use();
	return test_result();
}
