/*
 * tests/alone/forgetown.c - a forgotten own() must not pass: the last store here is to end in a panic.
 *
 * /proc/tine/forget_own stores a leaf entry through the recursive window without own() (mm/forget_own.h). Where this process
 * owns the path, and after own(), that is harmless; where it shares the path with a child the hardware refuses it. The argument
 * is the number of 2 MiB stretches to fill: 1 shares a table of leaves, 6 a table of such tables.
 */
#include "user/check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

#define PAGE    4096ul
#define STRETCH (2ul << 20)
#define AREA    0x100000000000ul /* the suite knows it */

static long store(const char *file, const char *text)
{
	int fd = (int)need(file, open(file, O_WRONLY));
	long n = write(fd, text, strlen(text));
	int err = errno;

	close(fd);
	errno = err;
	return n == (long)strlen(text) ? 0 : n;
}

static long store_entry(const char *word, unsigned long address)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%#lx", word, address);
	return store("/proc/tine/forget_own", text);
}

static int sleep_on(void *arg)
{
	(void)arg;
	while (pause() == -1)
		continue;
	return 1;
}

static pid_t live_child(const char *policy)
{
	need("fork_policy", store("/proc/self/fork_policy", policy));
	return spawn(sleep_on, NULL);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	wait_for(pid);
}

int main(int argc, char **argv)
{
	size_t size = argc == 2 ? strtoul(argv[1], NULL, 10) * STRETCH : 0;
	unsigned char *p =
	    mmap((void *)AREA, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	pid_t pid;

	need("mmap", p == MAP_FAILED ? -1 : 0);
	for (size_t at = 0; at < size; at += PAGE)
		p[at] = 7;
	check_errno("no-number", EINVAL, store("/proc/tine/forget_own", "here"));
	check_errno("no-table", EFAULT, store_entry("", AREA + (1ul << 40)));
	check_errno("kernel-half", EFAULT, store_entry("own ", 0xffff800000000000));
	check("own-path", 0, store_entry("", AREA));
	pid = live_child("cow");
	check("cow-shares-no-table", 0, store_entry("", AREA));
	end(pid);
	pid = live_child("tree");
	check("after-own", 0, store_entry("own ", AREA));
	check("owned-now", 0, store_entry("", AREA));
	end(pid);
	live_child("tree");
	check("here-it-ends", -1, store_entry("", AREA + PAGE));
	return checks_status();
}
