/* tests/host/model/world.c - see world.h. */
#include "tests/host/model/world.h"

#include <asm/mman.h>
#include <stdlib.h>
#include <string.h>

#include "mm/commit.h"
#include "mm/verify.h"
#include "tests/host/machine/machine.h"

struct world world;

uint64_t word_offset(unsigned w) { return w == WORDS - 1 ? PAGE_SIZE - 8 : w * 1368; }

#define STAMP_FILE ((uint64_t)1 << 63)
#define STAMP_MASK (((uint64_t)1 << 32) - 1)

/* File, page and word in the upper half of a value that a file's page may hold. */
static uint64_t stamp_place(const struct file *f, uint64_t page, unsigned w)
{
	return STAMP_FILE | (uint64_t)(f->id & 0x7fff) << 48 | page << 34 | (uint64_t)w << 32;
}

uint64_t stamp(const struct file *f, uint64_t page, unsigned w)
{
	return ++world.stamps | (f ? stamp_place(f, page, w) : 0);
}

/* Files. */
struct file *file_create(uint64_t pages)
{
	struct file *f;
	struct object *object;

	if (object_create(pages * PAGE_SIZE, &object))
		return NULL;
	f = calloc(1, sizeof(*f) + pages * sizeof(f->word[0]));
	f->object = object;
	f->id = ++world.files;
	f->refs = 1;
	f->pages = pages;
	return f;
}

void file_put(struct file *f)
{
	if (!f || --f->refs)
		return;
	object_put(f->object);
	free(f);
}

/* Areas. */
static void area_hold(const struct area *a)
{
	if (a->file)
		a->file->refs++;
}

