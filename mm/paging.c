/* mm/paging.c - see mm/paging.h. */
#include "mm/paging.h"

#include "mm/space.h"
#include "mm/table.h"
#include "mm/tlb.h"

struct spinlock table_lock = SPINLOCK_INIT("table", LOCK_TABLE);

/* The record of the table that holds the level-`level` entry for va. The path down to it is there. */
static struct frame *table_record(struct space *s, uaddr_t va, int level)
{
	if (level == 4)
		return frame_of(s->root);
	return frame_of(pte_frame(pte_read(entry_window(va.v, level + 1))));
}

/*
 * A copy of a table that others name too. Every child gains a reference, so no entry may say "mine" any more: W is cleared in both
 * (MAP_SHARED leaves keep it). The old table is written through a window, since its users' windows show it read-only.
 */
static int table_copy(pfn_t old, int level, pfn_t *ret_table)
{
	struct frame *record = frame_of(old);
	struct window wo, wc;
	pte_t *from, *to;
	pfn_t copy;
	int err = table_alloc(frame_kind_of_table(level), &copy);

	if (err)
		return err;
	wc = window_map(copy);
	wo = window_map(old);
	to = wc.dst;
	from = wo.dst;
	table_for_each (i, from, record) {
		pte_t e = pte_read(&from[i]);

		frame_get(pte_frame(e));
		if (pte_writable(e) && !pte_shared(e)) {
			e = pte_without(e, PTE_W);
			pte_write(&from[i], e);
		}
		to[i] = e;
	}
	frame_of(copy)->npresent = record->npresent;
	frame_of(copy)->lines = record->lines;
	window_unmap(wo);
	window_unmap(wc);
	COUNT(tables_copied);
	*ret_table = copy;
	return 0;
}

/*
 * Frames whose last reference goes are kept on the space's list until its translations are flushed: another thread of
 * it may still reach them through a stale entry.
 */
static ALWAYS_INLINE void release(struct space *s, pfn_t f)
{
	uint32_t old = __atomic_fetch_sub(&frame_of(f)->ref, 1, __ATOMIC_ACQ_REL);

	ASSERT(old != 0);
	if (old != 1)
		return;
	frame_of(f)->next = s->dead;
	s->dead = (uint32_t)f.v;
}

void space_free_dead(struct space *s)
{
	if (!s->dead)
		return;
	frame_free_list(s->dead);
	s->dead = 0;
}

void space_flush(struct space *s)
{
	tlb_flush_all();
	space_free_dead(s);
}

/* The recursive windows of the tables below `level` on va's path may still be cached for the old table, or as
 * read-only. */
static void flush_path_windows(uaddr_t va, int level)
{
	tlb_flush_page(va.v);
	for (int l = level - 1; l >= 1; l--)
		tlb_flush_page(ALIGN_DOWN((uint64_t)entry_window(va.v, l), PAGE_SIZE));
}

static int entry_create(struct space *s, uaddr_t va, int level, pte_t *entry)
{
	pfn_t table;
	int err = table_alloc(frame_kind_of_table(level - 1), &table);

	if (err)
		return err;
	pte_write(entry, pte_make(table, INNER_OWNED));
	table_note(table_record(s, va, level), entry_index(va.v, level));
	return 0;
}

/* An inner entry with W=0: take the child over if nobody else names it, else put a copy in its place. */
static int entry_unshare(uaddr_t va, int level, pte_t *entry)
{
	pfn_t child = pte_frame(pte_read(entry)), copy;
	int err = 0;

	spin_lock(&table_lock);
	if (frame_refs(child) == 1) {
		pte_write(entry, pte_make(child, INNER_OWNED));
		COUNT(tables_healed);
	} else {
		err = table_copy(child, level - 1, &copy);
		if (!err) {
			frame_put(child);
			pte_write(entry, pte_make(copy, INNER_OWNED));
		}
	}
	spin_unlock(&table_lock);
	if (!err)
		flush_path_windows(va, level);
	return err;
}

