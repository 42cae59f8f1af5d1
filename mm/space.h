/*
 * mm/space.h - an address space: the user half that one process (or several threads) sees.
 *
 * Role         A tree of page tables (mm/paging.h) and a set of regions (mm/region.h), with the calls that change both:
 * map, unmap, protect, advise, brk. Each checks and prepares first, then commits; a failure leaves the space as it was.
 * Invariants   1. Every mapped leaf lies in a region, and allows no more than the region does.
 *              2. `resident` = mapped leaves of the tree.
 *              3. All calls but create, get, put and peek want the space to be current (CR3 holds its root).
 * Locks        s->lock (LOCK_SPACE). Legend: [I] immutable after creation, [s] space lock, [a] atomic.
 * Failure      -ENOMEM, -EINVAL, -EEXIST, -EACCES, -EFAULT as mmap(2), mprotect(2), munmap(2), brk(2) of Linux say.
 * Not handled  Swapping; large pages; unmapping pages that a truncated file lost (their frames stay until unmapped).
 */
#ifndef TINE_MM_SPACE_H
#define TINE_MM_SPACE_H

#include "kernel/base/list.h"
#include "kernel/base/lock.h"
#include "kernel/base/options.h"
#include "kernel/base/ref.h"
#include "mm/commit.h"
#include "mm/frame.h"
#include "mm/hot.h"
#include "mm/region.h"

struct space {
	struct ref ref;
	struct list all; /* the list of all spaces */
	struct spinlock lock;
	pfn_t root;              /* [I] */
	struct regions *regions; /* [s] */
	struct commit commit;    /* [s] */
	uint64_t resident;       /* [s] pages */
	uint64_t peak;           /* [s] pages, high-water mark of resident */
	struct hot_pages *hot;   /* [s] what forks learn, shared with relatives; NULL: nothing */
	uint32_t dead;           /* [s] frames dropped since the last flush, linked through frame.next; 0 ends */
	uaddr_t brk_start, brk;  /* [s] */
	uaddr_t map_top;         /* [I] mmap() places below it */
	uint64_t stack_limit;    /* [s] bytes the stack may grow to */
	uint64_t data_limit;     /* [s] bytes the heap may grow to */

	/* What exec put where, for /proc. [s] */
	uaddr_t code_start, code_end, data_start, data_end, stack_start;
	uaddr_t arg_start, arg_end, env_start, env_end;
};

/* An empty space with one reference. -ENOMEM. */
MUST_CHECK int space_create(struct space **ret_space);
/*
 * For mm/clone.c: a space with the parent's limits and addresses, an empty tree whose root comes from the reservation, and no
 * region set yet. space_abandon() undoes it. -ENOMEM, with the reservation as it was.
 */
MUST_CHECK int space_create_from(const struct space *parent, struct frame_reserve *reserve, struct space **ret_space);
void space_abandon(struct space *s);
/* ... and this puts the finished space on the list of all. */
void space_publish(struct space *s);
void space_get(struct space *s);
/* The last reference gives back every frame. The space must not be current on any CPU then. */
void space_put(struct space *s);
/* The same for the current space: afterwards none is. */
void space_leave(struct space *s);

/* Makes s current on this CPU; NULL: the kernel's own root, with an empty user half. */
void space_activate(struct space *s);
struct space *space_active(void);

/* Calls fn for every space, none of which can go meanwhile. */
void space_for_each(void (*fn)(struct space *s, void *arg), void *arg);

struct map_request {
	uaddr_t addr;  /* a hint, or with `fixed` the place */
	uint64_t len;  /* bytes, rounded up to pages */
	uint8_t prot;  /* PROT_* */
	uint8_t flags; /* REGION_* */
	bool fixed, no_replace;
	struct object *object;
	uint64_t offset; /* bytes, page-aligned */
};

MUST_CHECK int space_map(struct space *s, const struct map_request *req, uaddr_t *ret_addr);
MUST_CHECK int space_unmap(struct space *s, uaddr_t addr, uint64_t len);
MUST_CHECK int space_protect(struct space *s, uaddr_t addr, uint64_t len, uint8_t prot);
/* madvise(2) with the advice numbers of <asm/mman.h>. */
MUST_CHECK int space_advise(struct space *s, uaddr_t addr, uint64_t len, int advice);
MUST_CHECK int space_remap(struct space *s, uaddr_t addr, uint64_t old_len, uint64_t new_len, unsigned flags,
			   uaddr_t new_addr, uaddr_t *ret_addr);
/* The new break, or the old one where the change is refused. */
uaddr_t space_brk(struct space *s, uaddr_t brk);

/* Hardware bits of a leaf in region r, without W: mm/fault.c and mm/vm.c build leaves of these. */
uint64_t region_leaf_bits(const struct region *r);

/* Reads another space's memory through windows, as far as it is resident: the number of bytes read. */
size_t space_peek(struct space *s, uaddr_t src, void *dst, size_t n);

#endif
