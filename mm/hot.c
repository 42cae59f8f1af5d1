/* mm/hot.c - see mm/hot.h. */
#include "mm/hot.h"

#include "kernel/base/lock.h"
#include "kernel/base/ref.h"
#include "kernel/base/string.h"
#include "mm/heap.h"

struct hot_pages {
	struct ref ref;
	struct spinlock lock;
	uint32_t count;              /* [lock] */
	uint32_t forks[HOT_PAGES];   /* [lock] for which the page is still copied */
	uint64_t address[HOT_PAGES]; /* [lock] */
};

struct hot_pages *hot_create(void)
{
	struct hot_pages *h = kmalloc(sizeof(*h));

	if (!h)
		return NULL;
	ref_init(&h->ref);
	spin_init(&h->lock, "hot pages", LOCK_TABLE);
	h->count = 0;
	return h;
}

struct hot_pages *hot_get(struct hot_pages *h)
{
	if (h)
		ref_get(&h->ref);
	return h;
}

void hot_put(struct hot_pages *h)
{
	if (h && ref_put(&h->ref))
		kfree(h);
}

static void insert(struct hot_pages *h, uint32_t at, uint64_t page)
{
	memmove(&h->address[at + 1], &h->address[at], (h->count - at) * sizeof(h->address[0]));
	memmove(&h->forks[at + 1], &h->forks[at], (h->count - at) * sizeof(h->forks[0]));
	h->address[at] = page;
	h->forks[at] = HOT_FORKS;
	h->count++;
}

void hot_learn(struct hot_pages *h, uaddr_t va)
{
	uint64_t page = ALIGN_DOWN(va.v, PAGE_SIZE);
	uint32_t at = 0;

	if (!h)
		return;
	spin_lock(&h->lock);
	while (at < h->count && h->address[at] < page)
		at++;
	if (h->count < HOT_PAGES && (at == h->count || h->address[at] != page))
		insert(h, at, page);
	spin_unlock(&h->lock);
}

void hot_list(struct hot_pages *h, uaddr_t also, uint64_t ret_pages[HOT_PAGES + 2])
{
	uint64_t page = ALIGN_DOWN(also.v, PAGE_SIZE);
	unsigned n = 0, kept = 0;
	bool placed = false;

	if (h) {
		spin_lock(&h->lock);
		for (uint32_t i = 0; i < h->count; i++) {
			if (!placed && page <= h->address[i]) {
				ret_pages[n++] = page;
				placed = true;
			}
			if (h->address[i] != page)
				ret_pages[n++] = h->address[i];
			h->forks[kept] = h->forks[i] - 1;
			h->address[kept] = h->address[i];
			kept += h->forks[kept] > 0;
		}
		h->count = kept;
		spin_unlock(&h->lock);
	}
	if (!placed)
		ret_pages[n++] = page;
	ret_pages[n] = UINT64_MAX;
}
