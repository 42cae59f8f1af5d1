/* kernel/base/cpu_asm.h - offsets and selectors that both C and assembly use; percpu.h and trapframe.h assert them. */
#ifndef TINE_BASE_CPU_ASM_H
#define TINE_BASE_CPU_ASM_H

#define CPU_USER_RSP   8
#define CPU_CURRENT    16
#define CPU_KERNEL_RSP 32

/* GDT selectors. SYSRET wants user data at STAR[63:48]+8 and user code at +16, so data comes first (SDM 3, 5.8.8). */
#define SEL_KERNEL_CODE 0x08
#define SEL_KERNEL_DATA 0x10
#define SEL_USER_DATA   0x2b /* Linux's numbers: __USER_DS 0x2b, __USER_CS 0x33, so that programs see what they know */
#define SEL_USER_CODE   0x33
#define SEL_TSS         0x40

/* struct trapframe (kernel/base/trapframe.h), bytes from its start. */
#define TF_R15    0
#define TF_R14    8
#define TF_R13    16
#define TF_R12    24
#define TF_RBP    32
#define TF_RBX    40
#define TF_R11    48
#define TF_R10    56
#define TF_R9     64
#define TF_R8     72
#define TF_RAX    80
#define TF_RCX    88
#define TF_RDX    96
#define TF_RSI    104
#define TF_RDI    112
#define TF_VECTOR 120
#define TF_ERROR  128
#define TF_RIP    136
#define TF_CS     144
#define TF_RFLAGS 152
#define TF_RSP    160
#define TF_SS     168
#define TF_SIZE   176

#endif
