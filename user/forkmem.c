/*
 * user/forkmem.c - after fork(), memory is the same and independent, in both directions.
 *
 * For each kind of memory: the child must read what the parent had written before the fork, even after the parent has
 * overwritten it; the parent must not see what the child writes; nor must a sibling or a grandchild's child.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PAGE  4096ul
#define LARGE (4ul << 20) /* more than one last-level page table, wherever it starts */

struct area {
	const char *name;
	unsigned char *start;
	size_t size;
};

/* Two pipes: whoever waits on one goes on when the other side has written a byte. */
struct sync {
	int to_child[2], to_parent[2];
};

static unsigned char data_area[3 * PAGE] = {1};
static unsigned char bss_area[3 * PAGE];
static unsigned char bss_untouched[64 * PAGE];
static const unsigned char rodata_area[64] = "the read-only bytes stay the same on both sides";

static unsigned char pattern(size_t i, unsigned seed) { return (unsigned char)((i / PAGE + i * 7 + seed * 31) & 0xff); }

static void fill(const struct area *a, unsigned seed)
{
	for (size_t i = 0; i < a->size; i++)
		a->start[i] = pattern(i, seed);
}

static bool holds(const struct area *a, unsigned seed)
{
	for (size_t i = 0; i < a->size; i++) {
		if (a->start[i] != pattern(i, seed))
			return fail(a->name, "expected byte %u of seed %u at %zu, got %u", pattern(i, seed), seed, i,
				    a->start[i]);
	}
	return true;
}

static void signal_end(int fd) { need("write", write(fd, "x", 1)); }

static void await(int fd)
{
	char byte;

	if (need("read", read(fd, &byte, 1)) != 1)
		_exit(1);
}

static struct sync sync_make(void)
{
	struct sync s;

	need("pipe", pipe(s.to_child));
	need("pipe", pipe(s.to_parent));
	return s;
}

static void sync_close(struct sync *s)
{
	for (int i = 0; i < 2; i++) {
		close(s->to_child[i]);
		close(s->to_parent[i]);
	}
}

/* Runs after the parent has filled the area with seed 2: seed 1 must still be here. */
static int child_side(const struct area *a, struct sync *s)
{
	bool fine;

	await(s->to_child[0]);
	fine = holds(a, 1);
	fill(a, 3);
	signal_end(s->to_parent[1]);
	await(s->to_child[0]);
	fine &= holds(a, 3);
	return fine ? 0 : 1;
}

static void check_area(const struct area *a)
{
	struct sync s = sync_make();
	bool fine;
	pid_t pid;

	fill(a, 1);
	pid = (pid_t)need("fork", fork());
	if (pid == 0)
		_exit(child_side(a, &s));
	fill(a, 2);
	signal_end(s.to_child[1]);
	await(s.to_parent[0]);
	fine = holds(a, 2); /* the child has written seed 3 by now */
	fill(a, 4);
	signal_end(s.to_child[1]);
	fine &= expect(a->name, EXITED(0), wait_for(pid));
	fine &= holds(a, 4);
	ok_if(fine, a->name);
	sync_close(&s);
}

static void check_stack(void)
{
	unsigned char deep[20 * PAGE];
	struct area a = {"stack", deep, sizeof(deep)};

	check_area(&a);
}

/* Parent, child, grandchild: each with its own value of the same byte. */
static int nest(void *arg)
{
	unsigned char *byte = arg;
	unsigned char mine = ++*byte;

	if (mine < 12 && in_child(nest, byte) != EXITED(0))
		return 1;
	return *byte == mine ? 0 : 1;
}

static void check_nested(void)
{
	data_area[100] = 1;
	check("nested", EXITED(0), in_child(nest, &data_area[100]));
	check("nested-parent-keeps", 1, data_area[100]);
}

static int write_bss(void *arg)
{
	for (size_t i = 0; i < sizeof(bss_area); i += 64)
		bss_area[i] = (unsigned char)(long)arg;
	for (size_t i = 0; i < sizeof(bss_area); i += 64) {
		if (bss_area[i] != (unsigned char)(long)arg)
			return 1;
	}
	return 0;
}

static void check_siblings(void)
{
	struct area a = {"siblings", bss_area, sizeof(bss_area)};
	pid_t pids[6];
	bool fine = true;

	fill(&a, 9);
	for (long i = 0; i < 6; i++)
		pids[i] = spawn(write_bss, (void *)(i + 100));
	for (int i = 0; i < 6; i++)
		fine &= expect("siblings", EXITED(0), wait_for(pids[i]));
	ok_if(fine && holds(&a, 9), "siblings");
}

