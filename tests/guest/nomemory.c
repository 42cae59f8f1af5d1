/*
 * tests/guest/nomemory.c - fork, exec and the calls that change memory with each allocation of theirs failing, one after the other.
 *
 * /proc/tine/fail_nth makes the n-th allocation of the writing thread fail, once. Whatever n is, a failed fork says ENOMEM (or
 * EAGAIN), leaves no child and no memory behind, and the parent as it was; the next fork works. A small process, and a large one
 * whose page tables are its own, or shared with a child that lives, or with its parent. A failed munmap, mprotect, mremap, mmap or
 * madvise in a process that shares its tables changes nothing. Kernels without that file pass untried.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define LIMIT 2000
#define PAGE  4096ul
#define MIB   (1ul << 20)
#define GIB   (1ul << 30)
#define RW    (PROT_READ | PROT_WRITE)

enum { REFUSED = 10, WRONG_ERRNO, DAMAGED, FIRED_ELSEWHERE, NOT_REACHED, RAN, LEAKED, NEXT_FAILED };

static int knob, probe[2];
static const char *self;

/* ---- The knob ---- */

static void arm(long nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%ld", nth);

	pwrite(knob, text, (size_t)n, 0);
}

/* What is left of the countdown: 0 when it has fired. */
static long left(void)
{
	char text[32] = "";

	pread(knob, text, sizeof(text) - 1, 0);
	return atol(text);
}

/* ---- The memory of the process ---- */

enum fate { KEPT, ABSENT, WIPED }; /* in a child */

#define DENSE    ((char *)0x100000000000) /* whole tables of leaves, and one above that is worth sharing */
#define CLUSTERS ((char *)0x200000000000) /* one a GiB: 6 tables of 80 leaves each */
#define ABSENTS  (DENSE - 2 * MIB)
#define WIPES    (DENSE - 1 * MIB)

struct area {
	char *start;
	size_t pages;
	enum fate fate;
};

static struct area areas[256];
static unsigned nareas;

