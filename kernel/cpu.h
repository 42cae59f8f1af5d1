/*
 * kernel/cpu.h - bringing a CPU from the firmware's state to ours.
 *
 * Role         cpu_detect() fills cpu_features from CPUID; cpu_enable() writes CR0, CR4, EFER and XCR0 whole, each bit
 *              only where CPUID has it; cpu_tables_init() loads our GDT, TSS and IDT.
 * Invariants   1. GS.base names the CPU's struct cpu from cpu_gs_init() on, before anything takes a lock.
 *              2. Each stack of the interrupt stack table ends with the address of that struct: trap.S reads it where
 *              GS cannot be trusted.
 */
#ifndef TINE_KERNEL_CPU_H
#define TINE_KERNEL_CPU_H

#include "kernel/base/cpu.h"
#include "kernel/base/percpu.h"

extern bool cpu_smap; /* SMAP is on; read by kernel/entry.h */

/* The boot CPU's struct cpu becomes what GS names. */
void cpu_gs_init(void);
void cpu_detect(void);
void cpu_enable(void);
/* The SYSCALL registers: entry point, selectors, flags to clear. False: this CPU has no SYSCALL. */
MUST_CHECK bool cpu_syscall_init(void);
void cpu_tables_init(void);
/* Mixes RDSEED's or RDRAND's output into the random generator. */
void random_seed_from_cpu(void);
/* One line each on what was found, as Linux words it. */
void cpu_log(void);

/* IST numbers (1 to 7) of the vectors with stacks of their own. */
enum { IST_DOUBLE_FAULT = 1, IST_NMI, IST_MACHINE_CHECK, IST_DEBUG, IST_COUNT = 4 };
/* Is `addr` on one of this CPU's interrupt stacks? */
bool cpu_on_ist_stack(uint64_t addr);

#endif
