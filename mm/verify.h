/*
 * mm/verify.h - the recount: do the frame records say what the page tables are?
 *
 * Role         Walks every space, each table once, counts the references to each frame anew, and compares (mm/paging.h, invariants
 *              1, 2, 3 and 7). /proc/tine/verify runs it; the test suite reads that after every guest program.
 * Locks        Takes the list of spaces, then each space's lock. One caller at a time.
 * Failure      -EIO, with the first breach described; -ENOMEM: it counts in four bytes for each frame of RAM.
 * Not handled  Other CPUs: spaces would change between one's walk and the next. Frames of kind KERNEL, and the references that page
 *              objects and kernel code hold: for CACHE frames the recount may be lower than ref, never higher.
 */
#ifndef TINE_MM_VERIFY_H
#define TINE_MM_VERIFY_H

#include "kernel/base/types.h"

struct verify_report {
	uint64_t spaces, tables, leaves, frames;
	char breach[160]; /* "" if there is none */
};

MUST_CHECK int mm_verify(struct verify_report *ret);

#endif
