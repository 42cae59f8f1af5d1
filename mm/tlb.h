/*
 * mm/tlb.h - forgetting stale translations.
 *
 * Role         The only callers of INVLPG and of CR3 loads. No entry of ours is global, so a CR3 load forgets everything.
 * Invariants   1. Every 1->0 change of P or W in a live entry is followed by a flush before its space runs user code again.
 *              2. 0->1 changes need none: at worst a spurious fault (SDM 3, 4.10.4.3).
 * Not handled  Other CPUs: with SMP, tlb_flush_space() will interrupt those whose current space it is.
 */
#ifndef TINE_MM_TLB_H
#define TINE_MM_TLB_H

#include "kernel/base/cpu.h"
#include "mm/counters.h"
#include "mm/window.h"

static inline void tlb_flush_page(uint64_t va)
{
	COUNT(invlpg);
	invlpg(va);
}

static inline void tlb_load_root(pfn_t root)
{
	COUNT(cr3_loads);
	write_cr3(pfn_to_paddr(root).v);
	window_flushed();
}

static inline void tlb_flush_all(void)
{
	COUNT(cr3_loads);
	write_cr3(read_cr3());
	window_flushed();
}

#endif
