/*
 * kernel/base/unwind.h - walking up the stack of the running image.
 *
 * Role         Undoes one function after another by the tables that the compiler leaves in .pdata and .xdata (Microsoft
 *              "x64 exception handling"), through trap frames too: the assembly entries describe themselves with
 *              .seh_ directives.
 * Invariants   1. Reads memory through probe_read_u64() only: a broken stack ends the walk, never the kernel.
 * Failure      The walk ends early.
 * Not handled  A walk that starts inside an epilogue (an interrupt there) may lose one function.
 */
#ifndef TINE_BASE_UNWIND_H
#define TINE_BASE_UNWIND_H

#include "kernel/base/trapframe.h"
#include "kernel/base/types.h"

struct unwind {
	uint64_t rip;
	uint64_t regs[16]; /* by x86 number: rax rcx rdx rbx rsp rbp rsi rdi r8-r15 */
	bool exact;        /* rip is where an interrupt struck, not a return address */
};

/* Starts at the registers of a trap, or at the caller. */
void unwind_from_frame(struct unwind *u, const struct trapframe *tf);
void unwind_from_here(struct unwind *u);
/* To the caller; false at the end of the stack. */
MUST_CHECK bool unwind_step(struct unwind *u);

#endif
