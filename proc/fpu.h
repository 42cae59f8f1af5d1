/*
 * proc/fpu.h - x87, SSE and AVX state, one area a thread.
 *
 * Role         Kernel code uses no FPU registers, so they hold the state of the user thread that runs; the context
 *              switch saves and restores them. Areas have XSAVE's standard format (SDM 1, 13.4), or FXSAVE's where XSAVE
 *              is missing. Signal frames carry the same image in Linux's form (struct _fpx_sw_bytes of asm/sigcontext.h).
 * Invariants   1. An area is cpu_features.xsave_size bytes, aligned to 64.
 *              2. current()'s area is older than its registers: fpu_save() first, then look. XSAVEOPT may skip what it
 *                 wrote there last time, so an area that was changed by hand is loaded (fpu_restore) before the next save.
 * Failure      An image that a user program made up is refused with -EFAULT (as Linux): the registers are as before.
 */
#ifndef TINE_PROC_FPU_H
#define TINE_PROC_FPU_H

#include "kernel/base/addr.h"
#include "kernel/base/types.h"

/* Chooses XCR0 and the size of areas, and loads the initial state. After cpu_enable(). */
void fpu_init(void);

/* An area in the initial state (CW 0x37f, MXCSR 0x1f80). NULL: out of memory. */
MUST_CHECK void *fpu_alloc(void);
void fpu_free(void *area);
void fpu_reset_area(void *area);

void fpu_save(void *area);
void fpu_restore(const void *area);
/* The area of a forked child gets the registers of the thread that runs. */
void fpu_clone_current(void *child_area);

/* Bytes of a signal frame's image, and its alignment. */
size_t fpu_frame_size(void);
#define FPU_FRAME_ALIGN 64
/* Writes the registers as such an image. -EFAULT. */
MUST_CHECK int fpu_to_user(uaddr_t image);
/* Loads one; image 0 means the initial state. -EFAULT, -ENOMEM. */
MUST_CHECK int fpu_from_user(uaddr_t image);

/* FPE_* for the floating-point exception that the registers show. */
int fpu_fault_code(bool simd);

#endif
