/*
 * mm/frame.h - physical memory, frame by frame.
 *
 * Role         One 16-byte record for each 4 KiB frame of RAM, in an array indexed by frame number, and the allocator: buddy lists
 *              of 4 KiB to 2 MiB behind short stacks of single frames. Page tables have stacks of their own: they come from
 *              arenas of adjacent frames, so that their records are dense, and go back with their contents kept (invariant 5).
 * Invariants   1. `ref` = the number of page-table entries, in distinct tables, that name the frame, plus explicit holds (FORK.md
 *                 section 2; the kernel half's tables and the recursive entry count for nothing). A free frame has 0.
 *              2. A table's `npresent` is the number of its entries in the user half that are mapped, and each of those lies in a
 *                 cache line of eight entries whose bit in `lines` is set (a set bit promises nothing).
 *              3. free = frames on the lists and the stacks; reserved <= free. What is reserved is promised to somebody.
 *              4. Memory below 1 MiB, and whatever the firmware does not call free RAM, never enters the lists.
 *              5. A table is given back with all its user entries absent: the next table starts from it without being zeroed,
 *                 and the next root without its kernel half being filled in (mm/table.h).
 * Locks        LOCK_FRAME covers lists and counts. ref, npresent and lines belong to the owner of the entries that they count:
 *              ref is changed atomically [a], the others under the lock of the table (mm/paging.h).
 * Failure      -ENOMEM; nothing changes. frame_take() from a reservation cannot fail.
 * Not handled  More than 2^32 frames (16 TiB): the boot map is cut there, with a warning.
 */
#ifndef TINE_MM_FRAME_H
#define TINE_MM_FRAME_H

#include "kernel/base/panic.h"
#include "mm/layout.h"

enum frame_kind {
	FRAME_UNUSABLE, /* not RAM, or never given to the allocator */
	FRAME_FREE,
	FRAME_ANON,  /* private memory of user spaces */
	FRAME_CACHE, /* a page of an object (file or shared memory) */
	FRAME_L1,    /* page tables by level; FRAME_L1 + level - 1 */
	FRAME_L2,
	FRAME_L3,
	FRAME_ROOT,
	FRAME_KERNEL, /* heap, stacks, the kernel's own tables */
	FRAME_KINDS
};

struct frame {
	uint32_t ref;      /* [a] */
	uint16_t npresent; /* tables: mapped user entries */
	uint8_t kind;      /* enum frame_kind */
	uint8_t order;     /* free blocks: log2 of the frames in it; tables: 1 while as the last one left it */
	union {
		struct {
			uint32_t next,
			    prev; /* free blocks: list links (frame numbers, 0 = none); heap: see mm/heap.c */
		};
		uint64_t lines; /* tables: bit i: entries 8 i to 8 i + 7 may be mapped */
	};
};

_Static_assert(sizeof(struct frame) == 16, "the record array is indexed by shifts");

#define FRAME_MAX_ORDER 9 /* 2 MiB */
#define FRAME_LIMIT     ((uint64_t)1 << 32)

static ALWAYS_INLINE struct frame *frame_of(pfn_t f) { return &FRAME_TABLE[f.v]; }

static ALWAYS_INLINE enum frame_kind frame_kind_of_table(int level) { return (enum frame_kind)(FRAME_L1 + level - 1); }

/* A promise of `left` frames. */
struct frame_reserve {
	uint64_t left;
};

/* Gives the frames [start, start + count) to the allocator; their records must be mapped. Boot only. */
void frame_add_range(pfn_t start, uint64_t count);

static ALWAYS_INLINE bool frame_is_table(enum frame_kind kind) { return kind >= FRAME_L1 && kind <= FRAME_ROOT; }

/* One frame, ref 1, contents undefined (tables: mm/table.h). -ENOMEM. */
MUST_CHECK int frame_alloc(enum frame_kind kind, pfn_t *ret_frame);
/* 2^order adjacent frames, aligned to their size, each with ref 1. -ENOMEM. */
MUST_CHECK int frame_alloc_block(enum frame_kind kind, unsigned order, pfn_t *ret_frame);

/* Sets n frames aside: all or -ENOMEM. frame_take() then cannot fail; frame_unreserve() gives back what was not taken.
 */
MUST_CHECK int frame_reserve(uint64_t n, struct frame_reserve *ret_reserve);
pfn_t frame_take(struct frame_reserve *r, enum frame_kind kind);
void frame_unreserve(struct frame_reserve *r);

static ALWAYS_INLINE void frame_get(pfn_t f)
{
	uint32_t old = __atomic_fetch_add(&frame_of(f)->ref, 1, __ATOMIC_RELAXED);
	CHECK(old != 0 && old != UINT32_MAX);
}

static ALWAYS_INLINE uint32_t frame_refs(pfn_t f) { return __atomic_load_n(&frame_of(f)->ref, __ATOMIC_ACQUIRE); }

/* Returns a frame to the lists; its ref has come to 0. */
void frame_free(pfn_t f);
/* The same for a list of frames through `next`, 0 ends it. */
void frame_free_list(uint32_t first);

static ALWAYS_INLINE void frame_put(pfn_t f)
{
	uint32_t old = __atomic_fetch_sub(&frame_of(f)->ref, 1, __ATOMIC_ACQ_REL);
	ASSERT(old != 0);
	if (old == 1)
		frame_free(f);
}

struct frame_stats {
	uint64_t total, free, reserved;
	uint64_t by_kind[FRAME_KINDS];
};
void frame_stats(struct frame_stats *ret);
uint64_t frame_total(void);
uint64_t frame_available(void); /* free, and promised to nobody */

#endif
