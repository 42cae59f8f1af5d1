/*
 * mm/user_copy.S - the instructions that touch user memory, and where to go on when one of them faults.
 *
 * size_t user_copy(void *dst, const void *src, size_t n)   rcx, rdx, r8: the number of bytes NOT copied
 * size_t user_clear(void *dst, size_t n)                   rcx, rdx:     the number of bytes NOT cleared
 * int user_load(uint64_t *dst, const uint64_t *src)        rcx, rdx:     0 or -EFAULT
 * int user_store(uint64_t *dst, uint64_t value)            rcx, rdx:     0 or -EFAULT
 * int64_t user_copy_string(char *dst, const char *src, size_t n)   length, -1 on a fault, n if there was no NUL
 *
 * The range lies in the user half: the caller checked. STAC/CLAC only where the CPU has SMAP (they are #UD elsewhere).
 * A fault leaves RCX as the count of words or bytes that are left, which the fix-ups turn into the result.
 */
#include <asm/errno.h>

	.macro access_on
	cmpb $0, user_smap(%rip)
	je 9f
	stac
9:
	.endm
	.macro access_off
	cmpb $0, user_smap(%rip)
	je 8f
	clac
8:
	.endm

	.text
	.globl user_copy
	.def user_copy; .scl 2; .type 32; .endef
	.seh_proc user_copy
user_copy:
	pushq %rdi
	.seh_pushreg %rdi
	pushq %rsi
	.seh_pushreg %rsi
	.seh_endprologue
	movq %rcx, %rdi
	movq %rdx, %rsi
	access_on
	movq %r8, %rcx
	shrq $3, %rcx
user_copy_words:
	rep movsq
	movl %r8d, %ecx
	andl $7, %ecx
user_copy_bytes:
	rep movsb
user_copy_done:
	access_off
	movq %rcx, %rax
	popq %rsi
	popq %rdi
	retq
user_copy_words_fault: /* the bytes of the word before the bad page may still go */
	andl $7, %r8d
	leaq (%r8, %rcx, 8), %rcx
	jmp user_copy_bytes
	.seh_endproc

	.globl user_clear
	.def user_clear; .scl 2; .type 32; .endef
	.seh_proc user_clear
user_clear:
	pushq %rdi
	.seh_pushreg %rdi
	.seh_endprologue
	movq %rcx, %rdi
	xorl %eax, %eax
	access_on
	movq %rdx, %rcx
	shrq $3, %rcx
user_clear_words:
	rep stosq
	movl %edx, %ecx
	andl $7, %ecx
user_clear_bytes:
	rep stosb
user_clear_done:
	access_off
	movq %rcx, %rax
	popq %rdi
	retq
user_clear_words_fault:
	andl $7, %edx
	leaq (%rdx, %rcx, 8), %rcx
	jmp user_clear_bytes
	.seh_endproc

	.globl user_load
	.def user_load; .scl 2; .type 32; .endef
	.seh_proc user_load
user_load:
	.seh_endprologue
	xorl %eax, %eax
	access_on
user_load_word:
	movq (%rdx), %rdx
	movq %rdx, (%rcx)
user_load_done:
	access_off
	retq
user_load_fault:
	movl $-EFAULT, %eax
	jmp user_load_done
	.seh_endproc

	.globl user_store
	.def user_store; .scl 2; .type 32; .endef
	.seh_proc user_store
user_store:
	.seh_endprologue
	xorl %eax, %eax
	access_on
user_store_word:
	movq %rdx, (%rcx)
user_store_done:
	access_off
	retq
user_store_fault:
	movl $-EFAULT, %eax
	jmp user_store_done
	.seh_endproc

	.globl user_copy_string
	.def user_copy_string; .scl 2; .type 32; .endef
	.seh_proc user_copy_string
user_copy_string:
	.seh_endprologue
	xorl %eax, %eax
	access_on
1:	cmpq %r8, %rax
	je 2f
user_string_byte:
	movb (%rdx, %rax), %r9b
	movb %r9b, (%rcx, %rax)
	testb %r9b, %r9b
	je 2f
	incq %rax
	jmp 1b
user_string_fault:
	movq $-1, %rax
2:	access_off
	retq
	.seh_endproc

/* Pairs of image-relative addresses: the instruction that may fault, where to go on. */
	.section .rdata, "dr"
	.globl user_fixups
	.p2align 2
user_fixups:
	.rva user_copy_words, user_copy_words_fault
	.rva user_copy_bytes, user_copy_done
	.rva user_clear_words, user_clear_words_fault
	.rva user_clear_bytes, user_clear_done
	.rva user_load_word, user_load_fault
	.rva user_store_word, user_store_fault
	.rva user_string_byte, user_string_fault
	.globl user_fixups_end
user_fixups_end:
