/* user/forksimple.c - fork() once: who is who, and what wait() says. */
#include "user/check.h"

#include <signal.h>

static int exit_with(void *code) { return (int)(long)code; }

static int check_child(void *parent_pid)
{
	pid_t parent = *(pid_t *)parent_pid;
	bool fine = expect("child-ppid", parent, getppid());

	fine &= expect("child-pid-differs", 1, getpid() != parent);
	fine &= expect_errno("child-has-no-children", ECHILD, wait(NULL));
	return fine ? 42 : 1;
}

static int die_by(void *sig)
{
	kill(getpid(), (int)(long)sig);
	return 0;
}

static void check_identity(void)
{
	pid_t self = getpid(), pid = spawn(check_child, &self);
	int status = -1;

	check_true("fork-returns-pid", pid > 0 && pid != self);
	check("wait-returns-pid", pid, wait(&status));
	check("wait-status", EXITED(42), status);
	check("parent-pid-same", self, getpid());
	check_errno("wait-no-more", ECHILD, wait(&status));
	check_errno("waitpid-reaped", ECHILD, waitpid(pid, &status, 0));
	check_errno("kill-reaped", ESRCH, kill(pid, 0));
}

/* The low eight bits of every exit code come through. */
static void check_exit_codes(void)
{
	static const long codes[] = {0, 1, 2, 63, 64, 127, 128, 254, 255, 256, 511, -1};
	bool fine = true;

	for (unsigned i = 0; i < ARRAY_LEN(codes); i++)
		fine &= expect("exit-codes", EXITED(codes[i] & 0xff), in_child(exit_with, (void *)codes[i]));
	ok_if(fine, "exit-codes");
}

static void check_signals(void)
{
	static const int sigs[] = {SIGKILL, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE};
	bool fine = true;

	for (unsigned i = 0; i < ARRAY_LEN(sigs); i++)
		fine &= expect("killed-by", SIGNALLED(sigs[i]), in_child(die_by, (void *)(long)sigs[i]));
	ok_if(fine, "killed-by");
}

/* Children that end before and after the parent waits, collected in any order. */
static void check_order(void)
{
	pid_t pids[8];
	bool fine = true;

	for (long i = 0; i < 8; i++)
		pids[i] = spawn(exit_with, (void *)i);
	for (int i = 7; i >= 0; i--)
		fine &= expect("wait-any-order", EXITED(i), wait_for(pids[i]));
	ok_if(fine, "wait-any-order");
}

static void check_nohang(void)
{
	int gate[2], status = -1;
	char byte;
	pid_t pid;

	need("pipe", pipe(gate));
	pid = (pid_t)need("fork", fork());
	if (pid == 0) {
		close(gate[1]);
		_exit(read(gate[0], &byte, 1) == 0 ? 7 : 1);
	}
	close(gate[0]);
	check("wnohang-running", 0, waitpid(pid, &status, WNOHANG));
	close(gate[1]);
	check("wnohang-status", EXITED(7), wait_for(pid));
	check_errno("wnohang-none", ECHILD, waitpid(-1, &status, WNOHANG));
}

int main(void)
{
	check_identity();
	check_exit_codes();
	check_signals();
	check_order();
	check_nohang();
	return checks_status();
}
