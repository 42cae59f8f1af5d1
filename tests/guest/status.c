/*
 * tests/guest/status.c - what /proc/self/status says of memory, line by line, and /proc/self/fork_policy where there is one.
 *
 * Numbers are compared as differences, and leave room: Linux books resident pages in batches for each CPU.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>
#include <sys/mman.h>

#define PAGE  4096ul
#define PAGES 4096ul /* 16 MiB */
#define KIB   ((long)(PAGES * PAGE / 1024))
#define ROOM  2048 /* KiB */
#define RW    (PROT_READ | PROT_WRITE)

static char text[8192];

static void look(void)
{
	int fd = (int)need("open", open("/proc/self/status", O_RDONLY));
	ssize_t n = need("read", read(fd, text + 1, sizeof(text) - 2));

	text[0] = '\n';
	text[n + 1] = '\0';
	close(fd);
}

static const char *line_of(const char *name)
{
	char start[32];

	snprintf(start, sizeof(start), "\n%s:", name);
	return strstr(text, start);
}

/* In KiB; -1 if the line is not there or has another unit. */
static long value(const char *name)
{
	const char *line = line_of(name);
	long kib;

	return line && sscanf(line + 1 + strlen(name), ":%ld kB\n", &kib) == 1 ? kib : -1;
}

static long value_now(const char *name)
{
	look();
	return value(name);
}

static bool near(long want, long got) { return got >= want - ROOM && got <= want + ROOM; }

static char *map(int prot, int flags)
{
	void *p = mmap(NULL, PAGES * PAGE, prot, flags | MAP_ANONYMOUS, -1, 0);

	need("mmap", p == MAP_FAILED ? -1 : 0);
	return p;
}

static void touch(char *p)
{
	for (unsigned long i = 0; i < PAGES; i++)
		p[i * PAGE] = 1;
}

/* The lines are there, in this order. */
static void check_lines(void)
{
	static const char *const names[] = {"VmPeak", "VmSize",  "VmLck",   "VmPin",    "VmHWM",
					    "VmRSS",  "RssAnon", "RssFile", "RssShmem", "VmData",
					    "VmStk",  "VmExe",   "VmLib",   "VmPTE",    "VmSwap"};
	const char *last = text;

	look();
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		const char *line = line_of(names[i]);

		check_true(names[i], line && line > last && value(names[i]) >= 0);
		last = line ? line : last;
	}
	check_true("sum-of-resident", value("RssAnon") + value("RssFile") + value("RssShmem") == value("VmRSS"));
	check_true("not-empty", value("VmExe") && value("VmStk") && value("VmPTE") && value("RssFile"));
	check("nothing-locked", 0, value("VmLck") + value("VmPin") + value("VmSwap"));
}

static void check_mapped(void)
{
	long size = value_now("VmSize"), data = value("VmData"), anon = value("RssAnon"), peak, tables = value("VmPTE");
	char *p = map(RW, MAP_PRIVATE);

	check("mapped-size", KIB, value_now("VmSize") - size);
	check("mapped-data", KIB, value("VmData") - data);
	check_true("mapped-not-resident", near(0, value("RssAnon") - anon));
	touch(p);
	check_true("touched", near(KIB, value_now("RssAnon") - anon));
	check_true("touched-tables", value("VmPTE") - tables >= 32);
	check_true("touched-high-water", value("VmHWM") >= value("VmRSS") - ROOM);
	peak = value("VmPeak");
	check_true("peak", peak >= size + KIB);
	munmap(p, PAGES * PAGE);
	check("unmapped-size", size, value_now("VmSize"));
	check_true("unmapped-resident", near(0, value("RssAnon") - anon));
	check("unmapped-peak", peak, value("VmPeak"));
	check_true("unmapped-high-water", value("VmHWM") >= KIB);
}

static void check_kinds(void)
{
	long shared = value_now("RssShmem"), anon = value("RssAnon"), data = value("VmData"), lib = value("VmLib");
	char *p = map(RW, MAP_SHARED), *q = map(PROT_READ | PROT_EXEC, MAP_PRIVATE), *r = map(PROT_READ, MAP_PRIVATE);

	touch(p);
	look();
	check_true("shared-resident", near(KIB, value("RssShmem") - shared));
	check_true("shared-not-private", near(0, value("RssAnon") - anon));
	check("data-private-only", 0, value("VmData") - data);
	check("executable", KIB, value("VmLib") - lib);
	munmap(p, PAGES * PAGE);
	munmap(q, PAGES * PAGE);
	munmap(r, PAGES * PAGE);
}

/* A child starts with what its parent has mapped, and has it resident too. */
static int child_looks(void *arg)
{
	const long *want = arg;

	look();
	return value("VmSize") == want[0] && value("VmPeak") <= want[1] && near(want[2], value("VmRSS")) ? 0 : 1;
}

static void check_forked(void)
{
	char *p = map(RW, MAP_PRIVATE);
	long want[3];

	touch(p);
	look();
	want[0] = value("VmSize");
	want[1] = value("VmPeak");
	want[2] = value("VmRSS");
	check("child", EXITED(0), in_child(child_looks, want));
	need("madvise", madvise(p, PAGES * PAGE, MADV_DONTFORK));
	want[0] -= KIB;
	want[2] -= KIB;
	check("child-without-a-region", EXITED(0), in_child(child_looks, want));
	munmap(p, PAGES * PAGE);
}

static int try_policies(void *unused)
{
	static const char *const good[] = {"copy", "cow\n", "hybrid", "tree"};
	static const char *const bad[] = {"", "\n", "c", "copycat", "Tree", "tree cow", "0"};
	int fd = open("/proc/self/fork_policy", O_RDWR);
	char now[16] = "";

	(void)unused;
	if (fd < 0) /* not a system that has it */
		return 0;
	for (unsigned i = 0; i < ARRAY_LEN(good); i++) {
		memset(now, 0, sizeof(now));
		need(good[i], pwrite(fd, good[i], strlen(good[i]), 0));
		need("read", pread(fd, now, sizeof(now) - 1, 0));
		if (strncmp(now, good[i], 3) != 0)
			return 1;
	}
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		if (pwrite(fd, bad[i], strlen(bad[i]), 0) != -1 || errno != EINVAL)
			return 2 + (int)i;
	}
	need("read", pread(fd, now, sizeof(now) - 1, 0));
	return strcmp(now, "tree\n") == 0 ? 0 : 20;
}

int main(void)
{
	check_lines();
	check_mapped();
	check_kinds();
	check_forked();
	check("fork-policy", EXITED(0), in_child(try_policies, NULL));
	return checks_status();
}
