/* mm/clone.c - see mm/clone.h. */
#include "mm/clone.h"

#include <asm/mman.h>

#include "kernel/base/print.h"
#include "mm/heap.h"
#include "mm/paging.h"
#include "mm/tlb.h"

enum action { SKIP, SHARE, COPY };

/* What happens to the pages of a region. */
static enum action clone_action(const struct region *r, enum fork_policy policy)
{
	if (r->flags & (REGION_DONTFORK | REGION_WIPEONFORK))
		return SKIP;
	if (r->flags & REGION_SHARED)
		return SHARE;
	if (policy == FORK_HYBRID)
		return r->prot & PROT_WRITE ? COPY : SHARE;
	return policy == FORK_COPY ? COPY : SHARE;
}

/* The walk over a parent's tree, made twice: once to count, once to build. Both must see the same items. */
struct walk {
	const struct space *parent;
	enum fork_policy policy;
	uint64_t hot;   /* the page that both sides will write at once: its path is not shared, the page is copied */
	bool special;   /* some region is not inherited as it is: subtrees with such a region are not shared */
	uint64_t table; /* index of the 2 MiB stretch whose L1 table is being walked, UINT64_MAX: none */
	bool owned;     /* no table above the last item's entry is shared with another space */
	uint64_t done;  /* all below was cloned: a shared subtree may reach past the region that led to it */
};

#define FEW_TABLES 4  /* L1 tables: below that, copying them beats the copies that own() would make later (FORK.md 3) */
#define FEW_LEAVES 64 /* the same for the leaves of one L1 table */

static struct walk walk_start(const struct space *parent, enum fork_policy policy, uaddr_t hot)
{
	struct walk w = {.parent = parent, .policy = policy, .table = UINT64_MAX};
	const struct region *r;

	w.hot = policy == FORK_TREE ? ALIGN_DOWN(hot.v, PAGE_SIZE) : UINT64_MAX;
	region_for_each (r, parent->regions)
		w.special |= r->flags & (REGION_DONTFORK | REGION_WIPEONFORK);
	return w;
}

static bool holds_special(const struct regions *set, uint64_t start, uint64_t end)
{
	const struct region *r = region_after(set, UADDR(start));

	for (; r && r < set->r + set->count && r->start.v < end; r++)
		if (r->flags & (REGION_DONTFORK | REGION_WIPEONFORK))
			return true;
	return false;
}

/* Policy `tree`: is the subtree below this inner entry to be shared whole? One that is shared already costs nothing more. */
static bool share_whole(const struct walk *w, uint64_t va, int level, pte_t e)
{
	uint64_t start = ALIGN_DOWN(va, entry_span(level)), end = start + entry_span(level);
	const struct frame *table = frame_of(pte_frame(e));

	if (w->policy != FORK_TREE || (w->hot >= start && w->hot < end))
		return false;
	if (w->special && holds_special(w->parent->regions, start, end))
		return false;
	if (!pte_writable(e) && table->ref > 1)
		return true;
	return level == 3 ? table->npresent > FEW_TABLES : level == 2 && table->npresent > FEW_LEAVES;
}

/*
 * The next item of [*va, end) in the current space, found through the recursive slot: its level. 1 is a mapped leaf, 2 to 4 an inner
 * entry whose subtree is shared whole; 0 at the end.
 */
static int next_item(struct walk *w, uint64_t *va, uint64_t end)
{
	while (*va < end) {
		int level = *va / entry_span(2) == w->table ? 1 : 4;
		pte_t e = pte_read(entry_window(*va, level));

		w->owned |= level == 4;
		while (pte_mapped(e) && level > 1 && !share_whole(w, *va, level, e)) {
			w->owned &= pte_writable(e);
			e = pte_read(entry_window(*va, --level));
		}
		w->table = level == 1 ? *va / entry_span(2) : UINT64_MAX;
		if (pte_mapped(e))
			return level;
		*va = ALIGN_DOWN(*va, entry_span(level)) + entry_span(level);
	}
	return 0;
}

static void item_done(struct walk *w, uint64_t *va, int level)
{
	*va = ALIGN_DOWN(*va, entry_span(level)) + entry_span(level);
	w->done = *va;
}

/* Tables above a `level` entry that a walk in rising order enters after the item at `last` (UINT64_MAX: none before). */
static unsigned tables_entered(uint64_t va, int level, uint64_t last)
{
	unsigned entered = 0;

	for (int l = level + 1; l <= 4 && (last == UINT64_MAX || va / entry_span(l) != last / entry_span(l)); l++)
		entered++;
	return entered;
}

