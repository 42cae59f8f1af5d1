/*
 * tests/alone/oom.c - memory that runs out, on purpose: only for a machine of its own (tests/suite/memory.py boots it).
 *
 * Role         `oom NAME...` runs scenarios one after the other. Each uses shares of the memory that is available, so that it
 *              runs out wherever it is run, and says who had to die and who went on. Around each: a bystander that keeps checking its
 *              memory, the number of OOM kills, the free frames, and the kernel's recount.
 * Invariants   1. The scenario's own process may not be chosen (oom_score_adj -1000); its children set theirs to 0 first.
 *              2. Nothing is printed that differs from run to run.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#define PAGE      4096ul
#define BYSTANDER 64 /* pages */
#define SLACK     48 /* frames that the kernel's heap and this process may have taken for good */
#define REFUSED   77 /* exit status: fork was refused, as it must be where the child does not fit */

enum seed { FIRST = 1, PARENT, CHILD };

/* Seen by all processes of a scenario. */
static struct board {
	volatile int ready, go, stood_by, failed, bystander;
} * board;

static unsigned long available; /* pages, when the scenario begins */

/* ---- Files of the kernel ---- */

static void read_text(const char *path, char *text, size_t size)
{
	int fd = (int)need(path, open(path, O_RDONLY));
	ssize_t n = need(path, read(fd, text, size - 1));

	text[n] = '\0';
	close(fd);
}

static int write_text(const char *path, const char *text)
{
	int fd = (int)need(path, open(path, O_WRONLY));
	ssize_t n = write(fd, text, strlen(text));

	close(fd);
	return n < 0 ? -1 : 0;
}

/* The number after `name` at the start of a line, -1 if there is none. */
static long number_in(const char *path, const char *name)
{
	static char text[16384];
	char line[64];
	const char *at;

	text[0] = '\n';
	read_text(path, text + 1, sizeof(text) - 1);
	snprintf(line, sizeof(line), "\n%s", name);
	at = strstr(text, line);
	return at ? atol(at + strlen(line)) : -1;
}

static long frames(void) { return counter("frames_free") + counter("frames_heap"); }

static void set_adj_of(pid_t pid, int adj)
{
	char path[64], text[16];

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	snprintf(text, sizeof(text), "%d", adj);
	need("oom_score_adj", write_text(path, text));
}

static void set_adj(int adj) { set_adj_of(getpid(), adj); }

static bool copies_at_once(void)
{
	char policy[16];

	read_text("/proc/self/fork_policy", policy, sizeof(policy));
	return strcmp(policy, "copy\n") == 0 || strcmp(policy, "hybrid\n") == 0;
}

/* ---- Memory ---- */

/* As much as there is and more, if need be. */
static volatile uint64_t *map(unsigned long pages)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	need("mmap", p == MAP_FAILED ? -1 : 0);
	return p;
}

static unsigned long share(unsigned percent) { return available / 100 * percent; }

static uint64_t value(unsigned long page, enum seed seed) { return page * 8 + seed; }

static void fill(volatile uint64_t *p, unsigned long pages, enum seed seed)
{
	for (unsigned long i = 0; i < pages; i++)
		p[i * (PAGE / 8)] = value(i, seed);
}

static bool holds(volatile uint64_t *p, unsigned long pages, enum seed seed)
{
	for (unsigned long i = 0; i < pages; i++)
		if (p[i * (PAGE / 8)] != value(i, seed))
			return false;
	return true;
}

/* ---- Processes ---- */

static pid_t start(int adj, int (*fn)(void *), void *arg)
{
	pid_t pid = (pid_t)need("fork", fork());

	if (pid)
		return pid;
	set_adj(adj);
	_exit(fn(arg));
}

static bool lives(pid_t pid) { return waitpid(pid, NULL, WNOHANG) == 0; }

static void wait_ready(int n)
{
	while (board->ready < n)
		usleep(10000);
}

/* How the children ended that are still to be waited for. */
struct ends {
	int good, killed, bad;
};

