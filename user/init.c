/*
 * user/init.c - process 1.
 *
 * Role         Runs one main child, reaps every orphan, and exits with the main child's status (128 + signal where it was killed);
 *              the kernel powers off when process 1 exits. What the main child is:
 *                a command   /.tine/cmd exists: `sh -c` with its text
 *                a batch     `tine.batch` on the kernel command line: `sh` reading /.tine/stdin
 *                a session   else: a login shell on /dev/console, greeted with /etc/motd
 * Invariants   1. The main child of a command or a batch gets /.tine/stdin (or /dev/null) as 0, and the machine's two binary output
 *                 ports as 1 and 2, so that nothing but its own bytes arrives there.
 *              2. Process 1 itself writes only when something cannot be started.
 * Failure      No shell: a message, status 127 (ENOENT) or 126 (anything else), as a shell would say it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHELL     "/bin/sh"
#define CONSOLE   "/dev/console"
#define CMD_FILE  "/.tine/cmd"
#define STDIN     "/.tine/stdin"
#define CMD_LIMIT (1u << 20)

static void say(const char *what, const char *why) { dprintf(2, "init: %s: %s\n", what, why); }

/* Puts `path` at descriptor `fd`; tells whether it could be opened. */
static bool open_at(int fd, const char *path, int flags)
{
	int got = open(path, flags | O_NOCTTY);

	if (got < 0)
		return false;
	if (got != fd) {
		dup2(got, fd);
		close(got);
	}
	return true;
}

/* The kernel hands over 0, 1 and 2 on the console; this also copes with one that does not. */
static void open_console(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && !open_at(fd, CONSOLE, O_RDWR))
			open_at(fd, "/dev/null", O_RDWR);
	}
}

/* Mounted already as the kernel stands; asking again is harmless (EBUSY), and other kernels need it. */
static void mount_all(void)
{
	static const char *const table[][3] = {
	    {"devtmpfs", "/dev", "devtmpfs"},
	    {"proc", "/proc", "proc"},
	    {"sysfs", "/sys", "sysfs"},
	};
	struct stat st;

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (i == 0 && stat("/dev/null", &st) == 0)
			continue;
		if (i == 1 && stat("/proc/self", &st) == 0)
			continue;
		if (mount(table[i][0], table[i][1], table[i][2], 0, NULL) < 0)
			continue;
	}
}

/* A whole file as a string, NULL where there is none. */
static char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t used = 0;
	char *text;
	ssize_t n = 0;

	if (fd < 0)
		return NULL;
	text = malloc(CMD_LIMIT + 1);
	while (text && used < CMD_LIMIT && (n = read(fd, text + used, CMD_LIMIT - used)) > 0)
		used += (size_t)n;
	close(fd);
	if (text)
		text[used] = '\0';
	return text;
}

static bool has_option(const char *cmdline, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = cmdline; p && (p = strstr(p, word)); p += n) {
		bool starts = p == cmdline || p[-1] == ' ';
		bool ends = p[n] == '\0' || p[n] == ' ' || p[n] == '\n';

		if (starts && ends)
			return true;
	}
	return false;
}

static void set_hostname(void)
{
	char *name = read_file("/etc/hostname");

	if (!name)
		return;
	name[strcspn(name, "\n")] = '\0';
	if (sethostname(name, strlen(name)) < 0)
		sethostname("tine", 4);
	free(name);
}

static void set_environment(bool on_terminal)
{
	setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("LOGNAME", "root", 1);
	setenv("SHELL", SHELL, 1);
	setenv("TERM", on_terminal ? "vt100" : "dumb", 0);
}

/* exec's errno as the status that a shell gives it. */
__attribute__((noreturn)) static void exec_failed(const char *path)
{
	int err = errno;

	say(path, strerror(err));
	_exit(err == ENOENT ? 127 : 126);
}

__attribute__((noreturn)) static void run_batch(const char *cmd)
{
	if (!open_at(1, "/dev/hostout", O_WRONLY))
		open_at(1, CONSOLE, O_WRONLY);
	if (!open_at(2, "/dev/hosterr", O_WRONLY))
		open_at(2, CONSOLE, O_WRONLY);
	if (!open_at(0, STDIN, O_RDONLY))
		open_at(0, "/dev/null", O_RDONLY);
	if (chdir("/root") < 0 && chdir("/") < 0)
		say("/", strerror(errno));
	if (cmd)
		execl(SHELL, "sh", "-c", cmd, (char *)NULL);
	else
		execl(SHELL, "sh", (char *)NULL);
	exec_failed(SHELL);
}

static void greet(void)
{
	char *motd = read_file("/etc/motd");

	if (motd)
		dprintf(1, "\n%s", motd);
	free(motd);
}

__attribute__((noreturn)) static void run_session(void)
{
	setsid();
	for (int fd = 0; fd <= 2; fd++)
		open_at(fd, CONSOLE, O_RDWR);
	ioctl(0, TIOCSCTTY, 0);
	if (chdir("/root") < 0 && chdir("/") < 0)
		say("/", strerror(errno));
	greet();
	execl(SHELL, "-sh", (char *)NULL);
	exec_failed(SHELL);
}

static int reap_until(pid_t main_child)
{
	int status;

	for (;;) {
		pid_t pid = wait(&status);

		if (pid == main_child)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		if (pid < 0 && errno != EINTR) {
			say("wait", strerror(errno));
			return 125;
		}
	}
}

int main(void)
{
	char *cmd, *cmdline;
	bool batch;
	pid_t child;

	open_console();
	mount_all();
	set_hostname();
	cmd = read_file(CMD_FILE);
	cmdline = read_file("/proc/cmdline");
	batch = cmd || has_option(cmdline, "tine.batch");
	set_environment(!batch);
	child = fork();
	if (child == 0 && batch)
		run_batch(cmd);
	if (child == 0)
		run_session();
	if (child < 0) {
		say("fork", strerror(errno));
		return 125;
	}
	return reap_until(child);
}
