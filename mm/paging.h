/*
 * mm/paging.h - the user half of an address space as a persistent (path-copying) radix tree of page tables.
 *
 * Role         A table may be named by several entries of several trees. W=0 in an inner entry says "maybe shared"; own() makes the
 *              path to an entry exclusive, by copying what is shared. EVERY change of an entry goes through own(): faults, munmap,
 *              mprotect, brk, mremap, madvise, copies into user memory.
 * Invariants   (FORK.md section 2)
 *              1. An inner entry with W=1 is the only reference to its child table (child.ref == 1).
 *              2. A private leaf with W=1 names a frame with ref == 1.
 *              3. For every frame, ref = references from all live tables, each table counted once, plus explicit holds.
 *              4. Every W 1->0 change of a live entry is followed by a flush before its space runs user code again.
 *              5. A table with ref > 1 is never written, except to clear W while it is being copied, through a window.
 *              6. W=0 in an inner entry means "ask own()", never "this range is read-only": rights are removed at the leaves.
 *              7. A table's npresent is exact, its lines cover every mapped entry (mm/table.h), and no inner entry names an empty
 *                 table, but between own() and what it was called for (paging_prune()).
 * Locks        The caller holds the space's lock; the space is the current one. Tables that are shared between spaces are copied
 *              and given up under the table lock (LOCK_TABLE, inside LOCK_SPACE).
 * Failure      own(): -ENOMEM, with nothing changed that a reader could see. table_put(): none.
 * Not handled  Large pages: nothing here ever makes one.
 */
#ifndef TINE_MM_PAGING_H
#define TINE_MM_PAGING_H

#include "kernel/base/lock.h"
#include "mm/frame.h"

struct space;

/* Bits of an inner entry that owns its table, and of one that may share it. Rights are the leaves' business. */
#define INNER_OWNED  (PTE_P | PTE_W | PTE_U | PTE_A)
#define INNER_SHARED (PTE_P | PTE_U | PTE_A)

/*
 * The level-`level` entry for va in the current space, on a path that no other space shares; missing tables are made.
 * The entry itself may be absent. level 1 is the leaf.
 */
MUST_CHECK int own(struct space *s, uaddr_t va, int level, pte_t **ret_entry);

/* Takes tables on va's path that are still empty out again: own() made them for an entry that could not be had. */
void paging_prune(struct space *s, uaddr_t va);

/*
 * The same for a path that may end early: makes exclusive what is there, creates nothing. After it, entries of the
 * tables on va's path may be changed without a failure.
 */
MUST_CHECK int own_existing(struct space *s, uaddr_t va);

/* The same for every table below [start, end). */
MUST_CHECK int own_range(struct space *s, uaddr_t start, uaddr_t end);

/* 0 if the L1 table for va is there; else the span of the absent entry that ends its path: skip to that boundary. */
uint64_t path_missing(uaddr_t va);

/* Stores a leaf into an owned, absent entry: the table's count follows. */
void leaf_install(struct space *s, uaddr_t va, pte_t *entry, pte_t leaf);

/*
 * Drops every leaf of [start, end) of the current space, and the tables that become empty. The boundary paths were made
 * exclusive by own_existing(). Frames are given back by space_flush(), which the caller owes. Returns the leaves
 * dropped.
 */
uint64_t paging_drop_range(struct space *s, uaddr_t start, uaddr_t end);

/* Mapped leaves of [start, end) of the current space. */
uint64_t paging_count_range(uaddr_t start, uaddr_t end);

/* Empties the current space, which nobody else uses; the same flush is owed. */
void paging_drop_all(struct space *s);

/* Flushes the current space's translations, then frees the frames that were dropped since the last flush. */
void space_flush(struct space *s);

/* Frees the frames that were dropped, where no CPU runs the space: there is nothing to flush. */
void space_free_dead(struct space *s);

/* Drops one reference on a table of `level`; descends only if it was the last. Works on any tree, through windows. */
void table_put(struct space *s, pfn_t table, int level);

/* Leaves below a table, from the counts in the frame records. */
uint64_t table_leaves(pfn_t table, int level);

/*
 * The kernel faulted at `addr`. True if it lies in the recursive window and the access is legal now (a stale
 * translation, forgotten here). A write to a table that is shared is the forgotten own(): panic.
 */
bool paging_window_fault(uint64_t addr, bool write);

extern struct spinlock table_lock;

#endif