static struct ends wait_all(int n)
{
	struct ends e = {0, 0, 0};
	int status;

	for (int i = 0; i < n; i++) {
		if (waitpid(-1, &status, 0) < 0 || (status != 0 && status != SIGKILL))
			e.bad++;
		else if (status)
			e.killed++;
		else
			e.good++;
	}
	return e;
}

static int stand_by(void *unused)
{
	volatile uint64_t *p = map(BYSTANDER);

	(void)unused;
	fill(p, BYSTANDER, FIRST);
	board->bystander = getpid();
	board->ready++;
	while (!board->go) {
		if (!holds(p, BYSTANDER, FIRST))
			return 1;
		usleep(20000);
	}
	board->stood_by = holds(p, BYSTANDER, FIRST);
	return 0;
}

static __attribute__((noreturn)) void be_ready_for_ever(void)
{
	board->ready++;
	for (;;)
		pause();
}

/* Holds a share of memory until it is killed. */
static int hold(void *percent)
{
	unsigned long pages = share((unsigned)(uintptr_t)percent);
	volatile uint64_t *p = map(pages);

	fill(p, pages, FIRST);
	be_ready_for_ever();
}

/* Takes a share of memory, page by page, and gives it back. */
static int grow(void *percent)
{
	unsigned long pages = share((unsigned)(uintptr_t)percent);
	volatile uint64_t *p = map(pages);

	fill(p, pages, FIRST);
	return holds(p, pages, FIRST) ? 0 : 1;
}

#define STRIDE 512 /* pages: each has a table of its own */

/* Takes two frames at a time, a page and its table, after one page more or less: so that one of both meets every threshold in between. */
static int grow_sparse(void *odd)
{
	unsigned long n = share(50) / 2;
	volatile uint64_t *p = map(n * STRIDE);

	if (odd)
		p[PAGE / 8] = 1;
	for (unsigned long i = 0; i < n; i++)
		p[i * STRIDE * (PAGE / 8)] = value(i, FIRST);
	for (unsigned long i = 0; i < n; i++)
		if (p[i * STRIDE * (PAGE / 8)] != value(i, FIRST))
			return 1;
	return 0;
}

#define PERCENT(n) ((void *)(uintptr_t)(n))

/* ---- Scenarios: the number of OOM kills that they must cause ---- */

/* Writes over what it has from before the fork, page by page. */
static int rewrite(volatile uint64_t *p, unsigned long pages, enum seed seed)
{
	for (unsigned long i = 0; i < pages; i++) {
		if (p[i * (PAGE / 8)] != value(i, FIRST))
			return 1;
		p[i * (PAGE / 8)] = value(i, seed);
	}
	return holds(p, pages, seed) ? 0 : 1;
}

static int parent_and_child(void *unused)
{
	unsigned long pages = share(70);
	volatile uint64_t *p = map(pages);
	pid_t pid;

	(void)unused;
	fill(p, pages, FIRST);
	pid = fork();
	if (pid < 0)
		return errno == ENOMEM && holds(p, pages, FIRST) ? REFUSED : 1;
	return rewrite(p, pages, pid ? PARENT : CHILD);
}

/* Parent and child both write everything: it does not fit twice, so one of them goes, and the other comes through. */
static int pair(void)
{
	pid_t pid = start(0, parent_and_child, NULL);
	struct ends e;

	if (copies_at_once()) {
		check("fork-refused", EXITED(REFUSED), wait_for(pid));
		return 0;
	}
	e = wait_all(2);
	check("one-survives", 1, e.good);
	check("one-is-killed", 1, e.killed);
	return 1;
}

/* The big one sleeps, the small one asks for the frame too many: the big one goes. */
static int big(void)
{
	pid_t large = start(0, hold, PERCENT(60)), small;

	wait_ready(2);
	small = start(0, grow, PERCENT(50));
	check("small-survives", 0, wait_for(small));
	check("big-is-killed", SIGNALLED(SIGKILL), wait_for(large));
	return 1;
}

