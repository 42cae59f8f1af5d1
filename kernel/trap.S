/*
 * kernel/trap.S - the way into the kernel by exceptions and interrupts, and the way back.
 *
 * All 256 vectors push a struct trapframe (kernel/base/trapframe.h) and call trap_dispatch(frame). Interrupts stay off
 * until C turns them on. The .seh_ lines describe the frame to kernel/base/unwind.c.
 */
#include "kernel/entry.h"

#define MSR_GS_BASE 0xc0000101

	.text

/* 16 bytes a vector. The CPU pushes an error code for some; the others get a 0 in its place. */
	.balign	16
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq	$0				/* error */
	.endif
	pushq	$vector				/* vector */
	.if	vector == 1 || vector == 2 || vector == 8 || vector == 18
	jmp	trap_paranoid
	.else
	jmp	trap_entry
	.endif
	.set	vector, vector + 1
	.endr

/* Everything but the vectors with stacks of their own: GS is the user's exactly if CS is. */
	.balign	16
	.seh_proc trap_entry
trap_entry:
	FRAME_BY_CPU
	SAVE_REGS
	SHADOW_SPACE
	.seh_endprologue
	cld
	testb	$3, FRAME + TF_CS(%rsp)
	jz	1f
	swapgs
1:	CLEAR_AC
trap_common:
	leaq	FRAME(%rsp), %rcx
	call	trap_dispatch
trap_return:
	testb	$3, FRAME + TF_CS(%rsp)
	jz	1f
	swapgs
1:	addq	$FRAME, %rsp
	RESTORE_REGS
	addq	$16, %rsp			/* vector, error */
	iretq
	.seh_endproc

/*
 * NMI, #DF, #MC and #DB may strike anywhere, also where CS is the kernel's and GS still the user's (or already). So the
 * GS base is set to what stands above the frame on each such stack, this CPU's struct cpu, and put back at the end.
 */
	.balign	16
	.seh_proc trap_paranoid
trap_paranoid:
	FRAME_BY_CPU
	SAVE_REGS
	SHADOW_SPACE
	.seh_endprologue
	cld
	CLEAR_AC
	testb	$3, FRAME + TF_CS(%rsp)
	jnz	1f
	movl	$MSR_GS_BASE, %ecx
	rdmsr
	shlq	$32, %rdx
	leaq	(%rax,%rdx), %rbx		/* kept over the call */
	movq	FRAME + TF_SIZE(%rsp), %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	wrmsr
	leaq	FRAME(%rsp), %rcx
	call	trap_dispatch
	movl	$MSR_GS_BASE, %ecx
	movq	%rbx, %rax
	movq	%rbx, %rdx
	shrq	$32, %rdx
	wrmsr
	addq	$FRAME, %rsp
	RESTORE_REGS
	addq	$16, %rsp
	iretq
/* From user mode it is a trap like any other: the frame moves to the thread's own stack. */
1:	swapgs
	leaq	FRAME(%rsp), %rcx
	call	trap_to_thread_stack
	leaq	-FRAME(%rax), %rsp
	jmp	trap_common
	.seh_endproc
