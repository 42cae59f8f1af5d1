/*
 * kernel/syscall.h - system calls: from the registers to the functions.
 *
 * Role         syscall_entry.S calls syscall_enter(frame), which finds the call by its number in one array.
 * Invariants   1. Interrupts are on while a call runs.
 *              2. Bits 63 to 32 of the number are ignored, as on Linux.
 * Failure      An unknown number is -ENOSYS, counted, and logged the first time.
 */
#ifndef TINE_KERNEL_SYSCALL_H
#define TINE_KERNEL_SYSCALL_H

#include "kernel/base/trapframe.h"

#define SYSCALL_LIMIT 512 /* one past the highest number that is counted */

/*
 * Called by syscall_entry.S: runs the call and what must happen before user mode. True: the straight path back, by SYSRET,
 * with what Win64 calls preserve left as it is in the registers. So a call that rewrites the frame (exec, sigreturn) sets
 * `error` to -1, which says "no system call" and leads to the full way back.
 */
bool syscall_enter(struct trapframe *tf);

/* How often programs asked for a number that is not there; for /proc. */
uint32_t syscall_unknown_count(unsigned number);

#endif
