/*
 * user/forkexec.c - execve() in the child of a fork: arguments, environment, auxiliary vector, scripts, and every
 * refusal.
 *
 * The program runs itself again as `forkexec @WHAT ...`: those runs report through their exit status.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#define STRING_LIMIT 131072 /* MAX_ARG_STRLEN of linux/binfmts.h, the NUL included */

extern char **environ;
static const char *self;
static char dir[] = "/tmp/forkexec.XXXXXX";

struct call {
	const char *path;
	char *const *argv, *const *envp;
};

static int do_exec(void *arg)
{
	struct call *c = arg;

	execve(c->path, c->argv, c->envp);
	return 100;
}

static int run(const char *path, char *const *argv, char *const *envp)
{
	struct call c = {path, argv, envp};

	return in_child(do_exec, &c);
}

static char *in_dir(const char *name)
{
	static char path[4][64];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, 64, "%s/%s", dir, name);
	return p;
}

static void write_file(const char *name, const void *text, size_t n, int mode)
{
	int fd = (int)need("open", open(in_dir(name), O_CREAT | O_WRONLY | O_TRUNC, 0600));

	need("write", write(fd, text, n));
	need("fchmod", fchmod(fd, (mode_t)mode));
	close(fd);
}

static void write_text(const char *name, const char *text, int mode) { write_file(name, text, strlen(text), mode); }

/* ---- What the program does when it is run again. ---- */

static int seen_arguments(char **argv)
{
	return !strcmp(argv[2], "") && !strcmp(argv[3], "two words") && !strcmp(argv[4], "\xff\t'\"$") && !argv[5] ? 11
														   : 1;
}

static int seen_environment(void)
{
	return environ[0] && !strcmp(environ[0], "ONE=1") && environ[1] && !strcmp(environ[1], "EMPTY=") &&
		       !environ[2] && !strcmp(getenv("ONE"), "1") && !getenv("PATH")
		   ? 12
		   : 1;
}

static int seen_auxv(char **argv)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)(getauxval(AT_PHDR) - sizeof(Elf64_Ehdr));
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	unsigned sum = 0;

	for (int i = 0; i < 16 && random; i++)
		sum |= random[i];
	if (getauxval(AT_PAGESZ) != 4096 || getauxval(AT_PHENT) != sizeof(Elf64_Phdr) || getauxval(AT_CLKTCK) != 100)
		return 1;
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) || eh->e_entry != getauxval(AT_ENTRY))
		return 2;
	if (eh->e_phnum != getauxval(AT_PHNUM))
		return 3;
	if (!sum || getauxval(AT_UID) != getuid() || getauxval(AT_EGID) != getegid() || getauxval(AT_SECURE))
		return 4;
	if (strcmp((const char *)getauxval(AT_EXECFN), argv[2]))
		return 5;
	return strcmp((const char *)getauxval(AT_PLATFORM), "x86_64") ? 6 : 13;
}

static int seen_descriptors(void)
{
	return fcntl(50, F_GETFD) == -1 && errno == EBADF && fcntl(51, F_GETFD) == 0 ? 14 : 1;
}

/* Caught signals go back to their default, ignored ones stay ignored, the mask stays. */
static int seen_signals(void)
{
	struct sigaction usr1, usr2;
	sigset_t mask;

	sigaction(SIGUSR1, NULL, &usr1);
	sigaction(SIGUSR2, NULL, &usr2);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	return usr1.sa_handler == SIG_DFL && usr2.sa_handler == SIG_IGN && sigismember(&mask, SIGTERM) &&
		       !sigismember(&mask, SIGINT)
		   ? 15
		   : 1;
}

static int seen_script(int argc, char **argv)
{
	/* forkexec @script SCRIPT-PATH first second */
	return argc == 5 && !strcmp(argv[2] + strlen(argv[2]) - 6, "script") && !strcmp(argv[3], "first") &&
		       !strcmp(argv[4], "second")
		   ? 16
		   : 1;
}

static int seen_long(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		if (strlen(argv[i]) != strlen(argv[2]) || argv[i][0] != 'x')
			return 1;
	}
	return argc == 3 ? 17 : 18;
}

