/* proc/elf.c - see proc/elf.h. */
#include "proc/elf.h"

#include <asm/mman.h>
#include <linux/elf.h>

#include "kernel/base/string.h"

int elf_check_header(const void *header, size_t size, uint64_t *ret_offset, uint64_t *ret_size)
{
	const Elf64_Ehdr *eh = header;

	if (size < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB || eh->e_machine != EM_X86_64)
		return -ENOEXEC;
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return -ENOEXEC;
	if (eh->e_phentsize != sizeof(Elf64_Phdr) || !eh->e_phnum || eh->e_phnum > ELF_PHDRS_MAX)
		return -ENOEXEC;
	*ret_offset = eh->e_phoff;
	*ret_size = (uint64_t)eh->e_phnum * sizeof(Elf64_Phdr);
	return eh->e_phoff + *ret_size < eh->e_phoff ? -ENOEXEC : 0;
}

static uint8_t prot_of(uint32_t flags)
{
	return (uint8_t)((flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
			 (flags & PF_X ? PROT_EXEC : 0));
}

/* Does a segment make sense by itself? */
static bool segment_ok(const Elf64_Phdr *ph)
{
	if (ph->p_filesz > ph->p_memsz || page_offset(ph->p_vaddr) != page_offset(ph->p_offset))
		return false;
	if (ph->p_vaddr > USER_END || ph->p_memsz > USER_END - ph->p_vaddr)
		return false;
	return ph->p_offset + ph->p_filesz >= ph->p_offset && ph->p_offset + ph->p_filesz <= INT64_MAX;
}

static int add_segment(struct elf_plan *plan, const Elf64_Phdr *ph)
{
	struct elf_segment *s = &plan->segment[plan->nsegments];

	if (!segment_ok(ph))
		return -ENOEXEC;
	if (!ph->p_memsz)
		return 0;
	if (plan->nsegments == ELF_SEGMENTS_MAX)
		return -E2BIG;
	/* Rising and disjoint by page: a page with two owners would have the rights of one of them only. */
	if (plan->nsegments && ALIGN_DOWN(ph->p_vaddr, PAGE_SIZE) < plan->high)
		return -ENOEXEC;
	*s = (struct elf_segment){ph->p_vaddr, ph->p_memsz, ph->p_filesz, ph->p_offset, prot_of(ph->p_flags)};
	if (!plan->nsegments++)
		plan->low = ALIGN_DOWN(s->vaddr, PAGE_SIZE);
	plan->high = ALIGN_UP(s->vaddr + s->memory_size, PAGE_SIZE);
	return 0;
}

/* The address at which a file offset is mapped, 0 if it is not. */
static uint64_t mapped_at(const struct elf_plan *plan, uint64_t offset)
{
	for (unsigned i = 0; i < plan->nsegments; i++) {
		const struct elf_segment *s = &plan->segment[i];

		if (offset >= s->offset && offset - s->offset < s->file_size)
			return s->vaddr + (offset - s->offset);
	}
	return 0;
}

static int take_header(struct elf_plan *plan, const Elf64_Phdr *ph)
{
	switch (ph->p_type) {
	case PT_LOAD:
		return add_segment(plan, ph);
	case PT_INTERP:
		if (ph->p_filesz < 2 || ph->p_filesz > 4096)
			return -ENOEXEC;
		plan->interp_offset = ph->p_offset;
		plan->interp_size = ph->p_filesz;
		return 0;
	case PT_GNU_STACK:
		plan->exec_stack = ph->p_flags & PF_X;
		return 0;
	default:
		return 0;
	}
}

int elf_parse(const void *header, const void *phdrs, struct elf_plan *ret_plan)
{
	const Elf64_Ehdr *eh = header;
	const Elf64_Phdr *ph = phdrs;
	struct elf_plan plan = {.relocatable = eh->e_type == ET_DYN, .entry = eh->e_entry, .phdr_count = eh->e_phnum};

	for (unsigned i = 0; i < eh->e_phnum; i++) {
		int err = take_header(&plan, &ph[i]);

		if (err)
			return err;
	}
	if (!plan.nsegments || plan.high - plan.low > ELF_SPAN_MAX || plan.high > USER_END)
		return -ENOEXEC;
	if (!plan.relocatable && plan.low < KIB(64))
		return -ENOEXEC;
	plan.phdr_vaddr = mapped_at(&plan, eh->e_phoff);
	*ret_plan = plan;
	return 0;
}
