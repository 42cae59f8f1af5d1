/* mm/window.c - see mm/window.h. */
#include "mm/window.h"

#include "kernel/base/clock.h"
#include "kernel/base/percpu.h"
#include "kernel/base/string.h"
#include "mm/kmap.h"
#include "mm/tlb.h"

#define PAIRS (WINDOW_SLOTS / 2)

struct ring {
	pte_t *slots;        /* [I] the stretch's L1 table, through the recursive slot */
	uint32_t next;       /* [c] pair to look at next; all from here to the end are clean, if not held */
	uint32_t nheld;      /* [c] */
	uint8_t held[PAIRS]; /* [c] */
};

static struct ring rings[MAX_CPUS];

static uint64_t window_address(uint32_t slot) { return WINDOW_BASE + cpu_id() * entry_span(2) + slot * PAGE_SIZE; }

static struct ring *this_ring(void) { return &rings[cpu_id()]; }

static uint32_t pair_take(struct ring *r)
{
	ASSERT(r->nheld < PAIRS);
	for (;;) {
		if (unlikely(r->next == PAIRS)) {
			COUNT(window_flushes);
			tlb_flush_all(); /* and so window_flushed() */
		}
		if (likely(!r->held[r->next]))
			break;
		r->next++;
	}
	r->held[r->next] = 1;
	r->nheld++;
	return r->next++;
}

static pte_t window_entry(pfn_t f) { return pte_make(f, PTE_P | PTE_W | PTE_A | PTE_D | kmap_nx()); }

struct window window_map(pfn_t frame)
{
	struct ring *r = this_ring();
	uint32_t pair = pair_take(r);

	pte_write(&r->slots[2 * pair], window_entry(frame));
	return (struct window){.dst = (void *)window_address(2 * pair)};
}

struct window window_map_pair(pfn_t dst, pfn_t src)
{
	struct ring *r = this_ring();
	uint32_t pair = pair_take(r);

	pte_write(&r->slots[2 * pair], window_entry(dst));
	pte_write(&r->slots[2 * pair + 1], pte_without(window_entry(src), PTE_W | PTE_D));
	return (struct window){(void *)window_address(2 * pair), (const void *)window_address(2 * pair + 1)};
}

void window_unmap(struct window w)
{
	struct ring *r = this_ring();
	uint32_t pair = (uint32_t)entry_index((uint64_t)w.dst, 1) / 2;

	CHECK(r->held[pair]);
	pte_write(&r->slots[2 * pair], PTE_NONE);
	pte_write(&r->slots[2 * pair + 1], PTE_NONE);
	if (unlikely(pair >= r->next)) { /* held across a flush: the ring will come by before the next one */
		tlb_flush_page(window_address(2 * pair));
		tlb_flush_page(window_address(2 * pair + 1));
	}
	r->held[pair] = 0;
	r->nheld--;
}

void window_flushed(void) { this_ring()->next = 0; }

unsigned window_held(void) { return this_ring()->nheld; }

/* The loops. Which one is fastest differs between CPUs by a factor of ten, QEMU's TCG among them:
 * window_choose_loops(). */
static void copy_rep_movsq(void *dst, const void *src)
{
	uint64_t n = PAGE_SIZE / 8;
	__asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
}

static void copy_rep_movsb(void *dst, const void *src)
{
	uint64_t n = PAGE_SIZE;
	__asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
}

static void copy_unrolled(void *dst, const void *src)
{
	uint64_t *d = dst;
	const uint64_t *s = src;

	for (unsigned i = 0; i < PAGE_SIZE / 8; i += 8) {
		uint64_t a = s[i], b = s[i + 1], c = s[i + 2], e = s[i + 3];
		d[i] = a, d[i + 1] = b, d[i + 2] = c, d[i + 3] = e;
		a = s[i + 4], b = s[i + 5], c = s[i + 6], e = s[i + 7];
		d[i + 4] = a, d[i + 5] = b, d[i + 6] = c, d[i + 7] = e;
	}
}

static void zero_rep_stosq(void *dst)
{
	uint64_t n = PAGE_SIZE / 8;
	__asm__ volatile("rep stosq" : "+D"(dst), "+c"(n) : "a"(0) : "memory");
}

static const struct copy_loop {
	const char *name;
	void (*copy)(void *dst, const void *src);
} copy_loops[] = {
    {"rep movsq", copy_rep_movsq},
    {"rep movsb", copy_rep_movsb},
    {"unrolled", copy_unrolled},
};

static const struct copy_loop *copy_loop = &copy_loops[0];

const char *window_copy_loop_name(void) { return copy_loop->name; }

void frame_zero(pfn_t f)
{
	struct window w = window_map(f);

	zero_rep_stosq(w.dst);
	window_unmap(w);
	COUNT(frames_zeroed);
}

void frame_copy(pfn_t dst, pfn_t src)
{
	struct window w = window_map_pair(dst, src);

	copy_loop->copy(w.dst, w.src);
	window_unmap(w);
	COUNT(frames_copied);
}

static uint64_t measure(const struct copy_loop *loop, pfn_t dst, pfn_t src)
{
	struct window w = window_map_pair(dst, src);
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 16; i++) {
		uint64_t start = read_tsc(), spent;

		loop->copy(w.dst, w.src);
		spent = read_tsc() - start;
		best = MIN(best, spent);
	}
	window_unmap(w);
	return best;
}

void window_choose_loops(void)
{
	uint64_t best = UINT64_MAX;
	pfn_t a, b;

	if (frame_alloc(FRAME_KERNEL, &a))
		return;
	if (frame_alloc(FRAME_KERNEL, &b)) {
		frame_put(a);
		return;
	}
	for (unsigned i = 0; i < ARRAY_LEN(copy_loops); i++) {
		uint64_t spent = measure(&copy_loops[i], a, b);

		if (spent < best) {
			best = spent;
			copy_loop = &copy_loops[i];
		}
	}
	frame_put(a);
	frame_put(b);
}

int window_init_cpu(unsigned cpu)
{
	uint64_t base = WINDOW_BASE + cpu * entry_span(2);
	int err = kmap_make_tables(VADDR(base), entry_span(2));

	if (err)
		return err;
	rings[cpu].slots = entry_window(base, 1);
	return 0;
}
