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
	uint64_t base;       /* [I] the address of slot 0 */
	uint32_t next;       /* [c] pair to look at next; all from here to the end are clean, if not held */
	uint32_t nheld;      /* [c] */
	uint8_t held[PAIRS]; /* [c] */
};

static struct ring rings[MAX_CPUS];

static ALWAYS_INLINE struct ring *this_ring(void) { return &rings[cpu_id()]; }

static ALWAYS_INLINE pte_t window_entry(pfn_t f) { return pte_make(f, PTE_P | PTE_W | PTE_A | PTE_D | kmap_nx()); }

/* The pair's first page comes to show the frame. */
static ALWAYS_INLINE struct window pair_use(struct ring *r, uint32_t pair, pfn_t frame)
{
	r->held[pair] = 1;
	r->nheld++;
	r->next = pair + 1;
	pte_write(&r->slots[2 * pair], window_entry(frame));
	return (struct window){(void *)(r->base + 2 * pair * PAGE_SIZE)};
}

/* The ring has come to its end, or to a pair that is held. */
static NOINLINE struct window map_further_on(struct ring *r, pfn_t frame)
{
	ASSERT(r->nheld < PAIRS);
	for (;; r->next++) {
		if (r->next == PAIRS) {
			COUNT(window_flushes);
			tlb_flush_all(); /* and so window_flushed() */
		}
		if (!r->held[r->next])
			return pair_use(r, r->next, frame);
	}
}

struct window window_map(pfn_t frame)
{
	struct ring *r = this_ring();
	uint32_t pair = r->next;

	if (unlikely(pair == PAIRS || r->held[pair]))
		return map_further_on(r, frame);
	return pair_use(r, pair, frame);
}

struct window window_map_pair(pfn_t dst, pfn_t src)
{
	struct window w = window_map(dst);

	pte_write(&this_ring()->slots[entry_index((uint64_t)w.dst, 1) + 1],
		  pte_without(window_entry(src), PTE_W | PTE_D));
	return w;
}

static ALWAYS_INLINE void give_back(struct window w, bool both)
{
	struct ring *r = this_ring();
	uint32_t slot = entry_index((uint64_t)w.dst, 1), pair = slot / 2;

	CHECK(r->held[pair] && both == pte_present(pte_read(&r->slots[slot + 1])));
	pte_write(&r->slots[slot], PTE_NONE);
	if (both)
		pte_write(&r->slots[slot + 1], PTE_NONE);
	if (unlikely(pair >= r->next)) { /* held across a flush: the ring will come by before the next one */
		tlb_flush_page((uint64_t)w.dst);
		if (both)
			tlb_flush_page((uint64_t)window_src(w));
	}
	r->held[pair] = 0;
	r->nheld--;
}

void window_unmap(struct window w) { give_back(w, false); }

void window_unmap_pair(struct window w) { give_back(w, true); }

void window_flushed(void) { this_ring()->next = 0; }

unsigned window_held(void) { return this_ring()->nheld; }

/*
 * The loops. Which one is fastest differs between CPUs by a factor of ten, QEMU's TCG among them: window_choose_loops().
 */
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

static void zero_rep_stosq(void *dst)
{
	uint64_t n = PAGE_SIZE / 8;
	__asm__ volatile("rep stosq" : "+D"(dst), "+c"(n) : "a"(0) : "memory");
}

static void zero_rep_stosb(void *dst)
{
	uint64_t n = PAGE_SIZE;
	__asm__ volatile("rep stosb" : "+D"(dst), "+c"(n) : "a"(0) : "memory");
}

void page_copy_avx(void *dst, const void *src);
void page_zero_avx(void *dst);

static bool always(void) { return true; }

static bool avx_alone(void) { return (cpu_features.xcr0 & (XCR0_AVX | XCR0_AVX512)) == XCR0_AVX; }

/* For one CPU the same kind is best at both. */
static const struct page_loops {
	const char *name;
	bool (*usable)(void);
	void (*copy)(void *dst, const void *src);
	void (*zero)(void *dst);
} page_loops[] = {
    {"rep movsq", always, copy_rep_movsq, zero_rep_stosq},
    {"rep movsb", always, copy_rep_movsb, zero_rep_stosb},
    {"AVX", avx_alone, page_copy_avx, page_zero_avx},
};

static const struct page_loops *loops = &page_loops[0];

const char *window_copy_loop_name(void) { return loops->name; }

void frame_zero(pfn_t f)
{
	struct window w = window_map(f);

	loops->zero(w.dst);
	window_unmap(w);
	COUNT(frames_zeroed);
}

void frame_copy(pfn_t dst, pfn_t src)
{
	struct window w = window_map_pair(dst, src);

	loops->copy(w.dst, window_src(w));
	window_unmap_pair(w);
	COUNT(frames_copied);
}

/* The time for a copy and a zeroed page: what a first write after a fork, and a first touch, cost. */
static uint64_t measure(const struct page_loops *l, pfn_t dst, pfn_t src)
{
	struct window w = window_map_pair(dst, src);
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 16; i++) {
		uint64_t start = read_tsc(), spent;

		l->copy(w.dst, window_src(w));
		l->zero(w.dst);
		spent = read_tsc() - start;
		best = MIN(best, spent);
	}
	window_unmap_pair(w);
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
	for (unsigned i = 0; i < ARRAY_LEN(page_loops); i++) {
		uint64_t spent = page_loops[i].usable() ? measure(&page_loops[i], a, b) : UINT64_MAX;

		if (spent < best) {
			best = spent;
			loops = &page_loops[i];
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
	rings[cpu].base = base;
	return 0;
}
