/*
 * kernel/panic.h - how the kernel ends: reports besides the reason.
 *
 * Role         panic() (kernel/base/panic.h) starts at its caller; panic_trap() at the registers of an exception.
 *              The report: reason, thread, registers, control registers, a backtrace with names, where the image runs.
 * Invariants   1. A second panic inside the first prints one line and stops: no recursion.
 *              2. Nothing here takes a lock.
 */
#ifndef TINE_KERNEL_PANIC_H
#define TINE_KERNEL_PANIC_H

#include "kernel/base/panic.h"
#include "kernel/base/trapframe.h"

NORETURN PRINTF(2, 3) void panic_trap(const struct trapframe *tf, const char *fmt, ...);
/* Prints the calls that led here. */
void backtrace_log(void);

/* Gives the stack protector's guard a random value. Before any protected function that returns. */
void stack_guard_init(uint64_t random);

#endif
