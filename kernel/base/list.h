/*
 * kernel/base/list.h - a doubly linked ring with a head, the links inside the objects.
 *
 * Invariants   1. A head that is empty, and a node that is on no list, points to itself both ways.
 *              2. list_remove() leaves the node as in 1, so that removing twice is harmless.
 * Locks        None: the owner of the list says which lock covers it.
 */
#ifndef TINE_BASE_LIST_H
#define TINE_BASE_LIST_H

#include "kernel/base/types.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)          \
	{                        \
		&(name), &(name) \
	}

static inline void list_init(struct list *l) { l->next = l->prev = l; }

static inline bool list_empty(const struct list *l) { return l->next == l; }

static inline void list_insert_between(struct list *n, struct list *prev, struct list *next)
{
	n->prev = prev;
	n->next = next;
	prev->next = n;
	next->prev = n;
}

/* First in line. */
static inline void list_push(struct list *head, struct list *n) { list_insert_between(n, head, head->next); }

/* Last in line. */
static inline void list_append(struct list *head, struct list *n) { list_insert_between(n, head->prev, head); }

static inline void list_remove(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

#define list_entry(ptr, type, member)  CONTAINER_OF(ptr, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)

#define list_for_each(pos, head, member)                                                       \
	for (pos = list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head); \
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))

/* The same where the body may remove pos. */
#define list_for_each_safe(pos, tmp, head, member)                        \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),    \
	    tmp = list_entry(pos->member.next, __typeof__(*pos), member); \
	     &pos->member != (head); pos = tmp, tmp = list_entry(pos->member.next, __typeof__(*pos), member))

#endif
