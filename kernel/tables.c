/* kernel/tables.c - GDT, TSS and IDT, built in C (SDM 3, 3.4.5, 6.14.1, 8.7). */
#include "kernel/base/string.h"
#include "kernel/cpu.h"

#define DESC_PRESENT   (1ull << 47)
#define DESC_USER      (3ull << 45)
#define DESC_SEGMENT   (1ull << 44)
#define DESC_CODE      (0xbull << 40) /* execute, read, accessed */
#define DESC_DATA      (0x3ull << 40) /* read, write, accessed */
#define DESC_TSS       (0x9ull << 40)
#define DESC_LONG_MODE (1ull << 53)
#define GATE_INTERRUPT 0x8e /* present, DPL 0, 64-bit interrupt gate */
#define GATE_USER      0x60 /* DPL 3 */

#define GDT_ENTRIES    (SEL_TSS / 8 + 2)
#define IST_STACK_SIZE KIB(8)
#define VECTORS        256
#define STUB_SIZE      16

struct PACKED table_register {
	uint16_t limit;
	uint64_t base;
};

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};

extern const char trap_stubs[]; /* kernel/trap.S */

static uint64_t gdt[GDT_ENTRIES];
static struct gate idt[VECTORS];
static ALIGNED(16) char ist_stacks[IST_COUNT][IST_STACK_SIZE];

static void build_gdt(const struct tss *tss)
{
	uint64_t base = (uint64_t)tss;

	gdt[SEL_KERNEL_CODE / 8] = DESC_PRESENT | DESC_SEGMENT | DESC_CODE | DESC_LONG_MODE;
	gdt[SEL_KERNEL_DATA / 8] = DESC_PRESENT | DESC_SEGMENT | DESC_DATA;
	gdt[SEL_USER_DATA / 8] = DESC_PRESENT | DESC_SEGMENT | DESC_DATA | DESC_USER;
	gdt[SEL_USER_CODE / 8] = DESC_PRESENT | DESC_SEGMENT | DESC_CODE | DESC_USER | DESC_LONG_MODE;
	gdt[SEL_TSS / 8] =
	    DESC_PRESENT | DESC_TSS | (sizeof(struct tss) - 1) | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	gdt[SEL_TSS / 8 + 1] = base >> 32;
}

static void build_tss(struct cpu *cpu)
{
	memset(&cpu->tss, 0, sizeof(cpu->tss));
	cpu->tss.io_map = sizeof(cpu->tss);
	for (unsigned i = 0; i < IST_COUNT; i++) {
		struct cpu **top = (struct cpu **)(ist_stacks[i] + IST_STACK_SIZE - 16);
		*top = cpu;
		cpu->tss.ist[i] = (uint64_t)top;
	}
}

bool cpu_on_ist_stack(uint64_t addr) { return addr - (uint64_t)ist_stacks < sizeof(ist_stacks); }

static uint8_t vector_ist(unsigned vector)
{
	switch (vector) {
	case 1:
		return IST_DEBUG;
	case 2:
		return IST_NMI;
	case 8:
		return IST_DOUBLE_FAULT;
	case 18:
		return IST_MACHINE_CHECK;
	default:
		return 0;
	}
}

static void build_idt(void)
{
	for (unsigned v = 0; v < VECTORS; v++) {
		uint64_t stub = (uint64_t)trap_stubs + STUB_SIZE * v;
		bool from_user = v == 3 || v == 4; /* INT3, INTO */
		idt[v] = (struct gate){.offset_low = (uint16_t)stub,
				       .selector = SEL_KERNEL_CODE,
				       .ist = vector_ist(v),
				       .type = GATE_INTERRUPT | (from_user ? GATE_USER : 0),
				       .offset_mid = (uint16_t)(stub >> 16),
				       .offset_high = (uint32_t)(stub >> 32)};
	}
}

/* The far return loads CS. The data selectors are null: 64-bit mode looks at SS in privilege changes only. FS and GS
   are not touched, since loading them clears their bases. */
static void load_gdt(void)
{
	struct table_register r = {sizeof(gdt) - 1, (uint64_t)gdt};

	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %2, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es"
			 :
			 : "m"(r), "i"(SEL_KERNEL_CODE), "i"(SEL_KERNEL_DATA)
			 : "rax", "memory");
}

void cpu_tables_init(void)
{
	struct table_register r = {sizeof(idt) - 1, (uint64_t)idt};

	build_tss(this_cpu());
	build_gdt(&this_cpu()->tss);
	build_idt();
	load_gdt();
	__asm__ volatile("lidt %0" : : "m"(r));
	__asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
	__asm__ volatile("lldt %w0" : : "r"(0));
}
