/* mm/vm.c - see mm/space.h: map, unmap, protect, advise, brk. Each prepares what can fail, then commits. */
#include <asm/mman.h>
#include <linux/mman.h>

#include "kernel/base/panic.h"
#include "mm/object.h"
#include "mm/paging.h"
#include "mm/space.h"
#include "mm/tlb.h"

#define MAP_MIN PAGE_SIZE /* page 0 is never mapped */

static bool page_aligned(uint64_t v) { return page_offset(v) == 0; }

/* [addr, addr + len) as whole pages of the user half, or -EINVAL. */
static int check_range(uaddr_t addr, uint64_t len, uaddr_t *ret_end)
{
	if (!page_aligned(addr.v) || len > USER_END)
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!user_range_ok(addr, len))
		return -EINVAL;
	*ret_end = uaddr_add(addr, len);
	return 0;
}

/* Makes it certain that [start, end) can be emptied and cut out of the regions, with `extra` more to be inserted. */
static int prepare_drop(struct space *s, uaddr_t start, uaddr_t end, uint32_t extra)
{
	int err = regions_prepare(&s->regions, 1 + extra);

	if (!err)
		err = own_existing(s, start);
	if (!err)
		err = own_existing(s, end);
	return err;
}

/* Cannot fail after prepare_drop(). */
static void drop_range(struct space *s, uaddr_t start, uaddr_t end)
{
	if (!regions_overlap(s->regions, start, end))
		return;
	paging_drop_range(s, start, end);
	commit_drop(s, start, end);
	regions_cut(s->regions, start, end);
	space_flush(s);
}

static int choose_place(struct space *s, const struct map_request *req, uint64_t len, uaddr_t *ret_addr)
{
	uaddr_t hint = UADDR(ALIGN_DOWN(req->addr.v, PAGE_SIZE));

	if (req->fixed) {
		if (!page_aligned(req->addr.v))
			return -EINVAL;
		if (!user_range_ok(req->addr, len))
			return -ENOMEM;
		if (req->addr.v < MAP_MIN)
			return -EPERM;
		if (req->no_replace && regions_overlap(s->regions, req->addr, uaddr_add(req->addr, len)))
			return -EEXIST;
		*ret_addr = req->addr;
		return 0;
	}
	if (hint.v >= MAP_MIN && user_range_ok(hint, len) && !regions_overlap(s->regions, hint, uaddr_add(hint, len))) {
		*ret_addr = hint;
		return 0;
	}
	if (regions_gap(s->regions, UADDR(KIB(64)), s->map_top, len, ret_addr) ||
	    regions_gap(s->regions, UADDR(KIB(64)), UADDR(USER_END), len, ret_addr))
		return 0;
	return -ENOMEM;
}

static int map_locked(struct space *s, const struct map_request *req, uint64_t len, uaddr_t *ret_addr)
{
	struct region r = {.prot = req->prot, .flags = req->flags, .object = req->object, .offset = req->offset};
	int err = choose_place(s, req, len, &r.start);

	if (err)
		return err;
	r.end = uaddr_add(r.start, len);
	err = prepare_drop(s, r.start, r.end, 1);
	if (!err)
		err = commit_map(s, &r);
	if (err)
		return err;
	/* Nothing below can fail. */
	drop_range(s, r.start, r.end);
	regions_insert(s->regions, &r);
	commit_mapped(s, &r);
	*ret_addr = r.start;
	return 0;
}

int space_map(struct space *s, const struct map_request *req, uaddr_t *ret_addr)
{
	uint64_t len = ALIGN_UP(req->len, PAGE_SIZE);
	int err;

	if (!req->len || !page_aligned(req->offset))
		return -EINVAL;
	if (req->len > USER_END)
		return -ENOMEM;
	if (req->object && req->offset > INT64_MAX - len)
		return -EOVERFLOW;
	spin_lock(&s->lock);
	err = map_locked(s, req, len, ret_addr);
	spin_unlock(&s->lock);
	return err;
}

int space_unmap(struct space *s, uaddr_t addr, uint64_t len)
{
	uaddr_t end;
	int err = len ? check_range(addr, len, &end) : -EINVAL;

	if (err)
		return err;
	spin_lock(&s->lock);
	if (regions_overlap(s->regions, addr, end)) {
		err = prepare_drop(s, addr, end, 0);
		if (!err)
			drop_range(s, addr, end);
	}
	spin_unlock(&s->lock);
	return err;
}

/* protect. */
static void set_prot(struct region *r, unsigned prot)
{
	r->prot = (uint8_t)prot;
	commit_mark(r);
}

static bool write_refused(const struct regions *set, uaddr_t start, uaddr_t end)
{
	const struct region *r;

	region_for_each_in (r, set, start.v, end.v)
		if (r->flags & REGION_NO_WRITE)
			return true;
	return false;
}

