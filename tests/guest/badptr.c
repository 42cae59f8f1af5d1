/*
 * tests/guest/badptr.c - system calls with pointers that no program should pass.
 *
 * One line per call: its result for each bad pointer, as the error number or `ok`. Nothing may crash, and Linux must print
 * the same. The calls come from the table; P marks the argument that the pointer takes.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PAGE 4096ul
#define P    0x5045474e544552ull /* where the pointer goes */

struct call {
	const char *name;
	long number;
	uint64_t arg[5];
	bool copies_all; /* a structure: all or nothing, so that half of it at the end of a page is an error too */
};

enum { FD_ZERO = 40, FD_FILE, FD_DIR, FD_PIPE };

/* clang-format off */
static const struct call calls[] = {
	{"read", SYS_read, {FD_ZERO, P, 16}, false},
	{"pread64", SYS_pread64, {FD_FILE, P, 16, 0}, false},
	{"write", SYS_write, {FD_FILE, P, 16}, false},
	{"readv", SYS_readv, {FD_ZERO, P, 1}, true},
	{"writev", SYS_writev, {FD_FILE, P, 1}, true},
	{"open", SYS_open, {P, O_RDONLY}, false},
	{"openat", SYS_openat, {(uint64_t)AT_FDCWD, P, O_RDONLY}, false},
	{"openat-root", SYS_openat, {FD_DIR, P, O_RDONLY}, false},
	{"stat-path", SYS_stat, {P, 0}, false},
	{"stat-buffer", SYS_stat, {(uint64_t)"/", P}, true},
	{"lstat-buffer", SYS_lstat, {(uint64_t)"/", P}, true},
	{"fstat", SYS_fstat, {FD_ZERO, P}, true},
	{"newfstatat", SYS_newfstatat, {(uint64_t)AT_FDCWD, (uint64_t)"/", P, 0}, true},
	{"access", SYS_access, {P, 0}, false},
	{"chdir", SYS_chdir, {P}, false},
	{"mkdir", SYS_mkdir, {P, 0700}, false},
	{"rmdir", SYS_rmdir, {P}, false},
	{"unlink", SYS_unlink, {P}, false},
	{"rename-from", SYS_rename, {P, (uint64_t)"/tmp/x"}, false},
	{"link-from", SYS_link, {P, (uint64_t)"/tmp/x"}, false},
	{"symlink", SYS_symlink, {P, (uint64_t)"/nonexistent/x"}, false},
	{"readlink-path", SYS_readlink, {P, (uint64_t)"/", 16}, false},
	{"chmod", SYS_chmod, {P, 0700}, false},
	{"getcwd", SYS_getcwd, {P, 64}, false},
	{"getdents64", SYS_getdents64, {FD_DIR, P, 512}, false},
	{"pipe", SYS_pipe, {P}, true},
	{"pipe2", SYS_pipe2, {P, 0}, true},
	{"poll", SYS_poll, {P, 1, 0}, true},
	{"select", SYS_select, {1, P, 0, 0, (uint64_t)"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"}, true},
	{"ioctl-fionread", SYS_ioctl, {FD_PIPE, 0x541b, P}, true},
	{"uname", SYS_uname, {P}, true},
	{"gettimeofday", SYS_gettimeofday, {P, 0}, true},
	{"clock_gettime", SYS_clock_gettime, {0, P}, true},
	{"nanosleep", SYS_nanosleep, {P, 0}, true},
	{"times", SYS_times, {P}, true},
	{"getrusage", SYS_getrusage, {0, P}, true},
	{"sysinfo", SYS_sysinfo, {P}, true},
	{"getrlimit", SYS_getrlimit, {3, P}, true},
	{"prlimit64-old", SYS_prlimit64, {0, 3, 0, P}, true},
	{"prlimit64-new", SYS_prlimit64, {0, 3, P, 0}, true},
	{"rt_sigaction-new", SYS_rt_sigaction, {10, P, 0, 8}, true},
	{"rt_sigaction-old", SYS_rt_sigaction, {10, 0, P, 8}, true},
	{"rt_sigprocmask-new", SYS_rt_sigprocmask, {0, P, 0, 8}, true},
	{"rt_sigprocmask-old", SYS_rt_sigprocmask, {0, 0, P, 8}, true},
	{"rt_sigpending", SYS_rt_sigpending, {P, 8}, true},
	{"execve", SYS_execve, {P, 0, 0}, false},
	{"execve-argv", SYS_execve, {(uint64_t)"/nonexistent", P, 0}, false},
	{"wait4-none", SYS_wait4, {(uint64_t)-1, P, 0, 0}, false},
	{"getrandom", SYS_getrandom, {P, 16, 0}, false},
	{"arch_prctl", SYS_arch_prctl, {0x1003, P}, true},
	{"prctl-name", SYS_prctl, {16, P}, false},
	{"statfs", SYS_statfs, {(uint64_t)"/", P}, true},
};
/* clang-format on */

