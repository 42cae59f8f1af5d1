/* tests/guest/spawns.c - the other ways to a new process: vfork, posix_spawn, system, popen, bare clone. */
#define _GNU_SOURCE
#include "user/check.h"

#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>

extern char **environ;

static volatile int shared_by_vfork = 1;

static void check_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		shared_by_vfork = 2; /* the parent sleeps, and sees this */
		_exit(31);
	}
	check("vfork-shares-memory", 2, shared_by_vfork);
	check("vfork-status", EXITED(31), wait_for(pid));
	pid = vfork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "exit 32", (char *)NULL);
		_exit(127);
	}
	check("vfork-exec", EXITED(32), wait_for(pid));
	pid = vfork();
	if (pid == 0) {
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	check("vfork-killed", SIGNALLED(SIGKILL), wait_for(pid));
}

static void check_spawn(void)
{
	char *args[] = {"sh", "-c", "exit 33", NULL};
	pid_t pid = -1;

	check("spawn", 0, posix_spawn(&pid, "/bin/sh", NULL, NULL, args, environ));
	check("spawn-status", EXITED(33), wait_for(pid));
	check("spawn-missing", ENOENT, posix_spawn(&pid, "/no/such/program", NULL, NULL, args, environ));
	check("spawnp", 0, posix_spawnp(&pid, "sh", NULL, NULL, args, environ));
	check("spawnp-status", EXITED(33), wait_for(pid));
	check_errno("spawn-no-more", ECHILD, wait(NULL));
}

static void check_shell(void)
{
	char line[64] = "";
	FILE *out;

	check("system", EXITED(34), system("exit 34"));
	check("system-true", 0, system("test 1 = 1"));
	out = popen("echo from a child; exit 35", "r");
	check_true("popen", out && fgets(line, sizeof(line), out));
	check_string("popen-line", "from a child\n", line);
	check("pclose", EXITED(35), pclose(out));
}

static void check_clone(void)
{
	pid_t tid = -1, pid = (pid_t)syscall(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, 0, &tid, 0, 0);

	if (pid == 0)
		syscall(SYS_exit_group, 36);
	check_true("clone-parent-settid", pid == tid);
	check("clone-status", EXITED(36), wait_for(pid));
	tid = 0;
	pid = (pid_t)syscall(SYS_clone, CLONE_CHILD_SETTID | SIGCHLD, 0, 0, &tid, 0);
	if (pid == 0)
		syscall(SYS_exit_group, tid == getpid() ? 37 : 1);
	check("clone-child-settid", EXITED(37), wait_for(pid));
	check("clone-parent-word", 0, tid);
	check_errno("clone-thread-alone", EINVAL, syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
	check_errno("clone-sighand-alone", EINVAL, syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
}

int main(void)
{
	check_vfork();
	check_spawn();
	check_shell();
	check_clone();
	return checks_status();
}
