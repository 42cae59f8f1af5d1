/*
 * tests/host/window.c - temporary windows, with a TLB that forgets only when it is told to.
 *
 * The stretch of windows is real address space of this program, empty at first. Touching a page of it is a fault, which maps the frame
 * that the page's entry names, as the CPU fills its TLB; INVLPG and CR3 loads take such mappings away, and nothing else does. So a
 * window that is handed out while the TLB still has another frame for it shows that frame.
 *
 * sources: mm/window.c mm/frame.c
 */
#define _GNU_SOURCE
#include "mm/window.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/base/cpu.h"
#include "mm/kmap.h"
#include "mm/tlb.h"
#include "tests/host/test.h"

#define FRAMES 128
#define FIRST  64 /* frames below are not the allocator's: the tests name them as they like */
#define PAIRS  (WINDOW_SLOTS / 2)

static struct frame records[512];
struct frame *const test_frame_table = records;
struct thread *test_thread;
uint64_t test_window_base;

static int memory;
static pte_t slots[WINDOW_SLOTS];
static bool filled[WINDOW_SLOTS];
static bool trap_expected;
static sigjmp_buf trap_jump;

pte_t *entry_window(uint64_t va, int level)
{
	EXPECT(1, level);
	return &slots[entry_index(va, 1)];
}

int kmap_make_tables(vaddr_t va, uint64_t size)
{
	EXPECT(test_window_base, va.v);
	EXPECT(WINDOW_SLOTS * PAGE_SIZE, size);
	return 0;
}

uint64_t kmap_nx_bit = PTE_NX;

/* The TLB. */
static void *page_of(unsigned slot) { return (void *)(test_window_base + slot * PAGE_SIZE); }

