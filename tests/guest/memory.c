/* tests/guest/memory.c - mmap, mprotect, munmap, brk, the stack and its limit, and the signal of a bad access. */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)

static unsigned char *map_at(void *at, size_t size, int prot, int flags)
{
	unsigned char *p = mmap(at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	need("mmap", p == MAP_FAILED ? -1 : 0);
	return p;
}

static unsigned char *map(size_t pages) { return map_at(NULL, pages * PAGE, RW, 0); }

static int read_byte(void *p) { return *(volatile unsigned char *)p; }

static int write_byte(void *p)
{
	*(volatile unsigned char *)p = 1;
	return 0;
}

static int call_it(void *p)
{
	((void (*)(void))p)();
	return 0;
}

static void check_protection(void)
{
	unsigned char *p = map(4);

	memset(p, 0xc3, 4 * PAGE); /* ret */
	check("execute-data", SIGNALLED(SIGSEGV), in_child(call_it, p));
	need("mprotect", mprotect(p + PAGE, PAGE, PROT_READ));
	need("mprotect", mprotect(p + 2 * PAGE, PAGE, PROT_NONE));
	need("mprotect", mprotect(p + 3 * PAGE, PAGE, PROT_READ | PROT_EXEC));
	check("read-only-read", EXITED(0xc3), in_child(read_byte, p + PAGE));
	check("read-only-write", SIGNALLED(SIGSEGV), in_child(write_byte, p + PAGE));
	check("none-read", SIGNALLED(SIGSEGV), in_child(read_byte, p + 2 * PAGE));
	check("none-write", SIGNALLED(SIGSEGV), in_child(write_byte, p + 2 * PAGE));
	check("exec-call", EXITED(0), in_child(call_it, p + 3 * PAGE));
	check("exec-write", SIGNALLED(SIGSEGV), in_child(write_byte, p + 3 * PAGE));
	check("neighbour-write", EXITED(0), in_child(write_byte, p));
	need("mprotect", mprotect(p, 4 * PAGE, RW));
	check("given-back", 0xc3, p[2 * PAGE]);
	check("given-back-write", EXITED(0), in_child(write_byte, p + 2 * PAGE));
	check_errno("mprotect-unaligned", EINVAL, syscall(SYS_mprotect, p + 1, PAGE, RW));
	munmap(p + PAGE, PAGE);
	check_errno("mprotect-over-hole", ENOMEM, mprotect(p, 3 * PAGE, PROT_READ));
	check("mprotect-zero", 0, mprotect(p, 0, PROT_READ));
	munmap(p, 4 * PAGE);
}

/* mprotect of pages that parent and child share: a right given back must not make the shared page writable for both. */
static int write_after_protect(void *arg)
{
	unsigned char *p = arg;

	if (mprotect(p, PAGE, PROT_READ) || mprotect(p, PAGE, RW))
		return 1;
	p[0] = 9;
	return p[0] == 9 ? 0 : 1;
}

static void check_protect_shared(void)
{
	unsigned char *p = map(1);

	p[0] = 5;
	check("protect-in-child", EXITED(0), in_child(write_after_protect, p));
	check("protect-parent-kept", 5, p[0]);
	munmap(p, PAGE);
}

static void check_unmap(void)
{
	unsigned char *p = map(5);

	p[0] = 1;
	p[2 * PAGE] = 2;
	p[4 * PAGE] = 3;
	check("munmap-middle", 0, munmap(p + 2 * PAGE, PAGE));
	check("hole-faults", SIGNALLED(SIGSEGV), in_child(read_byte, p + 2 * PAGE));
	check("left-stays", 1, p[0]);
	check("right-stays", 3, p[4 * PAGE]);
	check("munmap-hole-again", 0, munmap(p + 2 * PAGE, PAGE));
	check_errno("munmap-zero", EINVAL, munmap(p, 0));
	check_errno("munmap-unaligned", EINVAL, munmap(p + 1, PAGE));
	check_errno("munmap-kernel", EINVAL, munmap((void *)0xffff800000000000, PAGE));
	check_errno("munmap-wraps", EINVAL, munmap(p, ~0ul - PAGE));
	p = map_at(p + 2 * PAGE, PAGE, RW, MAP_FIXED);
	check("hole-filled-zero", 0, p[0]);
	munmap(p - 2 * PAGE, 5 * PAGE);
}

static void check_fixed(void)
{
	unsigned char *p = map(4);

	memset(p, 7, 4 * PAGE);
	map_at(p + PAGE, 2 * PAGE, RW, MAP_FIXED);
	check("fixed-over-zero", 0, p[PAGE] + p[3 * PAGE - 1]);
	check("fixed-over-left", 7, p[PAGE - 1]);
	check("fixed-over-right", 7, p[3 * PAGE]);
	check_errno("fixed-unaligned", EINVAL, (long)mmap(p + 1, PAGE, RW, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0));
	check_errno("fixed-kernel", ENOMEM,
		    (long)mmap((void *)0xffff800000000000, PAGE, RW, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0));
	check_errno("fixed-noreplace", EEXIST,
		    (long)mmap(p, PAGE, RW, MAP_PRIVATE | MAP_ANON | MAP_FIXED_NOREPLACE, -1, 0));
	check_errno("mmap-zero", EINVAL, (long)mmap(NULL, 0, RW, MAP_PRIVATE | MAP_ANON, -1, 0));
	check_errno("mmap-no-kind", EINVAL, (long)mmap(NULL, PAGE, RW, MAP_ANON, -1, 0));
	check_errno("mmap-bad-fd", EBADF, (long)mmap(NULL, PAGE, RW, MAP_PRIVATE, 99, 0));
	check_errno("mmap-all", ENOMEM, (long)mmap(NULL, ~0ul - PAGE, RW, MAP_PRIVATE | MAP_ANON, -1, 0));
	munmap(p, 4 * PAGE);
}

static void check_break(void)
{
	unsigned char *old = (unsigned char *)syscall(SYS_brk, 0), *base, *p;

	base = (unsigned char *)(((uintptr_t)old + PAGE - 1) & ~(PAGE - 1));
	check_true("brk-grow", syscall(SYS_brk, base + 3 * PAGE) == (long)(base + 3 * PAGE));
	check("brk-zero", 0, base[0] + base[3 * PAGE - 1]);
	memset(base, 5, 3 * PAGE);
	check_true("brk-shrink", syscall(SYS_brk, base + PAGE) == (long)(base + PAGE));
	check("brk-gone", SIGNALLED(SIGSEGV), in_child(read_byte, base + 2 * PAGE));
	check_true("brk-grow-again", syscall(SYS_brk, base + 3 * PAGE) == (long)(base + 3 * PAGE));
	check("brk-zero-again", 0, base[PAGE] + base[2 * PAGE]);
	check("brk-kept", 5, base[PAGE - 1]);
	check_true("brk-below-refused", syscall(SYS_brk, 4096) == (long)(base + 3 * PAGE));
	check_true("brk-absurd-refused", syscall(SYS_brk, 1ul << 62) == (long)(base + 3 * PAGE));
	p = map_at(base + PAGE, PAGE, PROT_NONE, MAP_FIXED); /* musl's malloc puts a guard page inside the heap */
	check("brk-guard", SIGNALLED(SIGSEGV), in_child(read_byte, p));
	check("brk-guard-right", EXITED(0), in_child(write_byte, p + PAGE));
	check("brk-after-fork", EXITED(5), in_child(read_byte, base));
	need("munmap", munmap(base + PAGE, PAGE));
}

/* Uses about `arg` KiB of stack. */
__attribute__((noinline)) static int recurse(long kib)
{
	volatile unsigned char block[1024];

	block[0] = block[1023] = (unsigned char)kib;
	if (kib > 0 && recurse(kib - 1) != 0)
		return 1;
	return block[0] == (unsigned char)kib && block[1023] == (unsigned char)kib ? 0 : 1;
}

static int recurse_kib(void *arg) { return recurse((long)arg); }

static int recurse_limited(void *arg)
{
	struct rlimit limit = {256 * 1024, 256 * 1024};

	if (setrlimit(RLIMIT_STACK, &limit))
		return 1;
	return recurse((long)arg);
}

static void check_stack(void)
{
	check("stack-4-mib", EXITED(0), in_child(recurse_kib, (void *)4096));
	check("stack-without-end", SIGNALLED(SIGSEGV), in_child(recurse_kib, (void *)200000));
	check("stack-under-limit", EXITED(0), in_child(recurse_limited, (void *)100));
	check("stack-over-limit", SIGNALLED(SIGSEGV), in_child(recurse_limited, (void *)400));
	check("stack-parent-whole", 0, recurse(100));
}

static int touch_sparse(void *arg)
{
	unsigned char *p = arg;

	for (size_t at = 0; at < 1ul << 40; at += 1ul << 36)
		p[at] = 1;
	return 0;
}

/* A terabyte of address space, sixteen pages of it used. */
static void check_sparse(void)
{
	unsigned char *p = map_at(NULL, 1ul << 40, RW, MAP_NORESERVE);

	check("sparse", 0, touch_sparse(p));
	check("sparse-child", EXITED(0), in_child(touch_sparse, p));
	check("sparse-zero", 0, p[12345]);
	check("sparse-unmap", 0, munmap(p, 1ul << 40));
}

static void check_file_maps(void)
{
	char name[] = "/tmp/memory.XXXXXX";
	int fd = (int)need("mkstemp", mkstemp(name));
	unsigned char *own, *shared;

	unlink(name);
	need("write", write(fd, "0123456789", 10));
	own = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
	shared = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	need("mmap", own == MAP_FAILED || shared == MAP_FAILED ? -1 : 0);
	check("file-bytes", '3', own[3]);
	check("file-tail-zero", 0, own[10] + own[PAGE - 1]);
	check("file-past-end", SIGNALLED(SIGBUS), in_child(read_byte, own + PAGE));
	own[0] = 'x';
	shared[1] = 'y';
	check("private-hidden", '0', shared[0]);
	check("shared-seen-by-read", 2, pread(fd, own + 100, 2, 0));
	check("shared-bytes", '0' + 'y', own[100] + own[101]);
	check("private-child", EXITED('x'), in_child(read_byte, own));
	check("shared-child-writes", EXITED(0), in_child(write_byte, shared + 2));
	check("shared-parent-sees", 1, shared[2]);
	check("private-child-writes", EXITED(0), in_child(write_byte, own));
	check("private-parent-keeps", 'x', own[0]);
	check_errno("map-offset-unaligned", EINVAL, (long)mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 17));
	munmap(own, 2 * PAGE);
	munmap(shared, PAGE);
	close(fd);
}