static int sparse(void)
{
	for (int odd = 0; odd < 2; odd++) {
		pid_t large = start(0, hold, PERCENT(60)), small;

		wait_ready(2 + odd);
		small = start(0, grow_sparse, PERCENT(odd));
		check("small-survives", 0, wait_for(small));
		check("big-is-killed", SIGNALLED(SIGKILL), wait_for(large));
	}
	return 2;
}

static int stopped(void)
{
	pid_t large = start(0, hold, PERCENT(60)), small;
	int status;

	wait_ready(2);
	kill(large, SIGSTOP);
	waitpid(large, &status, WUNTRACED);
	small = start(0, grow, PERCENT(50));
	check("small-survives", 0, wait_for(small));
	check("stopped-is-killed", SIGNALLED(SIGKILL), wait_for(large));
	return 1;
}

static int hold_and_vfork(void *unused)
{
	unsigned long pages = share(60);
	volatile uint64_t *p = map(pages);

	(void)unused;
	fill(p, pages, FIRST);
	board->ready++;
	if (vfork() == 0)
		for (;;)
			pause();
	return 1;
}

/* Asleep for its vfork child, which has the same space: both go, since only then the memory comes back. */
static int vforked(void)
{
	struct ends e;
	pid_t small;

	start(0, hold_and_vfork, NULL);
	wait_ready(2);
	small = start(0, grow, PERCENT(50));
	check("small-survives", 0, wait_for(small));
	e = wait_all(2);
	check("vfork-both-killed", 2, e.killed);
	return 1;
}

static int hold_and_wait(void *unused)
{
	unsigned long pages = share(60);
	volatile uint64_t *p;
	pid_t pid = fork();

	(void)unused;
	if (pid == 0) {
		wait_ready(2);
		_exit(grow(PERCENT(50)));
	}
	p = map(pages);
	fill(p, pages, FIRST);
	board->ready++;
	return wait_for(pid) == 0 ? 0 : 1;
}

/* The one that faults is a child that the victim waits for. */
static int waiting(void)
{
	pid_t large = start(0, hold_and_wait, NULL);
	struct ends e;

	check("waiting-is-killed", SIGNALLED(SIGKILL), wait_for(large));
	e = wait_all(1);
	check("its-child-survives", 1, e.good);
	return 1;
}

/* The biggest is protected, and the smallest has asked to be the first. */
static int adjusted(void)
{
	pid_t large = start(-1000, hold, PERCENT(55)), volunteer = start(900, hold, PERCENT(12)), small;

	wait_ready(3);
	small = start(0, grow, PERCENT(38));
	check("small-survives", 0, wait_for(small));
	check("volunteer-is-killed", SIGNALLED(SIGKILL), wait_for(volunteer));
	check_true("protected-lives", lives(large));
	kill(large, SIGKILL);
	return 1;
}

/* Shared anonymous memory is the victim's own as well, if nobody else maps it. */
static int hold_shared(void *unused)
{
	unsigned long pages = share(60);
	volatile uint64_t *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	fill(p, pages, FIRST);
	be_ready_for_ever();
}

static int shared(void)
{
	pid_t large = start(0, hold_shared, NULL), small;

	wait_ready(2);
	small = start(0, grow, PERCENT(50));
	check("small-survives", 0, wait_for(small));
	check("sharer-is-killed", SIGNALLED(SIGKILL), wait_for(large));
	return 1;
}

/*
 * A family of forks holds nearly everything, and no member of it much that is its own alone. A stranger, whose own is more than any
 * member's, goes on: it has less than the average share.
 */
#define CHILDREN 9

static int raise_family(void *unused)
{
	unsigned long pages = share(50);

	(void)unused;
	fill(map(pages), pages, FIRST);
	for (int i = 0; i < CHILDREN; i++)
		if (need("fork", fork()) == 0)
			break;
	fill(map(share(5)), share(5), FIRST);
	be_ready_for_ever();
}

