/*
 * tests/host/model/op.h - one step of a random program: chosen, run, and compared with what had to come of it.
 *
 * Role         op_choose() turns numbers (random ones in tests/host/model.c, a fuzzer's bytes in tests/fuzz/space.c) into an operation
 *              on the current process; op_run() calls mm/, says by the account of world.h what had to happen, and changes the account.
 * Invariants   1. An operation is whole before it runs: it can run again, with another allocation failing.
 *              2. -ENOMEM is right only where an allocation was made to fail, or memory was really short; the account is then
 *                 as before, and must still be true. After a failed fork free frames and heap blocks are as before, too.
 */
#ifndef TINE_TESTS_MODEL_OP_H
#define TINE_TESTS_MODEL_OP_H

#include "kernel/base/options.h"
#include "mm/space.h"

/* Where choices come from: a seed, or bytes until there are no more. */
struct source {
	const uint8_t *bytes; /* NULL: random */
	size_t left;
	uint64_t state;
};

/* One of 0 .. n - 1. */
uint32_t pick(struct source *s, uint32_t n);

#define OPS(X)        \
	X(write)      \
	X(read)       \
	X(fetch)      \
	X(speculate)  \
	X(peek)       \
	X(fork)       \
	X(exit)       \
	X(exec)       \
	X(switch)     \
	X(map)        \
	X(unmap)      \
	X(protect)    \
	X(advise)     \
	X(remap)      \
	X(brk)        \
	X(file_write) \
	X(file_read)

enum op_kind {
#define OP_ENUM(name) OP_##name,
	OPS(OP_ENUM)
#undef OP_ENUM
	    OP_KINDS
};

struct op {
	enum op_kind kind;
	uint64_t addr, len, to; /* remap: len is the new length, old_len the old one */
	uint64_t old_len, stride;
	uint32_t count;  /* pages of a run; map: to write to at once */
	uint32_t target; /* a process, a file */
	uint32_t flags;  /* of the call */
	uint8_t prot;
	bool shared, fixed, stay;
	uint64_t offset;
	enum fork_policy policy;
	uint32_t fail; /* the n-th allocation fails; 0: none */
	bool sweep;    /* again and again: the first allocation fails, the second, ... */
};

/* What a run is like. */
struct rules {
	unsigned processes; /* at most */
	int policy;         /* an enum fork_policy, or -1: all of them, by turns */
	unsigned fail;      /* one operation in so many meets a failing allocation, 0: none */
	unsigned sweep;     /* one operation in so many meets each of its allocations failing, 0: none */
	unsigned verify;    /* recount and check a process after every so many operations */
};

extern struct rules rules;

struct op_counts {
	uint64_t run[OP_KINDS], refused[OP_KINDS];
	uint64_t failed_allocations;
};
extern struct op_counts op_counts;

void op_choose(struct source *s, struct op *ret);
void op_run(const struct op *op);
void op_print(const struct op *op);

/* Makes the first process. */
void op_first_process(void);

#endif
