/*
 * mm/layout.h - where the kernel finds page tables, frame records and windows: the addresses that the hardware translates.
 *
 * Role         The recursive slot's arithmetic (Intel SDM 3, 4.5) and the bases of mm's areas. The host tests put a header of this
 *              name first in the include path, with the same functions over a simulated memory.
 * Invariants   1. entry_window() shows the tables of the space in CR3, and of no other.
 *              2. The window page of a table inherits the W bits of the path above it, so with CR0.WP a write to a table that is
 *                 shared with another space faults.
 */
#ifndef TINE_MM_LAYOUT_H
#define TINE_MM_LAYOUT_H

#include "efi/boot_info.h"
#include "kernel/base/addr.h"
#include "mm/pte.h"

#define FRAME_TABLE  ((struct frame *)0xffff800000000000ull) /* SLOT_FRAMES */
#define WINDOW_BASE  0xffff820000000000ull                   /* SLOT_WINDOWS: one 2 MiB stretch, one L1 table, a CPU */
#define WINDOW_SLOTS ENTRIES

#define RECURSIVE_L1 0xffffff0000000000ull
#define RECURSIVE_L2 0xffffff7f80000000ull
#define RECURSIVE_L3 0xffffff7fbfc00000ull
#define RECURSIVE_L4 0xffffff7fbfdfe000ull

/* The entry of the level-`level` table (4 = root, 1 = the table of leaves) that translates va. */
static ALWAYS_INLINE pte_t *entry_window(uint64_t va, int level)
{
	switch (level) {
	case 1:
		return (pte_t *)(RECURSIVE_L1 + (va >> 9 & 0x7ffffffff8));
	case 2:
		return (pte_t *)(RECURSIVE_L2 + (va >> 18 & 0x3ffffff8));
	case 3:
		return (pte_t *)(RECURSIVE_L3 + (va >> 27 & 0x1ffff8));
	default:
		return (pte_t *)(RECURSIVE_L4 + (va >> 36 & 0xff8));
	}
}

/* The table that an inner entry names, where the entry itself is seen through entry_window(): one more turn through the slot. */
static ALWAYS_INLINE pte_t *table_window(const pte_t *entry)
{
	return (pte_t *)((uint64_t)entry << 9 | 0xffff000000000000ull);
}

_Static_assert(SLOT_FRAMES == 256 && SLOT_WINDOWS == 260, "FRAME_TABLE and WINDOW_BASE follow boot_info.h");

#endif
