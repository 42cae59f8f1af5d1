/*
 * kernel/base/probe.h - instructions that may fault, and say so instead of ending the kernel.
 *
 * Role         Each function is one such instruction; a table in probe_sites.S names its address and where to go on.
 * Invariants   1. The instruction faults with the stack as at the function's entry, so that going on at the failure's
 *              label returns false to the caller.
 * Failure      false: it faulted (#PF, #GP, #UD); nothing was written.
 */
#ifndef TINE_BASE_PROBE_H
#define TINE_BASE_PROBE_H

#include "kernel/base/types.h"

MUST_CHECK bool probe_read_u64(const void *address, uint64_t *ret_value);
MUST_CHECK bool probe_read_msr(uint32_t msr, uint64_t *ret_value);
/* Load FPU state from an image that a user program wrote. `area`: 16-byte (FXRSTOR) or 64-byte (XRSTOR) aligned. */
MUST_CHECK bool probe_fxrstor(const void *area);
MUST_CHECK bool probe_xrstor(const void *area, uint64_t components);

/* For the trap handler: where to go on after a fault at kernel address `rip`, or 0 if it is none of these. */
uint64_t probe_fixup(uint64_t rip);

/* Start of the image: the linker defines it. */
extern const char __ImageBase[];

#endif
