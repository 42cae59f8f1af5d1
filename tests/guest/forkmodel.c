/*
 * tests/guest/forkmodel.c - a tree of up to 64 processes that do at random what fork must get right, each against a model.
 *
 * The driver draws an operation, a process and a range from a seeded generator and sends them to that worker through a pipe; the
 * worker carries them out on its memory and on its model of it, and answers. One worker runs at a time, so that the same seed
 * gives the same run on every system. The models lie in a file that all map. After each phase each worker checks all of its
 * memory, and a line with the sum of what they read is printed: it must be Linux's too.
 *
 * A page is 8 bytes of tag in its first and last words. The dense area has more than 64 pages in use in each of 6 stretches of
 * 2 MiB, so that fork=tree shares its subtrees; the sparse ones lie across boundaries of 1 GiB and 512 GiB; the last is the heap.
 * Usage: forkmodel [SEED]
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PAGE      4096ul
#define WORKERS   64
#define PHASES    8
#define STEPS     700 /* a phase */
#define STRETCH   512
#define DENSE     (6 * STRETCH)
#define SPARSE    64 /* pages of each sparse area */
#define HEAP      128
#define PAGES     (DENSE + 2 * SPARSE + HEAP)
#define HEAP_AT   (DENSE + 2 * SPARSE)
#define FILE_RO   64    /* pages of the file that only private mappings see */
#define FILE_ALL  128   /* ... the rest is for shared ones */
#define MAX_PAGES 26000 /* of all workers together */

enum kind { NOTHING, PRIVATE, FILE_PRIVATE, FILE_SHARED };

struct page {
	uint32_t tag;  /* what a private page holds; 0: zeroes */
	uint32_t map;  /* the mmap() that made it: a run of equal ones is one mapping on every system */
	uint16_t file; /* page of the file */
	uint8_t kind, prot;
	bool used;  /* has contents worth a look */
	bool freed; /* MADV_FREE: zeroes will do */
	bool dontfork, wipeonfork;
};

struct worker {
	pid_t pid;
	int parent; /* its number; -1: it is gone, or the driver */
	bool alive;
	unsigned used;
	uint64_t heap_start;
	uint32_t heap_pages;
	struct page page[PAGES];
};

enum op {
	OP_WRITE,
	OP_READ,
	OP_PROBE,
	OP_FORK,
	OP_EXIT,
	OP_REAP,
	OP_EXEC,
	OP_FILL,
	OP_MMAP,
	OP_MUNMAP,
	OP_PROTECT,
	OP_MOVE,
	OP_SHRINK,
	OP_GROW,
	OP_DONTNEED,
	OP_FREE,
	OP_DONTFORK,
	OP_DOFORK,
	OP_WIPE,
	OP_KEEP,
	OP_BRK,
	OP_CHECK,
	OPS
};

struct command {
	enum op op;
	uint32_t from, count, to, value;
};

struct answer {
	uint32_t worker;
	int32_t error; /* 0, or the line that found a fault */
	uint64_t sum;
};

/* What all processes share. */
struct world {
	struct worker worker[WORKERS];
	uint32_t file_tag[FILE_ALL];
	uint32_t maps;
};

enum { WORLD_FD = 100, FILE_FD, ANSWER_IN, ANSWER_OUT, COMMANDS }; /* COMMANDS + 2 * worker: its pipe */

static struct world *world;
static struct worker *me;
static const char *self;

/* ---- Pages ---- */

static char *address(unsigned i)
{
	if (i < DENSE)
		return (char *)0x100000000000 + i * PAGE;
	if (i < DENSE + SPARSE) /* half of it below a multiple of 1 GiB */
		return (char *)0x180040000000 - SPARSE / 2 * PAGE + (i - DENSE) * PAGE;
	if (i < HEAP_AT) /* ... and of 512 GiB */
		return (char *)0x208000000000 - SPARSE / 2 * PAGE + (i - DENSE - SPARSE) * PAGE;
	return (char *)me->heap_start + (i - HEAP_AT) * PAGE;
}

