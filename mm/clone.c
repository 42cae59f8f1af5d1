/* mm/clone.c - see mm/clone.h. */
#include "mm/clone.h"

#include <asm/mman.h>

#include "kernel/base/print.h"
#include "mm/hot.h"
#include "mm/paging.h"
#include "mm/table.h"
#include "mm/tlb.h"

#define SMALL_SPACE 64   /* leaves */
#define PLENTY      2048 /* frames: more than a small space can need, and mm/commit.h keeps back */

#define NOT_INHERITED (REGION_DONTFORK | REGION_WIPEONFORK)

/* One fork on its way. */
struct clone {
	const struct space *parent;
	enum fork_policy policy;
	bool exceptions;     /* some region is not inherited as it is */
	bool shares_all;     /* every leaf is shared, whatever its region says: nobody need look for that */
	uint64_t stack_page; /* under the stack pointer: its path is rather not shared. UINT64_MAX: no matter */
	uint64_t pages[HOT_PAGES + 2]; /* copied at once, in rising order; UINT64_MAX ends */
	const uint64_t *next_page;     /* the first of them that the walk has not passed */
	struct frame_reserve reserve;
	struct space *child;
	bool cleared; /* some entry of the parent lost W: it owes a flush */
};

enum action { SKIP, SHARE, COPY };

/* What happens to the pages of a region. */
static enum action clone_action(const struct clone *c, const struct region *r)
{
	if (r->flags & NOT_INHERITED)
		return SKIP;
	if (r->flags & REGION_SHARED)
		return SHARE;
	if (c->policy == FORK_HYBRID)
		return r->prot & PROT_WRITE ? COPY : SHARE;
	return c->policy == FORK_COPY ? COPY : SHARE;
}

/* Is some region of [start, end) not inherited as it is? */
static bool holds_exception(const struct regions *set, uint64_t start, uint64_t end)
{
	const struct region *r;

	region_for_each_in (r, set, start, end)
		if (r->flags & NOT_INHERITED)
			return true;
	return false;
}

/* A large subtree, or one that others share already, which costs nothing more; unless part of it fares otherwise. */
static NOINLINE bool share_large(const struct clone *c, const struct frame *table, uint64_t start, int level)
{
	bool holds_stack = c->stack_page - start < entry_span(level);

	if (c->policy != FORK_TREE || (holds_stack && !(level == 3 && table->npresent > CLONE_FEW_LEAVES)))
		return false;
	return !c->exceptions || !holds_exception(c->parent->regions, start, start + entry_span(level));
}

/* Is the subtree below entry e to be shared whole? */
static ALWAYS_INLINE bool share_whole(const struct clone *c, uint64_t start, int level, pte_t e)
{
	const struct frame *table = frame_of(pte_frame(e));

	if (likely(clone_copies_table(table, level - 1) && (pte_writable(e) || table->ref == 1)))
		return false;
	return share_large(c, table, start, level);
}

/* Which leaves of the L1 table for the 2 MiB from `base` are in region r, some of which is there: [*from, *to). */
static void leaves_of_region(const struct region *r, uint64_t base, unsigned *ret_from, unsigned *ret_to)
{
	*ret_from = r->start.v <= base ? 0 : entry_index(r->start.v, 1);
	*ret_to = r->end.v >= base + entry_span(2) ? ENTRIES : entry_index(r->end.v, 1);
}

/* ---- Step 1: how many frames will the child need? Nothing is touched. ---- */

static unsigned count_mapped(const pte_t *leaves, const struct frame *table, unsigned from, unsigned to)
{
	unsigned n = 0;

	if (from == 0 && to == ENTRIES)
		return table->npresent;
	table_for_each_in (i, leaves, table, from, to) {
		n++;
	}
	return n;
}