static int again(int argc, char **argv)
{
	if (!strcmp(argv[1], "@args"))
		return seen_arguments(argv);
	if (!strcmp(argv[1], "@env"))
		return seen_environment();
	if (!strcmp(argv[1], "@auxv"))
		return seen_auxv(argv);
	if (!strcmp(argv[1], "@fds"))
		return seen_descriptors();
	if (!strcmp(argv[1], "@signals"))
		return seen_signals();
	if (!strncmp(argv[1], "@script", 7))
		return seen_script(argc, argv);
	if (!strcmp(argv[1], "@long"))
		return seen_long(argc, argv);
	return 2;
}

/* ---- The checks. ---- */

static void check_arguments(void)
{
	char *args[] = {"name", "@args", "", "two words", "\xff\t'\"$", NULL};
	char *env_args[] = {"name", "@env", NULL}, *env[] = {"ONE=1", "EMPTY=", NULL};
	char *auxv_args[] = {"name", "@auxv", (char *)self, NULL};

	check("arguments", EXITED(11), run(self, args, environ));
	check("environment", EXITED(12), run(self, env_args, env));
	check("auxv", EXITED(13), run(self, auxv_args, environ));
}

static int exec_with_descriptors(void *arg)
{
	char *args[] = {"name", "@fds", NULL};

	(void)arg;
	dup2(1, 50);
	dup2(1, 51);
	fcntl(50, F_SETFD, FD_CLOEXEC);
	execve(self, args, environ);
	return 100;
}

static void caught(int sig) { (void)sig; }

static int exec_with_signals(void *arg)
{
	char *args[] = {"name", "@signals", NULL};
	sigset_t mask;

	(void)arg;
	signal(SIGUSR1, caught);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	execve(self, args, environ);
	return 100;
}

static int failed_exec_leaves_all(void *arg)
{
	static char here[] = "unchanged";
	char *args[] = {"name", NULL};

	(void)arg;
	dup2(1, 50);
	fcntl(50, F_SETFD, FD_CLOEXEC);
	signal(SIGUSR1, caught);
	if (execve("/nonexistent", args, environ) != -1 || execve(in_dir("garbage"), args, environ) != -1)
		return 1;
	raise(SIGUSR1);
	return fcntl(50, F_GETFD) == FD_CLOEXEC && !strcmp(here, "unchanged") ? 19 : 2;
}

static void check_state(void)
{
	check("close-on-exec", EXITED(14), in_child(exec_with_descriptors, NULL));
	check("signals", EXITED(15), in_child(exec_with_signals, NULL));
	write_file("garbage", "\x01\x02\x03garbage", 10, 0755);
	check("failed-exec-harmless", EXITED(19), in_child(failed_exec_leaves_all, NULL));
}

static void check_scripts(void)
{
	char *args[] = {"ignored", "first", "second", NULL};
	char text[256];

	snprintf(text, sizeof(text), "#!%s @script\nnot read by anyone\n", self);
	write_text("a-script", text, 0755);
	check("script", EXITED(16), run(in_dir("a-script"), args, environ));
	snprintf(text, sizeof(text), "#! \t%s   @script\t \n", self);
	write_text("b-script", text, 0755);
	check("script-blanks", EXITED(16), run(in_dir("b-script"), args, environ));
	snprintf(text, sizeof(text), "#!%s @script", self);
	write_text("c-script", text, 0755);
	check("script-no-newline", EXITED(16), run(in_dir("c-script"), args, environ));
}

/* execve in this process: it must fail, with that errno. */
static void check_refused(const char *name, const char *path, int err)
{
	char *args[] = {"x", NULL};

	check_errno(name, err, execve(path, args, environ));
}

static void check_bad_paths(void)
{
	char loop[64];

	check_refused("enoent", in_dir("missing"), ENOENT);
	check_refused("enoent-empty", "", ENOENT);
	write_text("plain", "#!/bin/sh\n", 0644);
	check_refused("eacces-mode", in_dir("plain"), EACCES);
	check_refused("eacces-directory", dir, EACCES);
	check_refused("enotdir", in_dir("plain/x"), ENOTDIR);
	snprintf(loop, sizeof(loop), "%s", in_dir("loop"));
	need("symlink", symlink(loop, loop));
	check_refused("eloop", loop, ELOOP);
	check_refused("efault", (const char *)16, EFAULT);
}

