/* mm/census.c - see mm/census.h. */
#include "mm/census.h"

#include "mm/object.h"
#include "mm/paging.h"
#include "mm/table.h"
#include "mm/window.h"

#define WHOLE ((uint64_t)1 << 32) /* shares are counted in these parts of a frame */

struct count {
	struct space *s;
	enum census_scope scope;
	const struct region *region; /* of the last leaf that was looked up */
	uint64_t share;              /* in parts */
	struct census *c;
};

/* A frame, or `frames` of them, of which this space has `share` each. */
static void count_frames(struct count *n, uint64_t frames, uint64_t share)
{
	n->share += frames * share;
	if (share == WHOLE)
		n->c->exclusive += frames;
}

/* Leaves come in rising order: mostly the region is that of the last one. */
static bool is_anonymous(struct count *n, uint64_t va)
{
	if (!n->region || va < n->region->start.v || va >= n->region->end.v)
		n->region = region_find(n->s->regions, UADDR(va));
	return n->region && n->region->object && n->region->object->anonymous;
}

static void count_leaf(struct count *n, pfn_t f, uint64_t va, uint64_t share)
{
	uint32_t refs = frame_refs(f);

	if (frame_of(f)->kind == FRAME_ANON) {
		n->c->anon++;
		count_frames(n, 1, share / refs);
	} else if (is_anonymous(n, va)) {
		n->c->anon_shared++;
		count_frames(n, 1, share / MAX(refs - 1, 1u));
	} else {
		n->c->file++;
	}
}

static void count_table(struct count *n, pfn_t table, int level, uint64_t va, uint64_t share)
{
	const struct frame *record = frame_of(table);
	struct window w;
	const pte_t *e;

	if (share == WHOLE)
		n->c->tables_own++;
	else
		n->c->tables_shared++;
	count_frames(n, 1, share);
	if (level == 1 && share < WHOLE && n->scope == CENSUS_SHARE) {
		count_frames(n, record->npresent, share);
		return;
	}
	w = window_map(table);
	e = w.dst;
	table_for_each (i, e, record) {
		uint64_t at = va + i * entry_span(level);
		pfn_t f = pte_frame(e[i]);

		if (level == 1)
			count_leaf(n, f, at, share);
		else
			count_table(n, f, level - 1, at, share / frame_refs(f));
	}
	window_unmap(w);
}

void space_census(struct space *s, enum census_scope scope, struct census *ret)
{
	struct count n = {.s = s, .scope = scope, .c = ret};

	*ret = (struct census){0};
	spin_lock(&s->lock);
	count_table(&n, s->root, 4, 0, WHOLE);
	spin_unlock(&s->lock);
	ret->share = n.share / WHOLE;
}