/* Leaves of an L1 table whose region fares so. */
static uint64_t count_leaves(const struct clone *c, const struct frame *table, uint64_t base, enum action action)
{
	const pte_t *leaves = entry_window(base, 1);
	const struct region *r;
	unsigned from, to;
	uint64_t n = 0;

	region_for_each_in (r, c->parent->regions, base, base + entry_span(2)) {
		leaves_of_region(r, base, &from, &to);
		if (clone_action(c, r) == action)
			n += count_mapped(leaves, table, from, to);
	}
	return n;
}

/* For a copy of this table of the parent's, and of what is not shared below it. */
static uint64_t count_frames(const struct clone *c, const pte_t *entries, const struct frame *table, uint64_t base,
			     int level)
{
	uint64_t frames = 1;

	if (level == 1)
		return frames + count_leaves(c, table, base, COPY);
	table_for_each (i, entries, table) {
		uint64_t start = base + i * entry_span(level);

		if (share_whole(c, start, level, entries[i]))
			continue;
		if (level == 2 && c->shares_all)
			frames++;
		else
			frames += count_frames(c, table_window(&entries[i]), frame_of(pte_frame(entries[i])), start,
					       level - 1);
	}
	return frames;
}

/*
 * What is not needed in the end goes back. For a small parent it is not counted, as long as memory is plenty: each table holds something,
 * so there are no more tables of a level than leaves, and no more pages to copy.
 */
static int reserve(struct clone *c)
{
	uint64_t most = 1 + 4 * c->parent->resident;

	if (c->parent->resident <= SMALL_SPACE && likely(frame_available() > PLENTY))
		return frame_reserve(most, &c->reserve);
	return frame_reserve(HOT_PAGES + 1 + count_frames(c, entry_window(0, 4), frame_of(c->parent->root), 0, 4),
			     &c->reserve);
}

/* Mapped pages that the child does not get. */
static uint64_t count_skipped(const struct clone *c)
{
	const struct region *r;
	uint64_t pages = 0;

	region_for_each (r, c->parent->regions)
		if (r->flags & NOT_INHERITED)
			pages += paging_count_range(r->start, r->end);
	return pages;
}

/* ---- Step 2: the child's tables. Nothing can fail. ---- */

/* A table of the parent, and the child's copy of it that is being filled. */
struct pair {
	const pte_t *entries;    /* the parent's, through the recursive slot */
	pte_t *parents, *childs; /* to write */
	struct frame *from, *to;
	uint64_t base; /* the address that entry 0 translates */
	int level;
	bool owned; /* no table on the parent's path is shared: it may be written where it is read */
};

static void trace_entry(uint64_t va, int level, pte_t parent, pte_t child)
{
	static const char *const what[] = {"", "page", "2 MiB at", "1 GiB at", "512 GiB at"};

	pr_info("fork: %s %s %#llx: parent frame %#llx, child frame %#llx",
		pte_frame(parent).v == pte_frame(child).v ? "shared" : "copied", what[level], (unsigned long long)va,
		(unsigned long long)pte_frame(parent).v, (unsigned long long)pte_frame(child).v);
}

/* One frame, or one table, for both: W goes on both sides (not of a MAP_SHARED leaf). */
static ALWAYS_INLINE pte_t share_entry(struct clone *c, const struct pair *p, uint64_t i)
{
	pte_t e = pte_read(&p->entries[i]);

	frame_get(pte_frame(e));
	if (pte_writable(e) && !pte_shared(e)) {
		e = pte_without(e, PTE_W);
		pte_write(&p->parents[i], e);
		c->cleared = true;
	}
	return e;
}

static pte_t copy_leaf(struct clone *c, pte_t leaf, uint64_t bits)
{
	pfn_t copy = frame_take(&c->reserve, FRAME_ANON);

	frame_copy(copy, pte_frame(leaf));
	return pte_make(copy, bits);
}

