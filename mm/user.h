/*
 * mm/user.h - copies between the kernel and the memory of the current user space.
 *
 * Role         The only way to touch what a uaddr_t names. Any pointer is survived: the range is checked against USER_END, and a page
 *              fault inside the copy that mm/fault.h cannot resolve ends the copy early (exception table: user_fixup()).
 * Invariants   1. The caller may hold locks of a rank below LOCK_SPACE; never one of LOCK_SPACE or above (a fault takes it).
 *              2. The copy may fault, so it may change any of the space's page tables, but it never sleeps.
 * Failure      -EFAULT, or a short count; bytes already copied stay copied, as on Linux.
 */
#ifndef TINE_MM_USER_H
#define TINE_MM_USER_H

#include "kernel/base/addr.h"

/* All or -EFAULT. */
MUST_CHECK int copy_from_user(void *dst, uaddr_t src, size_t n);
MUST_CHECK int copy_to_user(uaddr_t dst, const void *src, size_t n);

/* As far as it goes: the number of bytes copied. */
MUST_CHECK size_t user_read(void *dst, uaddr_t src, size_t n);
MUST_CHECK size_t user_write(uaddr_t dst, const void *src, size_t n);
MUST_CHECK size_t user_zero(uaddr_t dst, size_t n);

/* A NUL-terminated string into dst[size]: its length without the NUL, -EFAULT, or -ENAMETOOLONG when size bytes hold no
 * NUL. */
MUST_CHECK int64_t user_string(char *dst, uaddr_t src, size_t size);

/* One 32- or 64-bit word. */
MUST_CHECK int user_get_u64(uaddr_t src, uint64_t *ret);
MUST_CHECK int user_put_u64(uaddr_t dst, uint64_t v);
static inline MUST_CHECK int user_get_u32(uaddr_t src, uint32_t *ret) { return copy_from_user(ret, src, sizeof(*ret)); }
static inline MUST_CHECK int user_put_u32(uaddr_t dst, uint32_t v) { return copy_to_user(dst, &v, sizeof(v)); }

/* Says whether STAC and CLAC exist (and CR4.SMAP is set). Boot. */
void user_access_init(bool smap);

/* For the trap handler: where to go on after a fault at kernel address `rip`, or 0 if none of ours faulted there. */
uint64_t user_fixup(uint64_t rip);

#endif