static unsigned area_index(const struct process *p, uint64_t va)
{
	unsigned low = 0, high = p->narea;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (p->areas[mid].end > va)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct area *area_after(struct process *p, uint64_t va)
{
	unsigned i = area_index(p, va);

	return i < p->narea ? &p->areas[i] : NULL;
}

struct area *area_find(struct process *p, uint64_t va)
{
	struct area *a = area_after(p, va);

	return a && a->start <= va ? a : NULL;
}

bool area_free(struct process *p, uint64_t start, uint64_t end)
{
	struct area *a = area_after(p, start);

	return !a || a->start >= end;
}

bool area_cover(struct process *p, uint64_t start, uint64_t end, uint64_t *ret_hole)
{
	while (start < end) {
		struct area *a = area_find(p, start);

		*ret_hole = start;
		if (!a)
			return false;
		start = a->end;
	}
	return true;
}

/* Makes room for an area at index i. */
static struct area *area_open(struct process *p, unsigned i)
{
	if (p->narea == p->area_room) {
		p->area_room = p->area_room * 2 + 16;
		p->areas = realloc(p->areas, p->area_room * sizeof(*p->areas));
	}
	memmove(&p->areas[i + 1], &p->areas[i], (p->narea - i) * sizeof(*p->areas));
	p->narea++;
	return &p->areas[i];
}

void area_insert(struct process *p, const struct area *a)
{
	*area_open(p, area_index(p, a->start)) = *a;
	area_hold(a);
}

/* An area that starts before `at` and ends behind it becomes two. */
static void area_split(struct process *p, uint64_t at)
{
	unsigned i = area_index(p, at);
	struct area *low;

	if (i == p->narea || p->areas[i].start >= at)
		return;
	low = area_open(p, i);
	low[0] = low[1];
	low[0].end = low[1].start = at;
	low[1].offset += low[0].end - low[0].start;
	area_hold(low);
}

void area_cut(struct process *p, uint64_t start, uint64_t end)
{
	unsigned from, to;

	if (area_free(p, start, end))
		return;
	area_split(p, start);
	area_split(p, end);
	from = to = area_index(p, start);
	for (; to < p->narea && p->areas[to].start < end; to++)
		file_put(p->areas[to].file);
	memmove(&p->areas[from], &p->areas[to], (p->narea - to) * sizeof(*p->areas));
	p->narea -= to - from;
	page_drop(p, start, end);
}

void area_edit(struct process *p, uint64_t start, uint64_t end, void (*edit)(struct area *, unsigned), unsigned arg)
{
	area_split(p, start);
	area_split(p, end);
	for (unsigned i = area_index(p, start); i < p->narea && p->areas[i].start < end; i++)
		edit(&p->areas[i], arg);
}

/* Pages. */
static unsigned page_index(const struct process *p, uint64_t va)
{
	unsigned low = 0, high = p->npage;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (p->pages[mid].va >= va)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct page *page_from(struct process *p, uint64_t va)
{
	unsigned i = page_index(p, ALIGN_DOWN(va, PAGE_SIZE));

	return i < p->npage ? &p->pages[i] : NULL;
}

struct page *page_find(struct process *p, uint64_t va)
{
	struct page *page = page_from(p, va);

	return page && page->va == ALIGN_DOWN(va, PAGE_SIZE) ? page : NULL;
}

struct page *page_make(struct process *p, uint64_t va)
{
	unsigned i;

	va = ALIGN_DOWN(va, PAGE_SIZE);
	i = page_index(p, va);
	if (p->npage == p->page_room) {
		p->page_room = p->page_room * 2 + 64;
		p->pages = realloc(p->pages, p->page_room * sizeof(*p->pages));
	}
	memmove(&p->pages[i + 1], &p->pages[i], (p->npage - i) * sizeof(*p->pages));
	p->npage++;
	p->pages[i] = (struct page){.va = va};
	return &p->pages[i];
}

void page_drop(struct process *p, uint64_t start, uint64_t end)
{
	unsigned from = page_index(p, start), to = page_index(p, end);

	if (from == to)
		return;
	memmove(&p->pages[from], &p->pages[to], (p->npage - to) * sizeof(*p->pages));
	p->npage -= to - from;
}

/* Words. */
uint64_t *word_of(struct process *p, const struct area *a, uint64_t va, unsigned w)
{
	static uint64_t zero;
	struct page *page;

	if (a->flags & REGION_SHARED)
		return &a->file->word[(a->offset + (va - a->start)) >> PAGE_SHIFT][w];
	page = page_find(p, va);
	if (page)
		return &page->word[w];
	return a->file ? NULL : &zero;
}

bool word_right(struct process *p, const struct area *a, uint64_t va, unsigned w, uint64_t got)
{
	uint64_t *exact = word_of(p, a, va, w), place;

	if (exact)
		return got == *exact;
	place = stamp_place(a->file, (a->offset + (va - a->start)) >> PAGE_SHIFT, w);
	return !got || ((got & ~STAMP_MASK) == place && (got & STAMP_MASK) <= world.stamps);
}

/* Processes. */
static void *copy_of(const void *bytes, size_t n) { return n ? memcpy(malloc(n), bytes, n) : NULL; }

void process_copy(const struct process *parent, struct process *child)
{
	struct space *space = child->space;

	*child = *parent;
	child->space = space;
	child->area_room = parent->narea;
	child->areas = copy_of(parent->areas, parent->narea * sizeof(*child->areas));
	child->page_room = parent->npage;
	child->pages = copy_of(parent->pages, parent->npage * sizeof(*child->pages));
	for (unsigned i = 0; i < child->narea; i++)
		area_hold(&child->areas[i]);
	for (unsigned i = 0; i < child->narea;) {
		const struct area a = child->areas[i];

		if (a.flags & REGION_DONTFORK) {
			area_cut(child, a.start, a.end);
			continue;
		}
		if (a.flags & REGION_WIPEONFORK)
			page_drop(child, a.start, a.end);
		i++;
	}
}

void process_drop(struct process *p)
{
	if (p->space)
		space_put(p->space);
	for (unsigned i = 0; i < p->narea; i++)
		file_put(p->areas[i].file);
	free(p->areas);
	free(p->pages);
	*p = (struct process){0};
}

/* Checks. */

/* What the account knows of a region's flags; others are the kernel's own business. */
#define FLAGS_KNOWN (REGION_SHARED | REGION_STACK | REGION_HEAP | REGION_DONTFORK | REGION_WIPEONFORK | REGION_NO_WRITE)

static void check_region(const struct process *p, const struct area *a)
{
	const struct region *r;

	for (uint64_t va = a->start; va < a->end; va = r->end.v) {
		r = region_find(p->space->regions, UADDR(va));
		if (!r)
			machine_fail("no region at %#lx: expected one up to %#lx", va, a->end);
		if (r->prot != a->prot || (r->flags & FLAGS_KNOWN) != a->flags ||
		    r->object != (a->file ? a->file->object : NULL))
			machine_fail("region at %#lx: prot %#x flags %#x, expected %#x and %#x", va, r->prot, r->flags,
				     a->prot, a->flags);
		if (a->file && r->offset + (va - r->start.v) != a->offset + (va - a->start))
			machine_fail("region at %#lx: offset %#lx, expected another", va, r->offset);
	}
}

void check_regions(struct process *p)
{
	const struct region *r;
	uint64_t bytes = 0, last = PAGE_SIZE;

	for (unsigned i = 0; i < p->narea; i++) {
		check_region(p, &p->areas[i]);
		bytes += p->areas[i].end - p->areas[i].start;
	}
	if (regions_bytes(p->space->regions) != bytes)
		machine_fail("regions have %#lx bytes, expected %#lx", regions_bytes(p->space->regions), bytes);
	region_for_each (r, p->space->regions) {
		if (r->start.v < last || r->end.v <= r->start.v)
			machine_fail("region %#lx-%#lx: expected sorted ones", r->start.v, r->end.v);
		last = r->end.v;
	}
	if (p->space->brk.v != p->brk)
		machine_fail("brk %#lx, expected %#lx", p->space->brk.v, p->brk);
}

struct page_check {
	struct process *p;
	struct area *area;
	uint64_t leaves, pages;
};

void check_words(struct process *p, const struct area *a, uint64_t va, const uint8_t *bytes)
{
	for (unsigned w = 0; w < WORDS; w++) {
		uint64_t got = *(const uint64_t *)(bytes + word_offset(w)), *want = word_of(p, a, va, w);

		if (!word_right(p, a, va, w, got))
			machine_fail("process %ld, page %#lx, word %u: expected %#lx, got %#lx", p - world.process, va,
				     w, want ? *want : 0, got);
	}
}

static void check_leaf(uint64_t va, pte_t leaf, void *arg)
{
	struct page_check *c = arg;
	struct area *a = c->area;

	if (!a || va < a->start || va >= a->end)
		a = c->area = area_find(c->p, va);
	if (!a)
		machine_fail("process %ld: leaf %#lx at %#lx, expected none", c->p - world.process, leaf.v, va);
	if ((pte_writable(leaf) && !(a->prot & PROT_WRITE)) || (!(leaf.v & PTE_NX) && !(a->prot & PROT_EXEC)) ||
	    pte_present(leaf) != (a->prot != 0) || pte_shared(leaf) != !!(a->flags & REGION_SHARED))
		machine_fail("process %ld: leaf %#lx at %#lx, expected no more than prot %#x flags %#x",
			     c->p - world.process, leaf.v, va, a->prot, a->flags);
	c->leaves++;
	c->pages += !(a->flags & REGION_SHARED) && page_find(c->p, va);
	check_words(c->p, a, va, machine_frame(pte_frame(leaf)));
}

void check_pages(struct process *p)
{
	struct page_check c = {.p = p};

	machine_each_leaf(p->space, check_leaf, &c);
	if (c.leaves != p->space->resident)
		machine_fail("process %ld: resident is %lu, expected %lu leaves", p - world.process, p->space->resident,
			     c.leaves);
	if (c.pages != p->npage)
		machine_fail("process %ld: %lu written pages are mapped, expected %u", p - world.process, c.pages,
			     p->npage);
}

void check_counts(void)
{
	struct verify_report report;

	if (mm_verify(&report))
		machine_fail("recount: %s (expected none)", report.breach);
	if (commit_verify(report.breach, sizeof(report.breach)))
		machine_fail("promises: %s", report.breach);
	if (report.spaces != world.living)
		machine_fail("%lu spaces, expected %u", report.spaces, world.living);
}

void world_start(void)
{
	world = (struct world){0};
	world.frames_before = machine_free_frames();
	world.blocks_before = machine_heap_blocks();
}

void world_end(void)
{
	space_activate(NULL);
	for (unsigned i = 0; i < PROCESSES; i++)
		if (world.process[i].space)
			process_drop(&world.process[i]);
	world.living = 0;
	for (unsigned i = 0; i < OPEN_FILES; i++)
		file_put(world.open[i]);
	check_counts();
	machine_check_idle();
	if (machine_free_frames() != world.frames_before)
		machine_fail("%lu frames are free at the end, expected %lu", machine_free_frames(),
			     world.frames_before);
	if (machine_heap_blocks() != world.blocks_before)
		machine_fail("%ld blocks live at the end, expected %ld", machine_heap_blocks(), world.blocks_before);
}