static bool is_copied(const struct walk *w, const struct region *r, uint64_t va)
{
	enum action action = clone_action(r, w->policy);

	return action == COPY || (va == w->hot && action == SHARE && !(r->flags & REGION_SHARED));
}

/* Do all leaves of va's L1 table belong to region r, and fare alike? Then their number tells enough. */
static bool table_within(const struct walk *w, const struct region *r, uint64_t va)
{
	uint64_t start = ALIGN_DOWN(va, entry_span(2)), end = start + entry_span(2);

	return r->start.v <= start && r->end.v >= end && !(w->hot >= start && w->hot < end);
}

static unsigned leaves_of_table(uint64_t va) { return frame_of(pte_frame(pte_read(entry_window(va, 2))))->npresent; }

/* Step 1: what the child needs: its root, a frame for each page that is copied, and the tables above its items. */
static uint64_t count_frames(struct walk w)
{
	uint64_t frames = 1, last = UINT64_MAX;
	const struct region *r;
	int level;

	region_for_each (r, w.parent->regions) {
		uint64_t va = MAX(r->start.v, w.done);

		if (clone_action(r, w.policy) == SKIP)
			continue;
		for (; (level = next_item(&w, &va, r->end.v)); item_done(&w, &va, level)) {
			frames += tables_entered(va, level, last);
			last = va;
			if (level == 1 && table_within(&w, r, va)) {
				frames += clone_action(r, w.policy) == COPY ? leaves_of_table(va) : 0;
				level = 2; /* done with all of it */
			} else if (level == 1) {
				frames += is_copied(&w, r, va);
			}
		}
	}
	return frames;
}

/* Mapped pages of the regions that the child does not get. */
static uint64_t count_skipped(struct walk w)
{
	uint64_t pages = 0;
	const struct region *r;

	if (!w.special)
		return 0;
	w.policy = FORK_COW; /* no subtrees */
	region_for_each (r, w.parent->regions) {
		if (clone_action(r, w.policy) != SKIP)
			continue;
		for (uint64_t va = r->start.v; next_item(&w, &va, r->end.v); va += PAGE_SIZE)
			pages++;
	}
	return pages;
}

/* Step 2: the child's tables, one open window a level along the path of the last item. */
struct builder {
	struct walk walk;
	struct space *child;
	struct frame_reserve reserve;
	uint64_t at;             /* the last item */
	int open;                /* tables are open from the root (4) down to this level */
	struct window window[5]; /* by level */
	pfn_t table[5];
};

static pte_t *builder_entry(struct builder *b, uint64_t va, int level)
{
	return (pte_t *)b->window[level].dst + entry_index(va, level);
}

static void builder_close(struct builder *b, int level)
{
	for (; b->open < level; b->open++)
		window_unmap(b->window[b->open]);
}

static void builder_open(struct builder *b, int level, pfn_t table)
{
	b->table[level] = table;
	b->window[level] = window_map(table);
	b->open = level;
}

/* Opens the table that holds va's entry of `level`. Tables that are not open yet are new: items come in rising order. */
static void builder_seek(struct builder *b, uint64_t va, int level)
{
	int serves = 4;

	while (serves > b->open && va / entry_span(serves) == b->at / entry_span(serves))
		serves--;
	builder_close(b, serves);
	while (b->open > level) {
		pfn_t table = frame_take(&b->reserve, frame_kind_of_table(b->open - 1));

		frame_zero(table);
		pte_write(builder_entry(b, va, b->open), pte_make(table, INNER_OWNED));
		frame_of(b->table[b->open])->npresent++;
		COUNT(tables_created);
		builder_open(b, b->open - 1, table);
	}
	b->at = va;
}

static void builder_add(struct builder *b, uint64_t va, int level, pte_t entry)
{
	if (b->open != level || va / entry_span(level + 1) != b->at / entry_span(level + 1))
		builder_seek(b, va, level);
	pte_write(builder_entry(b, va, level), entry);
	frame_of(b->table[level])->npresent++;
}

/*
 * Clears W in an entry of the parent. Where its table is shared with other spaces the recursive window shows it read-only; to
 * clear W is the one write that such a table may get, and it goes through a window (mm/paging.h, invariant 5).
 */
static void clear_write(const struct walk *w, uint64_t va, int level, pte_t e)
{
	struct window window;

	if (likely(w->owned)) {
		pte_write(entry_window(va, level), e);
		return;
	}
	window = window_map(pte_frame(pte_read(entry_window(va, level + 1))));
	pte_write((pte_t *)window.dst + entry_index(va, level), e);
	window_unmap(window);
}