static int untouched_is_zero(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < sizeof(bss_untouched); i += 512) {
		if (bss_untouched[i])
			return 1;
	}
	memset(bss_untouched, 0xff, sizeof(bss_untouched));
	return 0;
}

/* Pages that nobody had touched when the process forked are zero on both sides afterwards. */
static void check_untouched(void)
{
	check("untouched-child", EXITED(0), in_child(untouched_is_zero, NULL));
	check("untouched-parent", EXITED(0), untouched_is_zero(NULL) << 8);
}

static int add_shared(void *arg)
{
	volatile uint32_t *word = arg;

	word[0]++;
	word[PAGE / 4] = word[1] + 1; /* what the parent wrote after the fork */
	return 0;
}

static void check_shared(void)
{
	uint32_t *word = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int gate[2];
	char byte;
	pid_t pid;

	need("mmap-shared", word == MAP_FAILED ? -1 : 0);
	need("pipe", pipe(gate));
	word[0] = 10;
	pid = (pid_t)need("fork", fork());
	if (pid == 0)
		_exit(read(gate[0], &byte, 1) == 1 ? add_shared(word) : 1);
	word[1] = 77;
	signal_end(gate[1]);
	check("shared-status", EXITED(0), wait_for(pid));
	check("shared-child-to-parent", 11, word[0]);
	check("shared-parent-to-child", 78, word[PAGE / 4]);
	close(gate[0]);
	close(gate[1]);
	munmap(word, 2 * PAGE);
}

/* One store that spans two pages, each shared with the child. */
static int check_span_child(void *arg)
{
	uint64_t v;

	memcpy(&v, arg, 8);
	if (v != 0x1122334455667788)
		return 1;
	v = 0xaaaaaaaaaaaaaaaa;
	memcpy(arg, &v, 8);
	return 0;
}

static void check_span(void)
{
	unsigned char *page = (unsigned char *)(((uintptr_t)bss_area + PAGE) & ~(PAGE - 1));
	unsigned char *at = page + PAGE - 3;
	uint64_t v = 0x1122334455667788;

	memcpy(at, &v, 8);
	check("page-span-child", EXITED(0), in_child(check_span_child, at));
	memcpy(&v, at, 8);
	check_true("page-span-parent", v == 0x1122334455667788);
}

static int rodata_same(void *arg)
{
	return strcmp((const char *)arg, "the read-only bytes stay the same on both sides") ? 1 : 0;
}

/* The kernel's own writes into user memory break the sharing too: read() into a page that parent and child share. */
static void check_kernel_write(void)
{
	int p[2];
	pid_t pid;

	need("pipe", pipe(p));
	strcpy((char *)data_area + 200, "parent");
	pid = (pid_t)need("fork", fork());
	if (pid == 0)
		_exit(read(p[0], data_area + 200, 5) == 5 && !strcmp((char *)data_area + 200, "childt") ? 0 : 1);
	need("write", write(p[1], "child", 5));
	check("kernel-write-child", EXITED(0), wait_for(pid));
	check_string("kernel-write-parent", "parent", (char *)data_area + 200);
	close(p[0]);
	close(p[1]);
}

static unsigned char *anonymous(size_t size)
{
	unsigned char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need("mmap", p == MAP_FAILED ? -1 : 0);
	return p;
}

/* The program break, moved by the bare call: musl's sbrk() refuses to. */
static unsigned char *grow_break(size_t size)
{
	long old = syscall(SYS_brk, 0);

	need("brk", syscall(SYS_brk, old + size) == old + (long)size ? 0 : -1);
	return (unsigned char *)old;
}

int main(void)
{
	struct area data = {"data", data_area, sizeof(data_area)};
	struct area bss = {"bss", bss_area, sizeof(bss_area)};
	struct area heap = {"heap-brk", grow_break(9 * PAGE), 9 * PAGE};
	struct area map = {"heap-mmap", anonymous(9 * PAGE), 9 * PAGE};
	struct area large = {"large", anonymous(LARGE), LARGE};

	check_untouched();
	check_area(&data);
	check_area(&bss);
	check_area(&heap);
	check_area(&map);
	check_stack();
	check_area(&large);
	check_nested();
	check_siblings();
	check_shared();
	check_span();
	check_kernel_write();
	check("rodata", EXITED(0), in_child(rodata_same, (void *)rodata_area));
	return checks_status();
}
