/* clang-format off */
/* kernel/entry.h - what kernel/trap.S and kernel/syscall.S have in common. Assembly only. */
#ifndef TINE_KERNEL_ENTRY_H
#define TINE_KERNEL_ENTRY_H

#include "kernel/base/cpu_asm.h"

/* C functions may write to the 32 bytes above their return address; the trapframe stands above those. */
#define FRAME 32

/* What stands on the stack where SAVE_REGS begins: the CPU's (or the syscall entry's) five words, error, vector. */
	.macro FRAME_BY_CPU
	.seh_pushframe @code
	.seh_stackalloc 8
	.endm

	.macro SAVE reg
	pushq	\reg
	.seh_pushreg \reg
	.endm

/* struct trapframe from rdi down to r15. */
	.macro SAVE_REGS
	SAVE	%rdi
	SAVE	%rsi
	SAVE	%rdx
	SAVE	%rcx
	SAVE	%rax
	SAVE	%r8
	SAVE	%r9
	SAVE	%r10
	SAVE	%r11
	SAVE	%rbx
	SAVE	%rbp
	SAVE	%r12
	SAVE	%r13
	SAVE	%r14
	SAVE	%r15
	.endm

	.macro SHADOW_SPACE
	subq	$FRAME, %rsp
	.seh_stackalloc FRAME
	.endm

	.macro RESTORE_REGS
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	.endm

/* User mode may have set AC, which lets the kernel through SMAP. CLAC is #UD where SMAP is missing. */
	.macro CLEAR_AC
	cmpb	$0, cpu_smap(%rip)
	je	9f
	clac
9:
	.endm

#endif
