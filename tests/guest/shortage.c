/*
 * tests/guest/shortage.c - a frame that is missing once harms nobody.
 *
 * /proc/tine/fail_nth makes the n-th allocation of the writing thread fail, once. A page fault then tries again; a system call that
 * could not write to its caller's memory is restarted, so it never says EFAULT. On kernels without that file nothing fails.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <time.h>

#define PAGE  4096ul
#define LIMIT 12 /* allocations: more than any call here makes */

static int knob, zeros;
static long armed; /* the allocation that fails */

static void arm(long nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%ld", nth);

	pwrite(knob, text, (size_t)n, 0);
}

/* Pages that were never touched, in tables that are not there: 1 GiB apart from all else. */
static unsigned char *fresh(void)
{
	static unsigned char *at = (unsigned char *)0x100000000000;
	void *p = mmap(at, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	need("mmap", p == MAP_FAILED ? -1 : 0);
	at += 1ul << 30;
	return p;
}

static long write_fault(unsigned char *p)
{
	*(volatile unsigned char *)p = 1;
	return p[0] == 1 && p[1] == 0;
}

static long read_fault(unsigned char *p) { return *(volatile unsigned char *)p == 0; }

static long call_read(unsigned char *p) { return read(zeros, p + PAGE - 8, 16) == 16; }

/* Four bytes: a longer copy that fails is tried once more by its rest, so that one failure does not end it. */
static long call_prctl(unsigned char *p) { return prctl(PR_GET_PDEATHSIG, p) == 0; }

static int exit_with(void *status) { return (int)(long)status; }

/* What was waited for is gone from the kernel: there is no second call. */
static long call_wait(unsigned char *p)
{
	int *status = (int *)p, *other = (int *)(p + PAGE);
	pid_t pid;

	arm(0);
	pid = spawn(exit_with, (void *)7);

	usleep(2000);
	arm(armed);
	return waitpid(pid, status, 0) == pid && *status == EXITED(7) && waitpid(-1, other, WNOHANG) == -1;
}

static long call_sigtimedwait(unsigned char *p)
{
	sigset_t set;

	arm(0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR2);
	arm(armed);
	return sigwaitinfo(&set, (siginfo_t *)p) == SIGUSR2 && ((siginfo_t *)p)->si_signo == SIGUSR2;
}

static long call_uname(unsigned char *p) { return uname((void *)(p + PAGE - 8)) == 0; }

static long call_clock(unsigned char *p) { return clock_gettime(CLOCK_MONOTONIC, (void *)(p + PAGE - 8)) == 0; }

static volatile unsigned handled;

static void on_signal(int signo)
{
	(void)signo;
	handled++;
}

/* The handler's frame goes to a stack that was never touched. */
static long take_signal(unsigned char *p)
{
	stack_t stack = {.ss_sp = p, .ss_size = 4 * PAGE}, none = {.ss_flags = SS_DISABLE};
	unsigned before = handled;

	sigaltstack(&stack, NULL);
	raise(SIGUSR1);
	sigaltstack(&none, NULL);
	return handled == before + 1;
}

static void check_each(const char *name, long (*fn)(unsigned char *))
{
	for (long nth = 1; nth <= LIMIT; nth++) {
		unsigned char *p = fresh();
		bool held;

		armed = nth;
		arm(nth);
		held = fn(p);
		arm(0);
		munmap(p, 4 * PAGE);
		if (!held) {
			fail(name, "it failed with allocation %ld", nth);
			return;
		}
	}
	ok(name);
}

/* A page that the child shares: its copy is what fails. */
static int write_shared(void *p)
{
	arm(1);
	((volatile unsigned char *)p)[0] = 2;
	arm(0);
	return ((unsigned char *)p)[0] == 2 && ((unsigned char *)p)[1] == 7 ? 0 : 1;
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
	unsigned char *p = fresh();

	knob = open("/proc/tine/fail_nth", O_WRONLY);
	zeros = (int)need("open", open("/dev/zero", O_RDONLY));
	need("sigaction", sigaction(SIGUSR1, &action, NULL));
	check_each("write-fault", write_fault);
	check_each("read-fault", read_fault);
	check_each("read-call", call_read);
	check_each("prctl-call", call_prctl);
	check_each("wait-call", call_wait);
	check_each("sigtimedwait-call", call_sigtimedwait);
	check_each("uname-call", call_uname);
	check_each("clock-call", call_clock);
	check_each("signal-frame", take_signal);
	memset(p, 7, PAGE);
	check("copy-on-write", EXITED(0), in_child(write_shared, p));
	check("parent-kept", 7, p[0]);
	return checks_status();
}