/* A page of the list is copied if it is a private one that may be written. The region knows, where W is gone since an earlier fork. */
static bool copy_at_once(const struct clone *c, uint64_t va, pte_t leaf)
{
	const struct region *r;

	if (pte_writable(leaf) || pte_shared(leaf))
		return !pte_shared(leaf);
	r = region_find(c->parent->regions, UADDR(va));
	return r && (r->prot & PROT_WRITE);
}

/* Such a page: a copy for the child, and what has become the parent's alone is its to write, as a fault would find. */
static pte_t copy_page(struct clone *c, const struct pair *p, uint64_t i)
{
	pte_t e = pte_with(p->entries[i], PTE_W);
	const struct frame *f = frame_of(pte_frame(e));

	if (p->owned && f->kind == FRAME_ANON && f->ref == 1)
		pte_write(&p->parents[i], e);
	return copy_leaf(c, e, e.v & ~PTE_FRAME);
}

/* Is this the next page of the list? Those that the walk has passed are dropped from it. */
static bool is_listed(struct clone *c, uint64_t va)
{
	while (*c->next_page < va)
		c->next_page++;
	return *c->next_page == va;
}

/* The leaves [from, to) of a pair of L1 tables, which are region r's; or all, which are to be shared (r NULL). */
static ALWAYS_INLINE void clone_leaves(struct clone *c, const struct pair *p, const struct region *r, unsigned from,
				       unsigned to)
{
	bool copy_all = r && clone_action(c, r) == COPY;
	const pte_t *entries = p->entries;
	unsigned n = 0;

	table_for_each_in (i, entries, p->from, from, to) {
		uint64_t va = p->base + i * PAGE_SIZE;
		pte_t e = entries[i], childs;

		if (copy_all)
			childs = copy_leaf(c, e, region_leaf_bits(r) | (r->prot & PROT_WRITE ? PTE_W : 0));
		else if (unlikely(va >= *c->next_page) && is_listed(c, va) && copy_at_once(c, va, e))
			childs = copy_page(c, p, i);
		else
			childs = share_entry(c, p, i);
		pte_write(&p->childs[i], childs);
		n++;
		if (unlikely(options.fork_trace))
			trace_entry(va, 1, e, childs);
	}
	p->to->npresent += n;
	p->to->lines |= p->from->lines & table_lines(from, to);
}

static NOINLINE void clone_leaves_by_region(struct clone *c, const struct pair *p)
{
	const struct region *r;
	unsigned from, to;

	region_for_each_in (r, c->parent->regions, p->base, p->base + entry_span(2)) {
		leaves_of_region(r, p->base, &from, &to);
		if (clone_action(c, r) != SKIP)
			clone_leaves(c, p, r, from, to);
	}
}

static void clone_table(struct clone *c, struct pair *p, pfn_t parents, pfn_t childs);

/* The child's copy of the table below a parent's entry; absent if nothing is in it. */
static ALWAYS_INLINE pte_t copy_entry(struct clone *c, const struct pair *p, uint64_t i, uint64_t start)
{
	pte_t e = p->entries[i];
	pfn_t table = table_take(&c->reserve, frame_kind_of_table(p->level - 1));
	struct pair below = {.entries = table_window(&p->entries[i]),
			     .base = start,
			     .level = p->level - 1,
			     .owned = p->owned & pte_writable(e)};

	clone_table(c, &below, pte_frame(e), table);
	if (likely(below.to->npresent))
		return pte_make(table, INNER_OWNED);
	frame_put(table);
	return PTE_NONE;
}

static ALWAYS_INLINE void clone_inner(struct clone *c, const struct pair *p)
{
	const pte_t *entries = p->entries;

	table_for_each (i, entries, p->from) {
		uint64_t start = p->base + i * entry_span(p->level);
		pte_t e = entries[i], childs;

		if (share_whole(c, start, p->level, e)) {
			childs = share_entry(c, p, i);
			COUNT(tables_shared);
			if (unlikely(options.fork_trace))
				trace_entry(start, p->level, e, childs);
		} else {
			childs = copy_entry(c, p, i, start);
		}
		if (likely(pte_present(childs))) {
			pte_write(&p->childs[i], childs);
			table_note(p->to, (unsigned)i);
		}
	}
}

