/*
 * kernel/time.h - how fast the time stamp counter runs, and what the wall clock says.
 *
 * Role         time_init() finds the TSC's frequency by the first source that works: CPUID 15h and 16h, the hypervisor's
 *              leaf, HPET, ACPI PM timer, PIT; then starts kernel/base/clock.h with it. The boot log names the source.
 * Invariants   1. Every wait is bounded by a number of reads, whatever the hardware does.
 * Failure      No source: 1 GHz is assumed, with a warning.
 * Not handled  A TSC whose rate changes (before 2008).
 */
#ifndef TINE_KERNEL_TIME_H
#define TINE_KERNEL_TIME_H

#include "efi/boot_info.h"

void time_init(const struct boot_info *info);

#endif
