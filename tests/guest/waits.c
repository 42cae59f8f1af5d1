/* tests/guest/waits.c - wait4 and waitid: whom they wait for, what they say, what they refuse. */
#define _GNU_SOURCE
#include "user/check.h"

#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static int exit_with(void *code) { return (int)(long)code; }

/* Ends when the other end of the pipe is closed. */
static int wait_for_close(void *arg)
{
	int *gate = arg;
	char byte;

	close(gate[1]);
	return read(gate[0], &byte, 1) == 0 ? 3 : 1;
}

static void check_arguments(void)
{
	int status;

	check_errno("no-child", ECHILD, wait4(-1, &status, 0, NULL));
	check_errno("no-child-nohang", ECHILD, wait4(-1, &status, WNOHANG, NULL));
	check_errno("not-my-child", ECHILD, wait4(1, &status, 0, NULL));
	check_errno("bad-options", EINVAL, wait4(-1, &status, 0x40, NULL));
	check_errno("bad-options-exited", EINVAL, wait4(-1, &status, WEXITED, NULL));
	check_errno("int-min", ESRCH, wait4(INT32_MIN, &status, 0, NULL));
	check_errno("no-such-group", ECHILD, wait4(-32000, &status, 0, NULL));
}

static void check_one_of_many(void)
{
	pid_t a = spawn(exit_with, (void *)1), b = spawn(exit_with, (void *)2), c = spawn(exit_with, (void *)3);
	int status = -1;

	check("that-one", b, wait4(b, &status, 0, NULL));
	check("that-status", EXITED(2), status);
	check("own-group", 1, waitpid(0, &status, 0) > 0);
	check("group-by-number", 1, waitpid(-getpgrp(), &status, 0) > 0);
	check_errno("all-gone", ECHILD, waitpid(0, &status, 0));
	check_true("pids-differ", a != b && b != c && a != c);
}

static void check_nohang(void)
{
	int gate[2], status = 77;
	pid_t pid;

	need("pipe", pipe(gate));
	pid = spawn(wait_for_close, gate);
	check("nohang-none-ready", 0, waitpid(-1, &status, WNOHANG));
	check("nohang-status-untouched", 77, status);
	close(gate[0]);
	close(gate[1]);
	check("nohang-then-blocking", EXITED(3), wait_for(pid));
}

static void check_bad_pointer(void)
{
	pid_t pid = spawn(exit_with, (void *)4);

	check_errno("status-efault", EFAULT, syscall(SYS_wait4, pid, 16, 0, 0));
	check_errno("reaped-all-the-same", ECHILD, waitpid(pid, NULL, 0));
	pid = spawn(exit_with, (void *)4);
	check("null-status", pid, waitpid(pid, NULL, 0));
}

static void check_usage(void)
{
	struct rusage usage;
	int status;
	pid_t pid = spawn(exit_with, (void *)5);

	memset(&usage, 0xff, sizeof(usage));
	check("rusage", pid, wait4(pid, &status, 0, &usage));
	check_true("rusage-sane", usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec >= 0);
}

static void check_waitid(void)
{
	siginfo_t info;
	pid_t pid = spawn(exit_with, (void *)6);

	memset(&info, 0, sizeof(info));
	check("waitid-leave", 0, waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	check("waitid-code", CLD_EXITED, info.si_code);
	check("waitid-status", 6, info.si_status);
	check("waitid-pid", pid, info.si_pid);
	check("waitid-signo", SIGCHLD, info.si_signo);
	check("waitid-take", 0, waitid(P_ALL, 0, &info, WEXITED));
	check_errno("waitid-gone", ECHILD, waitid(P_PID, (id_t)pid, &info, WEXITED));
	check_errno("waitid-no-event", EINVAL, waitid(P_ALL, 0, &info, 0));
}

static int stop_then_exit(void *arg)
{
	(void)arg;
	raise(SIGSTOP);
	return 8;
}

static void check_stops(void)
{
	pid_t pid = spawn(stop_then_exit, NULL);
	int status = -1;

	check("stopped", pid, waitpid(pid, &status, WUNTRACED));
	check("stopped-status", 0x7f | SIGSTOP << 8, status);
	check("stopped-once", 0, waitpid(pid, &status, WUNTRACED | WNOHANG));
	kill(pid, SIGCONT);
	check("continued", pid, waitpid(pid, &status, WCONTINUED));
	check("continued-status", 0xffff, status);
	check("stopped-exit", EXITED(8), wait_for(pid));
	pid = spawn(stop_then_exit, NULL);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGKILL);
	check("killed-while-stopped", SIGNALLED(SIGKILL), wait_for(pid));
}

static void ignore_nothing(int sig) { (void)sig; }

/* With SIGCHLD ignored, children leave no zombies, and wait() lasts until the last is gone. */
static void check_ignored(void)
{
	signal(SIGCHLD, SIG_IGN);
	spawn(exit_with, (void *)1);
	spawn(exit_with, (void *)2);
	check_errno("sigchld-ignored", ECHILD, wait(NULL));
	signal(SIGCHLD, SIG_DFL);
}

static int interrupt_parent(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		struct timespec little = {0, 2000000};

		nanosleep(&little, NULL);
		kill(getppid(), SIGUSR1);
	}
	return 0;
}

static void check_interrupted(void)
{
	struct sigaction action = {.sa_handler = ignore_nothing};
	pid_t pid;

	sigaction(SIGUSR1, &action, NULL);
	pid = spawn(interrupt_parent, NULL);
	check_errno("interrupted", EINTR, waitpid(pid, NULL, 0));
	kill(pid, SIGKILL);
	check("interrupted-then-waited", SIGNALLED(SIGKILL), wait_for(pid));
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &action, NULL);
	pid = spawn(interrupt_parent, NULL);
	check("restarted", pid, waitpid(pid, NULL, 0));
	signal(SIGUSR1, SIG_DFL);
}

int main(void)
{
	check_arguments();
	check_one_of_many();
	check_nohang();
	check_bad_pointer();
	check_usage();
	check_waitid();
	check_stops();
	check_ignored();
	check_interrupted();
	return checks_status();
}