/* The end of the area that page i is in. */
static unsigned area_end(unsigned i)
{
	return i < DENSE ? DENSE : i < DENSE + SPARSE ? DENSE + SPARSE : i < HEAP_AT ? HEAP_AT : PAGES;
}

static uint32_t constant_tag(unsigned file) { return file * 2654435761u | 1; }

static uint32_t *tag_place(struct page *p) { return p->kind == FILE_SHARED ? &world->file_tag[p->file] : &p->tag; }

static void put_tag(volatile uint32_t *at, uint32_t tag)
{
	at[0] = tag;
	at[PAGE / 4 - 1] = tag ? ~tag : 0;
}

static bool holds_tag(const volatile uint32_t *at, uint32_t tag)
{
	return at[0] == tag && at[PAGE / 4 - 1] == (tag ? ~tag : 0);
}

static bool readable(const struct page *p) { return p->kind && p->prot & PROT_READ; }

static bool writable(const struct page *p) { return p->kind && p->prot & PROT_WRITE; }

static void mark_used(struct page *p)
{
	me->used += !p->used;
	p->used = true;
}

static void forget(struct page *p)
{
	me->used -= p->used;
	*p = (struct page){0};
}

/* ---- The worker's operations. Each returns 0 or the line of the check that failed ---- */

#define REQUIRE(cond)                    \
	do {                             \
		if (!(cond))             \
			return __LINE__; \
	} while (0)

static sigjmp_buf after_fault;

static void on_fault(int signo)
{
	(void)signo;
	siglongjmp(after_fault, 1);
}

static bool access_works(volatile uint32_t *p, bool write)
{
	if (sigsetjmp(after_fault, 1))
		return false;
	if (write)
		*p = *p;
	else
		(void)*p;
	return true;
}

static int do_write(const struct command *c)
{
	for (unsigned i = c->from; i < c->from + c->count; i++) {
		struct page *p = &me->page[i];

		if (!writable(p))
			continue;
		*tag_place(p) = (c->value + i * 7919) | 1;
		put_tag((uint32_t *)address(i), *tag_place(p));
		p->freed = false;
		mark_used(p);
	}
	return 0;
}

static int do_read(const struct command *c, uint64_t *sum)
{
	for (unsigned i = c->from; i < c->from + c->count; i++) {
		struct page *p = &me->page[i];

		if (!readable(p) || !p->used)
			continue;
		if (p->freed && holds_tag((uint32_t *)address(i), 0))
			continue;
		REQUIRE(holds_tag((uint32_t *)address(i), *tag_place(p)));
		if (!p->freed)
			*sum = (*sum ^ *tag_place(p)) * 0x9e3779b97f4a7c15 + i;
	}
	return 0;
}

static int do_probe(const struct command *c)
{
	for (unsigned i = c->from; i < c->from + c->count; i++) {
		REQUIRE(access_works((uint32_t *)address(i), false) == readable(&me->page[i]));
		REQUIRE(access_works((uint32_t *)address(i), true) == writable(&me->page[i]));
		if (writable(&me->page[i]))
			mark_used(&me->page[i]);
	}
	return 0;
}

/*
 * Writes to a few private pages from c->from on: what they hold already, so that the processor knows them as writable, or with
 * `anew` something else. A child must not see that, though it comes right after the fork; and what takes a right away must not
 * leave it in the processor.
 */
static void rewrite_some(const struct command *c, bool anew)
{
	unsigned found = 0;

	for (unsigned i = c->from; i < PAGES && found < 8; i++) {
		struct page *p = &me->page[i];

		if (!writable(p) || !p->used || p->freed || p->kind == FILE_SHARED)
			continue;
		if (anew)
			p->tag = (c->value + i) | 1;
		put_tag((uint32_t *)address(i), p->tag);
		found++;
	}
}

static int probe_start(const struct command *c)
{
	struct command start = {OP_PROBE, c->from, c->count < 4 ? c->count : 4, 0, 0};

	return do_probe(&start);
}

static uint32_t first_tag(enum kind kind, unsigned file) { return kind == FILE_PRIVATE ? constant_tag(file) : 0; }

