/*
 * tests/guest/quietfork.c - under `tree` a small fork that is followed by an exit takes no fault, once the pages that both sides write
 * are known (mm/hot.h). Read from /proc/tine/counters: kernels without it pass untried.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>

#define FORKS 20 /* fewer than after which a page must be learned anew */

static long copy_faults(void) { return counter("faults_cow_copy") + counter("faults_cow_reuse"); }

static bool fork_and_exit(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	return wait_for(pid) == EXITED(7);
}

static bool fork_often(void)
{
	for (int i = 0; i < FORKS; i++)
		if (!fork_and_exit())
			return fail("forks", "a child was lost");
	return true;
}

/* What reading the counters itself writes to is known by the third round; the least of some counts. */
static long least_faults(void)
{
	long least = 1000;

	for (int round = 0; round < 5; round++) {
		long before = copy_faults(), spent;

		if (!fork_often())
			return -1;
		spent = copy_faults() - before;
		if (spent < least)
			least = spent;
	}
	return least;
}

int main(void)
{
	int policy = open("/proc/self/fork_policy", O_WRONLY);
	long least;

	if (policy >= 0)
		need("fork_policy", write(policy, "tree", 4) == 4 ? 0 : -1);
	least = least_faults();
	/* A page that is forgotten costs its faults once more, and the reader of the counters its own. */
	ok_if((least >= 0 && least <= 4) || fail("no-fault-a-fork", "%ld faults in %d forks", least, FORKS),
	      "no-fault-a-fork");
	return checks_status();
}
