/* tests/host/machine/machine.c - see machine.h: memory, windows, the heap, and what else mm/ needs of the kernel. */
#define _GNU_SOURCE
#include "tests/host/machine/machine.h"

#include <sanitizer/common_interface_defs.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/base/cpu.h"
#include "kernel/base/options.h"
#include "kernel/base/panic.h"
#include "kernel/base/percpu.h"
#include "kernel/base/print.h"
#include "mm/boot.h"
#include "mm/counters.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/inject.h"
#include "mm/kmap.h"
#include "mm/window.h"

uint8_t *machine_ram;
const uint8_t *machine_rom;
uint8_t *machine_absent;
void (*machine_context)(void);

static struct frame records[MACHINE_FRAMES];
struct frame *const test_frame_table = records;
struct cpu test_cpu;
struct thread *test_thread;
struct options options;

/* RAM as a firmware describes it: not from 0 on, not in one piece, not aligned. */
static const struct memory_range ranges[] = {{256, 1000}, {1024 + 3, 6001}, {6200, MACHINE_FRAMES}};
#define BOOT_ROOT PFN(16)

static long heap_blocks;
static unsigned windows_held;

static volatile bool trap_expected;
static sigjmp_buf trap_jump;
static struct sigaction sanitizers_action;

void machine_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (machine_context)
		machine_context();
	fflush(stdout);
	__sanitizer_print_stack_trace();
	abort();
}

void panic(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	machine_fail("panic: %s", text);
}

uint8_t *machine_frame(pfn_t f)
{
	if (f.v >= MACHINE_FRAMES)
		machine_fail("frame %#lx: expected one below %#x", f.v, MACHINE_FRAMES);
	return machine_ram + f.v * PAGE_SIZE;
}

/* The page fault of a kernel that writes to a table which its window shows read-only. */
static void handle_fault(int signal, siginfo_t *info, void *context)
{
	uint64_t address = (uint64_t)info->si_addr, frame = (address - (uint64_t)machine_rom) >> PAGE_SHIFT;

	(void)context;
	if (address - (uint64_t)machine_absent < PAGE_SIZE)
		machine_fail("a page table that is not there was touched: expected a look at the path first");
	if (frame < MACHINE_FRAMES) {
		if (trap_expected)
			siglongjmp(trap_jump, 1);
		machine_fail("write to a shared page table, frame %#lx: own() was forgotten (expected W on its path)",
			     frame);
	}
	sigaction(signal, &sanitizers_action, NULL); /* not ours: happens again, and is reported */
}

bool machine_traps(void (*fn)(void *arg), void *arg)
{
	bool trapped = true;

	trap_expected = true;
	if (sigsetjmp(trap_jump, 1) == 0) {
		fn(arg);
		trapped = false;
	}
	trap_expected = false;
	return trapped;
}

static void *map_memory(int fd, int prot, uint64_t size)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		machine_fail("mmap of the machine's memory failed");
	return p;
}

/* The root that the stub leaves: nothing below, the kernel's slots above (their tables are never walked), itself in the recursive slot. */
static void make_boot_root(void)
{
	pte_t *root = (pte_t *)machine_frame(BOOT_ROOT);

	for (unsigned slot = SLOT_FRAMES; slot < SLOT_END; slot++)
		root[slot] = pte_make(PFN(32 + slot - SLOT_FRAMES), PTE_P | PTE_W | PTE_A);
	root[SLOT_RECURSIVE] = pte_make(BOOT_ROOT, PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX);
	records[BOOT_ROOT.v] = (struct frame){.kind = FRAME_KERNEL, .ref = 1};
}

void machine_start(void)
{
	struct sigaction action = {.sa_sigaction = handle_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
	int fd = memfd_create("machine", 0);

	if (fd < 0 || ftruncate(fd, MACHINE_FRAMES * PAGE_SIZE))
		machine_fail("no memory for the machine");
	machine_ram = map_memory(fd, PROT_READ | PROT_WRITE, MACHINE_FRAMES * PAGE_SIZE);
	machine_rom = map_memory(fd, PROT_READ, MACHINE_FRAMES * PAGE_SIZE);
	machine_absent = map_memory(fd, PROT_NONE, PAGE_SIZE);
	close(fd);
	sigaction(SIGSEGV, &action, &sanitizers_action);
	make_boot_root();
	for (unsigned i = 0; i < ARRAY_LEN(ranges); i++) {
		memset(machine_frame(PFN(ranges[i].start)), 0xa5, (ranges[i].end - ranges[i].start) * PAGE_SIZE);
		frame_add_range(PFN(ranges[i].start), ranges[i].end - ranges[i].start);
	}
	write_cr3(pfn_to_paddr(BOOT_ROOT).v);
}

uint64_t machine_free_frames(void)
{
	struct frame_stats stats;

	frame_stats(&stats);
	return stats.free - stats.reserved;
}

long machine_heap_blocks(void) { return heap_blocks; }

/* mm/boot.h */
pfn_t mm_boot_root(void) { return BOOT_ROOT; }

const struct memory_range *mm_ram_ranges(uint32_t *ret_count)
{
	*ret_count = ARRAY_LEN(ranges);
	return ranges;
}

/* mm/kmap.h */
uint64_t kmap_nx_bit = PTE_NX;

/* mm/window.h: all memory is at hand. */
struct window window_map(pfn_t frame)
{
	windows_held++;
	return (struct window){.dst = machine_frame(frame)};
}

void window_unmap(struct window w)
{
	(void)w;
	windows_held--;
}

void window_flushed(void) {}

unsigned window_held(void) { return windows_held; }

void frame_zero(pfn_t f)
{
	memset(machine_frame(f), 0, PAGE_SIZE);
	COUNT(frames_zeroed);
}

void frame_copy(pfn_t dst, pfn_t src)
{
	memcpy(machine_frame(dst), machine_frame(src), PAGE_SIZE);
	COUNT(frames_copied);
}

/* mm/heap.h: the sanitizer sees what is used after kfree(), or never freed. */
void *kmalloc(size_t n)
{
	void *p;

	if (inject_failure(INJECT_HEAP))
		return NULL;
	p = malloc(n);
	memset(p, 0xa5, n);
	heap_blocks++;
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
	heap_blocks -= p != NULL;
	free(p);
}

/* kernel/base/print.h */
int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap) { return vsnprintf(buf, size, fmt, ap); }

int ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}
