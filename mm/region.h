/*
 * mm/region.h - what a space has promised: the ordered set of its mapped ranges.
 *
 * Role         A sorted array of regions with reference count. Fork shares the whole set with the child; whoever changes it first
 *              takes a copy. Page tables say what is there; regions say what may be.
 * Invariants   1. Regions are page-aligned, not empty, sorted, disjoint, below USER_END and not on page
 *              0.
 *              2. Neighbours that could be one region are one.
 *              3. A region with an object holds a reference on it (each copy of the set holds its own).
 *              4. Only a set with one reference is changed: regions_prepare() first, after which the change cannot fail.
 * Locks        The lock of the space that uses the set.
 * Failure      regions_prepare(): -ENOMEM, nothing changed.
 */
#ifndef TINE_MM_REGION_H
#define TINE_MM_REGION_H

#include "kernel/base/addr.h"
#include "kernel/base/ref.h"

struct object;

/* prot bits are PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4 of <asm/mman.h>. */
#define REGION_SHARED     0x01u /* MAP_SHARED */
#define REGION_STACK      0x02u /* grows down on a fault below it */
#define REGION_HEAP       0x04u /* made by brk() */
#define REGION_DONTFORK   0x08u /* MADV_DONTFORK */
#define REGION_WIPEONFORK 0x10u /* MADV_WIPEONFORK */
#define REGION_NO_WRITE   0x20u /* a shared mapping of a file that is not open for writing: PROT_WRITE is refused */
#define REGION_NORESERVE  0x40u /* MAP_NORESERVE: never charged (mm/commit.h) */
#define REGION_ACCOUNT    0x80u /* its pages are charged */

struct region {
	uaddr_t start, end;
	uint8_t prot;
	uint8_t flags;
	struct object *object; /* NULL: private anonymous memory */
	uint64_t offset;       /* bytes into the object at `start` */
};

struct regions {
	struct ref ref;
	uint32_t count, capacity;
	uint8_t flags; /* of all regions that were ever in it: a flag that is not here no region has */
	struct region r[];
};

#define region_for_each(r_, set) for ((r_) = (set)->r; (r_) < (set)->r + (set)->count; (r_)++)
/* Those that overlap [start, end), addresses as numbers. */
#define region_for_each_in(r_, set, start_, end_)       \
	for ((r_) = region_after((set), UADDR(start_)); \
	     (r_) && (r_) < (set)->r + (set)->count && (r_)->start.v < (end_); (r_)++)

/* An empty set. */
MUST_CHECK int regions_create(struct regions **ret_set);
void regions_get(struct regions *set);
void regions_put(struct regions *set);
/* A copy without the regions that have any of the flags `without`, and room for `extra` more. */
MUST_CHECK int regions_copy(const struct regions *set, uint32_t extra, uint8_t without, struct regions **ret_set);

/* Makes *set exclusive and gives it room for `extra` more regions. Pointers into the old set are void. */
MUST_CHECK int regions_prepare(struct regions **set, uint32_t extra);

/* The first region that ends above va (it may start above va too), or NULL. */
struct region *region_after(const struct regions *set, uaddr_t va);
/* The region that holds va, or NULL. */
struct region *region_find(const struct regions *set, uaddr_t va);
/* Is every page of [start, end) in a region? If not, *ret_hole is the first address that is not. */
bool regions_cover(const struct regions *set, uaddr_t start, uaddr_t end, uaddr_t *ret_hole);
/* Does any region overlap [start, end)? */
bool regions_overlap(const struct regions *set, uaddr_t start, uaddr_t end);
/* Has any region one of the flags? */
bool regions_have(const struct regions *set, uint8_t flags);
/* The highest gap of `len` bytes within [low, high); false if there is none. */
bool regions_gap(const struct regions *set, uaddr_t low, uaddr_t high, uint64_t len, uaddr_t *ret_start);
uint64_t regions_bytes(const struct regions *set);

/*
 * Changes; the set was prepared. Room needed: cut 1, insert 1, edit 2.
 * regions_insert(): the range must be free; takes its own reference on the object.
 */
void regions_cut(struct regions *set, uaddr_t start, uaddr_t end);
void regions_insert(struct regions *set, const struct region *r);
void regions_edit(struct regions *set, uaddr_t start, uaddr_t end, void (*edit)(struct region *, unsigned),
		  unsigned arg);

#endif
