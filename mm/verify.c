/* mm/verify.c - see mm/verify.h. */
#include "mm/verify.h"

#include "kernel/base/print.h"
#include "mm/boot.h"
#include "mm/heap.h"
#include "mm/paging.h"
#include "mm/space.h"
#include "mm/table.h"
#include "mm/window.h"

static PRINTF(2, 3) void breach(struct verify_report *r, const char *fmt, ...)
{
	va_list ap;

	if (r->breach[0]) /* the first one counts */
		return;
	va_start(ap, fmt);
	kvsnprintf(r->breach, sizeof(r->breach), fmt, ap);
	va_end(ap);
}

static bool counted(const struct frame *f)
{
	return f->kind == FRAME_ANON || f->kind == FRAME_CACHE || (f->kind >= FRAME_L1 && f->kind <= FRAME_L3);
}

/* What the walk counts: one number for each frame from the first of RAM to the last. */
static struct recount {
	uint64_t first, frames;
	uint32_t *refs;
} recount;

static uint32_t *recount_of(pfn_t f) { return &recount.refs[f.v - recount.first]; }

static int recount_start(void)
{
	uint32_t n;
	const struct memory_range *range = mm_ram_ranges(&n);

	recount.first = range[0].start;
	recount.frames = 0;
	for (uint32_t i = 0; i < n; i++)
		recount.first = MIN(recount.first, range[i].start);
	for (uint32_t i = 0; i < n; i++)
		recount.frames = MAX(recount.frames, range[i].end - recount.first);
	recount.refs = kzalloc(recount.frames * sizeof(recount.refs[0]));
	return recount.refs ? 0 : -ENOMEM;
}

static void check_frame(struct verify_report *r, pfn_t f)
{
	const struct frame *rec = frame_of(f);
	uint32_t found = *recount_of(f);
	bool wrong = rec->kind == FRAME_CACHE ? rec->ref < found : rec->ref != found;

	if (!counted(rec))
		return;
	r->frames++;
	if (wrong)
		breach(r, "frame %#llx kind %u: ref %u, but %u entries name it", (unsigned long long)f.v, rec->kind,
		       rec->ref, found);
}

static void check_recount(struct verify_report *r)
{
	uint32_t n;
	const struct memory_range *range = mm_ram_ranges(&n);

	for (uint32_t i = 0; i < n; i++)
		for (uint64_t f = range[i].start; f < range[i].end; f++)
			check_frame(r, PFN(f));
}

static void verify_table(struct verify_report *r, pfn_t table, int level, unsigned entries);

/* One present entry. Counts it, and looks below it the first time that its table is met. */
static void verify_entry(struct verify_report *r, pte_t e, int level)
{
	struct frame *child = frame_of(pte_frame(e));

	if (pte_frame(e).v - recount.first >= recount.frames) {
		breach(r, "level %d entry %#llx names no RAM", level, (unsigned long long)e.v);
		return;
	}
	if (!counted(child)) {
		breach(r, "level %d entry %#llx names a frame of kind %u", level, (unsigned long long)e.v, child->kind);
		return;
	}
	uint32_t found = ++*recount_of(pte_frame(e));
	if (level == 1) {
		r->leaves++;
		if (pte_writable(e) && !pte_shared(e) && child->ref != 1)
			breach(r, "writable private leaf %#llx: ref %u", (unsigned long long)e.v, child->ref);
		return;
	}
	if (!child->npresent)
		breach(r, "level %d entry %#llx names an empty table", level, (unsigned long long)e.v);
	if (child->kind != (unsigned)frame_kind_of_table(level - 1))
		breach(r, "level %d entry %#llx names kind %u", level, (unsigned long long)e.v, child->kind);
	if (pte_writable(e) && child->ref != 1)
		breach(r, "level %d entry %#llx owns a table with ref %u", level, (unsigned long long)e.v, child->ref);
	if (found == 1)
		verify_table(r, pte_frame(e), level - 1, ENTRIES);
}

static void verify_table(struct verify_report *r, pfn_t table, int level, unsigned entries)
{
	struct window w = window_map(table);
	const pte_t *e = w.dst;
	unsigned present = 0;

	r->tables++;
	for (unsigned i = 0; i < entries; i++)
		if (pte_mapped(e[i])) {
			present++;
			if (!(frame_of(table)->lines >> i / LINE_ENTRIES & 1))
				breach(r, "level %d table %#llx: entry %u is not in its lines", level,
				       (unsigned long long)table.v, i);
			verify_entry(r, e[i], level);
		}
	if (present != frame_of(table)->npresent)
		breach(r, "level %d table %#llx: npresent %u, but %u entries are", level, (unsigned long long)table.v,
		       frame_of(table)->npresent, present);
	window_unmap(w);
}

static void verify_space(struct space *s, void *arg)
{
	struct verify_report *r = arg;

	spin_lock(&s->lock);
	r->spaces++;
	verify_table(r, s->root, 4, ENTRIES / 2);
	spin_unlock(&s->lock);
}

int mm_verify(struct verify_report *ret)
{
	int err = recount_start();

	*ret = (struct verify_report){0};
	if (err)
		return err;
	space_for_each(verify_space, ret);
	check_recount(ret);
	kfree(recount.refs);
	return ret->breach[0] ? -EIO : 0;
}