static int read_null(void *arg)
{
	unsigned char *volatile p = arg;

	return *(volatile unsigned char *)p;
}

static int divide_by_zero(void *arg)
{
	volatile int zero = (int)(long)arg;

	return 100 / zero;
}

static int run_ud2(void *arg)
{
	(void)arg;
	__asm__ volatile("ud2");
	return 0;
}

static int run_hlt(void *arg)
{
	(void)arg;
	__asm__ volatile("hlt");
	return 0;
}

static int run_int3(void *arg)
{
	(void)arg;
	__asm__ volatile("int3");
	return 0;
}

static int run_non_canonical(void *arg) { return *(volatile unsigned char *)((uintptr_t)arg << 60); }

/* Each exception of the CPU ends the process with its signal, and nothing else. */
static void check_exceptions(void)
{
	check("null-read", SIGNALLED(SIGSEGV), in_child(read_null, NULL));
	check("kernel-read", SIGNALLED(SIGSEGV), in_child(read_null, (void *)0xffffffff80000000));
	check("recursive-slot-read", SIGNALLED(SIGSEGV), in_child(read_null, (void *)0xffffff7fbfdfe000));
	check("non-canonical-read", SIGNALLED(SIGSEGV), in_child(run_non_canonical, (void *)8));
	check("jump-to-kernel", SIGNALLED(SIGSEGV), in_child(call_it, (void *)0xffffffff80000000));
	check("jump-non-canonical", SIGNALLED(SIGSEGV), in_child(call_it, (void *)0x8000000000000000));
	check("jump-null", SIGNALLED(SIGSEGV), in_child(call_it, NULL));
	check("divide", SIGNALLED(SIGFPE), in_child(divide_by_zero, NULL));
	check("bad-instruction", SIGNALLED(SIGILL), in_child(run_ud2, NULL));
	check("privileged", SIGNALLED(SIGSEGV), in_child(run_hlt, NULL));
	check("breakpoint", SIGNALLED(SIGTRAP), in_child(run_int3, NULL));
}

int main(void)
{
	struct rlimit no_core = {0, 0};

	setrlimit(RLIMIT_CORE, &no_core);
	check_protection();
	check_protect_shared();
	check_unmap();
	check_fixed();
	check_break();
	check_stack();
	check_sparse();
	check_file_maps();
	check_exceptions();
	return checks_status();
}
