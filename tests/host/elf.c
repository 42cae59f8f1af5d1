/*
 * tests/host/elf.c - ELF headers, sound and hostile.
 * sources: proc/elf.c kernel/base/string.c
 */
#include "proc/elf.h"

#include <elf.h>
#include <stdlib.h>

#include "tests/host/test.h"

static Elf64_Ehdr eh;
static Elf64_Phdr ph[ELF_PHDRS_MAX];
static struct elf_plan plan;

static void make_valid(void)
{
	memset(&eh, 0, sizeof(eh));
	memset(ph, 0, sizeof(ph));
	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	eh.e_type = ET_EXEC;
	eh.e_machine = EM_X86_64;
	eh.e_version = EV_CURRENT;
	eh.e_entry = 0x401234;
	eh.e_phoff = sizeof(eh);
	eh.e_phentsize = sizeof(ph[0]);
	eh.e_phnum = 2;
	ph[0] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0, 0x400000, 0x400000, 0x1800, 0x1800, 0x1000};
	ph[1] = (Elf64_Phdr){PT_LOAD, PF_R | PF_W, 0x1800, 0x402800, 0x402800, 0x100, 0x5000, 0x1000};
}

/* Both steps, on copies of exactly the size that was asked for. */
static int parse(void)
{
	uint64_t offset = 0, size = 0;
	void *headers;
	int err = elf_check_header(&eh, sizeof(eh), &offset, &size);

	if (err)
		return err;
	EXPECT(eh.e_phoff, offset);
	EXPECT(eh.e_phnum * sizeof(ph[0]), size);
	EXPECT_TRUE(size <= sizeof(ph));
	headers = malloc(size);
	memcpy(headers, ph, size);
	err = elf_parse(&eh, headers, &plan);
	free(headers);
	return err;
}

static void test_valid(void)
{
	make_valid();
	EXPECT(0, parse());
	EXPECT(2, plan.nsegments);
	EXPECT(0x401234, plan.entry);
	EXPECT(0x400000, plan.low);
	EXPECT(0x408000, plan.high);
	EXPECT(0x400040, plan.phdr_vaddr);
	EXPECT(2, plan.phdr_count);
	EXPECT(5, plan.segment[0].prot);
	EXPECT(3, plan.segment[1].prot);
	EXPECT(0x100, plan.segment[1].file_size);
	EXPECT(0x5000, plan.segment[1].memory_size);
	EXPECT(0, plan.interp_size);
	EXPECT_TRUE(!plan.relocatable && !plan.exec_stack);
}

static void test_kinds(void)
{
	make_valid();
	eh.e_type = ET_DYN;
	ph[0].p_vaddr = 0;
	ph[1].p_vaddr = 0x2800;
	eh.e_phnum = 4;
	ph[2] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W | PF_X};
	ph[3] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 0x300, .p_filesz = 28};
	EXPECT(0, parse());
	EXPECT_TRUE(plan.relocatable && plan.exec_stack);
	EXPECT(0x300, plan.interp_offset);
	EXPECT(28, plan.interp_size);
}

#define REFUSED(field, value)              \
	do {                               \
		make_valid();              \
		field = (value);           \
		EXPECT(-ENOEXEC, parse()); \
	} while (0)

static void test_bad_headers(void)
{
	uint64_t offset, size;

	make_valid();
	for (size_t n = 0; n < sizeof(eh); n++)
		EXPECT(-ENOEXEC, elf_check_header(&eh, n, &offset, &size));
	REFUSED(eh.e_ident[0], 'x');
	REFUSED(eh.e_machine, EM_386);
	REFUSED(eh.e_type, ET_REL);
	REFUSED(eh.e_type, ET_CORE);
	REFUSED(eh.e_phentsize, 55);
	REFUSED(eh.e_phentsize, 0);
	REFUSED(eh.e_phnum, 0);
	REFUSED(eh.e_phnum, 65535);
	REFUSED(eh.e_phoff, UINT64_MAX - 8);
}

static void test_bad_segments(void)
{
	REFUSED(ph[0].p_filesz, 0x1801);
	REFUSED(ph[0].p_memsz, UINT64_MAX);
	REFUSED(ph[1].p_memsz, 1ull << 63);
	REFUSED(ph[1].p_memsz, 1ull << 47);
	REFUSED(ph[0].p_vaddr, 0xffff800000000000);
	REFUSED(ph[1].p_vaddr, 0x7ffffffff800);
	REFUSED(ph[1].p_offset, 0x1801);
	REFUSED(ph[1].p_offset, ~0x7ffull);
	REFUSED(ph[1].p_vaddr, 0x400800);
	REFUSED(ph[1].p_vaddr, 0x3ff800);
	REFUSED(ph[0].p_vaddr, 0);
	make_valid();
	eh.e_phnum = 1;
	ph[0].p_type = PT_NULL;
	EXPECT(-ENOEXEC, parse());
	make_valid();
	eh.e_phnum = 3;
	ph[2] = (Elf64_Phdr){.p_type = PT_INTERP, .p_filesz = 1};
	EXPECT(-ENOEXEC, parse());
	ph[2].p_filesz = 5000;
	EXPECT(-ENOEXEC, parse());
}

static void test_many_segments(void)
{
	make_valid();
	for (unsigned i = 0; i < ELF_SEGMENTS_MAX + 1; i++)
		ph[i] = (Elf64_Phdr){PT_LOAD, PF_R, i * 0x1000, 0x400000 + i * 0x1000, 0, 0x1000, 0x1000, 0x1000};
	eh.e_phnum = ELF_SEGMENTS_MAX;
	EXPECT(0, parse());
	EXPECT(ELF_SEGMENTS_MAX, plan.nsegments);
	eh.e_phnum = ELF_SEGMENTS_MAX + 1;
	EXPECT(-E2BIG, parse());
}

/* Random headers: whatever is accepted keeps the promises of elf.h. */
static void check_promises(void)
{
	for (unsigned i = 0; i < plan.nsegments; i++) {
		const struct elf_segment *s = &plan.segment[i];

		EXPECT_TRUE(s->memory_size && s->file_size <= s->memory_size);
		EXPECT_TRUE(s->vaddr + s->memory_size <= USER_END && s->vaddr + s->memory_size > s->vaddr);
		EXPECT(page_offset(s->vaddr), page_offset(s->offset));
		EXPECT_TRUE(s->offset + s->file_size >= s->offset);
		EXPECT_TRUE(s->vaddr >= plan.low && s->vaddr + s->memory_size <= plan.high);
		if (i)
			EXPECT_TRUE(ALIGN_UP(s[-1].vaddr + s[-1].memory_size, PAGE_SIZE) <=
				    ALIGN_DOWN(s->vaddr, PAGE_SIZE));
	}
}

static void test_mutations(void)
{
	unsigned state = 11, accepted = 0;

	for (int round = 0; round < 200000; round++) {
		make_valid();
		for (unsigned n = 1 + test_random(&state) % 3; n; n--) {
			unsigned char *at = test_random(&state) % 3 ? (unsigned char *)ph : (unsigned char *)&eh;
			unsigned span = at == (unsigned char *)&eh ? sizeof(eh) : 2 * sizeof(ph[0]);

			at[test_random(&state) % span] ^= (unsigned char)(1u << test_random(&state) % 8);
		}
		if (!parse()) {
			accepted++;
			check_promises();
		}
	}
	EXPECT_TRUE(accepted > 1000);
}

int main(void)
{
	test_valid();
	test_kinds();
	test_bad_headers();
	test_bad_segments();
	test_many_segments();
	test_mutations();
	return test_result();
}