void paging_prune(struct space *s, uaddr_t va)
{
	int level = 4;

	while (level > 1 && pte_present(pte_read(entry_window(va.v, level))))
		level--;
	for (level++; level <= 4; level++) {
		pte_t *entry = entry_window(va.v, level);
		pfn_t table = pte_frame(pte_read(entry));

		if (frame_of(table)->npresent)
			break;
		pte_write(entry, PTE_NONE);
		table_record(s, va, level)->npresent--;
		release(s, table);
	}
	space_flush(s);
}

int own(struct space *s, uaddr_t va, int level, pte_t **ret_entry)
{
	CHECK(spin_held(&s->lock));
	for (int l = 4; l > level; l--) {
		pte_t *entry = entry_window(va.v, l);
		pte_t e = pte_read(entry);
		int err = 0;

		if (unlikely(!pte_present(e)))
			err = entry_create(s, va, l, entry);
		else if (unlikely(!pte_writable(e)))
			err = entry_unshare(va, l, entry);
		if (unlikely(err)) {
			paging_prune(s, va);
			return err;
		}
	}
	*ret_entry = entry_window(va.v, level);
	return 0;
}

int own_existing(struct space *s, uaddr_t va)
{
	CHECK(spin_held(&s->lock));
	for (int l = 4; l > 1; l--) {
		pte_t *entry = entry_window(va.v, l);
		pte_t e = pte_read(entry);

		if (!pte_present(e))
			return 0;
		if (!pte_writable(e)) {
			int err = entry_unshare(va, l, entry);

			if (err)
				return err;
		}
	}
	return 0;
}

uint64_t path_missing(uaddr_t va)
{
	for (int l = 4; l > 1; l--)
		if (!pte_present(pte_read(entry_window(va.v, l))))
			return entry_span(l);
	return 0;
}

int own_range(struct space *s, uaddr_t start, uaddr_t end)
{
	for (uint64_t va = start.v; va < end.v;) {
		uint64_t missing = path_missing(UADDR(va));
		int err = missing ? 0 : own_existing(s, UADDR(va));

		if (err)
			return err;
		va = ALIGN_DOWN(va, missing ? missing : entry_span(2)) + (missing ? missing : entry_span(2));
	}
	return 0;
}

uint64_t paging_count_range(uaddr_t start, uaddr_t end)
{
	uint64_t n = 0;

	for (uint64_t va = start.v, next; va < end.v; va = next) {
		uint64_t missing = path_missing(UADDR(va)), span = missing ? missing : entry_span(2);
		uint64_t base = ALIGN_DOWN(va, span);

		next = MIN(base + span, end.v);
		if (missing)
			continue;
		table_for_each_in (i, entry_window(base, 1), frame_of(pte_frame(pte_read(entry_window(va, 2)))),
				   (va - base) / PAGE_SIZE, (next - base) / PAGE_SIZE) {
			n++;
		}
	}
	return n;
}

void leaf_install(struct space *s, uaddr_t va, pte_t *entry, pte_t leaf)
{
	CHECK(!pte_mapped(pte_read(entry)));
	pte_write(entry, leaf);
	table_note(table_record(s, va, 1), entry_index(va.v, 1));
	s->resident++;
}

uint64_t table_leaves(pfn_t table, int level)
{
	struct window w;
	const pte_t *entries;
	uint64_t sum = 0;

	if (level == 1)
		return frame_of(table)->npresent;
	w = window_map(table);
	entries = w.dst;
	table_for_each (i, entries, frame_of(table)) {
		sum += table_leaves(pte_frame(entries[i]), level - 1);
	}
	window_unmap(w);
	return sum;
}

/*
 * Gives up one reference; true if it was the last, which the caller then still has. A table that only we name stays so. One that others
 * name may be in the middle of being copied by one of them, who counts on being left alone with it (entry_unshare()).
 */
