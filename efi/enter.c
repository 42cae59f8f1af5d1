/* efi/enter.c - out of the firmware's world: control registers in full, then the jump. Boot services are gone. */
#include "efi/stub.h"
#include "kernel/base/cpu.h"

#define CR0_PE 0x00000001ull
#define CR0_ET 0x00000010ull
#define CR0_PG 0x80000000ull

uint8_t boot_stack[BOOT_STACK_SIZE] ALIGNED(16);

STUB_BEGIN

/* Where the kernel's copy has what the running image has at p. */
static uint64_t kernel_address(const struct stub *s, const void *p)
{
	return (uint64_t)p - (uint64_t)s->loaded->ImageBase + s->info->image_base.v;
}

/* Nothing is or-ed into what firmware left: CET, PCID, SVM and the like are off from here on. */
static void control_registers_set(const struct stub *s)
{
	write_cr4(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT);
	write_cr0(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
	write_msr(MSR_EFER, EFER_LME | EFER_LMA | (s->tables.nx ? EFER_NXE : 0));
}

NORETURN void kernel_enter(struct stub *s)
{
	debugcon_report(s);
	s->info->messages = block_copy(s, s->messages, s->message_length + 1);
	if (!s->info->messages)
		s->info->messages = block_virtual(s, s->cmdline + STUB_CMDLINE_MAX - 1);
	control_registers_set(s);
	switch_space(s->tables.root, kernel_address(s, (const void *)space_entered), block_virtual(s, s->info),
		     kernel_address(s, boot_stack) + BOOT_STACK_SIZE);
}

STUB_END