/* A leaf as its region wants it. W is never given to a private leaf here: its frame may be shared, the fault finds out.
 */
static pte_t leaf_for(const struct region *r, pte_t leaf)
{
	uint64_t keep = r->prot & PROT_WRITE ? (pte_shared(leaf) ? PTE_W : leaf.v & PTE_W) : 0;

	return pte_make(pte_frame(leaf), region_leaf_bits(r) | keep);
}

/* Rewrites the leaves of [start, end), whose tables were made exclusive, by their regions. */
static void rewrite_leaves(struct space *s, uaddr_t start, uaddr_t end)
{
	for (uint64_t va = start.v; va < end.v;) {
		uint64_t missing = path_missing(UADDR(va));
		const struct region *r;
		pte_t *entry, e;

		if (missing) {
			va = ALIGN_DOWN(va, missing) + missing;
			continue;
		}
		entry = entry_window(va, 1);
		e = pte_read(entry);
		if (pte_mapped(e)) {
			r = region_find(s->regions, UADDR(va));
			pte_write(entry, leaf_for(r, e));
		}
		va += PAGE_SIZE;
	}
}

static int protect_locked(struct space *s, uaddr_t start, uaddr_t end, uint8_t prot)
{
	uaddr_t hole = end;
	int err, short_of = regions_cover(s->regions, start, end, &hole) ? 0 : -ENOMEM;

	if (hole.v == start.v)
		return -ENOMEM;
	if ((prot & PROT_WRITE) && write_refused(s->regions, start, hole))
		return -EACCES;
	err = regions_prepare(&s->regions, 2);
	if (!err)
		err = own_range(s, start, hole);
	if (!err)
		err = commit_protect(s, start, hole, prot);
	if (err)
		return err;
	/* Nothing below can fail. As on Linux, what precedes a hole is changed all the same. */
	regions_edit(s->regions, start, hole, set_prot, prot);
	rewrite_leaves(s, start, hole);
	space_flush(s);
	return short_of;
}

int space_protect(struct space *s, uaddr_t addr, uint64_t len, uint8_t prot)
{
	uaddr_t end;
	int err = check_range(addr, len, &end);

	if (err == -EINVAL && page_aligned(addr.v))
		return -ENOMEM;
	if (err || !len)
		return err;
	spin_lock(&s->lock);
	err = protect_locked(s, addr, end, prot);
	spin_unlock(&s->lock);
	return err;
}

/* advise. */
static void set_flags(struct region *r, unsigned flags) { r->flags |= (uint8_t)flags; }

static void clear_flags(struct region *r, unsigned flags) { r->flags &= (uint8_t)~flags; }

static int edit_flags(struct space *s, uaddr_t start, uaddr_t end, bool set, unsigned flags)
{
	int err = regions_prepare(&s->regions, 2);

	if (!err)
		regions_edit(s->regions, start, end, set ? set_flags : clear_flags, flags);
	return err;
}

static int drop_contents(struct space *s, uaddr_t start, uaddr_t end)
{
	int err = own_existing(s, start);

	if (!err)
		err = own_existing(s, end);
	if (err)
		return err;
	paging_drop_range(s, start, end);
	space_flush(s);
	return 0;
}

static bool all_private_anonymous(const struct regions *set, uaddr_t start, uaddr_t end)
{
	const struct region *r;

	region_for_each_in (r, set, start.v, end.v)
		if (r->object)
			return false;
	return true;
}

static int advise_locked(struct space *s, uaddr_t start, uaddr_t end, int advice)
{
	switch (advice) {
	case MADV_FREE:
		if (!all_private_anonymous(s->regions, start, end))
			return -EINVAL;
		return drop_contents(s, start, end);
	case MADV_DONTNEED:
		return drop_contents(s, start, end);
	case MADV_DONTFORK:
		return edit_flags(s, start, end, true, REGION_DONTFORK);
	case MADV_DOFORK:
		return edit_flags(s, start, end, false, REGION_DONTFORK);
	case MADV_WIPEONFORK:
		if (!all_private_anonymous(s->regions, start, end))
			return -EINVAL;
		return edit_flags(s, start, end, true, REGION_WIPEONFORK);
	case MADV_KEEPONFORK:
		return edit_flags(s, start, end, false, REGION_WIPEONFORK);
	default: /* hints about speed: taken note of by doing nothing */
		return 0;
	}
}

static bool advice_known(int advice)
{
	return (advice >= MADV_NORMAL && advice <= MADV_DONTNEED) || advice == MADV_FREE || advice == MADV_DONTFORK ||
	       advice == MADV_DOFORK || (advice >= MADV_MERGEABLE && advice <= MADV_KEEPONFORK) ||
	       advice == MADV_COLD || advice == MADV_PAGEOUT;
}