static bool last_reference(pfn_t table)
{
	bool last = frame_refs(table) == 1;

	if (last)
		return true;
	spin_lock(&table_lock);
	last = frame_refs(table) == 1;
	if (!last)
		frame_put(table);
	spin_unlock(&table_lock);
	return last;
}

void table_put(struct space *s, pfn_t table, int level)
{
	struct frame *record = frame_of(table);
	struct window w;
	pte_t *entries;

	if (!last_reference(table))
		return;
	w = window_map(table);
	entries = w.dst;
	table_for_each (i, entries, record) {
		pfn_t child = pte_frame(entries[i]);

		pte_write(&entries[i], PTE_NONE); /* an empty table is worth keeping: mm/table.h */
		if (level == 1)
			release(s, child);
		else
			table_put(s, child, level - 1);
	}
	record->npresent = 0;
	window_unmap(w);
	release(s, table);
}

/* Empties a table of the current space that is its own, and so is reached without a window. */
static void empty_table(struct space *s, pte_t *entries, struct frame *record, int level)
{
	table_for_each (i, entries, record) {
		pte_t e = entries[i];
		pfn_t child = pte_frame(e);

		if (level > 1 && pte_writable(e))
			empty_table(s, table_window(&entries[i]), frame_of(child), level - 1);
		pte_write(&entries[i], PTE_NONE);
		if (level > 1 && !pte_writable(e))
			table_put(s, child, level - 1);
		else
			release(s, child);
	}
	record->npresent = 0;
}

void paging_drop_all(struct space *s)
{
	empty_table(s, entry_window(0, 4), frame_of(s->root), 4);
	s->resident = 0;
}

static uint64_t drop_level(struct space *s, uint64_t start, uint64_t end, int level);

/* Drops [start, end) below one entry, and the entry itself where nothing is left below it. Returns the leaves dropped.
 */
static uint64_t drop_entry(struct space *s, uint64_t start, uint64_t end, int level)
{
	pte_t *entry = entry_window(start, level);
	pte_t e = pte_read(entry);
	uint64_t dropped = 1;

	if (!pte_mapped(e))
		return 0;
	if (level > 1 && end - start < entry_span(level)) {
		CHECK(pte_writable(e));
		dropped = drop_level(s, start, end, level - 1);
		if (frame_of(pte_frame(e))->npresent)
			return dropped;
	} else if (level > 1) {
		dropped = table_leaves(pte_frame(e), level - 1);
	}
	pte_write(entry, PTE_NONE);
	table_record(s, UADDR(start), level)->npresent--;
	if (level > 1)
		table_put(s, pte_frame(e), level - 1);
	else
		release(s, pte_frame(e));
	return dropped;
}

static uint64_t drop_level(struct space *s, uint64_t start, uint64_t end, int level)
{
	uint64_t dropped = 0;

	while (start < end) {
		uint64_t next = MIN(end, ALIGN_DOWN(start, entry_span(level)) + entry_span(level));

		dropped += drop_entry(s, start, next, level);
		start = next;
	}
	return dropped;
}

uint64_t paging_drop_range(struct space *s, uaddr_t start, uaddr_t end)
{
	uint64_t dropped;

	CHECK(spin_held(&s->lock));
	dropped = drop_level(s, start.v, end.v, 4);
	s->resident -= dropped;
	return dropped;
}

/* Is a write through the recursive window at `addr` legal now, by the entries of the path? */
static bool window_write_allowed(uint64_t addr)
{
	for (int l = 4; l >= 1; l--) {
		pte_t e = pte_read(entry_window(addr, l));

		if (!pte_present(e) || !pte_writable(e))
			return false;
	}
	return true;
}

bool paging_window_fault(uint64_t addr, bool write)
{
	if (!write || addr < RECURSIVE_L1 || addr >= RECURSIVE_L1 + entry_span(4))
		return false;
	if (!window_write_allowed(addr))
		panic("write to a shared page table at %#llx: own() was forgotten", (unsigned long long)addr);
	tlb_flush_page(addr); /* own() gave W back after the CPU had cached its absence */
	return true;
}
