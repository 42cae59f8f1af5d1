/*
 * tests/guest/nomemory.c - fork and exec with every single allocation of theirs failing, one after the other.
 *
 * /proc/tine/fail_nth makes the n-th allocation of the writing thread fail, once. Whatever n is, a failed fork says ENOMEM (or
 * EAGAIN), leaves no child and no memory behind, and the parent as it was. Kernels without that file pass untried.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define LIMIT 2000
#define AREA  (64 * 4096)

enum { REFUSED = 10, WRONG_ERRNO, DAMAGED, FIRED_ELSEWHERE, NOT_REACHED, RAN };

static int knob;
static unsigned char *area;
static const char *self;

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

static bool area_whole(void)
{
	for (unsigned i = 0; i < AREA; i += 512) {
		if (area[i] != (unsigned char)(i >> 9))
			return false;
	}
	return true;
}

/* In a process of its own, since the failure may strike it after the fork, when it writes to a shared page. */
static int try_fork(void *nth)
{
	pid_t pid;
	int err;

	arm((long)nth);
	pid = (pid_t)syscall(SYS_fork);
	err = errno;
	if (pid == 0)
		_exit(area_whole() ? 0 : 1);
	if (left()) {
		arm(0);
		return wait_for(pid) == EXITED(0) ? NOT_REACHED : DAMAGED;
	}
	if (pid > 0)
		return wait_for(pid) == EXITED(0) ? FIRED_ELSEWHERE : DAMAGED;
	if (wait(NULL) != -1 || !area_whole())
		return DAMAGED;
	return err == ENOMEM || err == EAGAIN ? REFUSED : WRONG_ERRNO;
}

static int try_exec(void *nth)
{
	char *args[] = {"nomemory", "@ran", NULL}, *env[] = {"A=b", NULL};

	arm((long)nth);
	execve(self, args, env);
	return errno == ENOMEM && area_whole() ? REFUSED : WRONG_ERRNO;
}

struct memory {
	long anon, tables, live;
};

static struct memory in_use(void)
{
	return (struct memory){counter("frames_anon"), counter("frames_tables"), counter("heap_live")};
}

/* For n = 1, 2, ... until the call needs fewer allocations than that. */
static void check_every(const char *name, int (*attempt)(void *), int reached)
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
		fine = status == EXITED(REFUSED) || status == EXITED(FIRED_ELSEWHERE) || WIFSIGNALED(status) ||
		       fail(name, "allocation %ld: wait status 0x%x", nth, (unsigned)status);
	}
	arm(0);
	after = in_use();
	fine = fine && expect(name, 1, nth < LIMIT) && expect(name, 1, refused > 2) &&
	       expect(name, before.anon, after.anon) && expect(name, before.tables, after.tables) &&
	       expect(name, before.live, after.live);
	ok_if(fine, name);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "@ran"))
		return RAN;
	self = (const char *)getauxval(AT_EXECFN);
	area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need("mmap", area == MAP_FAILED ? -1 : 0);
	for (unsigned i = 0; i < AREA; i += 512)
		area[i] = (unsigned char)(i >> 9);
	knob = open("/proc/tine/fail_nth", O_RDWR);
	if (knob < 0) {
		ok("fork-without-memory");
		ok("exec-without-memory");
		return 0;
	}
	check_every("fork-without-memory", try_fork, NOT_REACHED);
	check_every("exec-without-memory", try_exec, RAN);
	return checks_status();
}