static unsigned char *pages; /* RW, NONE, R, hole */

static long call_with(const struct call *c, uint64_t pointer)
{
	uint64_t a[5];

	for (int i = 0; i < 5; i++)
		a[i] = c->arg[i] == P ? pointer : c->arg[i];
	return syscall(c->number, a[0], a[1], a[2], a[3], a[4]);
}

static void show_result(const char *label, long result)
{
	if (result == -1)
		dprintf(1, " %s=%d", label, errno);
	else
		dprintf(1, " %s=ok", label);
}

static void try_all(const struct call *c)
{
	const struct {
		const char *label;
		uint64_t pointer;
	} bad[] = {
	    {"none", (uint64_t)pages + PAGE},      {"hole", (uint64_t)pages + 3 * PAGE},
	    {"last-user-page", 0x7ffffffff000},    {"hole-begin", 0x800000000000},
	    {"not-canonical", 0x8000000000000000}, {"kernel", 0xffff800000000000},
	    {"kernel-image", 0xffffffff80000000},  {"recursive", 0xffffff7fbfdfe000},
	    {"minus-one", (uint64_t)-1},
	};

	dprintf(1, "%s:", c->name);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		show_result(bad[i].label, call_with(c, bad[i].pointer));
	if (c->copies_all)
		show_result("page-end", call_with(c, (uint64_t)pages + PAGE - 4));
	dprintf(1, "\n");
}

/* Strings that run into the end of a page, and one that ends exactly there. */
static void try_strings(void)
{
	char *end = (char *)pages + PAGE;

	memset(end - 32, 'a', 32);
	dprintf(1, "strings:");
	show_result("unterminated", access(end - 8, 0));
	end[-1] = '\0';
	show_result("ends-at-edge", access(end - 8, 0));
	end[-2] = '/';
	end[-1] = '\0';
	show_result("root-at-edge", access(end - 2, 0));
	dprintf(1, "\n");
}

/* Output to a page that may only be read. */
static void try_read_only(void)
{
	long *page = (long *)(pages + 2 * PAGE);

	dprintf(1, "read-only:");
	show_result("read", read(FD_ZERO, page, 8));
	show_result("pipe", pipe((int *)page));
	show_result("uname", syscall(SYS_uname, page));
	show_result("write", write(FD_FILE, page, 8));
	dprintf(1, "\n");
}

/* Lengths that wrap around or are negative. */
static void try_lengths(void)
{
	struct {
		void *base;
		size_t len;
	} v[2] = {{pages, (size_t)-1}, {pages, 16}}, w[2] = {{pages, 8}, {(void *)16, 8}};

	dprintf(1, "lengths:");
	show_result("read-all", read(FD_ZERO, (void *)8, (size_t)-1));
	show_result("readv-negative", syscall(SYS_readv, FD_ZERO, v, 2));
	show_result("readv-many", syscall(SYS_readv, FD_ZERO, v, 1025));
	show_result("readv-half", syscall(SYS_readv, FD_ZERO, w, 2));
	show_result("readv-count-negative", syscall(SYS_readv, FD_ZERO, v, -1));
	show_result("getcwd-zero", syscall(SYS_getcwd, pages, 0));
	show_result("getcwd-short", syscall(SYS_getcwd, pages, 1));
	show_result("readlink-zero", syscall(SYS_readlink, "/", pages, 0));
	show_result("getdents-short", syscall(SYS_getdents64, FD_DIR, pages, 8));
	dprintf(1, "\n");
}

static void open_descriptors(void)
{
	char name[] = "/tmp/badptr.XXXXXX";
	int p[2];

	dup2((int)need("open", open("/dev/zero", O_RDONLY)), FD_ZERO);
	dup2((int)need("mkstemp", mkstemp(name)), FD_FILE);
	need("unlink", unlink(name));
	need("write", write(FD_FILE, "0123456789abcdef", 16));
	dup2((int)need("open", open("/", O_RDONLY | O_DIRECTORY)), FD_DIR);
	need("pipe", pipe(p));
	dup2(p[0], FD_PIPE);
}

int main(void)
{
	pages = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need("mmap", pages == MAP_FAILED ? -1 : 0);
	need("mprotect", mprotect(pages + PAGE, PAGE, PROT_NONE));
	need("mprotect", mprotect(pages + 2 * PAGE, PAGE, PROT_READ));
	need("munmap", munmap(pages + 3 * PAGE, PAGE));
	need("chdir", chdir("/"));
	open_descriptors();
	for (unsigned i = 0; i < ARRAY_LEN(calls); i++)
		try_all(&calls[i]);
	try_strings();
	try_read_only();
	try_lengths();
	return 0;
}
