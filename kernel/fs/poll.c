/*
 * kernel/fs/poll.c - see poll.h.
 */
#include "kernel/fs/poll.h"

#include "mm/heap.h"

void poll_begin(struct poll_table *pt)
{
	pt->registering = true;
	pt->error = 0;
	pt->used = 0;
	pt->chunks = NULL;
}

static struct waiter *chunk_waiter(struct poll_table *pt)
{
	struct poll_chunk *c = pt->chunks;

	if (!c || c->used == POLL_CHUNK) {
		c = kmalloc(sizeof(*c));
		if (!c)
			return NULL;
		c->next = pt->chunks;
		c->used = 0;
		pt->chunks = c;
	}
	return &c->waiters[c->used++];
}

void poll_on(struct poll_table *pt, struct waitq *q)
{
	struct waiter *w;

	if (!pt || !pt->registering)
		return;
	w = pt->used < POLL_INLINE ? &pt->waiters[pt->used++] : chunk_waiter(pt);
	if (w)
		waitq_enter(q, w);
	else
		pt->error = -ENOMEM;
}

void poll_end(struct poll_table *pt)
{
	for (unsigned i = 0; i < pt->used; i++)
		waitq_leave(&pt->waiters[i]);
	while (pt->chunks) {
		struct poll_chunk *c = pt->chunks;

		for (unsigned i = 0; i < c->used; i++)
			waitq_leave(&c->waiters[i]);
		pt->chunks = c->next;
		kfree(c);
	}
}
