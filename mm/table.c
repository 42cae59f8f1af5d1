/* mm/table.c - see mm/table.h. */
#include "mm/table.h"

#include "kernel/base/string.h"
#include "mm/counters.h"
#include "mm/kmap.h"
#include "mm/window.h"

static uint64_t recursive_bits(void) { return PTE_P | PTE_W | PTE_A | PTE_D | kmap_nx(); }

/* The user half empty, the kernel half as all roots have it, and the root itself in the recursive slot. */
static void root_fill(pfn_t root)
{
	struct window w = window_map(root);
	pte_t *entries = w.dst;

	memset(entries, 0, PAGE_SIZE / 2);
	memcpy(&entries[ENTRIES / 2], entry_window(slot_base(ENTRIES / 2).v, 4), PAGE_SIZE / 2);
	pte_write(&entries[SLOT_RECURSIVE], pte_make(root, recursive_bits()));
	window_unmap(w);
}

#ifdef TINE_CHECKED
/* Did who gave the table back keep its promise? */
static void check_kept(pfn_t table, enum frame_kind kind)
{
	struct window w = window_map(table);
	const pte_t *entries = w.dst;

	for (unsigned i = 0; i < (kind == FRAME_ROOT ? ENTRIES / 2 : ENTRIES); i++)
		ASSERT(entries[i].v == 0);
	ASSERT(kind != FRAME_ROOT || pte_frame(entries[SLOT_RECURSIVE]).v == table.v);
	window_unmap(w);
}
#else
static inline void check_kept(pfn_t table, enum frame_kind kind) { (void)table, (void)kind; }
#endif

static ALWAYS_INLINE void make_ready(pfn_t table, enum frame_kind kind)
{
	COUNT(tables_created);
	if (likely(frame_of(table)->order))
		check_kept(table, kind);
	else if (kind == FRAME_ROOT)
		root_fill(table);
	else
		frame_zero(table);
}

int table_alloc(enum frame_kind kind, pfn_t *ret_table)
{
	int err = frame_alloc(kind, ret_table);

	if (!err)
		make_ready(*ret_table, kind);
	return err;
}

pfn_t table_take(struct frame_reserve *r, enum frame_kind kind)
{
	pfn_t table = frame_take(r, kind);

	make_ready(table, kind);
	return table;
}