static void check_bad_files(void)
{
	char text[320];

	check_refused("enoexec-garbage", in_dir("garbage"), ENOEXEC);
	write_text("empty", "", 0755);
	check_refused("enoexec-empty", in_dir("empty"), ENOEXEC);
	write_text("only-magic",
		   "\x7f"
		   "ELF",
		   0755);
	check_refused("enoexec-only-magic", in_dir("only-magic"), ENOEXEC);
	write_text("bare", "#!\n", 0755);
	check_refused("script-no-interpreter", in_dir("bare"), ENOEXEC);
	write_text("lost", "#!/no/such/interpreter\n", 0755);
	check_refused("script-interpreter-missing", in_dir("lost"), ENOENT);
	snprintf(text, sizeof(text), "#!%s\n", in_dir("ring"));
	write_text("ring", text, 0755);
	check_refused("script-of-itself", in_dir("ring"), ELOOP);
	memset(text, 'a', sizeof(text));
	memcpy(text, "#!/", 3);
	write_file("wide", text, 300, 0755);
	check_refused("script-line-too-long", in_dir("wide"), ENOEXEC);
}

static void check_sizes(void)
{
	static char text[STRING_LIMIT + 1];
	char *one[] = {"name", "@long", text, NULL}, *many[70] = {"name", "@long"};

	memset(text, 'x', STRING_LIMIT);
	check_errno("e2big-string", E2BIG, execve(self, one, environ));
	text[STRING_LIMIT - 1] = '\0';
	check("longest-string", EXITED(17), run(self, one, environ));
	text[30000] = '\0';
	for (int i = 2; i < 34; i++)
		many[i] = text;
	check("megabyte-of-arguments", EXITED(18), run(self, many, environ));
	text[30000] = 'x';
	for (int i = 2; i < 69; i++)
		many[i] = text;
	check_errno("e2big-total", E2BIG, execve(self, many, environ));
}

/* Pointers that no program should pass. */
static char *const *wild_vector(void)
{
	char *const *volatile p = (char *const *)16;

	return p;
}

static void check_argument_pointers(void)
{
	char *none[] = {NULL}, *wild[] = {"name", (char *)16, NULL};
	char *auxv_args[] = {"name", "@auxv", (char *)self, NULL};

	check_errno("efault-argv", EFAULT, execve(self, wild_vector(), environ));
	check_errno("efault-argument", EFAULT, execve(self, wild, environ));
	check_errno("efault-envp", EFAULT, execve(self, auxv_args, wild_vector()));
	check("null-envp", EXITED(13), run(self, auxv_args, NULL));
	check_true("empty-argv-survives", WIFEXITED(run(self, none, environ)));
}

/* A file that someone has open for writing is not run, and a running one is not opened for writing. */
static void check_busy(void)
{
	char *args[] = {"x", NULL};
	int fd;

	write_text("busy", "#!/bin/sh\n", 0755);
	fd = (int)need("open", open(in_dir("busy"), O_WRONLY));
	check_errno("etxtbsy", ETXTBSY, execve(in_dir("busy"), args, environ));
	close(fd);
}

static void remove_files(void)
{
	static const char *const names[] = {"garbage",    "a-script", "b-script", "c-script", "plain", "loop", "empty",
					    "only-magic", "bare",     "lost",     "ring",     "wide",  "busy"};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		unlink(in_dir(names[i]));
	rmdir(dir);
}

int main(int argc, char **argv)
{
	if (argc > 1 && argv[1][0] == '@')
		return again(argc, argv);
	if (argc == 0 || !argv[0][0])
		return 3;
	self = (const char *)getauxval(AT_EXECFN);
	need("mkdtemp", mkdtemp(dir) ? 0 : -1);
	check_arguments();
	check_state();
	check_scripts();
	check_bad_paths();
	check_bad_files();
	check_sizes();
	check_argument_pointers();
	check_busy();
	remove_files();
	return checks_status();
}