int space_advise(struct space *s, uaddr_t addr, uint64_t len, int advice)
{
	uaddr_t end, hole;
	int err = check_range(addr, len, &end);

	if (!advice_known(advice))
		return -EINVAL;
	if (err || !len)
		return err;
	spin_lock(&s->lock);
	if (!regions_cover(s->regions, addr, end, &hole))
		err = -ENOMEM;
	else
		err = advise_locked(s, addr, end, advice);
	spin_unlock(&s->lock);
	return err;
}

/* brk. */
static int brk_grow(struct space *s, uaddr_t from, uaddr_t to)
{
	struct map_request req = {.addr = from,
				  .len = to.v - from.v,
				  .prot = PROT_READ | PROT_WRITE,
				  .flags = REGION_HEAP,
				  .fixed = true,
				  .no_replace = true};
	uaddr_t at;

	if (regions_overlap(s->regions, from, uaddr_add(to, PAGE_SIZE)))
		return -ENOMEM;
	return map_locked(s, &req, req.len, &at);
}

static int brk_shrink(struct space *s, uaddr_t to, uaddr_t from)
{
	int err = prepare_drop(s, to, from, 0);

	if (!err)
		drop_range(s, to, from);
	return err;
}

uaddr_t space_brk(struct space *s, uaddr_t brk)
{
	uaddr_t old_end, new_end, result;
	int err = 0;

	spin_lock(&s->lock);
	if (brk.v >= s->brk_start.v && brk.v < USER_END - PAGE_SIZE && brk.v - s->brk_start.v <= s->data_limit) {
		old_end = UADDR(ALIGN_UP(s->brk.v, PAGE_SIZE));
		new_end = UADDR(ALIGN_UP(brk.v, PAGE_SIZE));
		if (new_end.v > old_end.v)
			err = brk_grow(s, old_end, new_end);
		else if (new_end.v < old_end.v)
			err = brk_shrink(s, new_end, old_end);
		if (!err)
			s->brk = brk;
	}
	result = s->brk;
	spin_unlock(&s->lock);
	return result;
}

/* remap. */
static int remap_check(struct space *s, uaddr_t addr, uint64_t old_len, uint64_t new_len, struct region *ret_region)
{
	struct region *r = region_find(s->regions, addr);

	if (!r || !user_range_ok(addr, old_len) || r->end.v - addr.v < old_len)
		return -EFAULT;
	if (!old_len) /* duplicating a shared mapping: not a size change */
		return -EINVAL;
	if (r->object && r->offset + (addr.v - r->start.v) > INT64_MAX - new_len)
		return -EINVAL;
	*ret_region = *r;
	return 0;
}

/* One leaf to `to`. What was mapped there takes its place, and goes with the rest of the source. */
static void move_leaf(struct space *s, pte_t *source, pte_t leaf, uaddr_t to)
{
	pte_t *target = entry_window(to.v, 1), old = pte_read(target);

	if (pte_mapped(old)) {
		pte_write(target, leaf);
		pte_write(source, old);
	} else {
		frame_get(pte_frame(leaf));
		leaf_install(s, to, target, leaf);
	}
}

/*
 * Moves the leaves of [from, from + len) to `to`, and drops what else [to, to_end) has: a leaf first, then what lies below it, so that
 * no table that is still needed becomes empty. After prepare_move() and own_existing() of both ends it cannot fail.
 */
static void move_leaves(struct space *s, uaddr_t from, uaddr_t to, uint64_t len, uaddr_t to_end)
{
	uaddr_t done = to;

	for (uint64_t at = 0; at < len;) {
		uint64_t va = from.v + at, missing = path_missing(UADDR(va));
		pte_t *source, leaf;

		if (missing) {
			at += ALIGN_DOWN(va, missing) + missing - va;
			continue;
		}
		source = entry_window(va, 1);
		leaf = pte_read(source);
		if (pte_mapped(leaf)) {
			move_leaf(s, source, leaf, uaddr_add(to, at));
			paging_drop_range(s, done, uaddr_add(to, at));
			done = uaddr_add(to, at + PAGE_SIZE);
		}
		at += PAGE_SIZE;
	}
	paging_drop_range(s, done, to_end);
}

/* Tables at the destination for every leaf that will move there. */
static int prepare_move(struct space *s, uaddr_t from, uaddr_t to, uint64_t len)
{
	int err = own_range(s, from, uaddr_add(from, len));

	for (uint64_t at = 0; !err && at < len;) {
		uint64_t missing = path_missing(uaddr_add(from, at));
		pte_t *unused;

		if (missing) {
			at += ALIGN_DOWN(from.v + at, missing) + missing - (from.v + at);
			continue;
		}
		if (pte_mapped(pte_read(entry_window(from.v + at, 1))))
			err = own(s, uaddr_add(to, at), 1, &unused);
		at += PAGE_SIZE;
	}
	return err;
}

