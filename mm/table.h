/*
 * mm/table.h - page tables as frames: an empty one at no cost, and a walk that steps over what is empty.
 *
 * Role         A table that is given back is empty, so it is kept zeroed (a root with its kernel half in place) and the next fork
 *              starts from it. The record's `lines` says in which of a table's 64 cache lines entries may stand: a walk over a
 *              sparse table, which most of a small process's are, looks at those alone.
 * Invariants   1. The caller who puts an entry into a table notes it (table_note), and who takes one out lowers `npresent`.
 *              2. A table is given back (frame_put, frame_free_list) only when `npresent` is 0 and every user entry PTE_NONE.
 * Locks        None of its own: a new table is its maker's, an old one's record follows mm/paging.h.
 * Failure      table_alloc(): -ENOMEM. table_take(): none, the reservation holds the frame.
 */
#ifndef TINE_MM_TABLE_H
#define TINE_MM_TABLE_H

#include "mm/frame.h"

/* An empty table of the kind FRAME_L1 to FRAME_ROOT, with one reference. */
MUST_CHECK int table_alloc(enum frame_kind kind, pfn_t *ret_table);
pfn_t table_take(struct frame_reserve *r, enum frame_kind kind);

#define LINE_ENTRIES 8 /* in a cache line */

/* An absent entry of the table became mapped. */
static ALWAYS_INLINE void table_note(struct frame *table, unsigned index)
{
	table->npresent++;
	table->lines |= (uint64_t)1 << index / LINE_ENTRIES;
}

/* The bits of `lines` for entries [from, to). */
static ALWAYS_INLINE uint64_t table_lines(unsigned from, unsigned to)
{
	uint64_t up = UINT64_MAX << from / LINE_ENTRIES, down = UINT64_MAX >> (63 - (to - 1) / LINE_ENTRIES);

	return up & down;
}

/*
 * The body, a block, runs for every mapped entry of [from, to) in rising order, with its index in i; it may change entry i. One test finds
 * those: what is not mapped is PTE_NONE. No break, no else. The walk over a whole table ends with its last entry.
 */
#define table_for_each_in(i, entries, record, from, to)                                                           \
	for (uint64_t lines_ = (record)->lines & table_lines((from), (to)); lines_; lines_ &= lines_ - 1)         \
		for (uint64_t line_ = (uint64_t)__builtin_ctzll(lines_) * LINE_ENTRIES,                           \
			      i = MAX(line_, (uint64_t)(from)), end_ = MIN(line_ + LINE_ENTRIES, (uint64_t)(to)); \
		     i < end_; i++)                                                                               \
			if (pte_read(&(entries)[i]).v)

#define table_for_each(i, entries, record)                                                                             \
	for (uint64_t lines_ = (record)->lines, left_ = (record)->npresent; left_ && lines_; lines_ &= lines_ - 1)     \
		for (uint64_t i = (uint64_t)__builtin_ctzll(lines_) * LINE_ENTRIES, end_ = i + LINE_ENTRIES; i < end_; \
		     i++)                                                                                              \
			if (pte_read(&(entries)[i]).v && (--left_ || (end_ = i + 1)))

#endif