static int family(void)
{
	long kills = counter("oom_kills");
	pid_t stranger, parent;

	if (copies_at_once())
		return 0;
	stranger = start(0, hold, PERCENT(7));
	wait_ready(2);
	parent = start(0, raise_family, NULL);
	setpgid(parent, parent);
	while (counter("oom_kills") == kills)
		usleep(10000);
	usleep(300000);
	kill(-parent, SIGKILL);
	check_true("stranger-lives", lives(stranger));
	kill(stranger, SIGKILL);
	return -1;
}

/* The kernel writes for the process: a call is never short of a frame, whatever it is given. */
static int read_zeros(void *percent)
{
	size_t size = share((unsigned)(uintptr_t)percent) * PAGE, chunk = 3 * PAGE;
	int fd = (int)need("open", open("/dev/zero", O_RDONLY));
	char *p = (char *)map(size / PAGE);

	for (size_t at = 0; at + chunk <= size; at += chunk)
		if (read(fd, p + at, chunk) != (ssize_t)chunk)
			return 1;
	return 0;
}

static int kernel(void)
{
	pid_t large = start(0, hold, PERCENT(60)), small;

	wait_ready(2);
	small = start(0, read_zeros, PERCENT(50));
	check("reader-survives", 0, wait_for(small));
	check("big-is-killed", SIGNALLED(SIGKILL), wait_for(large));
	return 1;
}

