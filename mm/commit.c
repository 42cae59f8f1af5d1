/* mm/commit.c - see mm/commit.h. */
#include "mm/commit.h"

#include <asm/mman.h>

#include "kernel/base/print.h"
#include "mm/space.h"

#define KEPT_SHARE 128 /* of RAM, within the bounds below */
#define KEPT_MIN   64u
#define KEPT_MAX   1024u

struct commit_policy commit_policy = {.mode = COMMIT_HEURISTIC, .ratio = 50};

static struct {
	uint64_t spaces, objects; /* pages [a] */
} promised;

uint64_t commit_promised(void)
{
	return __atomic_load_n(&promised.spaces, __ATOMIC_RELAXED) +
	       __atomic_load_n(&promised.objects, __ATOMIC_RELAXED);
}

uint64_t commit_limit(void)
{
	if (commit_policy.limit_kib)
		return commit_policy.limit_kib >> (PAGE_SHIFT - 10);
	return frame_total() * commit_policy.ratio / 100;
}

/* `credit`: pages that the same request gives back. */
static int charge(uint64_t *sum, uint64_t pages, uint64_t credit)
{
	if (!pages)
		return 0;
	if (commit_policy.mode == COMMIT_HEURISTIC && pages > frame_total())
		return -ENOMEM;
	if (commit_policy.mode == COMMIT_NEVER && commit_promised() + pages > commit_limit() + credit)
		return -ENOMEM;
	__atomic_add_fetch(sum, pages, __ATOMIC_RELAXED);
	return 0;
}

static void uncharge(uint64_t *sum, uint64_t pages)
{
	uint64_t old = __atomic_fetch_sub(sum, pages, __ATOMIC_RELAXED);

	ASSERT(old >= pages);
}

static bool accountable(const struct region *r, uint8_t prot)
{
	return (r->flags & REGION_ACCOUNT) || ((prot & PROT_WRITE) && !(r->flags & (REGION_SHARED | REGION_NORESERVE)));
}

static uint64_t region_pages(const struct region *r) { return (r->end.v - r->start.v) >> PAGE_SHIFT; }

/* Pages of [start, end) in regions: all of them, and those that were charged. */
static uint64_t count_pages(const struct regions *set, uaddr_t start, uaddr_t end, uint64_t *ret_charged)
{
	const struct region *r;
	uint64_t all = 0, charged = 0;

	region_for_each_in (r, set, start.v, end.v) {
		uint64_t pages = (MIN(r->end.v, end.v) - MAX(r->start.v, start.v)) >> PAGE_SHIFT;

		all += pages;
		charged += r->flags & REGION_ACCOUNT ? pages : 0;
	}
	*ret_charged = charged;
	return all;
}

int commit_map(struct space *s, struct region *r)
{
	uint64_t replaced;
	int err;

	commit_mark(r);
	if (!(r->flags & REGION_ACCOUNT))
		return 0;
	count_pages(s->regions, r->start, r->end, &replaced);
	err = charge(&promised.spaces, region_pages(r), replaced);
	if (!err)
		s->commit.pages += region_pages(r);
	return err;
}

void commit_mapped(struct space *s, const struct region *r) { s->commit.mapped += region_pages(r); }

void commit_drop(struct space *s, uaddr_t start, uaddr_t end)
{
	uint64_t charged, all = count_pages(s->regions, start, end, &charged);

	s->commit.peak = MAX(s->commit.peak, s->commit.mapped);
	s->commit.mapped -= all;
	s->commit.pages -= charged;
	uncharge(&promised.spaces, charged);
}

int commit_grow(struct space *s, const struct region *r, uint64_t pages)
{
	bool charged = r->flags & REGION_ACCOUNT;
	int err = charged ? charge(&promised.spaces, pages, 0) : 0;

	if (err)
		return err;
	s->commit.mapped += pages;
	s->commit.pages += charged ? pages : 0;
	return 0;
}

int commit_protect(struct space *s, uaddr_t start, uaddr_t end, uint8_t prot)
{
	const struct region *r;
	uint64_t pages = 0;
	int err;

	region_for_each_in (r, s->regions, start.v, end.v)
		if (!(r->flags & REGION_ACCOUNT) && accountable(r, prot))
			pages += (MIN(r->end.v, end.v) - MAX(r->start.v, start.v)) >> PAGE_SHIFT;
	err = charge(&promised.spaces, pages, 0);
	if (!err)
		s->commit.pages += pages;
	return err;
}

void commit_mark(struct region *r)
{
	if (accountable(r, r->prot))
		r->flags |= REGION_ACCOUNT;
}

int commit_clone(const struct space *parent, struct space *child)
{
	struct commit c = parent->commit;

	if (commit_low())
		return -ENOMEM;
	if (child->regions != parent->regions) /* some are not inherited */
		c.mapped = count_pages(child->regions, UADDR(0), UADDR(USER_END), &c.pages);
	c.peak = 0;
	if (commit_policy.mode == COMMIT_NEVER && commit_promised() + c.pages > commit_limit())
		return -ENOMEM;
	__atomic_add_fetch(&promised.spaces, c.pages, __ATOMIC_RELAXED);
	child->commit = c;
	return 0;
}

void commit_release(struct space *s)
{
	uncharge(&promised.spaces, s->commit.pages);
	s->commit.pages = 0;
}

int commit_object(uint64_t pages) { return charge(&promised.objects, pages, 0); }

void commit_object_release(uint64_t pages) { uncharge(&promised.objects, pages); }

uint64_t commit_kept_back(void) { return MIN(MAX(frame_total() / KEPT_SHARE, KEPT_MIN), KEPT_MAX); }

bool commit_low(void) { return frame_available() < KEPT_MAX && frame_available() < commit_kept_back(); }

struct recount {
	uint64_t pages;
	char *buf;
	size_t size;
	bool breach;
};

static void recount_space(struct space *s, void *arg)
{
	struct recount *c = arg;
	uint64_t charged, all;

	spin_lock(&s->lock);
	all = count_pages(s->regions, UADDR(0), UADDR(USER_END), &charged);
	c->pages += charged;
	if (!c->breach && (charged != s->commit.pages || all != s->commit.mapped)) {
		c->breach = true;
		ksnprintf(c->buf, c->size, "a space is charged %llu of %llu pages, but its regions say %llu of %llu",
			  (unsigned long long)s->commit.pages, (unsigned long long)s->commit.mapped,
			  (unsigned long long)charged, (unsigned long long)all);
	}
	spin_unlock(&s->lock);
}

int commit_verify(char *buf, size_t size)
{
	struct recount c = {.buf = buf, .size = size};
	uint64_t sum = __atomic_load_n(&promised.spaces, __ATOMIC_RELAXED);

	space_for_each(recount_space, &c);
	if (!c.breach && c.pages != sum) {
		c.breach = true;
		ksnprintf(buf, size, "%llu pages are promised to spaces, but these say %llu", (unsigned long long)sum,
			  (unsigned long long)c.pages);
	}
	return c.breach ? -EIO : 0;
}
