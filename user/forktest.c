/*
 * user/forktest.c - runs all the fork programs (or those named), shows their lines, and counts.
 *
 * The last line is `N ok, N failed`; the exit status is 0 only if nothing failed. A program that ends badly without a
 * FAIL line of its own counts as one failure.
 */
#include "user/check.h"

#include <sys/auxv.h>

static const char *const programs[] = {"forksimple", "forkmem",  "forktree",  "forkregs",
				       "forkexec",   "forkmany", "forkstress"};

struct count {
	unsigned ok, failed;
};

/* The program beside this one. */
static void path_of(const char *name, char *path, size_t size)
{
	const char *self = (const char *)getauxval(AT_EXECFN);
	const char *slash = self ? strrchr(self, '/') : NULL;
	int folder = slash ? (int)(slash - self + 1) : 0;

	snprintf(path, size, "%.*s%s", folder, self ? self : "", name);
}

static pid_t start(const char *name, int *ret_output)
{
	char path[512], *args[] = {(char *)name, NULL};
	int p[2];
	pid_t pid;

	path_of(name, path, sizeof(path));
	need("pipe", pipe(p));
	pid = (pid_t)need("fork", fork());
	if (pid == 0) {
		dup2(p[1], 1);
		close(p[0]);
		close(p[1]);
		execv(path, args);
		fail("exec", "%s: %s", path, strerror(errno));
		_exit(127);
	}
	close(p[1]);
	*ret_output = p[0];
	return pid;
}

/* Copies the program's lines through and counts them. */
static void show(int fd, struct count *c)
{
	FILE *in = fdopen(fd, "r");
	char line[512];

	while (in && fgets(line, sizeof(line), in)) {
		dprintf(1, "%s", line);
		c->ok += !strncmp(line, "ok ", 3);
		c->failed += !strncmp(line, "FAIL ", 5);
	}
	if (in)
		fclose(in);
}

static void run(const char *name, struct count *total)
{
	struct count c = {0, 0};
	int fd, status;
	pid_t pid;

	dprintf(1, "# %s\n", name);
	pid = start(name, &fd);
	show(fd, &c);
	status = wait_for(pid);
	if (status != 0 && !c.failed) {
		dprintf(1, "FAIL %s: ended with wait status 0x%x\n", name, (unsigned)status);
		c.failed++;
	}
	total->ok += c.ok;
	total->failed += c.failed;
}

int main(int argc, char **argv)
{
	struct count total = {0, 0};

	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			run(argv[i], &total);
	} else {
		for (unsigned i = 0; i < ARRAY_LEN(programs); i++)
			run(programs[i], &total);
	}
	dprintf(1, "%u ok, %u failed\n", total.ok, total.failed);
	return total.failed ? 1 : 0;
}
