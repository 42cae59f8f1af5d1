/*
 * tests/alone/stress.c - fork in numbers that only a machine of its own should see. Silent and 0, or a FAIL line and 1.
 *
 *   forks N      N children, one after the other
 *   crowd N      N children alive at once
 *   chain N      each child forks the next; the exit status comes back up through all
 *   regions N    a process of N regions forks; contents and rights of each are the child's too
 *   full         memory is filled and forks rest in it until one is refused; they end, a little is given back, and fork works
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)

static unsigned char *map(size_t size, int flags)
{
	unsigned char *p = mmap(NULL, size, RW, MAP_ANONYMOUS | flags, -1, 0);

	need("mmap", p == MAP_FAILED ? -1 : 0);
	return p;
}

static unsigned char *area; /* a byte a page; more pages than a table of leaves needs to be shared */
static unsigned area_pages;

static void make_area(unsigned pages)
{
	area = map(pages * PAGE, MAP_PRIVATE);
	area_pages = pages;
	for (unsigned i = 0; i < pages; i++)
		area[i * PAGE] = (unsigned char)i;
}

/* Writes one page, and sees another. */
static int use_area(void *arg)
{
	unsigned n = (unsigned)(long)arg, at = n % area_pages, other = (at + 100) % area_pages;

	area[at * PAGE + 1] = 1;
	return area[at * PAGE] == at && area[other * PAGE] == other ? (int)(n % 200) : 255;
}

static bool forks(long count)
{
	make_area(256);
	for (long i = 0; i < count; i++)
		if (!expect("forks", EXITED(i % 200), in_child(use_area, (void *)i)))
			return false;
	for (unsigned i = 0; i < 256; i++)
		if (!expect("parent", i, area[i * PAGE] + area[i * PAGE + 1] * 256))
			return false;
	return true;
}

static int gate[2];

static int use_when_told(void *arg)
{
	char byte;

	close(gate[1]);
	return read(gate[0], &byte, 1) == 0 ? use_area(arg) : 255;
}

static bool crowd(long count)
{
	pid_t *pids = (pid_t *)map((size_t)count * sizeof(*pids), MAP_PRIVATE);
	bool fine = true;

	make_area(256);
	need("pipe", pipe(gate));
	for (long i = 0; i < count; i++)
		pids[i] = spawn(use_when_told, (void *)i);
	close(gate[1]); /* all go on at once */
	for (long i = 0; i < count; i++)
		fine &= expect("crowd", EXITED(i % 200), wait_for(pids[i]));
	return fine;
}

/* The last one exits with 77, and each above says so only if the one below did, and its memory is as it left it. */
static int chain_link(void *arg)
{
	long left = (long)arg;
	unsigned at = (unsigned)left % area_pages;

	area[at * PAGE + 2] = (unsigned char)(left % 251);
	if (left && in_child(chain_link, (void *)(left - 1)) != EXITED(77))
		return 1;
	return area[at * PAGE + 2] == left % 251 ? 77 : 2;
}

static bool chain(long count)
{
	make_area(80);
	return expect("chain", EXITED(77), in_child(chain_link, (void *)count));
}

static bool may_write(int fds[2], unsigned char *p)
{
	char byte;

	if (write(fds[1], p, 1) != 1)
		return false;
	return read(fds[0], p, 1) == 1 || (read(fds[0], &byte, 1) == 1 && false);
}

/* Every second page is read-only, so that each is a region. */
static int check_regions(void *arg)
{
	long count = (long)arg;
	int fds[2];

	if (pipe(fds))
		return 1;
	for (long i = 0; i < count; i++) {
		unsigned char *p = area + (size_t)i * PAGE;

		if (p[0] != i % 251 || (i % 64 < 2 && may_write(fds, p) != (i % 2 == 0)))
			return 2;
	}
	return 0;
}

static bool regions(long count)
{
	area = map((size_t)count * PAGE, MAP_PRIVATE);
	for (long i = 0; i < count; i++)
		area[(size_t)i * PAGE] = (unsigned char)(i % 251);
	for (long i = 1; i < count; i += 2) /* rising: a set of regions in order grows at its end */
		need("mprotect", mprotect(area + (size_t)i * PAGE, PAGE, PROT_READ));
	for (int i = 0; i < 3; i++)
		if (!expect("regions", EXITED(0), in_child(check_regions, (void *)count)))
			return false;
	return expect("regions-parent", 0, check_regions((void *)count));
}

static size_t filled;

static int sees_full(void *arg)
{
	size_t from = (size_t)arg;

	for (size_t at = from; at < filled; at += PAGE)
		if (*(uint64_t *)(area + at) != at + 1)
			return 1;
	return 0;
}

static void fill_page(void)
{
	*(uint64_t *)(area + filled) = filled + 1;
	filled += PAGE;
}

/*
 * Bare system calls, without errno: where memory is low, the parent must not write to a page that it shares with a child. The child
 * rests until the other end of the pipe is closed.
 */
static long bare_call(long number, long a, long b, long c)
{
	long value;

	__asm__ volatile("syscall" : "=a"(value) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return value;
}

static long fork_resting(const int ends[2])
{
	long pid = bare_call(SYS_fork, 0, 0, 0);
	char none;

	if (pid == 0) {
		bare_call(SYS_close, ends[1], 0, 0);
		bare_call(SYS_read, ends[0], (long)&none, 1);
		bare_call(SYS_exit_group, 0, 0, 0);
	}
	return pid;
}

static bool full(void)
{
	int ends[2];
	long pid;

	need("pipe", pipe(ends));
	area = map(8ul << 30, MAP_PRIVATE | MAP_NORESERVE);
	while (counter("frames_free") > 1000)
		for (int i = 0; i < 64; i++)
			fill_page();
	while ((pid = fork_resting(ends)) > 0)
		;
	need("close", close(ends[1]));
	while (wait(NULL) > 0)
		;
	if (!expect("full-refused", -ENOMEM, pid) || !expect("full-parent", 0, sees_full(NULL)))
		return false;
	need("munmap", munmap(area, 256 * PAGE));
	for (int i = 0; i < 20; i++)
		if (!expect("a-little-free", EXITED(0), in_child(sees_full, (void *)(256 * PAGE))))
			return false;
	return expect("full-parent-after", 0, sees_full((void *)(256 * PAGE)));
}

int main(int argc, char **argv)
{
	static bool (*const counted[])(long) = {forks, crowd, chain, regions};
	static const char *const names[] = {"forks", "crowd", "chain", "regions"};
	static bool (*const plain[])(void) = {full};
	static const char *const plain_names[] = {"full"};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (argc == 3 && !strcmp(argv[1], names[i]))
			return counted[i](atol(argv[2])) ? 0 : 1;
	for (unsigned i = 0; i < ARRAY_LEN(plain); i++)
		if (argc == 2 && !strcmp(argv[1], plain_names[i]))
			return plain[i]() ? 0 : 1;
	dprintf(2, "usage: stress forks|crowd|chain|regions N, stress full\n");
	return 2;
}