static int do_mmap(const struct command *c)
{
	enum kind kind = (enum kind)c->value;
	unsigned file = kind == FILE_SHARED ? FILE_RO : 0;
	int flags = kind == PRIVATE ? MAP_PRIVATE | MAP_ANONYMOUS : kind == FILE_SHARED ? MAP_SHARED : MAP_PRIVATE;

	REQUIRE(mmap(address(c->from), c->count * PAGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED,
		     kind == PRIVATE ? -1 : FILE_FD, (off_t)(file * PAGE)) == address(c->from));
	world->maps++;
	for (unsigned i = 0; i < c->count; i++) {
		struct page *p = &me->page[c->from + i];

		forget(p);
		*p = (struct page){.kind = (uint8_t)kind, .prot = PROT_READ | PROT_WRITE, .map = world->maps};
		p->file = (uint16_t)(kind == PRIVATE ? 0 : file + i);
		p->tag = first_tag(kind, p->file);
		if (kind != PRIVATE)
			mark_used(p);
	}
	return 0;
}

/* The dense area, mapped anew and filled so that its tables are worth sharing. */
static int do_fill(const struct command *c)
{
	struct command map = {OP_MMAP, 0, DENSE, 0, PRIVATE};
	int fault = do_mmap(&map);

	for (unsigned s = 0; s < DENSE && !fault; s += STRETCH) {
		struct command write = {OP_WRITE, s + c->from % 400, 67, 0, c->value + s};

		fault = do_write(&write);
	}
	return fault;
}

static int do_munmap(const struct command *c)
{
	rewrite_some(c, false);
	REQUIRE(munmap(address(c->from), c->count * PAGE) == 0);
	for (unsigned i = c->from; i < c->from + c->count; i++)
		forget(&me->page[i]);
	return probe_start(c);
}

/* A change of a part splits its mapping, and whether it is joined again is the system's affair: it counts as a new one. */
static void change_mapping(unsigned from, unsigned count)
{
	uint32_t old = 0;

	for (unsigned i = from; i < from + count; i++) {
		world->maps += i == from || me->page[i].map != old;
		old = me->page[i].map;
		me->page[i].map = world->maps;
	}
}

static int do_protect(const struct command *c)
{
	rewrite_some(c, false);
	REQUIRE(mprotect(address(c->from), c->count * PAGE, (int)c->value) == 0);
	change_mapping(c->from, c->count);
	for (unsigned i = c->from; i < c->from + c->count; i++)
		me->page[i].prot = (uint8_t)c->value;
	return probe_start(c);
}

static int do_move(const struct command *c)
{
	size_t size = c->count * PAGE;
	struct page moved[PAGES];

	REQUIRE(mremap(address(c->from), size, size, MREMAP_MAYMOVE | MREMAP_FIXED, address(c->to)) == address(c->to));
	memcpy(moved, &me->page[c->from], c->count * sizeof(moved[0]));
	for (unsigned i = 0; i < c->count; i++) {
		struct page *to = &me->page[c->to + i];

		me->used -= to->used;
		*to = moved[i];
		me->page[c->from + i] = (struct page){0};
	}
	change_mapping(c->to, c->count);
	return 0;
}

/* Cuts the last `to` pages off. */
static int do_shrink(const struct command *c)
{
	struct command gone = {OP_MUNMAP, c->from + c->count - c->to, c->to, 0, 0};

	REQUIRE(mremap(address(c->from), c->count * PAGE, (c->count - c->to) * PAGE, 0) == address(c->from));
	for (unsigned i = gone.from; i < gone.from + gone.count; i++)
		forget(&me->page[i]);
	return 0;
}

/* Adds `to` pages, which are free. */
static int do_grow(const struct command *c)
{
	struct page last = me->page[c->from + c->count - 1];

	REQUIRE(mremap(address(c->from), c->count * PAGE, (c->count + c->to) * PAGE, 0) == address(c->from));
	last.tag = 0;
	last.used = last.freed = false;
	world->maps++; /* the same number may lie behind the gap that is filled */
	for (unsigned i = c->from; i < c->from + c->count + c->to; i++) {
		if (i >= c->from + c->count)
			me->page[i] = last;
		me->page[i].map = world->maps;
	}
	return 0;
}

