/*
 * mm/heap.c - see mm/heap.h.
 *
 * A small block lives in a slab: one page that starts with a struct slab and is cut into blocks of one class. So a
 * block is never page-aligned, and kfree() tells a large one by its address alone. A large block is a run of pages of
 * the heap's address range; the record of its first frame keeps the length (frame->next).
 */
#include "mm/heap.h"

#include "kernel/base/list.h"
#include "kernel/base/lock.h"
#include "kernel/base/string.h"
#include "mm/counters.h"
#include "mm/inject.h"
#include "mm/kmap.h"

#define HEAP_PAGES  (GIB(4) >> PAGE_SHIFT) /* address range: what one bitmap covers */
#define SLAB_HEADER 64
#define LARGEST     1984

struct slab {
	struct list node; /* on its class's list while it has a free block */
	void *free;       /* blocks linked through their first word */
	uint16_t used, capacity, class, magic;
};

#define SLAB_MAGIC 0x51ab

_Static_assert(sizeof(struct slab) <= SLAB_HEADER, "blocks start at a cache line");

/* Chosen so that little of the 4,032 bytes after the header is lost, and sizes of 64 keep their alignment. */
static const uint16_t class_size[] = {16, 32, 48, 64, 96, 128, 192, 256, 320, 448, 512, 576, 640, 768, 960, 1344, 1984};
#define CLASSES ARRAY_LEN(class_size)

static struct {
	struct spinlock lock;
	struct list partial[CLASSES];
	uint8_t class_of[LARGEST / 16 + 1]; /* by (size + 15) / 16 */
	uint64_t pages;                     /* marked as used */
	uint64_t hint;                      /* word of the bitmap to look at first */
	uint64_t used[HEAP_PAGES / 64];     /* pages of the address range */
} heap;

static void heap_init_classes(void)
{
	unsigned class = 0;

	spin_init(&heap.lock, "heap", LOCK_HEAP); /* here: an initialiser would put the bitmap into the image's file */
	for (unsigned i = 0; i < ARRAY_LEN(heap.class_of); i++) {
		if (i * 16 > class_size[class])
			class ++;
		heap.class_of[i] = (uint8_t) class;
	}
	for (unsigned c = 0; c < CLASSES; c++)
		list_init(&heap.partial[c]);
}

static vaddr_t page_address(uint64_t index) { return VADDR(slot_base(SLOT_HEAP).v + index * PAGE_SIZE); }

/* Address range, first fit from the hint. */
static bool range_is_free(uint64_t start, uint64_t n)
{
	for (uint64_t i = start; i < start + n; i++)
		if (heap.used[i / 64] >> (i % 64) & 1)
			return false;
	return true;
}

static void range_mark(uint64_t start, uint64_t n, bool used)
{
	heap.pages += used ? n : -n;
	for (uint64_t i = start; i < start + n; i++) {
		if (used)
			heap.used[i / 64] |= 1ull << (i % 64);
		else
			heap.used[i / 64] &= ~(1ull << (i % 64));
	}
}

static bool range_find_single(uint64_t *ret)
{
	for (uint64_t w = heap.hint; w < HEAP_PAGES / 64; w++)
		if (heap.used[w] != UINT64_MAX) {
			heap.hint = w;
			*ret = w * 64 + (unsigned)__builtin_ctzll(~heap.used[w]);
			return true;
		}
	return false;
}

static bool range_take(uint64_t n, uint64_t *ret)
{
	uint64_t at;
	bool found = false;

	if (n == 1) {
		found = range_find_single(&at);
	} else {
		for (at = heap.hint * 64; at + n <= HEAP_PAGES && !range_is_free(at, n);)
			at++;
		found = at + n <= HEAP_PAGES;
	}
	if (found) {
		range_mark(at, n, true);
		*ret = at;
	}
	return found;
}

static void range_release(uint64_t start, uint64_t n)
{
	range_mark(start, n, false);
	heap.hint = MIN(heap.hint, start / 64);
}

static void pages_unmap(uint64_t start, uint64_t n)
{
	for (uint64_t i = start; i < start + n; i++)
		frame_put(kunmap_page(page_address(i)));
}

