/*
 * proc/elf.h - what an ELF64 file asks for.
 *
 * Role         elf_parse() turns file header and program headers into a checked plan: segments to map, entry, interpreter. Pure: it
 *              reads the two byte ranges that it is given, so the host tests and the fuzzer feed it.
 * Invariants   After 0: segments are sorted, disjoint by page, within the user half (after the load bias is added, for ET_DYN: within
 *              ELF_SPAN_MAX), offsets are congruent to addresses modulo the page size; file ranges do not wrap.
 * Failure      -ENOEXEC not an ELF file for this machine, or one that makes no sense (System V ABI gABI chapters 4, 5; Linux's
 *              binfmt_elf gives the same errno); -E2BIG more than ELF_SEGMENTS_MAX.
 */
#ifndef TINE_PROC_ELF_H
#define TINE_PROC_ELF_H

#include "kernel/base/addr.h"

#define ELF_SEGMENTS_MAX 32
#define ELF_PHDRS_MAX    64 /* as far as PT_LOAD and friends are looked for */
#define ELF_SPAN_MAX     ((uint64_t)1 << 45)

struct elf_segment {
	uint64_t vaddr; /* of the first byte, not page-aligned; before the bias */
	uint64_t memory_size, file_size, offset;
	uint8_t prot; /* PROT_* */
};

struct elf_plan {
	bool relocatable;    /* ET_DYN: any bias will do */
	bool exec_stack;     /* PT_GNU_STACK asks for it */
	uint64_t entry;      /* before the bias */
	uint64_t phdr_vaddr; /* where the program headers lie in memory, 0: not mapped */
	uint16_t phdr_count;
	uint64_t interp_offset, interp_size; /* size 0: none; includes the NUL */
	uint64_t low, high;                  /* page-aligned span of all segments */
	unsigned nsegments;
	struct elf_segment segment[ELF_SEGMENTS_MAX];
};

/* What must be read: program headers at *ret_offset, *ret_size bytes. header: the first 64 bytes of the file. */
MUST_CHECK int elf_check_header(const void *header, size_t size, uint64_t *ret_offset, uint64_t *ret_size);
/* After elf_check_header(); phdrs has the bytes that it asked for. */
MUST_CHECK int elf_parse(const void *header, const void *phdrs, struct elf_plan *ret_plan);

#endif