static int do_drop(const struct command *c)
{
	REQUIRE(madvise(address(c->from), c->count * PAGE, MADV_DONTNEED) == 0);
	for (unsigned i = c->from; i < c->from + c->count; i++) {
		me->page[i].tag = first_tag((enum kind)me->page[i].kind, me->page[i].file);
		me->page[i].freed = false;
	}
	return 0;
}

static int do_free(const struct command *c)
{
	REQUIRE(madvise(address(c->from), c->count * PAGE, MADV_FREE) == 0);
	for (unsigned i = c->from; i < c->from + c->count; i++)
		me->page[i].freed = true;
	return 0;
}

static int do_advise(const struct command *c)
{
	static const int advice[OPS] = {[OP_DONTFORK] = MADV_DONTFORK,
					[OP_DOFORK] = MADV_DOFORK,
					[OP_WIPE] = MADV_WIPEONFORK,
					[OP_KEEP] = MADV_KEEPONFORK};

	REQUIRE(madvise(address(c->from), c->count * PAGE, advice[c->op]) == 0);
	change_mapping(c->from, c->count);
	for (unsigned i = c->from; i < c->from + c->count; i++) {
		struct page *p = &me->page[i];

		p->dontfork = c->op == OP_DONTFORK || (p->dontfork && c->op != OP_DOFORK);
		p->wipeonfork = c->op == OP_WIPE || (p->wipeonfork && c->op != OP_KEEP);
	}
	return 0;
}

static int do_brk(const struct command *c)
{
	uint64_t to = me->heap_start + c->value * PAGE;

	REQUIRE((uint64_t)syscall(SYS_brk, to) == to);
	for (unsigned i = 0; i < HEAP; i++) {
		struct page *p = &me->page[HEAP_AT + i];

		if (i >= c->value)
			forget(p);
		else if (i >= me->heap_pages)
			*p = (struct page){.kind = PRIVATE, .prot = PROT_READ | PROT_WRITE};
	}
	me->heap_pages = c->value;
	return 0;
}

static int do_check(uint64_t *sum)
{
	struct command all = {OP_READ, 0, PAGES, 0, 0};

	return do_read(&all, sum);
}

/* ---- Birth and death ---- */

static void inherit(struct worker *child, const struct worker *parent)
{
	*child = *parent;
	child->used = 0;
	for (unsigned i = 0; i < PAGES; i++) {
		struct page *p = &child->page[i];

		if (p->dontfork)
			*p = (struct page){0};
		if (p->wipeonfork) {
			p->tag = 0;
			p->freed = false;
		}
		child->used += p->used;
	}
}

static void send_answer(int fault, uint64_t sum)
{
	struct answer a = {(uint32_t)(me - world->worker), fault, sum};

	if (write(ANSWER_OUT, &a, sizeof(a)) != sizeof(a))
		_exit(9);
}

/* Becomes worker c->to in the child. */
static int do_fork(const struct command *c)
{
	struct worker *child = &world->worker[c->to];
	pid_t pid;

	inherit(child, me);
	child->parent = (int)(me - world->worker);
	rewrite_some(c, false);
	pid = fork();
	if (pid > 0)
		rewrite_some(c, true);
	REQUIRE(pid >= 0);
	if (pid == 0) {
		uint64_t sum = 0;

		me = child;
		send_answer(do_check(&sum), sum);
		return -1;
	}
	child->pid = pid;
	return 0;
}

static void fresh_worker(void)
{
	uint64_t heap = (uint64_t)syscall(SYS_brk, 0);

	memset(me->page, 0, sizeof(me->page));
	me->used = me->heap_pages = 0;
	me->heap_start = (heap + PAGE - 1) & ~(PAGE - 1);
	me->alive = true;
}

static int do_exec(void)
{
	char number[16];
	char *args[] = {(char *)self, "@", number, NULL}, *env[] = {NULL};

	snprintf(number, sizeof(number), "%d", (int)(me - world->worker));
	execve(self, args, env);
	return __LINE__;
}

