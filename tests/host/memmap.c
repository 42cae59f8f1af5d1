/*
 * tests/host/memmap.c - the firmware's memory map, in all the shapes that it should not have.
 * sources: mm/memmap.c
 */
#include "mm/memmap.h"

#include <stdlib.h>

#include "tests/host/test.h"

#define WB 0x8ull

struct descriptor {
	uint32_t type, pad;
	uint64_t start, virtual_start, pages, attribute;
};

static struct memory_range out[64];
static struct memory_map map;

static int clean(const struct descriptor *d, unsigned n, const struct boot_range *keep, unsigned keep_count,
		 uint64_t max)
{
	map.free = out;
	map.capacity = map.capacity ? map.capacity : 64;
	return memory_map_clean(&map, d, n * sizeof(*d), sizeof(*d), keep, keep_count, max);
}

#define MAP(...)                                                 \
	do {                                                     \
		const struct descriptor d_[] = {__VA_ARGS__};    \
		map.capacity = 64;                               \
		EXPECT(0, clean(d_, ARRAY_LEN(d_), NULL, 0, 0)); \
	} while (0)

static void expect_range(unsigned i, uint64_t start, uint64_t end)
{
	EXPECT_TRUE(i < map.count);
	EXPECT(start, out[i].start);
	EXPECT(end, out[i].end);
}

static void test_usual(void)
{
	MAP({7, 0, 0x100000, 0, 0x100, WB}, {3, 0, 0x200000, 0, 0x10, WB}, {6, 0, 0x210000, 0, 0x10, WB},
	    {7, 0, 0x220000, 0, 0x10, WB});
	EXPECT(2, map.count);
	expect_range(0, 0x100, 0x210);
	expect_range(1, 0x220, 0x230);
	EXPECT(0x120, map.free_frames);
	EXPECT(0x130, map.ram_frames);
	EXPECT(0, map.lost + map.bad_descriptors);
}

static void test_unsorted(void)
{
	MAP({7, 0, 0x100000000, 0, 0x100, WB}, {7, 0, 0x400000, 0, 0x10, WB}, {7, 0, 0x300000, 0, 0x100, WB},
	    {7, 0, 0x200000, 0, 0x10, WB});
	EXPECT(3, map.count);
	expect_range(0, 0x200, 0x210);
	expect_range(1, 0x300, 0x410);
	expect_range(2, 0x100000, 0x100100);
}

/* Reserved wins over free, whichever comes first and however they overlap. */
static void test_overlaps(void)
{
	MAP({0, 0, 0x300000, 0, 0x10, WB}, {7, 0, 0x200000, 0, 0x1000, WB}, {11, 0, 0x11f0000, 0, 0x100, 0},
	    {5, 0, 0x1f0000, 0, 0x20, WB}, {7, 0, 0x300000, 0, 0x10, WB});
	EXPECT(2, map.count);
	expect_range(0, 0x210, 0x300);
	expect_range(1, 0x310, 0x11f0);
}

static void test_nonsense(void)
{
	MAP({7, 0, 0x200000, 0, 0, WB}, {7, 0, 0x200800, 0, 4, WB}, {7, 0, 0xfffffffffffff000, 0, 8, WB},
	    {7, 0, 0x300000, 0, UINT64_MAX, WB}, {7, 0, 0x400000, 0, 4, WB}, {99, 0, 0x500000, 0, 4, WB},
	    {0x80000001, 0, 0x600000, 0, 4, WB});
	EXPECT(1, map.count);
	expect_range(0, 0x400, 0x404);
	EXPECT(4, map.bad_descriptors);
}

static void test_attributes(void)
{
	MAP({7, 0, 0x200000, 0, 4, 0}, {7, 0, 0x300000, 0, 4, WB | 0x40000}, {7, 0, 0x400000, 0, 4, WB});
	EXPECT(1, map.count);
	expect_range(0, 0x400, 0x404);
}

static void test_limits(void)
{
	const struct descriptor d[] = {
	    {7, 0, 0, 0, 0x1000, WB}, {7, 0, 0xfffffff000, 0, 1, WB}, {7, 0, 0xfffff000000, 0, 0x10000, WB}};
	struct boot_range keep[] = {{PADDR(0x180000), 0x10}, {PADDR(0x101000), 1}};

	EXPECT(0, clean(d, 3, keep, 2, 0));
	expect_range(0, 0x100, 0x101);
	expect_range(1, 0x102, 0x180);
	expect_range(2, 0x190, 0x1000);
	expect_range(3, 0xfffffff, 0x10000000);
	expect_range(4, 0xfffff000, 0x100000000);
	EXPECT(5, map.count);
	EXPECT(0, clean(d, 3, keep, 2, 100));
	EXPECT(100, map.free_frames);
	EXPECT(2, map.count);
	EXPECT(0, clean(d, 0, NULL, 0, 0));
	EXPECT(0, map.count);
	EXPECT(-EINVAL, memory_map_clean(&map, d, sizeof(d), 39, NULL, 0, 0));
	EXPECT(-EINVAL, memory_map_clean(&map, d, sizeof(d), 0, NULL, 0, 0));
	EXPECT(0, map.count);
}

/* Descriptors that are longer than this version knows. */
static void test_long_descriptors(void)
{
	static uint64_t raw[2][7] = {{7, 0x200000, 0, 4, WB, ~0ull, ~0ull}, {7, 0x300000, 0, 4, WB, ~0ull, ~0ull}};

	EXPECT(0, memory_map_clean(&map, raw, sizeof(raw), sizeof(raw[0]), NULL, 0, 0));
	EXPECT(2, map.count);
	expect_range(1, 0x300, 0x304);
}

static void test_full_output(void)
{
	struct descriptor d[20];

	for (unsigned i = 0; i < 20; i++)
		d[i] = (struct descriptor){7, 0, (20 - i) * 0x200000ull, 0, 1, WB};
	map.capacity = 8;
	EXPECT(0, clean(d, 20, NULL, 0, 0));
	EXPECT(8, map.count);
	EXPECT(12, map.lost);
	expect_range(0, 0x200, 0x201);
	expect_range(7, 0x1000, 0x1001);
	map.capacity = 64;
}

/* Random maps against a model of one byte per frame. */
static void test_against_model(void)
{
	enum { SPAN = 0x400, BASE = 0x100 };
	unsigned state = 7;

	for (int round = 0; round < 400; round++) {
		static unsigned char model[SPAN];
		struct descriptor d[12];
		unsigned at = 0;

		memset(model, 0, sizeof(model));
		for (unsigned i = 0; i < 12; i++) {
			unsigned start = test_random(&state) % SPAN, n = 1 + test_random(&state) % 80;
			unsigned type = test_random(&state) % 15;
			bool free = (type >= 1 && type <= 4) || type == 7;

			n = start + n > SPAN ? SPAN - start : n;
			d[i] = (struct descriptor){type, 0, (BASE + start) * 0x1000ull, 0, n, WB};
			for (unsigned f = start; f < start + n; f++)
				model[f] |= free ? 1 : 2;
		}
		EXPECT(0, clean(d, 12, NULL, 0, 0));
		for (unsigned f = 0; f < SPAN; f++) {
			while (at < map.count && out[at].end <= BASE + f)
				at++;
			EXPECT(model[f] == 1, at < map.count && out[at].start <= BASE + f);
		}
	}
}

int main(void)
{
	test_usual();
	test_unsorted();
	test_overlaps();
	test_nonsense();
	test_attributes();
	test_limits();
	test_long_descriptors();
	test_full_output();
	test_against_model();
	return test_result();
}
