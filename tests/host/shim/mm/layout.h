/*
 * tests/host/shim/mm/layout.h - frame records in an array of the test's, and page tables in its simulated memory.
 *
 * entry_window() and table_window() are tests/host/machine/mmu.c's: it walks the tree in the simulated CR3, as the CPU walks it through
 * the recursive slot.
 */
#ifndef TINE_MM_LAYOUT_H
#define TINE_MM_LAYOUT_H

#include "efi/boot_info.h"
#include "kernel/base/addr.h"
#include "mm/pte.h"

extern struct frame *const test_frame_table;

#define FRAME_TABLE test_frame_table

extern uint64_t test_window_base; /* of tests/host/window.c */

#define WINDOW_BASE  test_window_base
#define WINDOW_SLOTS ENTRIES
#define RECURSIVE_L1 0xffffff0000000000ull

pte_t *entry_window(uint64_t va, int level);
pte_t *table_window(const pte_t *entry);

#endif
