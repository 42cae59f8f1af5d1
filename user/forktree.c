/* user/forktree.c - children that fork: a wide tree, a deep chain, and orphans; every exit status is checked. */
#define _GNU_SOURCE
#include "user/check.h"

#include <stdatomic.h>
#include <sys/mman.h>

#define DEPTH  4
#define FANOUT 3
#define NODES  121 /* 1 + 3 + 9 + 27 + 81 */
#define CHAIN  40

struct shared {
	atomic_int born, wrong;
};

struct node {
	int depth;
	unsigned path; /* which child at each level, as a number */
};

static struct shared *shared;

/* What the node must return to its parent: never 0, which is what a lost status would look like. */
static int code_of(const struct node *n) { return 1 + (int)((n->path * 37u + (unsigned)n->depth * 11u) % 250u); }

static int grow(void *arg)
{
	struct node *n = arg, child[FANOUT];
	pid_t pid[FANOUT];

	shared->born++;
	if (n->depth == DEPTH)
		return code_of(n);
	for (unsigned i = 0; i < FANOUT; i++) {
		child[i] = (struct node){n->depth + 1, n->path * FANOUT + i + 1};
		pid[i] = spawn(grow, &child[i]);
	}
	for (unsigned i = 0; i < FANOUT; i++) {
		if (!expect("tree-status", EXITED(code_of(&child[i])), wait_for(pid[i])))
			shared->wrong++;
	}
	if (wait(NULL) != -1)
		shared->wrong++;
	return code_of(n);
}

static void check_tree(void)
{
	struct node root = {0, 0};

	shared->born = 0;
	shared->wrong = 0;
	check("tree-root", EXITED(code_of(&root)), in_child(grow, &root));
	check("tree-nodes", NODES, shared->born);
	check("tree-wrong-statuses", 0, shared->wrong);
}

/* Each link adds one to what the rest of the chain returned. */
static int link_of_chain(void *arg)
{
	long depth = (long)arg;
	int status;

	if (depth == CHAIN)
		return 1;
	status = in_child(link_of_chain, (void *)(depth + 1));
	return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) + 1 : 0;
}

static int leave_orphan(void *arg)
{
	int *gate = arg;
	char byte;

	if (need("fork", fork()) == 0) {
		close(gate[1]);
		/* The parent is gone when the grandparent says go on; somebody else is the parent now. */
		if (read(gate[0], &byte, 1) == 1 && getppid() > 0)
			shared->born = 5;
		_exit(0);
	}
	return 21;
}

static void check_orphan(void)
{
	int gate[2], done[2];
	char byte;

	need("pipe", pipe(gate));
	need("pipe", pipe(done));
	shared->born = 0;
	check("orphan-parent", EXITED(21), in_child(leave_orphan, gate));
	check_errno("orphan-not-mine", ECHILD, wait(NULL));
	close(gate[0]);
	close(done[1]);
	need("write", write(gate[1], "x", 1));
	close(gate[1]);
	check("orphan-ended", 0, read(done[0], &byte, 1)); /* end of file: the last writer of `done` is gone */
	check("orphan-ran", 5, shared->born);
	close(done[0]);
}

/* A child that leaves zombies behind: init collects them, and their statuses do not turn up here. */
static int leave_zombies(void *arg)
{
	(void)arg;
	for (int i = 0; i < 5; i++) {
		if (need("fork", fork()) == 0)
			_exit(99);
	}
	return 22;
}

int main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need("mmap", shared == MAP_FAILED ? -1 : 0);
	check_tree();
	check("chain", EXITED(CHAIN + 1), in_child(link_of_chain, (void *)0));
	check_orphan();
	check("zombies-left", EXITED(22), in_child(leave_zombies, NULL));
	check_errno("zombies-not-mine", ECHILD, wait(NULL));
	return checks_status();
}
