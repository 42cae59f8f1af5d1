/*
 * mm/clone.h - what fork does to an address space.
 *
 * Role         space_clone() builds a child whose pages read as the parent's did at the call. One engine, a policy per region:
 *                copy    new frames for every private page, contents copied through windows         (Option 1)
 *                cow     every private frame shared, write-protected on both sides                  (Option 2)
 *                hybrid  what the region forbids to write is shared, the rest copied at once        (Option 3)
 *                tree    subtrees of page tables shared whole where they are large, copied as by cow where small
 *              The parent's tables are read through the recursive slot, the child's written through windows.
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

/* The parent is the current space. `hot` is an address that both will write at once (the stack pointer): `tree` copies its page. */
MUST_CHECK int space_clone(struct space *parent, enum fork_policy policy, uaddr_t hot, struct space **ret_child);

#endif
