/* The step from the firmware's address space into the kernel's. */

/* void switch_space(root, entry, info, stack_top): one page, mapped at the same address on both sides. */
	.section .init, "xr"
	.balign	16
	.globl	switch_space
	.def	switch_space; .scl 2; .type 32; .endef
switch_space:
	movq	%rcx, %cr3
	jmpq	*%rdx

/*
 * Kernel text, at its place: takes the boot stack, empties the user half (the trampoline was there) through the
 * recursive slot, and calls kernel_main(info).
 */
	.text
	.balign	16
	.globl	space_entered
	.def	space_entered; .scl 2; .type 32; .endef
	.seh_proc space_entered
space_entered:
	movq	%r9, %rsp
	pushq	$0			/* return address: unwinding ends here */
	subq	$40, %rsp		/* Win64 shadow space, and the stack aligned to 16 at the call */
	.seh_stackalloc 40
	.seh_endprologue
	cld
	xorl	%eax, %eax
	movl	$256, %ecx
	movabsq	$0xffffff7fbfdfe000, %rdi	/* the root, by slot 510 four times over */
	rep stosq
	movq	%cr3, %rax
	movq	%rax, %cr3
	movq	%r8, %rcx
	call	kernel_main
	ud2
	.seh_endproc
