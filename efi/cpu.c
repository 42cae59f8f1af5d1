/* efi/cpu.c - can this CPU, in this state, run the kernel? Asked while there is still a console to say no on. */
#include "kernel/base/cpu.h"
#include "efi/stub.h"

#define LEAF1_EDX     1u
#define LEAF_EXTENDED 0x80000000u
#define EXTENDED_EDX  0x80000001u
#define NX_BIT        20

STUB_BEGIN

/* All that the kernel takes for granted (Intel SDM 2A CPUID, AMD APM 3 appendix D). */
static const struct {
	uint32_t leaf, bit;
	const char *name;
} needed[] = {
    {LEAF1_EDX, 0, "FPU"},           {LEAF1_EDX, 4, "TSC"},  {LEAF1_EDX, 5, "MSR"},   {LEAF1_EDX, 6, "PAE"},
    {LEAF1_EDX, 8, "CMPXCHG8B"},     {LEAF1_EDX, 9, "APIC"}, {LEAF1_EDX, 15, "CMOV"}, {LEAF1_EDX, 16, "PAT"},
    {LEAF1_EDX, 24, "FXSR"},         {LEAF1_EDX, 25, "SSE"}, {LEAF1_EDX, 26, "SSE2"}, {EXTENDED_EDX, 11, "SYSCALL"},
    {EXTENDED_EDX, 29, "long mode"},
};

static uint32_t leaf_edx(uint32_t leaf)
{
	uint32_t regs[4];

	cpuid(leaf & LEAF_EXTENDED, 0, regs);
	if (regs[0] < leaf)
		return 0;
	cpuid(leaf, 0, regs);
	return regs[3];
}

EFI_STATUS cpu_check(struct stub *s)
{
	EFI_STATUS status = EFI_SUCCESS;

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (leaf_edx(needed[i].leaf) >> needed[i].bit & 1)
			continue;
		say(s, "this CPU lacks %s: Tine cannot run on it", needed[i].name);
		status = EFI_UNSUPPORTED;
	}
	if (read_cr4() & CR4_LA57) {
		say(s, "the firmware left 5-level paging on: switch it off in its setup (Tine uses 4 levels)");
		status = EFI_UNSUPPORTED;
	}
	s->tables.nx = leaf_edx(EXTENDED_EDX) >> NX_BIT & 1;
	if (!s->tables.nx)
		say(s, "this CPU has no NX: data will be executable");
	return status;
}

STUB_END
