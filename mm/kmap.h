/*
 * mm/kmap.h - the kernel's own mappings: heap pages, kernel stacks, devices, frame records.
 *
 * Role         Puts frames at kernel addresses. The kernel half's L3 tables are made by the stub and shared by all roots, so a
 *              mapping made here is seen from every space.
 * Invariants   1. Nothing here is user-accessible or global; nothing is both writable and executable.
 *              2. The kernel half's tables, once made, stay.
 * Locks        LOCK_KMAP.
 * Failure      -ENOMEM, with nothing mapped.
 * Not handled  Large pages.
 */
#ifndef TINE_MM_KMAP_H
#define TINE_MM_KMAP_H

#include "mm/frame.h"

enum kmap_cache { KMAP_WB, KMAP_UC, KMAP_WC };

/* Records whether NX exists (EFER.NXE is set). Before all else. */
void kmap_init(bool nx);
extern uint64_t kmap_nx_bit;                                        /* [I] after kmap_init() */
static ALWAYS_INLINE uint64_t kmap_nx(void) { return kmap_nx_bit; } /* PTE_NX or 0 */

/* Tables down to L1 for [va, va + size), entries absent. */
MUST_CHECK int kmap_make_tables(vaddr_t va, uint64_t size);
/* One page, read-write, not executable. The address must have no mapping. */
MUST_CHECK int kmap_page(vaddr_t va, pfn_t f, enum kmap_cache cache);
/* Takes the mapping away, flushes it, and returns the frame. */
pfn_t kunmap_page(vaddr_t va);
bool kmap_is_mapped(vaddr_t va);
/* The frame behind a mapped kernel address. */
pfn_t kmap_frame(vaddr_t va);

/* Device registers or firmware tables: a permanent mapping of any physical range, in SLOT_DEVICES. NULL if out of
 * memory. */
MUST_CHECK void *kmap_device(paddr_t start, uint64_t size, enum kmap_cache cache);

/* A kernel stack of KSTACK_SIZE bytes with an unmapped guard page below. -ENOMEM. */
MUST_CHECK int kstack_alloc(vaddr_t *ret_lowest);
void kstack_free(vaddr_t lowest);
#define KSTACK_SIZE KIB(16)
/* Is `addr` in the guard page of a kernel stack? For the double-fault handler's message. */
bool kstack_is_guard(uint64_t addr);

/* Where tables come from before the allocator runs (mm/boot.c); NULL: the allocator. */
void kmap_set_early_source(int (*source)(pfn_t *ret_frame));

#endif
