/*
 * kernel/base/syscalls.h - the prototypes of all system calls, made from the one table.
 *
 * Role         kernel/base/syscall_table.h lists each call once: Sn(name, type, argument, ...) with n arguments. From it
 *              come these prototypes, so that a definition that does not fit is a compile error, and (kernel/syscall.c)
 *              the code that takes the arguments from the registers and the dispatch array.
 * To add one   A row in the table, in the part of its folder; `int64_t sys_NAME(...)` in a .c file that includes this.
 *              Pointers are uaddr_t. The value is what the program gets: a result or -errno. A call that needs more of
 *              the registers than its arguments uses thread_frame(current()); what it returns lands in rax all the same.
 */
#ifndef TINE_BASE_SYSCALLS_H
#define TINE_BASE_SYSCALLS_H

#include "kernel/base/addr.h"
#include "kernel/base/types.h"

#define S0(name)                                     int64_t sys_##name(void);
#define S1(name, A, a)                               int64_t sys_##name(A a);
#define S2(name, A, a, B, b)                         int64_t sys_##name(A a, B b);
#define S3(name, A, a, B, b, C, c)                   int64_t sys_##name(A a, B b, C c);
#define S4(name, A, a, B, b, C, c, D, d)             int64_t sys_##name(A a, B b, C c, D d);
#define S5(name, A, a, B, b, C, c, D, d, E, e)       int64_t sys_##name(A a, B b, C c, D d, E e);
#define S6(name, A, a, B, b, C, c, D, d, E, e, F, f) int64_t sys_##name(A a, B b, C c, D d, E e, F f);
#include "kernel/base/syscall_table.h"
#undef S0
#undef S1
#undef S2
#undef S3
#undef S4
#undef S5
#undef S6

#endif