static int do_reap(const struct command *c)
{
	REQUIRE(wait_for(world->worker[c->to].pid) == EXITED((int)c->to));
	return 0;
}

static int carry_out(const struct command *c, uint64_t *sum)
{
	switch (c->op) {
	case OP_WRITE:
		return do_write(c);
	case OP_READ:
		return do_read(c, sum);
	case OP_PROBE:
		return do_probe(c);
	case OP_FORK:
		return do_fork(c);
	case OP_REAP:
		return do_reap(c);
	case OP_EXEC:
		return do_exec();
	case OP_FILL:
		return do_fill(c);
	case OP_MMAP:
		return do_mmap(c);
	case OP_MUNMAP:
		return do_munmap(c);
	case OP_PROTECT:
		return do_protect(c);
	case OP_MOVE:
		return do_move(c);
	case OP_SHRINK:
		return do_shrink(c);
	case OP_GROW:
		return do_grow(c);
	case OP_DONTNEED:
		return do_drop(c);
	case OP_FREE:
		return do_free(c);
	case OP_BRK:
		return do_brk(c);
	case OP_CHECK:
		return do_check(sum);
	default:
		return do_advise(c);
	}
}

static _Noreturn void be_worker(void)
{
	struct command c;

	for (;;) {
		uint64_t sum = 0;
		int number = (int)(me - world->worker), fault;

		if (read(COMMANDS + 2 * number, &c, sizeof(c)) != sizeof(c))
			_exit(9);
		fault = c.op == OP_EXIT ? do_check(&sum) : carry_out(&c, &sum);
		if (fault != -1)
			send_answer(fault, sum);
		if (c.op == OP_EXIT)
			_exit(number);
	}
}

/* ---- The driver ---- */

static uint64_t random_state, total;
static unsigned alive, steps;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(random_state >> 33) % below;
}

static void await(uint64_t *sum)
{
	struct answer a;

	if (read(ANSWER_IN, &a, sizeof(a)) != sizeof(a))
		a.error = -2;
	if (a.error) {
		fail("model", "step %u, worker %u: the check in line %d", steps, a.worker, a.error);
		for (int w = 0; w < WORKERS; w++)
			if (world->worker[w].alive)
				kill(world->worker[w].pid, SIGKILL);
		_exit(1);
	}
	*sum = (*sum ^ a.sum) * 0x9e3779b97f4a7c15 + a.worker;
}

static void command(unsigned w, const struct command *c)
{
	need("write", write(COMMANDS + 2 * (int)w + 1, c, sizeof(*c)));
	await(&total);
}

static unsigned pages_in_use(void)
{
	unsigned sum = 0;

	for (unsigned w = 0; w < WORKERS; w++)
		sum += world->worker[w].alive ? world->worker[w].used : 0;
	return sum;
}

static void order_fork(unsigned w)
{
	struct command c = {.op = OP_FORK, .from = draw(DENSE), .value = draw(1u << 30)};

	while (c.to < WORKERS && world->worker[c.to].alive)
		c.to++;
	if (c.to == WORKERS)
		return;
	/* Two answers, in either order: they must not make the sum depend on who runs first. */
	uint64_t before = total, sums[2] = {0};
	need("write", write(COMMANDS + 2 * (int)w + 1, &c, sizeof(c)));
	for (int i = 0; i < 2; i++)
		await(&sums[i]);
	total = before * 31 + sums[0] + sums[1];
	world->worker[c.to].alive = true;
	alive++;
}

/* Its children lose their parent; its own parent, if there is one, collects it. */
static void order_exit(unsigned w)
{
	struct command c = {.op = OP_EXIT};
	int parent = world->worker[w].parent;

	command(w, &c);
	world->worker[w].alive = false;
	alive--;
	for (unsigned i = 0; i < WORKERS; i++)
		if (world->worker[i].alive && world->worker[i].parent == (int)w)
			world->worker[i].parent = -1;
	c = (struct command){.op = OP_REAP, .to = w};
	if (parent >= 0)
		command((unsigned)parent, &c);
}

