/*
 * tests/fuzz/space.c - libFuzzer's bytes as operations on the address-space code.
 *
 * The same machine, model and operations as tests/host/model.c has, chosen by the fuzzer, who sees which code each choice reaches. Every
 * step is checked as there: accounts, recount, translations; every input ends with all frames and blocks back.
 *	build/fuzz/space/test crash-...		replays an input
 *
 * sources: tests/host/model/world.c tests/host/model/choose.c tests/host/model/op.c
 * sources: tests/host/machine/machine.c tests/host/machine/mmu.c kernel/base/lock.c kernel/base/string.c
 * sources: mm/[a-z]*.c !mm/boot.c !mm/heap.c !mm/kmap.c !mm/memmap.c !mm/user.c !mm/window.c
 */
#include <stdio.h>

#include "tests/host/machine/machine.h"
#include "tests/host/model/op.h"
#include "tests/host/model/world.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct op now;

static void print_context(void)
{
	printf("in ");
	op_print(&now);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	machine_context = print_context;
	machine_start();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct source s = {.bytes = bytes, .left = size};

	if (!size)
		return 0;
	rules = (struct rules){.processes = 6, .policy = -1, .fail = 8, .sweep = 64, .verify = 8};
	world_start();
	op_first_process();
	while (s.left) {
		op_choose(&s, &now);
		op_run(&now);
	}
	world_end();
	return 0;
}
