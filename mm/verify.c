/* mm/verify.c - see mm/verify.h. */
#include "mm/verify.h"

#include "kernel/base/print.h"
#include "mm/boot.h"
#include "mm/paging.h"
#include "mm/space.h"
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

/* For every frame of RAM. */
static void each_frame(struct verify_report *r, void (*fn)(struct verify_report *, pfn_t, struct frame *))
{
	uint32_t n;
	const struct memory_range *range = mm_ram_ranges(&n);

	for (uint32_t i = 0; i < n; i++)
		for (uint64_t f = range[i].start; f < range[i].end; f++)
			fn(r, PFN(f), frame_of(PFN(f)));
}

static void clear_recount(struct verify_report *r, pfn_t f, struct frame *rec)
{
	(void)r, (void)f;
	if (counted(rec))
		rec->prev = 0;
}

static void check_recount(struct verify_report *r, pfn_t f, struct frame *rec)
{
	bool low = rec->kind == FRAME_CACHE ? rec->ref < rec->prev : rec->ref != rec->prev;

	if (!counted(rec))
		return;
	r->frames++;
	if (low)
		breach(r, "frame %#llx kind %u: ref %u, but %u entries name it", (unsigned long long)f.v, rec->kind,
		       rec->ref, rec->prev);
}

static void verify_table(struct verify_report *r, pfn_t table, int level, unsigned entries);

/* One present entry. Counts it, and looks below it the first time that its table is met. */
static void verify_entry(struct verify_report *r, pte_t e, int level)
{
	struct frame *child = frame_of(pte_frame(e));

	if (!counted(child)) {
		breach(r, "level %d entry %#llx names a frame of kind %u", level, (unsigned long long)e.v, child->kind);
		return;
	}
	child->prev++;
	if (level == 1) {
		r->leaves++;
		if (pte_writable(e) && !pte_shared(e) && child->ref != 1)
			breach(r, "writable private leaf %#llx: ref %u", (unsigned long long)e.v, child->ref);
		return;
	}
	if (child->kind != (unsigned)frame_kind_of_table(level - 1))
		breach(r, "level %d entry %#llx names kind %u", level, (unsigned long long)e.v, child->kind);
	if (pte_writable(e) && child->ref != 1)
		breach(r, "level %d entry %#llx owns a table with ref %u", level, (unsigned long long)e.v, child->ref);
	if (child->prev == 1)
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
	*ret = (struct verify_report){0};
	each_frame(ret, clear_recount);
	space_for_each(verify_space, ret);
	each_frame(ret, check_recount);
	return ret->breach[0] ? -EIO : 0;
}
