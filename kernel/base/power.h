/*
 * kernel/base/power.h - the end of a run.
 *
 * Role         power_off(status) ends QEMU with `status` where exit= names its debug-exit port, else it asks the
 *              firmware (EFI ResetSystem), else it halts with a message. power_restart() likewise.
 * Invariants   1. The firmware is called with interrupts off, the FPU state saved, and with its regions in the current
 *              page tables: they are in the kernel half.
 */
#ifndef TINE_BASE_POWER_H
#define TINE_BASE_POWER_H

#include "kernel/base/types.h"

/* Remembers the firmware's runtime services: EFI_RUNTIME_SERVICES, or NULL. */
void power_init(const void *runtime_services);

NORETURN void power_off(uint8_t status);
NORETURN void power_restart(void);
NORETURN void power_halt(void);
/* As panic= says: restart, or power off with a failure code. */
NORETURN void power_after_panic(void);

#endif