/* Takes out again what prepare_move() made before something failed. */
static void undo_prepare_move(struct space *s, uaddr_t to, uint64_t len)
{
	for (uint64_t va = to.v; va < to.v + len;) {
		uint64_t missing = path_missing(UADDR(va)), span = missing ? missing : entry_span(2);

		if (!missing)
			paging_prune(s, UADDR(va));
		va = ALIGN_DOWN(va, span) + span;
	}
}

static int remap_move(struct space *s, const struct region *r, uaddr_t addr, uint64_t old_len,
		      const struct map_request *place, uaddr_t *ret_addr)
{
	struct region moved = {.prot = r->prot, .flags = r->flags & (uint8_t)~REGION_STACK, .object = r->object};
	uint64_t keep = MIN(old_len, place->len);
	int err = choose_place(s, place, place->len, &moved.start);

	if (err)
		return err;
	moved.end = uaddr_add(moved.start, place->len);
	moved.offset = r->object ? r->offset + (addr.v - r->start.v) : 0;
	err = prepare_drop(s, moved.start, moved.end, 2);
	if (err)
		return err;
	err = prepare_move(s, addr, moved.start, keep);
	if (!err)
		err = prepare_drop(s, addr, uaddr_add(addr, old_len), 2);
	if (!err)
		err = commit_map(s, &moved);
	if (err) {
		undo_prepare_move(s, moved.start, keep);
		return err;
	}
	/* Nothing below can fail. */
	move_leaves(s, addr, moved.start, keep, moved.end);
	commit_drop(s, moved.start, moved.end);
	regions_cut(s->regions, moved.start, moved.end);
	regions_insert(s->regions, &moved);
	commit_mapped(s, &moved);
	drop_range(s, addr, uaddr_add(addr, old_len));
	*ret_addr = moved.start;
	return 0;
}

static int remap_grow_in_place(struct space *s, const struct region *r, uaddr_t addr, uint64_t old_len,
			       uint64_t new_len)
{
	uaddr_t old_end = uaddr_add(addr, old_len);
	struct map_request req = {.addr = old_end,
				  .len = new_len - old_len,
				  .prot = r->prot,
				  .flags = r->flags,
				  .fixed = true,
				  .no_replace = true,
				  .object = r->object};
	uaddr_t at;

	if (r->end.v != old_end.v)
		return -ENOMEM;
	req.offset = r->object ? r->offset + (old_end.v - r->start.v) : 0;
	return map_locked(s, &req, req.len, &at);
}

static int remap_locked(struct space *s, uaddr_t addr, uint64_t old_len, uint64_t new_len, unsigned flags,
			uaddr_t new_addr, uaddr_t *ret_addr)
{
	struct map_request place = {.addr = new_addr, .len = new_len, .fixed = flags & MREMAP_FIXED};
	struct region r;
	int err = remap_check(s, addr, old_len, new_len, &r);

	*ret_addr = addr;
	if (err)
		return err;
	if (flags & MREMAP_FIXED)
		return remap_move(s, &r, addr, old_len, &place, ret_addr);
	if (new_len == old_len)
		return 0;
	if (new_len < old_len) {
		err = prepare_drop(s, uaddr_add(addr, new_len), uaddr_add(addr, old_len), 0);
		if (!err)
			drop_range(s, uaddr_add(addr, new_len), uaddr_add(addr, old_len));
		return err;
	}
	err = remap_grow_in_place(s, &r, addr, old_len, new_len);
	if (!err || !(flags & MREMAP_MAYMOVE))
		return err ? -ENOMEM : 0;
	place.addr = UADDR(0);
	return remap_move(s, &r, addr, old_len, &place, ret_addr);
}

int space_remap(struct space *s, uaddr_t addr, uint64_t old_len, uint64_t new_len, unsigned flags, uaddr_t new_addr,
		uaddr_t *ret_addr)
{
	bool fixed = flags & MREMAP_FIXED;
	uaddr_t result;
	int err;

	if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) || (fixed && !(flags & MREMAP_MAYMOVE)))
		return -EINVAL;
	if (!page_aligned(addr.v) || !new_len || new_len > USER_END || old_len > USER_END)
		return -EINVAL;
	old_len = ALIGN_UP(old_len, PAGE_SIZE);
	new_len = ALIGN_UP(new_len, PAGE_SIZE);
	if (fixed && (!page_aligned(new_addr.v) || !user_range_ok(new_addr, new_len) ||
		      (new_addr.v < addr.v + old_len && addr.v < new_addr.v + new_len)))
		return -EINVAL;
	spin_lock(&s->lock);
	err = remap_locked(s, addr, old_len, new_len, flags, new_addr, &result);
	spin_unlock(&s->lock);
	if (!err)
		*ret_addr = result;
	return err;
}