static bool alike(const struct page *a, const struct page *b, enum op op)
{
	if (!a->kind != !b->kind)
		return false;
	switch (op) {
	case OP_MOVE:
	case OP_SHRINK:
	case OP_GROW:
		return a->map == b->map;
	case OP_FREE:
	case OP_WIPE:
	case OP_KEEP:
		return a->kind == b->kind;
	default:
		return true;
	}
}

/* A range for op: of pages of one area that are alike for its purpose. False if the place that was drawn does not do. */
static bool draw_range(const struct worker *w, struct command *c)
{
	static const uint32_t lengths[] = {1, 2, 5, 16, 70, STRETCH, 2 * STRETCH + 9};
	uint32_t most = lengths[draw(ARRAY_LEN(lengths))], end;
	bool heap_too = c->op <= OP_PROBE || c->op == OP_DONTNEED || c->op == OP_FREE;

	c->from = draw(3) ? draw(DENSE) : draw(heap_too ? PAGES : HEAP_AT);
	if (draw(3) == 0) /* on a boundary of tables, or of an area's middle */
		c->from = c->from < DENSE ? c->from / STRETCH * STRETCH : area_end(c->from) - SPARSE / 2;
	end = area_end(c->from);
	for (c->count = 1; c->count < most && c->from + c->count < end; c->count++)
		if (!alike(&w->page[c->from], &w->page[c->from + c->count], c->op))
			break;
	return w->page[c->from].kind || c->op == OP_MUNMAP || c->op == OP_MMAP || c->op == OP_PROBE;
}

/* Fills in the rest; false if op makes no sense there. */
static bool complete(const struct worker *w, struct command *c)
{
	static const uint8_t rights[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE};
	const struct page *p = &w->page[c->from];

	c->value = draw(1u << 30);
	switch (c->op) {
	case OP_WRITE: /* more would leave memory for few processes */
		c->count = c->count < 70 ? c->count : 70;
		return true;
	case OP_PROBE:
		c->count = c->count < 4 ? c->count : 4;
		return true;
	case OP_MMAP:
		c->value = 1 + draw(3);
		if (c->value != PRIVATE)
			c->count = c->count < FILE_RO ? c->count : FILE_RO;
		return true;
	case OP_PROTECT:
		c->value = rights[draw(ARRAY_LEN(rights))];
		return true;
	case OP_MOVE:
		c->to = draw(HEAP_AT);
		return area_end(c->to) >= c->to + c->count &&
		       (c->to + c->count <= c->from || c->from + c->count <= c->to);
	case OP_SHRINK:
		c->to = c->count > 1 ? 1 + draw(c->count - 1) : 0;
		return c->to;
	case OP_GROW:
		while (c->to < 40 && c->from + c->count + c->to < area_end(c->from) &&
		       !w->page[c->from + c->count + c->to].kind)
			c->to++;
		return p->kind == PRIVATE && c->to;
	case OP_FREE:
	case OP_WIPE:
	case OP_KEEP:
		return p->kind == PRIVATE;
	case OP_BRK:
		c->value = draw(HEAP);
		return true;
	default:
		return true;
	}
}

static enum op draw_op(void)
{
	static const uint8_t weight[OPS] = {
	    [OP_WRITE] = 26,   [OP_READ] = 8,   [OP_PROBE] = 6, [OP_FORK] = 16,    [OP_EXIT] = 8,
	    [OP_EXEC] = 1,     [OP_FILL] = 2,   [OP_MMAP] = 4,  [OP_MUNMAP] = 4,   [OP_PROTECT] = 6,
	    [OP_MOVE] = 4,     [OP_SHRINK] = 2, [OP_GROW] = 3,  [OP_DONTNEED] = 4, [OP_FREE] = 2,
	    [OP_DONTFORK] = 2, [OP_DOFORK] = 3, [OP_WIPE] = 2,  [OP_KEEP] = 3,     [OP_BRK] = 3,
	};
	uint32_t sum = 0, at;
	unsigned op = 0;

