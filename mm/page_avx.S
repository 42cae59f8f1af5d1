/*
 * mm/page_avx.S - copying and zeroing a page by 32 bytes at a time.
 *
 * void page_copy_avx(void *dst, const void *src)    rcx, rdx: both aligned to a page
 * void page_zero_avx(void *dst)                     rcx
 *
 * The registers are the running thread's, live: those used are kept on the stack and come back as they were. An interrupt does not touch
 * them, and nothing here sleeps. Not where AVX-512 is enabled: a VEX instruction zeroes the part of a register above 256 bits.
 */
	.text
	.globl page_copy_avx
	.seh_proc page_copy_avx
page_copy_avx:
	subq $136, %rsp
	.seh_stackalloc 136
	.seh_endprologue
	vmovdqu %ymm0, (%rsp)
	vmovdqu %ymm1, 32(%rsp)
	vmovdqu %ymm2, 64(%rsp)
	vmovdqu %ymm3, 96(%rsp)
	addq $4096, %rcx
	addq $4096, %rdx
	movq $-4096, %rax
1:	vmovdqa (%rdx, %rax), %ymm0
	vmovdqa 32(%rdx, %rax), %ymm1
	vmovdqa 64(%rdx, %rax), %ymm2
	vmovdqa 96(%rdx, %rax), %ymm3
	vmovdqa %ymm0, (%rcx, %rax)
	vmovdqa %ymm1, 32(%rcx, %rax)
	vmovdqa %ymm2, 64(%rcx, %rax)
	vmovdqa %ymm3, 96(%rcx, %rax)
	vmovdqa 128(%rdx, %rax), %ymm0
	vmovdqa 160(%rdx, %rax), %ymm1
	vmovdqa 192(%rdx, %rax), %ymm2
	vmovdqa 224(%rdx, %rax), %ymm3
	vmovdqa %ymm0, 128(%rcx, %rax)
	vmovdqa %ymm1, 160(%rcx, %rax)
	vmovdqa %ymm2, 192(%rcx, %rax)
	vmovdqa %ymm3, 224(%rcx, %rax)
	addq $256, %rax
	jnz 1b
	vmovdqu (%rsp), %ymm0
	vmovdqu 32(%rsp), %ymm1
	vmovdqu 64(%rsp), %ymm2
	vmovdqu 96(%rsp), %ymm3
	addq $136, %rsp
	retq
	.seh_endproc

	.globl page_zero_avx
	.seh_proc page_zero_avx
page_zero_avx:
	subq $40, %rsp
	.seh_stackalloc 40
	.seh_endprologue
	vmovdqu %ymm0, (%rsp)
	vpxor %xmm0, %xmm0, %xmm0
	addq $4096, %rcx
	movq $-4096, %rax
1:	vmovdqa %ymm0, (%rcx, %rax)
	vmovdqa %ymm0, 32(%rcx, %rax)
	vmovdqa %ymm0, 64(%rcx, %rax)
	vmovdqa %ymm0, 96(%rcx, %rax)
	vmovdqa %ymm0, 128(%rcx, %rax)
	vmovdqa %ymm0, 160(%rcx, %rax)
	vmovdqa %ymm0, 192(%rcx, %rax)
	vmovdqa %ymm0, 224(%rcx, %rax)
	addq $256, %rax
	jnz 1b
	vmovdqu (%rsp), %ymm0
	addq $40, %rsp
	retq
	.seh_endproc
