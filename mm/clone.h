/*
 * mm/clone.h - what fork does to an address space.
 *
 * Role         space_clone() builds a child whose pages read as the parent's did at the call. One engine, a policy per region:
 *                copy    new frames for every private page, contents copied through windows         (Option 1)
 *                cow     every private frame shared, write-protected on both sides                  (Option 2)
 *                hybrid  what the region forbids to write is shared, the rest copied at once        (Option 3)
 *                tree    subtrees of page tables shared whole where they are large, copied as by cow where small; a few pages
 *                        that both sides are about to write copied at once (mm/hot.h)
 *              The parent's tables are read through the recursive slot, the child's written through windows: one walk down the
 *              tree, a table at a time. Only where pages fare differently by region does anybody look at the regions.
 * Invariants   1. Those of mm/paging.h, for parent and child, at the return.
 *              2. MAP_SHARED pages stay shared; MADV_DONTFORK regions are absent; MADV_WIPEONFORK regions are there and empty.
 * Locks        Takes parent->lock. The child is not visible to anybody.
 * Failure      -ENOMEM: everything is reserved before the parent is touched, so nothing of the child remains, and the parent's
 *              entries and all counts are as before.
 */
#ifndef TINE_MM_CLONE_H
#define TINE_MM_CLONE_H

#include "kernel/base/options.h"
#include "mm/space.h"

/*
 * `tree` copies a table with no more entries than this, since the copies that own() would make later cost more than these entries now:
 * L1 tables under an L2 table, leaves in an L1 table. L3 tables are copied whatever they hold. What others share already is shared once
 * more. The stack pointer's path is copied, as both sides write there at once; but an L2 table with more than CLONE_FEW_LEAVES tables
 * below is shared even so: to share each of them costs more than the one copy that own() makes.
 */
#define CLONE_FEW_TABLES 4
#define CLONE_FEW_LEAVES 64

static ALWAYS_INLINE bool clone_copies_table(const struct frame *table, int level)
{
	unsigned n = table->npresent;

	return n <= CLONE_FEW_TABLES || level >= 3 || (level == 1 && n <= CLONE_FEW_LEAVES);
}

/* The parent is the current space. `stack` is its stack pointer: `tree` copies the page under it. */
MUST_CHECK int space_clone(struct space *parent, enum fork_policy policy, uaddr_t stack, struct space **ret_child);

#endif
