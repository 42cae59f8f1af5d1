/*
 * user/check.h - how the test programs report.
 *
 * Role         One line per check on standard output: `ok NAME`, or `FAIL NAME: expected X, got Y`. The exit status is 0 only if
 *              every check held.
 * Invariants   1. The output holds nothing that differs from run to run or from system to system (no pid, address or time), so
 *                 that the same binary prints the same on Linux.
 *              2. Each line is one write(), unbuffered: a fork never doubles it, and lines of two processes never mix.
 *              3. A child reports its own failures; the parent prints the `ok` when the child's status says so.
 * Failure      A call that the test itself needs (fork, pipe, mmap) and that fails ends the program with a FAIL line.
 */
#ifndef TINE_USER_CHECK_H
#define TINE_USER_CHECK_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNUSED        __attribute__((unused))
#define ARRAY_LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define EXITED(code)  ((code) << 8) /* wait status of exit(code) */
#define SIGNALLED(no) (no)          /* wait status of death by signal, no core */

static unsigned checks_failed;

UNUSED static void ok(const char *name) { dprintf(1, "ok %s\n", name); }

__attribute__((format(printf, 2, 3))) UNUSED static bool fail(const char *name, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	dprintf(1, "FAIL %s: %s\n", name, why);
	checks_failed++;
	return false;
}

/* Silent when it holds: for what is checked many times under one name. */
UNUSED static bool expect(const char *name, long want, long got)
{
	return want == got || fail(name, "expected %ld, got %ld", want, got);
}

UNUSED static bool expect_string(const char *name, const char *want, const char *got)
{
	return strcmp(want, got) == 0 || fail(name, "expected \"%.90s\", got \"%.90s\"", want, got);
}

UNUSED static void ok_if(bool held, const char *name)
{
	if (held)
		ok(name);
}

UNUSED static void check(const char *name, long want, long got) { ok_if(expect(name, want, got), name); }

UNUSED static void check_true(const char *name, bool held)
{
	ok_if(held || fail(name, "expected true, got false"), name);
}

UNUSED static void check_string(const char *name, const char *want, const char *got)
{
	ok_if(expect_string(name, want, got), name);
}

/* A call that must return -1 with errno == want. */
UNUSED static bool expect_errno(const char *name, int want, long result)
{
	int err = errno;

	if (result == -1 && err == want)
		return true;
	if (result == -1)
		return fail(name, "expected %s, got %s", strerror(want), strerror(err));
	return fail(name, "expected %s, got result %ld", strerror(want), result);
}

UNUSED static void check_errno(const char *name, int want, long result)
{
	ok_if(expect_errno(name, want, result), name);
}

/* For the calls that a test cannot do without. */
UNUSED static long need(const char *what, long result)
{
	if (result == -1) {
		fail(what, "expected success, got %s", strerror(errno));
		_exit(1);
	}
	return result;
}

/* fork(); the child runs fn(arg) and exits with its result. */
UNUSED static pid_t spawn(int (*fn)(void *), void *arg)
{
	pid_t pid = (pid_t)need("fork", fork());

	if (pid == 0) {
		checks_failed = 0;
		_exit(fn(arg));
	}
	return pid;
}

/* The raw wait status of that child, -1 if there is none. */
UNUSED static int wait_for(pid_t pid)
{
	int status = -1;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got == -1 && errno == EINTR);
	return got == pid ? status : -1;
}

UNUSED static int in_child(int (*fn)(void *), void *arg) { return wait_for(spawn(fn, arg)); }

/* For programs whose check is that Linux prints the same: what a wait status says, in words. */
UNUSED static void show_status(const char *name, int status)
{
	if (WIFEXITED(status))
		dprintf(1, "%s: exit %d\n", name, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		dprintf(1, "%s: killed by %d\n", name, WTERMSIG(status));
	else
		dprintf(1, "%s: status 0x%x\n", name, (unsigned)status);
}

/* A line of /proc/tine/counters: 0 where there is no such file (Linux), -1 where there is none of that name. */
UNUSED static long counter(const char *name)
{
	char text[8192], line[64];
	int fd = open("/proc/tine/counters", O_RDONLY);
	const char *at;
	ssize_t n;

	if (fd < 0)
		return 0;
	text[0] = '\n';
	n = read(fd, text + 1, sizeof(text) - 2);
	close(fd);
	text[n > 0 ? n + 1 : 1] = '\0';
	snprintf(line, sizeof(line), "\n%s ", name);
	at = strstr(text, line);
	return at ? atol(at + strlen(line)) : -1;
}

UNUSED static int checks_status(void) { return checks_failed ? 1 : 0; }

#endif
