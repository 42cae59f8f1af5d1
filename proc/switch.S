/*
 * proc/switch.S - from one thread's kernel stack to another's.
 *
 * void context_switch(uint64_t *save_rsp, uint64_t load_rsp)      rcx, rdx
 *
 * Win64's callee-saved registers go on the old stack, its pointer to *save_rsp, and come back from the new stack. Interrupts are
 * off and the run queue's lock is held; whoever comes out of the switch drops it (sched_switched()).
 */
	.text
	.globl context_switch
	.seh_proc context_switch
context_switch:
	pushq %rbx
	.seh_pushreg %rbx
	pushq %rbp
	.seh_pushreg %rbp
	pushq %rdi
	.seh_pushreg %rdi
	pushq %rsi
	.seh_pushreg %rsi
	pushq %r12
	.seh_pushreg %r12
	pushq %r13
	.seh_pushreg %r13
	pushq %r14
	.seh_pushreg %r14
	pushq %r15
	.seh_pushreg %r15
	.seh_endprologue
	movq %rsp, (%rcx)
	movq %rdx, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rsi
	popq %rdi
	popq %rbp
	popq %rbx
	retq
	.seh_endproc

/*
 * Where a new thread comes out of its first switch (struct first_switch in sched.c): rbx = function, r12 = its argument. A user
 * thread (r13 != 0) has its trapframe right above, and goes on to user mode when the function returns.
 */
	.globl thread_begin
	.seh_proc thread_begin
thread_begin:
	subq $32, %rsp
	.seh_stackalloc 32
	.seh_endprologue
	call sched_switched
	sti
	movq %r12, %rcx
	call *%rbx
	testq %r13, %r13
	jnz 1f
	call thread_exit
	ud2
1:	cli
	addq $32, %rsp
	jmp ret_to_user
	.seh_endproc
