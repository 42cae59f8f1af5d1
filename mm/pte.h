/*
 * mm/pte.h - page-table entries as a type.
 *
 * Role         One entry of any level (Intel SDM 3, tables 4-15 to 4-20). The bits and the few questions one asks of them.
 * Invariants   1. An entry is changed by one 8-byte store: the CPU may read it at any time.
 *              2. Bits 9-11 are software's: PTE_SHARED marks a leaf of a MAP_SHARED mapping, whose frame is never copied.
 */
#ifndef TINE_MM_PTE_H
#define TINE_MM_PTE_H

#include "kernel/base/addr.h"

typedef struct {
	uint64_t v;
} pte_t;

#define PTE_P      ((uint64_t)1 << 0)
#define PTE_W      ((uint64_t)1 << 1)
#define PTE_U      ((uint64_t)1 << 2)
#define PTE_PWT    ((uint64_t)1 << 3)
#define PTE_PCD    ((uint64_t)1 << 4)
#define PTE_A      ((uint64_t)1 << 5)
#define PTE_D      ((uint64_t)1 << 6)
#define PTE_PS     ((uint64_t)1 << 7)
#define PTE_SHARED ((uint64_t)1 << 9)
#define PTE_HELD   ((uint64_t)1 << 10)
#define PTE_NX     ((uint64_t)1 << 63)
#define PTE_FRAME  0x000ffffffffff000ull

#define ENTRIES 512 /* per table */

/* Bytes that one entry of a level-`level` table translates: 4 KiB, 2 MiB, 1 GiB, 512 GiB. */
static ALWAYS_INLINE uint64_t entry_span(int level) { return (uint64_t)1 << (PAGE_SHIFT + 9 * (level - 1)); }

static ALWAYS_INLINE unsigned entry_index(uint64_t va, int level)
{
	return va >> (PAGE_SHIFT + 9 * (level - 1)) & (ENTRIES - 1);
}

static ALWAYS_INLINE pte_t pte_make(pfn_t frame, uint64_t bits) { return (pte_t){frame.v << PAGE_SHIFT | bits}; }

static ALWAYS_INLINE pfn_t pte_frame(pte_t e) { return PFN((e.v & PTE_FRAME) >> PAGE_SHIFT); }

static ALWAYS_INLINE bool pte_present(pte_t e) { return e.v & PTE_P; }

static ALWAYS_INLINE bool pte_mapped(pte_t e) { return e.v & (PTE_P | PTE_HELD); }

static ALWAYS_INLINE bool pte_writable(pte_t e) { return e.v & PTE_W; }

static ALWAYS_INLINE bool pte_shared(pte_t e) { return e.v & PTE_SHARED; }

static ALWAYS_INLINE pte_t pte_without(pte_t e, uint64_t bits) { return (pte_t){e.v & ~bits}; }

static ALWAYS_INLINE pte_t pte_with(pte_t e, uint64_t bits) { return (pte_t){e.v | bits}; }

static ALWAYS_INLINE pte_t pte_read(const pte_t *slot) { return (pte_t){__atomic_load_n(&slot->v, __ATOMIC_RELAXED)}; }

static ALWAYS_INLINE void pte_write(pte_t *slot, pte_t e) { __atomic_store_n(&slot->v, e.v, __ATOMIC_RELEASE); }

#define PTE_NONE ((pte_t){0})

#endif