static void map_area(const struct area *a)
{
	size_t size = a->pages * PAGE;

	need("mmap",
	     mmap(a->start, size, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == a->start ? 0 : -1);
	if (a->fate != KEPT)
		need("madvise", madvise(a->start, size, a->fate == ABSENT ? MADV_DONTFORK : MADV_WIPEONFORK));
}

static unsigned long tag_of(const char *page) { return (unsigned long)page / PAGE * 0x9e3779b97f4a7c15; }

static void fill_area(const struct area *a)
{
	for (size_t i = 0; i < a->pages; i++)
		*(unsigned long *)(a->start + i * PAGE) = tag_of(a->start + i * PAGE);
}

static void add_area(char *start, size_t pages, enum fate fate)
{
	areas[nareas] = (struct area){start, pages, fate};
	map_area(&areas[nareas]);
	fill_area(&areas[nareas++]);
}

static bool fork_is(const char *name)
{
	char policy[16] = "";
	int fd = open("/proc/self/fork_policy", O_RDONLY);

	read(fd, policy, sizeof(policy) - 1);
	close(fd);
	return !strncmp(policy, name, strlen(name));
}

/* 64 MiB; less where fork copies all of it. */
static void large_memory(void)
{
	bool lean = fork_is("tree") || fork_is("cow");

	add_area(DENSE, lean ? 12 * 512 : 2 * 512, KEPT);
	for (unsigned c = 0; c < (lean ? 21 : 3); c++)
		for (unsigned t = 0; t < 6; t++)
			add_area(CLUSTERS + c * GIB + t * 2 * MIB, 80, KEPT);
}

static void special_memory(void)
{
	add_area(ABSENTS, 200, ABSENT);
	add_area(WIPES, 200, WIPED);
}

static void small_memory(void)
{
	add_area(DENSE, 64, KEPT);
	special_memory();
}

static void empty_memory(void)
{
	while (nareas-- > 0)
		munmap(areas[nareas].start, areas[nareas].pages * PAGE);
	nareas = 0;
}

/* By the kernel, which takes no offence at what is not there. */
static bool may_read(char *page)
{
	char byte;

	return write(probe[1], page, 1) == 1 && read(probe[0], &byte, 1) == 1;
}

static bool may_write(char *page)
{
	char byte;

	if (write(probe[1], page, 1) != 1)
		return false;
	return read(probe[0], page, 1) == 1 || (read(probe[0], &byte, 1) == 1 && false);
}

static bool area_whole(const struct area *a, bool in_child)
{
	for (size_t i = 0; i < a->pages; i++) {
		char *page = a->start + i * PAGE;

		if (in_child && a->fate == ABSENT) {
			if (may_read(page))
				return false;
		} else if (*(unsigned long *)page != (in_child && a->fate == WIPED ? 0 : tag_of(page))) {
			return false;
		}
	}
	return true;
}

static bool whole(bool in_child)
{
	for (unsigned a = 0; a < nareas; a++)
		if (!area_whole(&areas[a], in_child))
			return false;
	return true;
}

/* A child that is to be the next parent: what it was not given it makes anew. */
static void complete_memory(void)
{
	for (unsigned a = 0; a < nareas; a++) {
		if (areas[a].fate == ABSENT)
			map_area(&areas[a]);
		if (areas[a].fate != KEPT)
			fill_area(&areas[a]);
	}
}

/* ---- Fork and exec ---- */

static int do_nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* What is set aside for somebody is not free: a failed fork must let go of that too. */
static long free_frames(void) { return counter("frames_free") + counter("frames_heap") - counter("frames_reserved"); }

/* One fork with the n-th allocation failing. */
static int fork_once(long nth)
{
	long before;
	pid_t pid;
	int err;

	errno = 0; /* its page is this process's own now: the count must not see that happen later */
	before = free_frames();
	arm(nth);
	pid = (pid_t)syscall(SYS_fork);
	err = errno;
	if (pid == 0)
		_exit(whole(true) ? 0 : 1);
	if (left()) {
		arm(0);
		return wait_for(pid) == EXITED(0) ? NOT_REACHED : DAMAGED;
	}
	if (pid > 0)
		return wait_for(pid) == EXITED(0) ? FIRED_ELSEWHERE : DAMAGED;
	if (!whole(false) || waitpid(-1, NULL, WNOHANG) > 0)
		return DAMAGED;
	if (before != free_frames())
		return LEAKED;
	pid = fork();
	if (pid == 0)
		_exit(whole(true) ? 0 : 1);
	if (pid < 0 || wait_for(pid) != EXITED(0))
		return NEXT_FAILED;
	return err == ENOMEM || err == EAGAIN ? REFUSED : WRONG_ERRNO;
}

/* In a process of its own, since the failure may strike it after the fork, when it writes to a shared page. */
static int try_fork(void *nth)
{
	complete_memory();
	if (in_child(do_nothing, NULL) != EXITED(0)) /* the kernel's stores are warm, the stack is this process's own */
		return NEXT_FAILED;
	return fork_once((long)nth);
}

static int try_exec(void *nth)
{
	char *args[] = {"nomemory", "@ran", NULL}, *env[] = {"A=b", NULL};

	complete_memory();
	arm((long)nth);
	execve(self, args, env);
	return errno == ENOMEM && whole(false) ? REFUSED : WRONG_ERRNO;
}

struct memory {
	long anon, tables, live;
};

static struct memory in_use(void)
{
	return (struct memory){counter("frames_anon"), counter("frames_tables"), counter("heap_live")};
}

/* For n = 1, 2, ... until the call needs fewer allocations than that. At least `least` of them must have failed. */
static void check_every(const char *name, int (*attempt)(void *), int reached, long least)
{
	struct memory before, after;
	long nth, refused = 0;
	bool fine = true;

	in_child(attempt, (void *)1l);
	before = in_use();
	for (nth = 1; nth < LIMIT && fine; nth++) {
		int status = in_child(attempt, (void *)nth);

		if (status == EXITED(reached))
			break;
		refused += status == EXITED(REFUSED);
		fine = status == EXITED(REFUSED) || status == EXITED(FIRED_ELSEWHERE) || status == SIGNALLED(SIGKILL) ||
		       fail(name, "allocation %ld: wait status 0x%x", nth, (unsigned)status);
	}
	arm(0);
	after = in_use();
	fine = fine && expect(name, 1, nth < LIMIT) && expect(name, 1, refused >= least) &&
	       expect(name, before.anon, after.anon) && expect(name, before.tables, after.tables) &&
	       expect(name, before.live, after.live) && (whole(false) || fail(name, "the memory is damaged"));
	ok_if(fine, name);
}

/* ---- A large process, whose tables nobody else names but the children that it makes ---- */

struct progress {
	long next, refused;
};

static struct progress *progress; /* shared with the process that tries */

static int lifeline[2];

/* Lives as long as its parent, which may be killed. */
static int sleep_on(void *arg)
{
	char byte;

	(void)arg;
	close(lifeline[1]);
	return (int)read(lifeline[0], &byte, 1);
}

/* Tries from progress->next on, in one process, as far as it lives. */
static int try_on(bool live_child)
{
	pid_t sleeper = 0;
	int result = REFUSED;

	large_memory();
	special_memory();
	in_child(do_nothing, NULL);
	need("pipe", pipe(lifeline));
	if (live_child)
		sleeper = spawn(sleep_on, NULL);
	while (result == REFUSED || result == FIRED_ELSEWHERE) {
		result = fork_once(progress->next++);
		progress->refused += result == REFUSED;
	}
	close(lifeline[1]);
	return live_child && wait_for(sleeper) != EXITED(0) ? DAMAGED : result;
}

static int try_alone(void *arg)
{
	(void)arg;
	return try_on(false);
}

static int try_with_child(void *arg)
{
	(void)arg;
	return try_on(true);
}

static void check_large(const char *name, int (*attempt)(void *))
{
	int status = SIGNALLED(SIGKILL);

	*progress = (struct progress){1, 0};
	while (status == SIGNALLED(SIGKILL) && progress->next < LIMIT)
		status = in_child(attempt, NULL);
	if (expect(name, EXITED(NOT_REACHED), status) && expect(name, 1, progress->refused > 2))
		ok(name);
}

/* ---- Calls that change memory, in a process that shares its tables with its parent ---- */

#define CHANGED      (DENSE + 3 * PAGE) /* over more than one table, and neither end on a boundary */
#define CHANGED_SIZE (2 * MIB - PAGE)
#define ONTO         (CLUSTERS + 5 * PAGE)
#define ONTO_SIZE    (9 * PAGE)

static long call_munmap(void) { return munmap(CHANGED, CHANGED_SIZE); }

static long call_mprotect(void) { return mprotect(CHANGED, CHANGED_SIZE, PROT_READ); }

static long call_dontneed(void) { return madvise(CHANGED, CHANGED_SIZE, MADV_DONTNEED); }

static long call_wipeonfork(void) { return madvise(CHANGED, CHANGED_SIZE, MADV_WIPEONFORK); }

static long call_move(void)
{
	return mremap(CHANGED, CHANGED_SIZE, 2 * CHANGED_SIZE, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0;
}

static long call_move_onto(void)
{
	return mremap(CHANGED, ONTO_SIZE, ONTO_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, ONTO) == MAP_FAILED ? -1 : 0;
}

static long call_shrink(void) { return mremap(CHANGED, CHANGED_SIZE, PAGE, 0) == MAP_FAILED ? -1 : 0; }

static long call_map_over(void)
{
	return mmap(CHANGED, CHANGED_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0;
}

static const struct change {
	const char *name;
	long (*call)(void);
} changes[] = {
    {"munmap-without-memory", call_munmap},     {"mprotect-without-memory", call_mprotect},
    {"dontneed-without-memory", call_dontneed}, {"wipeonfork-without-memory", call_wipeonfork},
    {"move-without-memory", call_move},         {"move-onto-without-memory", call_move_onto},
    {"shrink-without-memory", call_shrink},     {"mmap-without-memory", call_map_over},
};

static const struct change *change;

static bool rights_kept(void)
{
	for (size_t at = 0; at < CHANGED_SIZE; at += PAGE)
		if (!may_write(CHANGED + at))
			return false;
	return may_write(CHANGED - PAGE) && may_write(CHANGED + CHANGED_SIZE) && may_write(ONTO);
}

static int sees_all(void *arg)
{
	(void)arg;
	return whole(true) ? 0 : 1;
}

static int try_change(void *nth)
{
	volatile char stack[2 * PAGE];
	long result;
	int err;

	for (size_t at = 0; at < sizeof(stack); at += 64) /* no copy-on-write of the stack while armed */
		stack[at] = 1;
	arm((long)nth);
	result = change->call();
	err = errno;
	if (left()) {
		arm(0);
		return result == 0 ? NOT_REACHED : DAMAGED;
	}
	if (result == 0)
		return FIRED_ELSEWHERE;
	if (err != ENOMEM)
		return WRONG_ERRNO;
	return whole(false) && rights_kept() && in_child(sees_all, NULL) == EXITED(0) ? REFUSED : DAMAGED;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "@ran"))
		return RAN;
	self = (const char *)getauxval(AT_EXECFN);
	knob = open("/proc/tine/fail_nth", O_RDWR);
	if (knob < 0) {
		dprintf(1, "ok fork-without-memory\nok exec-without-memory\nok large-fork-without-memory\n"
			   "ok large-second-fork-without-memory\nok large-child-fork-without-memory\n");
		for (unsigned i = 0; i < ARRAY_LEN(changes); i++)
			ok(changes[i].name);
		return 0;
	}
	need("pipe", pipe(probe));
	fcntl(probe[0], F_SETFL, O_NONBLOCK);
	progress = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need("mmap", progress == MAP_FAILED ? -1 : 0);
	small_memory();
	check_every("fork-without-memory", try_fork, NOT_REACHED, 3);
	check_every("exec-without-memory", try_exec, RAN, 3);
	empty_memory();
	check_large("large-fork-without-memory", try_alone);
	check_large("large-second-fork-without-memory", try_with_child);
	large_memory();
	special_memory();
	check_every("large-child-fork-without-memory", try_fork, NOT_REACHED, 3);
	empty_memory();
	large_memory();
	for (unsigned i = 0; i < ARRAY_LEN(changes); i++) {
		/* All change a set of regions that is shared, or else tables that are, under `tree`. */
		change = &changes[i];
		check_every(change->name, try_change, NOT_REACHED, change->call != call_dontneed || fork_is("tree"));
	}
	return checks_status();
}
