/*
 * kernel/base/addr.h - addresses as types.
 *
 * Role         A physical address, a frame number, a user address and a kernel-virtual address are four types: mixing
 * two is a compile error, and the machine code is that of an integer. All conversions live in this header.
 * Invariants   1. A uaddr_t is never dereferenced: user memory is reached through mm/user.h only.
 *              2. A pfn_t is a frame NUMBER (physical address >> 12), never an address.
 */
#ifndef TINE_BASE_ADDR_H
#define TINE_BASE_ADDR_H

#include "kernel/base/types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((uint64_t)1 << PAGE_SHIFT)
#define PAGE_MASK  (PAGE_SIZE - 1)

typedef struct {
	uint64_t v;
} paddr_t; /* physical, bytes */
typedef struct {
	uint64_t v;
} pfn_t; /* physical, frames of 4 KiB */
typedef struct {
	uint64_t v;
} uaddr_t; /* virtual, user half: never dereferenced */
typedef struct {
	uint64_t v;
} vaddr_t; /* virtual, kernel half */

#define PADDR(x) ((paddr_t){(uint64_t)(x)})
#define PFN(x)   ((pfn_t){(uint64_t)(x)})
#define UADDR(x) ((uaddr_t){(uint64_t)(x)})
#define VADDR(x) ((vaddr_t){(uint64_t)(x)})

/* User addresses end one page below the canonical hole, so that no instruction can end on its edge (SYSRET, SDM
 * 3 5.8.8). */
#define USER_END ((uint64_t)0x00007ffffffff000)

static inline paddr_t pfn_to_paddr(pfn_t f) { return PADDR(f.v << PAGE_SHIFT); }

static inline pfn_t paddr_to_pfn(paddr_t p) { return PFN(p.v >> PAGE_SHIFT); }

static inline uint64_t page_offset(uint64_t addr) { return addr & PAGE_MASK; }

static inline uint64_t pages_for(uint64_t bytes) { return (bytes >> PAGE_SHIFT) + (page_offset(bytes) != 0); }

static inline uaddr_t uaddr_add(uaddr_t a, uint64_t n) { return UADDR(a.v + n); }

static inline void *vaddr_ptr(vaddr_t a) { return (void *)a.v; }

/* True when [a, a + n) lies wholly in the user half; never wraps. */
static inline bool user_range_ok(uaddr_t a, uint64_t n) { return a.v <= USER_END && n <= USER_END - a.v; }

#endif
