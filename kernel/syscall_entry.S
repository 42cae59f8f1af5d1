/*
 * kernel/syscall_entry.S - the way into the kernel by SYSCALL, and the way back.
 *
 * SYSCALL (SDM 2B): rcx = return address, r11 = rflags; IF, DF, TF, AC and NT are clear by MSR_SFMASK; the stack and GS
 * are still the user's. Interrupts are off until the frame stands on the thread's stack.
 */
#include "kernel/entry.h"

	.text
	.balign	16
	.globl	syscall_entry
	.seh_proc syscall_entry
syscall_entry:
	FRAME_BY_CPU
	swapgs
	movq	%rsp, %gs:CPU_USER_RSP
	movq	%gs:CPU_KERNEL_RSP, %rsp
	pushq	$SEL_USER_DATA			/* ss */
	pushq	%gs:CPU_USER_RSP		/* rsp */
	pushq	%r11				/* rflags */
	pushq	$SEL_USER_CODE			/* cs */
	pushq	%rcx				/* rip */
	pushq	%rax				/* error: the call's number */
	pushq	$0x100				/* vector: VECTOR_SYSCALL */
	SAVE_REGS
	SHADOW_SPACE
	.seh_endprologue
	leaq	FRAME(%rsp), %rcx
	call	syscall_enter			/* al: go straight back */
	testb	%al, %al
	jz	full_return
	addq	$FRAME + TF_R11, %rsp		/* r15, r14, r13, r12, rbp, rbx: C preserved them, and rdi and rsi */
	popq	%r11				/* rflags */
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx				/* rip */
	popq	%rdx
	movq	TF_RSP - TF_RSI(%rsp), %rsp
	swapgs
	sysretq
	.seh_endproc

/* Where a new thread's life in user mode begins: rsp is at its trapframe, interrupts are off. */
	.balign	16
	.globl	ret_to_user
	.seh_proc ret_to_user
ret_to_user:
	.seh_pushframe @code
	.seh_stackalloc 128			/* vector and registers */
	SHADOW_SPACE
	.seh_endprologue
	leaq	FRAME(%rsp), %rcx
	call	exit_to_user
full_return:
	addq	$FRAME, %rsp
	RESTORE_REGS
	addq	$16, %rsp			/* vector, error */
	swapgs
	iretq
	.seh_endproc