static void *pages_alloc(uint64_t n)
{
	uint64_t start;
	bool ok;

	spin_lock(&heap.lock);
	ok = range_take(n, &start);
	spin_unlock(&heap.lock);
	if (!ok)
		return NULL;
	for (uint64_t i = 0; i < n; i++) {
		pfn_t f;

		if (frame_alloc(FRAME_KERNEL, &f))
			goto undo;
		if (kmap_page(page_address(start + i), f, KMAP_WB)) {
			frame_put(f);
			goto undo;
		}
		continue;
	undo:
		pages_unmap(start, i);
		spin_lock(&heap.lock);
		range_release(start, n);
		spin_unlock(&heap.lock);
		return NULL;
	}
	frame_of(kmap_frame(page_address(start)))->next = (uint32_t)n;
	return vaddr_ptr(page_address(start));
}

static void pages_free(void *p)
{
	uint64_t start = ((uint64_t)p - slot_base(SLOT_HEAP).v) >> PAGE_SHIFT;
	uint64_t n = frame_of(kmap_frame(VADDR(p)))->next;

	pages_unmap(start, n);
	spin_lock(&heap.lock);
	range_release(start, n);
	spin_unlock(&heap.lock);
}

static struct slab *slab_create(unsigned class)
{
	struct slab *s = pages_alloc(1);
	unsigned size = class_size[class];

	if (!s)
		return NULL;
	*s = (struct slab){.class = (uint16_t) class, .magic = SLAB_MAGIC};
	s->capacity = (uint16_t)((PAGE_SIZE - SLAB_HEADER) / size);
	for (unsigned i = s->capacity; i-- > 0;) {
		void **block = (void **)((char *)s + SLAB_HEADER + i * size);

		*block = s->free;
		s->free = block;
	}
	list_init(&s->node);
	return s;
}

static void *slab_take(struct slab *s)
{
	void **block = s->free;

	s->free = *block;
	s->used++;
	if (!s->free)
		list_remove(&s->node);
	return block;
}

static void *small_alloc(unsigned class)
{
	struct slab *s;
	void *p = NULL;

	spin_lock(&heap.lock);
	if (unlikely(!heap.partial[0].next))
		heap_init_classes();
	if (!list_empty(&heap.partial[class]))
		p = slab_take(list_first(&heap.partial[class], struct slab, node));
	spin_unlock(&heap.lock);
	if (likely(p))
		return p;
	s = slab_create(class);
	if (!s)
		return NULL;
	spin_lock(&heap.lock);
	list_push(&heap.partial[class], &s->node);
	p = slab_take(s);
	spin_unlock(&heap.lock);
	return p;
}

static void small_free(void *p)
{
	struct slab *s = (struct slab *)ALIGN_DOWN((uint64_t)p, PAGE_SIZE);
	bool empty;

	ASSERT(s->magic == SLAB_MAGIC && s->used > 0);
	ASSERT(((uint64_t)p - (uint64_t)s - SLAB_HEADER) % class_size[s->class] == 0);
	spin_lock(&heap.lock);
	*(void **)p = s->free;
	if (!s->free)
		list_push(&heap.partial[s->class], &s->node);
	s->free = p;
	/* The last slab of a class with room stays, so that one block taken and given back does not map and unmap a
	 * page. */
	empty = --s->used == 0 && (s->node.next != &heap.partial[s->class] || s->node.prev != &heap.partial[s->class]);
	if (empty)
		list_remove(&s->node);
	spin_unlock(&heap.lock);
	if (empty)
		pages_free(s);
}

void *kmalloc(size_t n)
{
	void *p = NULL;

	if (inject_failure(INJECT_HEAP))
		return NULL;
	if (likely(n <= LARGEST)) {
		if (unlikely(!heap.partial[0].next))
			heap_init_classes();
		p = small_alloc(heap.class_of[(n + 15) / 16]);
	} else if (n <= HEAP_PAGES * PAGE_SIZE) {
		p = pages_alloc(pages_for(n));
	}
	if (likely(p))
		COUNT(heap_allocs);
	return p;
}

void *kzalloc(size_t n)
{
	void *p = kmalloc(n);

	if (p)
		memset(p, 0, n);
	return p;
}

void kfree(void *p)
{
	if (!p)
		return;
	COUNT(heap_frees);
	if (page_offset((uint64_t)p) == 0)
		pages_free(p);
	else
		small_free(p);
}

uint64_t heap_frames(void) { return heap.pages; }