/* Nobody but the one that asks: it goes itself. */
static int alone(void)
{
	check("asker-is-killed", SIGNALLED(SIGKILL), wait_for(start(0, grow, PERCENT(120))));
	return 1;
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Every other process is protected, the asker too: it tries for a while, and goes all the same. */
static int nobody(void)
{
	time_t begun = now();

	set_adj_of(board->bystander, -1000);
	set_adj_of(getppid(), -1000); /* the shell */
	check("protected-asker-ends", SIGNALLED(SIGKILL), wait_for(start(-1000, grow, PERCENT(120))));
	set_adj_of(getppid(), 0);
	check_true("tried-for-a-while", now() - begun >= 8);
	return 1;
}

/* Until the time is over: forks, and each child takes its part of memory. */
static int explode(void *until)
{
	signal(SIGCHLD, SIG_IGN);
	while (now() < (time_t)(uintptr_t)until) {
		volatile uint64_t *p;

		if (fork() != 0) {
			usleep(1000);
			continue;
		}
		p = mmap(NULL, 1024 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return 0;
		fill(p, 1024, FIRST);
		if (!holds(p, 1024, FIRST))
			board->failed++;
	}
	return 0;
}

static int bomb(void)
{
	start(0, explode, (void *)(uintptr_t)(now() + 4));
	sleep(5);
	board->go = 1;
	while (waitpid(-1, NULL, 0) > 0)
		;
	check("bomb-memory", 0, board->failed);
	return -1; /* some */
}

/* Mode 2: what may be had is refused up front, and what was promised is there. */
#define MODE  "/proc/sys/vm/overcommit_memory"
#define RATIO "/proc/sys/vm/overcommit_ratio"
#define CHUNK 512ul /* pages */

static int take_promises(void *unused)
{
	volatile uint64_t *chunk[4096];
	unsigned n = 0;

	(void)unused;
	while (n < ARRAY_LEN(chunk)) {
		chunk[n] = mmap(NULL, CHUNK * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (chunk[n] == MAP_FAILED)
			break;
		n++;
	}
	if (errno != ENOMEM)
		return 1;
	board->ready++;
	while (!board->go)
		usleep(10000);
	for (unsigned i = 0; i < n; i++)
		fill(chunk[i], CHUNK, FIRST);
	for (unsigned i = 0; i < n; i++)
		if (!holds(chunk[i], CHUNK, FIRST))
			return 1;
	return 0;
}

static int fork_too_big(void *unused)
{
	unsigned long limit = (unsigned long)number_in("/proc/meminfo", "CommitLimit:") * 1024 / PAGE;
	unsigned long promised = (unsigned long)number_in("/proc/meminfo", "Committed_AS:") * 1024 / PAGE;
	unsigned long pages = (limit - promised) * 6 / 10;
	volatile uint64_t *p = map(pages);
	pid_t pid;

	(void)unused;
	fill(p, pages, FIRST);
	pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 && errno == ENOMEM && holds(p, pages, FIRST) && rewrite(p, pages, PARENT) == 0 ? 0 : 1;
}

static int promise(void)
{
	struct ends e;

	check_errno("mode-3", EINVAL, write_text(MODE, "3"));
	check("mode-2", 0, write_text(MODE, "2"));
	check("ratio", 0, write_text(RATIO, "90"));
	check("big-fork-refused", 0, wait_for(start(0, fork_too_big, NULL)));
	for (int i = 0; i < 3; i++)
		start(0, take_promises, NULL);
	wait_ready(2); /* the first takes all that there is */
	usleep(500000);
	board->go = 1;
	e = wait_all(4); /* with the bystander */
	check("promises-kept", 4, e.good);
	check("mode-0", 0, write_text(MODE, "0"));
	check("ratio-50", 0, write_text(RATIO, "50"));
	return 0;
}

static const struct scenario {
	const char *name;
	int (*run)(void);
} scenarios[] = {
    {"pair", pair},       {"big", big},           {"sparse", sparse}, {"stopped", stopped}, {"vforked", vforked},
    {"waiting", waiting}, {"adjusted", adjusted}, {"shared", shared}, {"kernel", kernel},   {"alone", alone},
    {"nobody", nobody},   {"family", family},     {"bomb", bomb},     {"promise", promise},
};

/* What died gives its frames back a little later. */
static long missing_frames(long before)
{
	long missing = before - frames();

	for (int i = 0; i < 50 && missing > SLACK; i++) {
		usleep(100000);
		missing = before - frames();
	}
	return missing;
}

static void around(const struct scenario *s)
{
	long before = frames(), kills = counter("oom_kills"), promised = number_in("/proc/meminfo", "Committed_AS:"),
	     missing;
	char verdict[64];
	int want;

	dprintf(1, "# %s\n", s->name);
	*board = (struct board){0};
	available = (unsigned long)number_in("/proc/meminfo", "MemAvailable:") * 1024 / PAGE;
	start(0, stand_by, NULL);
	wait_ready(1);
	want = s->run();
	board->go = 1;
	while (waitpid(-1, NULL, 0) > 0)
		;
	check("bystander", 1, board->stood_by);
	kills = counter("oom_kills") - kills;
	check("oom-kills", 0, want < 0 ? kills < 1 : kills - want);
	missing = missing_frames(before);
	if (missing > SLACK)
		fail("frames-back", "%ld are missing", missing);
	else
		ok("frames-back");
	check("promises-back", promised, number_in("/proc/meminfo", "Committed_AS:"));
	read_text("/proc/tine/verify", verdict, sizeof(verdict));
	check_true("verify", strncmp(verdict, "ok", 2) == 0);
}

static int hold_for_a_while(void *unused)
{
	(void)unused;
	fill(map(share(12)), share(12), FIRST);
	board->ready++;
	sleep(14);
	return 0;
}

/* As process 1: wants more than there is while nobody may be killed, and gets it when another process ends. */
static int as_init(void)
{
	volatile uint64_t *p;

	available = (unsigned long)number_in("/proc/meminfo", "MemAvailable:") * 1024 / PAGE;
	start(-1000, hold_for_a_while, NULL);
	wait_ready(1);
	p = map(share(93));
	fill(p, share(93), FIRST);
	return holds(p, share(93), FIRST) ? 0 : 1;
}

int main(int argc, char **argv)
{
	board = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need("mmap", board == MAP_FAILED ? -1 : 0);
	if (getpid() == 1)
		return as_init();
	need("prctl", prctl(PR_SET_CHILD_SUBREAPER, 1));
	set_adj(-1000);
	for (int i = 1; i < argc; i++)
		for (unsigned k = 0; k < ARRAY_LEN(scenarios); k++)
			if (strcmp(argv[i], scenarios[k].name) == 0)
				around(&scenarios[k]);
	return checks_status();
}