/*
 * Fills the child's copy of a table. Where the parent's is shared with other spaces the recursive window shows it read-only; to clear W
 * is the one write that such a table may get, and it goes through a temporary window (mm/paging.h, invariant 5).
 */
static void clone_table(struct clone *c, struct pair *p, pfn_t parents, pfn_t childs)
{
	struct window to = window_map(childs), from;

	p->from = frame_of(parents);
	p->to = frame_of(childs);
	p->childs = to.dst;
	from.dst = (void *)p->entries;
	if (unlikely(!p->owned))
		from = window_map(parents);
	p->parents = from.dst;
	if (p->level > 1)
		clone_inner(c, p);
	else if (c->shares_all)
		clone_leaves(c, p, NULL, 0, ENTRIES);
	else
		clone_leaves_by_region(c, p);
	if (unlikely(!p->owned))
		window_unmap(from);
	window_unmap(to);
}

/* ---- The whole ---- */

static void clone_start(struct clone *c, const struct space *parent, enum fork_policy policy, uaddr_t stack)
{
	c->parent = parent;
	c->policy = policy;
	c->exceptions = regions_have(parent->regions, NOT_INHERITED);
	c->shares_all = !c->exceptions && (policy == FORK_TREE || policy == FORK_COW);
	c->stack_page = c->pages[0] = UINT64_MAX;
	c->next_page = c->pages;
	c->cleared = false;
	if (policy != FORK_TREE)
		return;
	hot_list(parent->hot, stack, c->pages);
	c->stack_page = ALIGN_DOWN(stack.v, PAGE_SIZE);
}

/* The child has the parent's regions: the same set, unless some of it is not inherited. */
static int clone_regions(const struct space *parent, struct regions **ret_set)
{
	if (regions_have(parent->regions, REGION_DONTFORK))
		return regions_copy(parent->regions, 0, REGION_DONTFORK, ret_set);
	regions_get(parent->regions);
	*ret_set = parent->regions;
	return 0;
}

/* The first fork of a family. Without memory for the record nothing is learned, and that is no failure. */
static void start_learning(struct space *parent, struct space *child)
{
	parent->hot = hot_create();
	child->hot = hot_get(parent->hot);
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

int space_clone(struct space *parent, enum fork_policy policy, uaddr_t stack, struct space **ret_child)
{
	struct pair whole = {.entries = entry_window(0, 4), .level = 4, .owned = true};
	struct clone c;
	int err;

	spin_lock(&parent->lock);
	clone_start(&c, parent, policy, stack);
	err = reserve(&c);
	if (err)
		goto unlock;
	err = space_create_from(parent, &c.reserve, &c.child);
	if (err)
		goto unreserve;
	err = clone_regions(parent, &c.child->regions);
	if (!err)
		err = commit_clone(parent, c.child);
	if (err)
		goto free_child;
	if (unlikely(policy == FORK_TREE && !parent->hot))
		start_learning(parent, c.child);

	/* Nothing below can fail, and the parent's tables have not been touched until here. */
	c.child->resident = c.child->peak = parent->resident - (c.exceptions ? count_skipped(&c) : 0);
	clone_table(&c, &whole, parent->root, c.child->root);
	if (c.cleared)
		tlb_flush_all();
	frame_unreserve(&c.reserve);
	count_fork(policy);
	spin_unlock(&parent->lock);
	space_publish(c.child);
	*ret_child = c.child;
	return 0;

free_child:
	space_abandon(c.child);
unreserve:
	frame_unreserve(&c.reserve);
unlock:
	spin_unlock(&parent->lock);
	COUNT(forks_failed);
	return err;
}
