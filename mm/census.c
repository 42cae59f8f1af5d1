/* mm/census.c - see mm/census.h. */
#include "mm/census.h"

#include "mm/object.h"
#include "mm/paging.h"
#include "mm/window.h"

struct count {
	struct space *s;
	enum census_scope scope;
	const struct region *region; /* of the last leaf that was looked up */
	struct census *c;
};

/* Leaves come in rising order: mostly the region is that of the last one. */
static const struct region *region_of(struct count *n, uint64_t va)
{
	if (!n->region || va < n->region->start.v || va >= n->region->end.v)
		n->region = region_find(n->s->regions, UADDR(va));
	return n->region;
}

static bool is_anonymous(struct count *n, uint64_t va)
{
	const struct region *r = region_of(n, va);

	return r && r->object && r->object->anonymous;
}

static void count_leaf(struct count *n, pte_t leaf, uint64_t va, bool own)
{
	pfn_t f = pte_frame(leaf);
	bool private = frame_of(f)->kind == FRAME_ANON;
	bool shared_anonymous = !private && is_anonymous(n, va);

	if (private)
		n->c->anon++;
	else if (shared_anonymous)
		n->c->anon_shared++;
	else
		n->c->file++;
	if (own && ((private && frame_refs(f) == 1) || (shared_anonymous && frame_refs(f) == 2)))
		n->c->exclusive++;
}

/* `own`: no entry of another space leads here. */
static void count_table(struct count *n, pfn_t table, int level, uint64_t va, bool own)
{
	uint32_t left = frame_of(table)->npresent;
	struct window w;
	const pte_t *e;

	n->c->tables_own += own;
	n->c->tables_shared += !own;
	n->c->exclusive += own;
	w = window_map(table);
	e = w.dst;
	for (unsigned i = 0; i < ENTRIES / (level == 4 ? 2 : 1) && left; i++, va += entry_span(level)) {
		bool alone = own;

		if (!pte_mapped(e[i]))
			continue;
		left--;
		if (level == 1) {
			count_leaf(n, e[i], va, own);
			continue;
		}
		alone &= frame_refs(pte_frame(e[i])) == 1;
		if (alone || n->scope == CENSUS_ALL)
			count_table(n, pte_frame(e[i]), level - 1, va, alone);
	}
	window_unmap(w);
}

void space_census(struct space *s, enum census_scope scope, struct census *ret)
{
	struct count n = {.s = s, .scope = scope, .c = ret};

	*ret = (struct census){0};
	spin_lock(&s->lock);
	count_table(&n, s->root, 4, 0, true);
	spin_unlock(&s->lock);
}