	for (unsigned i = 0; i < OPS; i++)
		sum += weight[i];
	for (at = draw(sum); at >= weight[op]; op++)
		at -= weight[op];
	return (enum op)op;
}

static void step(void)
{
	struct command c = {.op = draw_op()};
	unsigned w;

	do
		w = draw(WORKERS);
	while (!world->worker[w].alive);
	steps++;
	if (pages_in_use() > MAX_PAGES && (c.op == OP_FORK || c.op == OP_FILL))
		c.op = OP_EXIT;
	if (c.op == OP_FORK)
		order_fork(w);
	else if (c.op == OP_EXIT && w != 0)
		order_exit(w);
	else if (c.op == OP_FILL || c.op == OP_EXEC) {
		c.value = draw(1u << 30);
		c.from = draw(400);
		command(w, &c);
		c.op = OP_FILL;
		command(w, &c); /* after an exec there is nothing else to work on */
	} else if (c.op != OP_EXIT && draw_range(&world->worker[w], &c) && complete(&world->worker[w], &c))
		command(w, &c);
}

static void phase(unsigned number)
{
	struct command check = {.op = OP_CHECK};

	for (unsigned i = 0; i < STEPS; i++)
		step();
	for (unsigned w = 0; w < WORKERS; w++)
		if (world->worker[w].alive)
			command(w, &check);
	dprintf(1, "phase %u: %u processes, %u pages, sum %016llx\n", number, alive, pages_in_use(),
		(unsigned long long)total);
}

static void open_world(void)
{
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED, WORLD_FD, 0);
	need("mmap", world == MAP_FAILED ? -1 : 0);
}

static void place(int fd, int at)
{
	need("dup2", dup2(fd, at));
	close(fd);
}

static int make_file(size_t size)
{
	char name[] = "/tmp/forkmodel.XXXXXX";
	int fd = (int)need("mkstemp", mkstemp(name));

	unlink(name);
	need("ftruncate", ftruncate(fd, (off_t)size));
	return fd;
}

static void make_world(void)
{
	int p[2];
	uint32_t page[PAGE / 4] = {0};

	place(make_file(sizeof(struct world)), WORLD_FD);
	place(make_file(FILE_ALL * PAGE), FILE_FD);
	for (unsigned i = 0; i < FILE_RO; i++) {
		put_tag(page, constant_tag(i));
		need("pwrite", pwrite(FILE_FD, page, PAGE, (off_t)(i * PAGE)));
	}
	for (int i = -1; i < WORKERS; i++) {
		need("pipe", pipe(p));
		place(p[0], i < 0 ? ANSWER_IN : COMMANDS + 2 * i);
		place(p[1], i < 0 ? ANSWER_OUT : COMMANDS + 2 * i + 1);
	}
	open_world();
}

static void start_first(void)
{
	struct command fill = {.op = OP_FILL, .value = 12345};

	pid_t pid;

	me = &world->worker[0];
	me->parent = -1;
	pid = (pid_t)need("fork", fork());
	if (pid == 0) {
		fresh_worker();
		be_worker();
	}
	me->pid = pid;
	me->alive = true;
	alive = 1;
	command(0, &fill);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc == 2 ? strtoull(argv[1], NULL, 0) : 20261125;
	bool fine = true;

	signal(SIGSEGV, on_fault);
	self = (const char *)getauxval(AT_EXECFN);
	if (argc == 3) {
		open_world();
		me = &world->worker[atoi(argv[2])];
		fresh_worker();
		send_answer(0, 0);
		be_worker();
	}
	dprintf(1, "seed %llu\n", (unsigned long long)seed);
	random_state = seed;
	make_world();
	start_first();
	for (unsigned n = 1; n <= PHASES; n++)
		phase(n);
	while (alive > 1)
		for (unsigned w = 1; w < WORKERS; w++)
			if (world->worker[w].alive)
				order_exit(w);
	order_exit(0);
	fine = expect("model", EXITED(0), wait_for(world->worker[0].pid));
	ok_if(fine, "model");
	return checks_status();
}
