/*
 * tests/host/shim/kernel/base/cpu.h - the privileged instructions that mm/ uses, on the simulated CPU of
 * tests/host/machine/mmu.c. Interrupts there are none.
 */
#ifndef TINE_BASE_CPU_H
#define TINE_BASE_CPU_H

#include "kernel/base/types.h"

uint64_t read_cr3(void);
void write_cr3(uint64_t v);
void invlpg(uint64_t va);

#define XCR0_AVX    (1ull << 2)
#define XCR0_AVX512 (7ull << 5)

/* No AVX: page_copy_avx() is assembly for another calling convention. */
static const struct {
	uint64_t xcr0;
} cpu_features;

static inline uint64_t read_tsc(void) { return __builtin_ia32_rdtsc(); }
static inline void cpu_pause(void) {}
static inline uint64_t irq_save(void) { return 0; }
static inline void irq_restore(uint64_t flags) { (void)flags; }

#endif
