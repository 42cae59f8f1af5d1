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

/* The next mapped leaf of [*va, end) in the current space, through the recursive slot; NULL at the end. */
static pte_t *next_leaf(uint64_t *va, uint64_t end)
{
	while (*va < end) {
		uint64_t missing = path_missing(UADDR(*va));
		pte_t *entry = entry_window(*va, 1);

		if (missing)
			*va = ALIGN_DOWN(*va, missing) + missing;
		else if (pte_mapped(pte_read(entry)))
			return entry;
		else
			*va += PAGE_SIZE;
	}
	return NULL;
}

/* Tables that a walk in rising order enters between the leaf at `last` (UINT64_MAX: none before) and that at va. */
static unsigned tables_entered(uint64_t va, uint64_t last)
{
	unsigned entered = 0;

	for (int level = 2; level <= 4 && (last == UINT64_MAX || va / entry_span(level) != last / entry_span(level));
	     level++)
		entered++;
	return entered;
}

/* Step 1: what the child needs: its root, a frame for each page that is copied, and the tables above its leaves. */
static uint64_t count_frames(const struct space *parent, enum fork_policy policy)
{
	uint64_t frames = 1, last = UINT64_MAX; /* the root */
	const struct region *r;

	region_for_each (r, parent->regions) {
		enum action action = clone_action(r, policy);

		if (action == SKIP)
			continue;
		for (uint64_t va = r->start.v; next_leaf(&va, r->end.v); va += PAGE_SIZE) {
			frames += tables_entered(va, last);
			last = va;
			frames += action == COPY;
		}
	}
	return frames;
}

/*
 * Step 2: the child's tables, one open window a level along the path of the last leaf.
 */
struct builder {
	struct space *child;
	struct frame_reserve reserve;
	uint64_t at;             /* the address that the open path translates, UINT64_MAX: none */
	struct window window[5]; /* by level: 4 root ... 1 */
	pfn_t table[5];
};

static pte_t *builder_entry(struct builder *b, uint64_t va, int level)
{
	return (pte_t *)b->window[level].dst + entry_index(va, level);
}

static void builder_close(struct builder *b, int from_level)
{
	for (int level = from_level; level >= 1; level--)
		window_unmap(b->window[level]);
}

/* Opens the tables for va, making those that are not there: always a new one, since leaves come in rising order. */
static void builder_seek(struct builder *b, uint64_t va)
{
	int level = 4;

	if (b->at != UINT64_MAX) {
		while (level > 1 && va / entry_span(level) == b->at / entry_span(level))
			level--;
		builder_close(b, level - 1);
	}
	for (; level > 1; level--) {
		pfn_t table = frame_take(&b->reserve, frame_kind_of_table(level - 1));

		frame_zero(table);
		pte_write(builder_entry(b, va, level), pte_make(table, INNER_OWNED));
		frame_of(b->table[level])->npresent++;
		b->table[level - 1] = table;
		b->window[level - 1] = window_map(table);
		COUNT(tables_created);
	}
	b->at = va;
}

static void builder_add(struct builder *b, uint64_t va, pte_t leaf)
{
	if (b->at == UINT64_MAX || va / entry_span(2) != b->at / entry_span(2))
		builder_seek(b, va);
	pte_write(builder_entry(b, va, 1), leaf);
	frame_of(b->table[1])->npresent++;
	b->child->resident++;
}

/* One frame for both. A private leaf loses W on both sides; the parent's flush comes at the end. */
static pte_t share_leaf(pte_t *entry)
{
	pte_t leaf = pte_read(entry);

	frame_get(pte_frame(leaf));
	if (pte_writable(leaf) && !pte_shared(leaf)) {
		leaf = pte_without(leaf, PTE_W);
		pte_write(entry, leaf);
	}
	return leaf;
}

static pte_t copy_leaf(struct builder *b, const struct region *r, pte_t leaf)
{
	pfn_t copy = frame_take(&b->reserve, FRAME_ANON);

	frame_copy(copy, pte_frame(leaf));
	return pte_make(copy, region_leaf_bits(r) | (r->prot & PROT_WRITE ? PTE_W : 0));
}

static void trace_leaf(uint64_t va, pte_t parent, pte_t child)
{
	pr_info("fork: %s page %#llx: parent frame %#llx, child frame %#llx",
		pte_frame(parent).v == pte_frame(child).v ? "shared" : "copied", (unsigned long long)va,
		(unsigned long long)pte_frame(parent).v, (unsigned long long)pte_frame(child).v);
}

static void clone_region(struct builder *b, const struct region *r, enum action action)
{
	pte_t *entry;

	for (uint64_t va = r->start.v; (entry = next_leaf(&va, r->end.v)); va += PAGE_SIZE) {
		pte_t leaf = action == COPY ? copy_leaf(b, r, pte_read(entry)) : share_leaf(entry);

		builder_add(b, va, leaf);
		if (unlikely(options.fork_trace))
			trace_leaf(va, pte_read(entry), leaf);
	}
}

static void clone_pages(struct space *parent, struct builder *b, enum fork_policy policy)
{
	const struct region *r;

	b->window[4] = window_map(b->child->root);
	b->table[4] = b->child->root;
	b->at = UINT64_MAX;
	region_for_each (r, parent->regions) {
		enum action action = clone_action(r, policy);

		if (action != SKIP)
			clone_region(b, r, action);
	}
	builder_close(b, b->at == UINT64_MAX ? 0 : 3);
	window_unmap(b->window[4]);
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
	};

	__atomic_fetch_add(&counters[names[policy]], 1, __ATOMIC_RELAXED);
}

int space_clone(struct space *parent, enum fork_policy policy, struct space **ret_child)
{
	struct builder b;
	int err;

	spin_lock(&parent->lock);
	err = frame_reserve(count_frames(parent, policy), &b.reserve);
	if (err)
		goto unlock;
	err = space_create_from(parent, &b.reserve, &b.child);
	if (err)
		goto unreserve;
	err = clone_regions(parent, &b.child->regions);
	if (err)
		goto free_child;

	/* Nothing below can fail, and the parent has not been touched until here. */
	clone_pages(parent, &b, policy);
	tlb_flush_all();
	count_fork(policy);
	*ret_child = b.child;
	frame_unreserve(&b.reserve);
	spin_unlock(&parent->lock);
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
