/*
 * tests/guest/overcommit.c - what may be promised (vm.overcommit_memory 0 or 1, whichever this system has), and oom_score_adj.
 *
 * Everything here asks for address space only; what is there is hardly touched.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PAGE 4096ul
#define HUGE (1ul << 44) /* bytes: more than memory and swap */
#define RW   (PROT_READ | PROT_WRITE)

static bool always; /* mode 1: nothing is too much */

static void read_text(const char *path, char *text, size_t size)
{
	int fd = (int)need(path, open(path, O_RDONLY));
	ssize_t n = need(path, read(fd, text, size - 1));

	text[n] = '\0';
	close(fd);
}

static long map(size_t size, int prot, int flags) { return (long)mmap(NULL, size, prot, MAP_ANONYMOUS | flags, -1, 0); }

/* Refused with ENOMEM, but in mode 1. */
static void check_too_much(const char *name, long result, size_t size)
{
	if (!always) {
		check_errno(name, ENOMEM, result);
		return;
	}
	check_true(name, result != -1);
	munmap((void *)result, size);
}

static void check_granted(const char *name, long result, size_t size)
{
	check_true(name, result != -1);
	munmap((void *)result, size);
}

static void check_maps(void)
{
	check_too_much("private", map(HUGE, RW, MAP_PRIVATE), HUGE);
	check_too_much("shared", map(HUGE, RW, MAP_SHARED), HUGE);
	check_too_much("shared-read-only", map(HUGE, PROT_READ, MAP_SHARED), HUGE);
	check_granted("noreserve", map(HUGE, RW, MAP_PRIVATE | MAP_NORESERVE), HUGE);
	check_granted("shared-noreserve", map(HUGE, RW, MAP_SHARED | MAP_NORESERVE), HUGE);
	check_granted("no-access", map(HUGE, PROT_NONE, MAP_PRIVATE), HUGE);
	check_granted("read-only", map(HUGE, PROT_READ, MAP_PRIVATE), HUGE);
}

/* The right to write is what counts, whenever it comes. */
static void check_protect(void)
{
	char *p = (char *)map(HUGE, PROT_READ, MAP_PRIVATE);

	need("mmap", (long)p);
	if (always)
		ok("protect-refused");
	else
		check_errno("protect-refused", ENOMEM, mprotect(p, HUGE, RW));
	check("protect-some", 0, mprotect(p, 16 * PAGE, RW));
	p[0] = p[15 * PAGE] = 1;
	check("protect-back", 0, mprotect(p, HUGE, PROT_READ));
	munmap(p, HUGE);
	p = (char *)map(HUGE, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
	need("mmap", (long)p);
	check("protect-noreserve", 0, mprotect(p, HUGE, RW));
	p[HUGE / 2] = 1;
	check("protect-noreserve-written", 1, p[HUGE / 2]);
	munmap(p, HUGE);
}

static void check_grow(void)
{
	long old = syscall(SYS_brk, 0);
	char *p = (char *)map(PAGE, RW, MAP_PRIVATE);

	need("mmap", (long)p);
	p[0] = 3;
	check_too_much("remap", (long)mremap(p, PAGE, HUGE, MREMAP_MAYMOVE), HUGE);
	if (!always)
		check("remap-intact", 3, p[0]);
	munmap(p, PAGE);
	if (always)
		ok("brk");
	else
		check_true("brk", syscall(SYS_brk, old + HUGE) == old);
}

static int first_byte(void *p) { return *(char *)p; }

/* Far more than there is, promised to both: a fork is not refused for that. */
static void check_fork(void)
{
	char *p = (char *)map(HUGE, RW, MAP_PRIVATE | MAP_NORESERVE);

	need("mmap", (long)p);
	p[0] = 5;
	check("fork-noreserve", EXITED(5), in_child(first_byte, p));
	munmap(p, HUGE);
}

/* ---- oom_score_adj ---- */

static long adj_now(void)
{
	char text[32];

	read_text("/proc/self/oom_score_adj", text, sizeof(text));
	return atol(text);
}

static long score_now(void)
{
	char text[32];

	read_text("/proc/self/oom_score", text, sizeof(text));
	return atol(text);
}

static long write_adj(int fd, const char *text) { return pwrite(fd, text, strlen(text), 0) < 0 ? -1 : 0; }

static int same_adj(void *want) { return adj_now() == (long)want ? 0 : 1; }

static int set_and_read(void *unused)
{
	int fd = (int)need("open", open("/proc/self/oom_score_adj", O_RDWR));
	long before;

	(void)unused;
	check_errno("adj-too-much", EINVAL, write_adj(fd, "1001"));
	check_errno("adj-too-little", EINVAL, write_adj(fd, "-1001"));
	check_errno("adj-no-number", EINVAL, write_adj(fd, "much"));
	check_errno("adj-half-number", EINVAL, write_adj(fd, "12 monkeys"));
	before = score_now();
	check("adj-set", 0, write_adj(fd, "700\n"));
	check("adj-read", 700, adj_now());
	check("adj-inherited", EXITED(0), in_child(same_adj, (void *)700));
	check_true("score-rises", score_now() > before && score_now() <= 2000);
	check("adj-highest", 0, write_adj(fd, "1000"));
	need("setuid", setuid(65534));
	check_errno("adj-not-root", EACCES, write_adj(fd, "-1000"));
	check("adj-kept", 1000, adj_now());
	return checks_status();
}

int main(void)
{
	char mode[8];

	read_text("/proc/sys/vm/overcommit_memory", mode, sizeof(mode));
	always = mode[0] == '1';
	check_maps();
	check_protect();
	check_grow();
	check_fork();
	check("adj-child", EXITED(0), in_child(set_and_read, NULL));
	return checks_status();
}
