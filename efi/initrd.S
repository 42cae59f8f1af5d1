/*
 * The initial RAM file system's archive, built by the Makefile: one file is the whole system. Whole pages, so that they
 * can be mapped for the kernel where they lie.
 */
	.section .initrd, "dr"
	.balign	4096
	.globl	initrd_start
	.globl	initrd_end
initrd_start:
	.incbin	"build/initrd.cpio"
initrd_end:
	.balign	4096
