/*
 * kernel/base/cpu.h - x86-64 instructions that C has no words for, and what the CPU of this boot can do.
 *
 * Role         Thin inline wrappers, one instruction each. Sources: Intel SDM vol. 2 and 3, AMD APM vol. 2 and 3.
 * Not handled  Nothing here checks that the CPU has the feature: cpu_has() says so (setting a CR4 bit that CPUID lacks
 * is #GP, and hangs QEMU's TCG).
 */
#ifndef TINE_BASE_CPU_H
#define TINE_BASE_CPU_H

#include "kernel/base/types.h"

#define MSR_APIC_BASE 0x0000001bu
#define MSR_PAT       0x00000277u
#define MSR_EFER      0xc0000080u
#define MSR_STAR      0xc0000081u
#define MSR_LSTAR     0xc0000082u
#define MSR_SFMASK    0xc0000084u
#define MSR_FS_BASE   0xc0000100u
#define MSR_GS_BASE   0xc0000101u
#define MSR_KERNEL_GS 0xc0000102u

#define EFER_SCE 0x001u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define EFER_NXE 0x800u

#define CR0_MP         0x00000002u
#define CR0_EM         0x00000004u
#define CR0_TS         0x00000008u
#define CR0_NE         0x00000020u
#define CR0_WP         0x00010000u
#define CR0_AM         0x00040000u
#define CR4_PAE        0x00000020u
#define CR4_MCE        0x00000040u
#define CR4_PGE        0x00000080u
#define CR4_OSFXSR     0x00000200u
#define CR4_OSXMMEXCPT 0x00000400u
#define CR4_UMIP       0x00000800u
#define CR4_LA57       0x00001000u
#define CR4_FSGSBASE   0x00010000u
#define CR4_OSXSAVE    0x00040000u
#define CR4_SMEP       0x00100000u
#define CR4_SMAP       0x00200000u

#define RFLAGS_CF    0x000001u
#define RFLAGS_FIXED 0x000002u
#define RFLAGS_TF    0x000100u
#define RFLAGS_IF    0x000200u
#define RFLAGS_DF    0x000400u
#define RFLAGS_IOPL  0x003000u
#define RFLAGS_NT    0x004000u
#define RFLAGS_RF    0x010000u
#define RFLAGS_AC    0x040000u

/* What cpu_detect() found. One bit each; kernel/cpu.c fills it once at boot, before any other user. [I] afterwards. */
/* Components of the extended state (SDM 1, 13.1). */
#define XCR0_X87    (1ull << 0)
#define XCR0_SSE    (1ull << 1)
#define XCR0_AVX    (1ull << 2)
#define XCR0_AVX512 (7ull << 5)

struct cpu_features {
	bool nx, smep, smap, umip, fsgsbase, xsave, xsaveopt, erms, gib_pages, rdrand, rdseed, invariant_tsc, x2apic,
	    pge;
	uint32_t xsave_size; /* bytes of the XSAVE area for the components in xcr0; 512 where XSAVE is missing */
	uint64_t xcr0;       /* components enabled */
	uint32_t leaf1_edx;  /* AT_HWCAP */
	unsigned phys_bits;  /* MAXPHYADDR */
	char vendor[13], brand[49];
	uint32_t family, model, stepping;
};
extern struct cpu_features cpu_features;

static inline uint64_t read_cr0(void)
{
	uint64_t v;
	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}
static inline uint64_t read_cr2(void)
{
	uint64_t v;
	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}
static inline uint64_t read_cr3(void)
{
	uint64_t v;
	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}
static inline uint64_t read_cr4(void)
{
	uint64_t v;
	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}
static inline void write_cr0(uint64_t v) { __asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory"); }
static inline void write_cr3(uint64_t v) { __asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory"); }
static inline void write_cr4(uint64_t v) { __asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory"); }

static inline void invlpg(uint64_t va) { __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory"); }

static inline uint64_t read_msr(uint32_t msr)
{
	uint32_t lo, hi;
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void write_msr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
	__asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(sub));
}

static inline uint64_t read_tsc(void)
{
	uint32_t lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static inline void outb(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory"); }
static inline void outl(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}
static inline uint8_t inb(uint16_t port)
{
	uint8_t v;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}
static inline uint32_t inl(uint16_t port)
{
	uint32_t v;
	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline void cpu_pause(void) { __asm__ volatile("pause" : : : "memory"); }
static inline void irq_enable(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void irq_disable(void) { __asm__ volatile("cli" : : : "memory"); }

static inline uint64_t irq_save(void)
{
	uint64_t flags;
	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

static inline void irq_restore(uint64_t flags)
{
	if (flags & RFLAGS_IF)
		irq_enable();
}

#endif