static void forget(unsigned first, unsigned n)
{
	if (mmap(page_of(first), n * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		abort();
	memset(&filled[first], 0, n);
}

void invlpg(uint64_t va)
{
	EXPECT_TRUE(va - test_window_base < WINDOW_SLOTS * PAGE_SIZE);
	forget((unsigned)entry_index(va, 1), 1);
}

uint64_t read_cr3(void) { return 0; }

void write_cr3(uint64_t v)
{
	(void)v;
	forget(0, WINDOW_SLOTS);
}

static void fill(int signal, siginfo_t *info, void *context)
{
	uint64_t at = (uint64_t)info->si_addr - test_window_base;
	unsigned slot = (unsigned)(at >> PAGE_SHIFT);

	(void)signal, (void)context;
	if (at >= WINDOW_SLOTS * PAGE_SIZE || filled[slot] || !pte_present(slots[slot])) {
		if (trap_expected)
			siglongjmp(trap_jump, 1);
		printf("fault at slot %u, entry %#llx: expected none\n", slot,
		       (unsigned long long)slots[slot % WINDOW_SLOTS].v);
		exit(3);
	}
	filled[slot] = true;
	if (mmap(page_of(slot), PAGE_SIZE, pte_writable(slots[slot]) ? PROT_READ | PROT_WRITE : PROT_READ,
		 MAP_SHARED | MAP_FIXED, memory, (off_t)(pte_frame(slots[slot]).v * PAGE_SIZE)) == MAP_FAILED)
		abort();
}

static void machine_start(void)
{
	struct sigaction action = {.sa_sigaction = fill, .sa_flags = SA_SIGINFO | SA_NODEFER};
	uint64_t span = entry_span(2);
	void *place = mmap(NULL, 2 * span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	memory = memfd_create("frames", 0);
	if (place == MAP_FAILED || memory < 0 || ftruncate(memory, FRAMES * PAGE_SIZE))
		abort();
	test_window_base = ALIGN_UP((uint64_t)place, span);
	sigaction(SIGSEGV, &action, NULL);
	frame_add_range(PFN(FIRST), FRAMES - FIRST);
	EXPECT(0, window_init_cpu(0));
}

/* mm/page_avx.S: not on this CPU (the shim's cpu_features). */
void page_copy_avx(void *dst, const void *src);
void page_zero_avx(void *dst);
void page_copy_avx(void *dst, const void *src) { (void)dst, (void)src, abort(); }
void page_zero_avx(void *dst) { (void)dst, abort(); }

/* The model: what the first word of each frame is, and which windows are held on which frames. */
static uint64_t word[FIRST];
static struct held {
	struct window w;
	unsigned dst, src; /* src: FIRST for a window without one */
} held[PAIRS];
static unsigned nheld;

static uint64_t next_value = 1;

static void check_held(const struct held *h)
{
	EXPECT(word[h->dst], *(volatile uint64_t *)h->w.dst);
	if (h->src < FIRST)
		EXPECT(word[h->src], *(const volatile uint64_t *)window_src(h->w));
}

static void hold(unsigned dst, unsigned src)
{
	struct held *h = &held[nheld++];

	h->dst = dst;
	h->src = src;
	h->w = src < FIRST ? window_map_pair(PFN(dst), PFN(src)) : window_map(PFN(dst));
	check_held(h);
	*(volatile uint64_t *)h->w.dst = word[dst] = next_value++;
}

static void let_go(unsigned i)
{
	if (held[i].src < FIRST)
		window_unmap_pair(held[i].w);
	else
		window_unmap(held[i].w);
	held[i] = held[--nheld];
}

static void let_all_go(void)
{
	while (nheld)
		let_go(nheld - 1);
	EXPECT(0, window_held());
}

/* The CPU may look up whatever is present, at any time. */
static void speculate(unsigned slot)
{
	if (pte_present(slots[slot]))
		(void)*(volatile uint8_t *)page_of(slot);
}

/* Windows that are held for long, and for short, over many rounds of the ring. */
static void test_random_use(void)
{
	unsigned state = 5;

	for (int step = 0; step < 12000; step++) {
		unsigned what = test_random(&state) % 64;

		if (what == 0)
			tlb_flush_all(); /* as every switch of spaces does */
		else if (nheld && (what < 30 || nheld > 40))
			let_go(test_random(&state) % nheld);
		else
			hold(test_random(&state) % FIRST, test_random(&state) % (2 * FIRST));
		if (nheld)
			check_held(&held[test_random(&state) % nheld]);
		EXPECT(nheld, window_held());
		speculate(test_random(&state) % WINDOW_SLOTS);
	}
	let_all_go();
}

/* One after the other, each given back at once: the way of every copied page. */
static void test_rounds(void)
{
	for (unsigned i = 0; i < 3 * PAIRS; i++) {
		hold(i % FIRST, (i + 1) % FIRST);
		let_all_go();
	}
}

static void test_all_at_once(void)
{
	while (nheld < PAIRS)
		hold(nheld % FIRST, FIRST);
	for (unsigned i = 0; i < PAIRS; i++)
		check_held(&held[i]);
	EXPECT_PANIC(window_map(PFN(0)));
	let_all_go();
}

static void test_source_is_read_only(void)
{
	struct window w = window_map_pair(PFN(1), PFN(2));
	volatile bool trapped = true;

	trap_expected = true;
	if (sigsetjmp(trap_jump, 1) == 0) {
		*(volatile uint64_t *)window_src(w) =
		    *(const volatile uint64_t *)window_src(w); /* read first: the TLB has it, without W */
		trapped = false;
	}
	trap_expected = false;
	EXPECT_TRUE(trapped);
	window_unmap_pair(w);
}

static void expect_bytes(unsigned frame, const uint8_t *want)
{
	uint8_t got[PAGE_SIZE];

	EXPECT(PAGE_SIZE, pread(memory, got, PAGE_SIZE, (off_t)(frame * PAGE_SIZE)));
	EXPECT(0, memcmp(want, got, PAGE_SIZE));
}

static void test_copy_and_zero(void)
{
	uint8_t bytes[PAGE_SIZE], zeros[PAGE_SIZE] = {0};

	for (unsigned i = 0; i < PAGE_SIZE; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	EXPECT(PAGE_SIZE, pwrite(memory, bytes, PAGE_SIZE, (off_t)(3 * PAGE_SIZE)));
	EXPECT(PAGE_SIZE, pwrite(memory, bytes, PAGE_SIZE, (off_t)(5 * PAGE_SIZE)));
	frame_copy(PFN(4), PFN(3));
	expect_bytes(4, bytes);
	frame_zero(PFN(3));
	expect_bytes(3, zeros);
	expect_bytes(4, bytes);
	expect_bytes(5, bytes);
	EXPECT(0, window_held());
}

int main(void)
{
	machine_start();
	test_rounds();
	test_random_use();
	test_all_at_once();
	test_source_is_read_only();
	test_copy_and_zero();
	window_choose_loops();
	EXPECT_TRUE(window_copy_loop_name() != NULL);
	test_copy_and_zero(); /* by whichever loop was fastest here */
	return test_result();
}
