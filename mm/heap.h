/*
 * mm/heap.h - the kernel heap.
 *
 * Role         Small objects from size classes of one page each; large ones as whole pages of the heap's address range.
 * Invariants   1. A block of a size class is aligned to 16 bytes, to 64 if its size is a multiple of 64; a large one to
 * a page.
 *              2. A page that has no live block goes back to the frame allocator, but for one such page a class.
 * Locks        LOCK_HEAP, then LOCK_KMAP and LOCK_FRAME inside. Not from interrupt handlers.
 * Failure      NULL: the caller returns -ENOMEM. A bad or double free is a broken invariant (ASSERT).
 */
#ifndef TINE_MM_HEAP_H
#define TINE_MM_HEAP_H

#include "kernel/base/types.h"

MUST_CHECK void *kmalloc(size_t n);
MUST_CHECK void *kzalloc(size_t n);
void kfree(void *p); /* NULL is fine */

/* Frames that the heap holds now: with free blocks between live ones they are more than the live blocks need. */
uint64_t heap_frames(void);

#endif
