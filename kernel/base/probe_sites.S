/* kernel/base/probe_sites.S - see probe.h. Win64 calls: arguments in rcx, rdx; result in al. */

	.text

	.globl probe_read_u64
probe_read_u64:
read_site:
	movq	(%rcx), %rax
	movq	%rax, (%rdx)
	movl	$1, %eax
	ret

	.globl probe_read_msr
probe_read_msr:
	movq	%rdx, %r8
msr_site:
	rdmsr
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, (%r8)
	movl	$1, %eax
	ret

	.globl probe_fxrstor
probe_fxrstor:
fxrstor_site:
	fxrstorq (%rcx)
	movl	$1, %eax
	ret

	.globl probe_xrstor
probe_xrstor:
	movl	%edx, %eax
	shrq	$32, %rdx
xrstor_site:
	xrstorq	(%rcx)
	movl	$1, %eax
	ret

probe_failed:
	xorl	%eax, %eax
	ret

/* Pairs of image-relative addresses: where it may fault, where to go on. */
	.section .rdata,"dr"
	.balign	4
	.globl	probe_table
probe_table:
	.long	read_site@IMGREL, probe_failed@IMGREL
	.long	msr_site@IMGREL, probe_failed@IMGREL
	.long	fxrstor_site@IMGREL, probe_failed@IMGREL
	.long	xrstor_site@IMGREL, probe_failed@IMGREL
	.long	0, 0
