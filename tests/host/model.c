/*
 * tests/host/model.c - random programs on the address-space code, against a model of what they are promised.
 *
 * Up to 64 processes fork (by all four strategies), write, read, map, unmap, protect, advise, move, exec and exit, at addresses that
 * straddle the spans of page tables of every level, while allocations fail. The simulated machine is tests/host/machine/machine.h,
 * the model tests/host/model/world.h, the operations tests/host/model/op.h.
 *
 * The run is a series of short ones, each from nothing to nothing with a seed and rules of its own, which a failure prints:
 *	SEED=n STEPS=m build/host/model/test	replays it
 *	SEED=n build/host/model/test		starts with it and goes on for as long
 *	SECONDS=t build/host/model/test		as long as one wants
 *
 * sources: tests/host/model/world.c tests/host/model/choose.c tests/host/model/op.c
 * sources: tests/host/machine/machine.c tests/host/machine/mmu.c kernel/base/lock.c kernel/base/string.c
 * sources: mm/[a-z]*.c !mm/boot.c !mm/heap.c !mm/kmap.c !mm/memmap.c !mm/user.c !mm/window.c
 */
#include <asm/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mm/counters.h"
#include "mm/paging.h"
#include "tests/host/machine/machine.h"
#include "tests/host/model/op.h"
#include "tests/host/model/world.h"

#define DEFAULT_SECONDS 30

static struct {
	uint64_t seed, step, steps;
	struct op op;
} at;

static void print_context(void)
{
	printf("replay: SEED=%lu STEPS=%lu build/host/model/test\nin ", at.seed, at.step + 1);
	op_print(&at.op);
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	char *end;
	uint64_t n;

	if (!text || !*text)
		return otherwise;
	n = strtoull(text, &end, 0);
	if (*end) {
		fprintf(stderr, "%s=%s: a number is wanted\n", name, text);
		exit(2);
	}
	return n;
}

/* What the run is like follows from its seed, so that it replays. Large runs are checked now and then, small ones at every step. */
static struct source choose_rules(uint64_t seed)
{
	static const unsigned processes[] = {2, 4, 8, 64}, one_in[] = {0, 4, 16, 64};
	struct source s = {.state = (seed + 1) * 0x9e3779b97f4a7c15ull};

	for (int i = 0; i < 8; i++)
		(void)pick(&s, 2);
	rules.processes = processes[pick(&s, ARRAY_LEN(processes))];
	rules.policy = (int)pick(&s, FORK_POLICIES * 2);
	if (rules.policy >= FORK_POLICIES)
		rules.policy = -1;
	rules.fail = one_in[pick(&s, ARRAY_LEN(one_in))];
	rules.sweep = one_in[pick(&s, ARRAY_LEN(one_in))];
	rules.verify = rules.processes <= 8 ? 1 : 64;
	at.steps = rules.processes <= 8 ? 300 : 6000;
	return s;
}

/* Some runs have little memory: what is left out of it is taken before they start. */
static unsigned take_ballast(struct source *s, pfn_t *frames)
{
	unsigned n = pick(s, 4) ? 0 : (unsigned)machine_free_frames() - 200 - pick(s, 3000), taken = 0;

	while (taken < n && !frame_alloc(FRAME_KERNEL, &frames[taken]))
		taken++;
	return taken;
}

static void run_seed(uint64_t seed, uint64_t steps)
{
	static pfn_t ballast[MACHINE_FRAMES];
	struct source s = choose_rules(seed);
	unsigned ballasts;

	at.seed = seed;
	at.step = 0;
	world_start();
	ballasts = take_ballast(&s, ballast);
	op_first_process();
	for (at.step = 0; at.step < MIN(steps, at.steps); at.step++) {
		op_choose(&s, &at.op);
		op_run(&at.op);
	}
	for (unsigned i = 0; i < PROCESSES; i++)
		if (world.process[i].space)
			check_pages(&world.process[i]);
	check_counts();
	while (ballasts)
		frame_put(ballast[--ballasts]);
	world_end();
}

static void print_counts(uint64_t first, uint64_t runs)
{
	static const char *const names[] = {
#define OP_NAME(name) #name,
	    OPS(OP_NAME)
#undef OP_NAME
	};
	uint64_t all = 0;

	for (int k = 0; k < OP_KINDS; k++) {
		printf("%s: %lu, refused %lu\n", names[k], op_counts.run[k], op_counts.refused[k]);
		all += op_counts.run[k];
	}
	for (int c = 0; c < COUNTER_COUNT; c++)
		printf("%s: %lu\n", counter_names[c], counters[c]);
	printf("note: model: SEED=%lu, %lu runs, %lu steps, %lu forks, %lu allocations failed\n", first, runs, all,
	       op_counts.run[OP_fork], op_counts.failed_allocations);
}

/* Does the machine see a forgotten own()? A write to an entry of a table that a fork shared, and the same after own(). */
static void write_entry(void *va)
{
	pte_t *entry = entry_window(*(const uint64_t *)va, 1);

	pte_write(entry, pte_read(entry));
}

static void test_trap(void)
{
	static const uint64_t start = 0x40400000, va = 0x40405000;
	static const struct op map = {.kind = OP_map,
				      .addr = start,
				      .len = 100 * PAGE_SIZE,
				      .prot = PROT_READ | PROT_WRITE,
				      .fixed = true,
				      .target = OPEN_FILES};
	static const struct op fill = {.kind = OP_write, .addr = start, .stride = PAGE_SIZE, .count = 100};
	static const struct op fork = {.kind = OP_fork, .policy = FORK_TREE, .stay = true};
	struct space *s;
	pte_t *entry;

	rules = (struct rules){.processes = 2, .verify = 1};
	world_start();
	op_first_process();
	op_run(&map);
	op_run(&fill);
	if (machine_traps(write_entry, (void *)&va))
		machine_fail("a table of one process cannot be written: expected that it can");
	op_run(&fork);
	if (!machine_traps(write_entry, (void *)&va))
		machine_fail("a table of two processes was written: expected a trap");
	s = space_active();
	spin_lock(&s->lock);
	if (own(s, UADDR(va), 1, &entry) || machine_traps(write_entry, (void *)&va))
		machine_fail("a table cannot be written after own(): expected that it can");
	if (!paging_window_fault(RECURSIVE_L1 + (va >> PAGE_SHIFT) * sizeof(pte_t), true))
		machine_fail("a stale window after own(): expected that the access is tried again");
	spin_unlock(&s->lock);
	world_end();
}

int main(void)
{
	uint64_t steps = number("STEPS", UINT64_MAX), seconds = number("SECONDS", DEFAULT_SECONDS), runs = 0;
	time_t start = time(NULL);
	uint64_t seed = number("SEED", (uint64_t)start * 1000);

	machine_context = print_context;
	machine_start();
	test_trap();
	do
		run_seed(seed + runs++, steps);
	while (steps == UINT64_MAX && (uint64_t)(time(NULL) - start) < seconds);
	print_counts(seed, runs);
	return 0;
}
