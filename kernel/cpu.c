/* kernel/cpu.c - see cpu.h. CPUID leaves: SDM 2A, CPUID; control registers: SDM 3, 2.5. */
#include "kernel/cpu.h"

#include "kernel/base/print.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"

struct cpu_features cpu_features;
bool cpu_smap;

static struct cpu boot_cpu;

void syscall_entry(void); /* kernel/syscall_entry.S */

void cpu_gs_init(void)
{
	boot_cpu.self = &boot_cpu;
	write_msr(MSR_GS_BASE, (uint64_t)&boot_cpu);
	write_msr(MSR_KERNEL_GS, 0);
}

static bool bit(uint32_t word, unsigned n) { return word >> n & 1; }

static void detect_version(struct cpu_features *f, uint32_t eax)
{
	f->family = eax >> 8 & 15;
	f->model = eax >> 4 & 15;
	f->stepping = eax & 15;
	if (f->family == 6 || f->family == 15)
		f->model |= eax >> 12 & 0xf0;
	if (f->family == 15)
		f->family += eax >> 20 & 0xff;
}

static void detect_basic(struct cpu_features *f)
{
	uint32_t r[4], max;

	cpuid(0, 0, r);
	max = r[0];
	memcpy(f->vendor, &r[1], 4);
	memcpy(f->vendor + 4, &r[3], 4);
	memcpy(f->vendor + 8, &r[2], 4);
	cpuid(1, 0, r);
	detect_version(f, r[0]);
	f->leaf1_edx = r[3];
	f->pge = bit(r[3], 13);
	f->x2apic = bit(r[2], 21);
	f->xsave = bit(r[2], 26);
	f->rdrand = bit(r[2], 30);
	if (max >= 7) {
		cpuid(7, 0, r);
		f->fsgsbase = bit(r[1], 0);
		f->smep = bit(r[1], 7);
		f->erms = bit(r[1], 9);
		f->rdseed = bit(r[1], 18);
		f->smap = bit(r[1], 20);
		f->umip = bit(r[2], 2);
	}
	if (f->xsave && max >= 13) {
		cpuid(13, 1, r);
		f->xsaveopt = bit(r[0], 0);
	}
}

static void detect_brand(struct cpu_features *f)
{
	uint32_t r[4];

	for (uint32_t i = 0; i < 3; i++) {
		cpuid(0x80000002u + i, 0, r);
		memcpy(f->brand + 16 * i, r, 16);
	}
	size_t skip = 0;
	while (f->brand[skip] == ' ')
		skip++;
	memmove(f->brand, f->brand + skip, sizeof(f->brand) - skip);
}

static void detect_extended(struct cpu_features *f)
{
	uint32_t r[4], max;

	cpuid(0x80000000u, 0, r);
	max = r[0];
	f->phys_bits = 36;
	if (max >= 0x80000001u) {
		cpuid(0x80000001u, 0, r);
		f->nx = bit(r[3], 20);
		f->gib_pages = bit(r[3], 26);
	}
	if (max >= 0x80000004u)
		detect_brand(f);
	if (max >= 0x80000007u) {
		cpuid(0x80000007u, 0, r);
		f->invariant_tsc = bit(r[3], 8);
	}
	if (max >= 0x80000008u) {
		cpuid(0x80000008u, 0, r);
		f->phys_bits = r[0] & 0xff;
	}
}

void cpu_detect(void)
{
	detect_basic(&cpu_features);
	detect_extended(&cpu_features);
}

/* PE, ET and PG besides what cpu.h names; CD and NW are 0: caches on. */
#define CR0_WHOLE (1u << 31 | 1u << 4 | 1u | CR0_MP | CR0_NE | CR0_WP | CR0_AM)

void cpu_enable(void)
{
	const struct cpu_features *f = &cpu_features;
	uint64_t cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	cr4 |= bit(f->leaf1_edx, 7) ? CR4_MCE : 0;
	cr4 |= f->pge ? CR4_PGE : 0;
	cr4 |= f->umip ? CR4_UMIP : 0;
	cr4 |= f->fsgsbase ? CR4_FSGSBASE : 0;
	cr4 |= f->xsave ? CR4_OSXSAVE : 0;
	cr4 |= f->smep ? CR4_SMEP : 0;
	cr4 |= f->smap ? CR4_SMAP : 0;
	write_cr0(CR0_WHOLE);
	write_cr4(cr4);
	write_msr(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | (f->nx ? EFER_NXE : 0));
	cpu_smap = f->smap;
}

bool cpu_syscall_init(void)
{
	uint32_t r[4];

	cpuid(0x80000001u, 0, r);
	if (!bit(r[3], 11))
		return false;
	/* SYSRET adds 8 and 16 to the upper selector for SS and CS. */
	write_msr(MSR_STAR, (uint64_t)(SEL_USER_DATA - 8) << 48 | (uint64_t)SEL_KERNEL_CODE << 32);
	write_msr(MSR_LSTAR, (uint64_t)syscall_entry);
	write_msr(MSR_SFMASK, RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | RFLAGS_AC | RFLAGS_NT | RFLAGS_IOPL | RFLAGS_RF);
	return true;
}

/* Ten tries: the SDM's advice for an instruction that may come up empty (1, 7.3.17). */
static bool read_rdrand(uint64_t *ret_value)
{
	bool ok = false;

	for (int tries = 0; tries < 10 && !ok; tries++)
		__asm__ volatile("rdrand %0" : "=r"(*ret_value), "=@ccc"(ok));
	return ok;
}

static bool read_rdseed(uint64_t *ret_value)
{
	bool ok = false;

	for (int tries = 0; tries < 10 && !ok; tries++)
		__asm__ volatile("rdseed %0" : "=r"(*ret_value), "=@ccc"(ok));
	return ok;
}

void random_seed_from_cpu(void)
{
	uint64_t word = read_tsc();

	random_seed(&word, sizeof(word));
	for (int i = 0; i < 4; i++) {
		if ((cpu_features.rdseed && read_rdseed(&word)) || (cpu_features.rdrand && read_rdrand(&word)))
			random_seed(&word, sizeof(word));
	}
}

void cpu_log(void)
{
	const struct cpu_features *f = &cpu_features;

	pr_info("smpboot: CPU0: %s (family: %#x, model: %#x, stepping: %#x)", *f->brand ? f->brand : f->vendor,
		f->family, f->model, f->stepping);
	pr_info("cpu: protections:%s%s%s%s%s", f->nx ? " NX" : "", f->smep ? " SMEP" : "", f->smap ? " SMAP" : "",
		f->umip ? " UMIP" : "", " WP");
	if (!f->nx)
		pr_warn("cpu: no NX: data is executable");
}
