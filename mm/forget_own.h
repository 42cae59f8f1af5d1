/*
 * mm/forget_own.h - the mistake that the page tables must not survive, made on demand (checked builds only).
 *
 * Role         Stores a leaf entry through the recursive window without own(), or after it. What is stored is what the entry
 *              holds already, so nothing is harmed: what counts is whether the hardware lets the store pass. Where the path to
 *              the entry is shared it must not, and mm/paging.c, paging_window_fault() must say so. /proc/tine/forget_own asks.
 * Locks        Takes the space lock.
 * Failure      -EFAULT: no table for that address. -ENOMEM of own().
 */
#ifndef TINE_MM_FORGET_OWN_H
#define TINE_MM_FORGET_OWN_H

#include "mm/space.h"

#ifdef TINE_CHECKED
/* s is the current space. */
MUST_CHECK int store_unowned(struct space *s, uaddr_t va);
MUST_CHECK int store_owned(struct space *s, uaddr_t va);
#endif

#endif
