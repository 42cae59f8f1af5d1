/*
 * mm/window.h - temporary kernel mappings: how the kernel touches a frame.
 *
 * Role         There is no map of all physical memory. A frame is read or written through a window: a pair of adjacent pages of this
 *              CPU's 2 MiB stretch in SLOT_WINDOWS, source and destination of a copy side by side (in QEMU's soft TLB, pages a
 *              power of two apart alias, and copies get several times slower).
 * Invariants   1. Pairs are handed out in a ring. A slot that is mapped was not present since the last flush, so mapping needs no
 *                 INVLPG (SDM 3, 4.10.4.3: not-present entries are not cached). When the ring wraps, the TLB is flushed once; so
 *                 does every CR3 load.
 *              2. Pairs that are held stay held across a wrap; the ring steps over them. A pair that is given back ahead of the
 *                 ring's position was used since the flush, so it is flushed by itself.
 *              3. The holder does not sleep and is not preempted between map and unmap.
 *              4. Interrupt handlers use no windows.
 * Failure      None. Holding all 256 pairs at once is a broken invariant.
 */
#ifndef TINE_MM_WINDOW_H
#define TINE_MM_WINDOW_H

#include "mm/frame.h"

/* The first page shows the frame to write, the second one the frame to read, of window_map_pair(). */
struct window {
	void *dst;
};

static ALWAYS_INLINE const void *window_src(struct window w) { return (const char *)w.dst + PAGE_SIZE; }

struct window window_map(pfn_t frame);
struct window window_map_pair(pfn_t dst, pfn_t src);
void window_unmap(struct window w);
void window_unmap_pair(struct window w); /* of window_map_pair() */

void frame_zero(pfn_t f);
void frame_copy(pfn_t dst, pfn_t src);

/* A TLB flush happened on this CPU: the ring may start over. Called by mm/tlb.h. */
void window_flushed(void);
/* Finds the fastest loops for copying and zeroing a page on this CPU. Boot, after the heap. */
void window_choose_loops(void);
const char *window_copy_loop_name(void);
/* Makes the tables of `cpu`'s stretch. Boot. -ENOMEM. */
MUST_CHECK int window_init_cpu(unsigned cpu);

/* Held pairs of this CPU, for the scheduler's assertion. */
unsigned window_held(void);

#endif
