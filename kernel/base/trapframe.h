/*
 * kernel/base/trapframe.h - the registers of an interrupted context, as every entry to the kernel saves them.
 *
 * Invariants   1. A thread's user registers are the frame at the top of its kernel stack: thread_frame() finds it.
 *              2. `vector` is the trap number, or VECTOR_SYSCALL; then `error` holds the system call's number as it
 * came (orig_rax), which restart needs; -1 says "not in a system call", and that the frame was rewritten.
 */
#ifndef TINE_BASE_TRAPFRAME_H
#define TINE_BASE_TRAPFRAME_H

#include "kernel/base/cpu_asm.h"
#include "kernel/base/types.h"

#define VECTOR_SYSCALL 0x100

struct trapframe {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss; /* pushed by the CPU */
};

_Static_assert(offsetof(struct trapframe, rdi) == TF_RDI && offsetof(struct trapframe, rip) == TF_RIP &&
		   offsetof(struct trapframe, ss) == TF_SS && sizeof(struct trapframe) == TF_SIZE,
	       "cpu_asm.h");

static inline bool frame_is_user(const struct trapframe *tf) { return (tf->cs & 3) == 3; }

#endif
