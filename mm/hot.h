/*
 * mm/hot.h - the pages that both sides of a fork write at once, so that the next fork copies them and nobody faults.
 *
 * Role         Who writes a page after a fork that shared it (the C library's data, a frame of the stack) pays a fault and a copy, and
 *              the other side a second fault when it writes the page again. What such a fault copied is learned here, by a record
 *              that a family of forked spaces shares; `tree` copies those pages during the fork (mm/clone.c). Only pages of small
 *              tables are learned, which the fork copies in any case: no large subtree is broken up for them.
 * Invariants   1. Addresses are page-aligned, distinct and in rising order.
 *              2. What is learned is a hint: the fork looks at the page as it is then.
 *              3. A page is forgotten after HOT_FORKS forks, and must show again by a fault that it is worth the copy.
 * Locks        Its own (LOCK_TABLE, inside LOCK_SPACE): a child learns while its parent forks.
 * Failure      None: without memory for the record nothing is learned. NULL is a family that learns nothing.
 */
#ifndef TINE_MM_HOT_H
#define TINE_MM_HOT_H

#include "kernel/base/addr.h"

#define HOT_PAGES 4
#define HOT_FORKS 32

struct hot_pages;

struct hot_pages *hot_create(void);
struct hot_pages *hot_get(struct hot_pages *h);
void hot_put(struct hot_pages *h);

void hot_learn(struct hot_pages *h, uaddr_t va);

/* The pages to copy in this fork, with `also` among them, in rising order; UINT64_MAX ends the list. */
void hot_list(struct hot_pages *h, uaddr_t also, uint64_t ret_pages[HOT_PAGES + 2]);

#endif