/* One frame, or one table, for both. W goes on both sides (not of a MAP_SHARED leaf); the parent's flush comes at the end. */
static pte_t share_entry(const struct walk *w, uint64_t va, int level)
{
	pte_t e = pte_read(entry_window(va, level));

	frame_get(pte_frame(e));
	if (pte_writable(e) && !pte_shared(e)) {
		e = pte_without(e, PTE_W);
		clear_write(w, va, level, e);
	}
	return e;
}

static pte_t copy_leaf(struct builder *b, const struct region *r, pte_t leaf)
{
	pfn_t copy = frame_take(&b->reserve, FRAME_ANON);

	frame_copy(copy, pte_frame(leaf));
	return pte_make(copy, region_leaf_bits(r) | (r->prot & PROT_WRITE ? PTE_W : 0));
}

static void trace_item(uint64_t va, int level, pte_t parent, pte_t child)
{
	static const char *const what[] = {"", "page", "2 MiB at", "1 GiB at", "512 GiB at"};

	pr_info("fork: %s %s %#llx: parent frame %#llx, child frame %#llx",
		pte_frame(parent).v == pte_frame(child).v ? "shared" : "copied", what[level], (unsigned long long)va,
		(unsigned long long)pte_frame(parent).v, (unsigned long long)pte_frame(child).v);
}

static void clone_item(struct builder *b, const struct region *r, uint64_t va, int level)
{
	pte_t e = pte_read(entry_window(va, level));
	pte_t childs = level == 1 && is_copied(&b->walk, r, va) ? copy_leaf(b, r, e) : share_entry(&b->walk, va, level);

	builder_add(b, va, level, childs);
	if (level > 1)
		COUNT(tables_shared);
	if (unlikely(options.fork_trace))
		trace_item(va, level, e, childs);
}

static void clone_pages(struct builder *b)
{
	struct walk *w = &b->walk;
	const struct region *r;
	int level;

	b->at = 0;
	builder_open(b, 4, b->child->root);
	region_for_each (r, w->parent->regions) {
		uint64_t va = MAX(r->start.v, w->done);

		if (clone_action(r, w->policy) == SKIP)
			continue;
		for (; (level = next_item(w, &va, r->end.v)); item_done(w, &va, level))
			clone_item(b, r, va, level);
	}
	builder_close(b, 5);
}

static bool any_dontfork(const struct regions *set)
{
	const struct region *r;

	region_for_each (r, set)
		if (r->flags & REGION_DONTFORK)
			return true;
	return false;
}

/* The child has the parent's regions: the same set, unless some of it is not inherited. */
static int clone_regions(const struct space *parent, struct regions **ret_set)
{
	if (any_dontfork(parent->regions))
		return regions_copy(parent->regions, 0, REGION_DONTFORK, ret_set);
	regions_get(parent->regions);
	*ret_set = parent->regions;
	return 0;
}

static void count_fork(enum fork_policy policy)
{
	static const enum counter names[] = {
	    [FORK_COPY] = COUNTER_forks_copy,
	    [FORK_COW] = COUNTER_forks_cow,
	    [FORK_HYBRID] = COUNTER_forks_hybrid,
	    [FORK_TREE] = COUNTER_forks_tree,
	};

	__atomic_fetch_add(&counters[names[policy]], 1, __ATOMIC_RELAXED);
}

int space_clone(struct space *parent, enum fork_policy policy, uaddr_t hot, struct space **ret_child)
{
	struct builder b;
	int err;

	spin_lock(&parent->lock);
	b.walk = walk_start(parent, policy, hot);
	err = frame_reserve(count_frames(b.walk), &b.reserve);
	if (err)
		goto unlock;
	err = space_create_from(parent, &b.reserve, &b.child);
	if (err)
		goto unreserve;
	err = clone_regions(parent, &b.child->regions);
	if (err)
		goto free_child;

	/* Nothing below can fail, and the parent has not been touched until here. */
	b.child->resident = b.child->peak = parent->resident - count_skipped(b.walk);
	clone_pages(&b);
	tlb_flush_all();
	count_fork(policy);
	*ret_child = b.child;
	ASSERT(b.reserve.left == 0);
	spin_unlock(&parent->lock);
	space_publish(b.child);
	return 0;

free_child:
	space_abandon(b.child);
unreserve:
	frame_unreserve(&b.reserve);
unlock:
	spin_unlock(&parent->lock);
	COUNT(forks_failed);
	return err;
}
