/*
 * mm/census.h - what a space holds, counted from its tree.
 *
 * Role         Walks the page tables of any space through windows, and counts its pages by what they are and by who else names them:
 *                exclusive  frames that only this space names, tables included: a frame and all tables above it have one
 *                           reference. They come back when the space goes.
 *                share      the same, and of what it has together with others its part: at each level a frame is divided by its
 *                           references. So the shares of all spaces add up to the frames that all of them hold, and the largest
 *                           is at least the average.
 * Estimated    CENSUS_SHARE does not look at the leaves below a table that others have too: they count as if named by that
 *              table only. So each space's walk costs its own tables, and of shared ones the inner levels: one record for 2 MiB.
 *              A page of shared anonymous memory counts as exclusive if no other table names it: its object, which goes with its
 *              last mapping, holds one reference more. Pages of files count for nobody: the file keeps them.
 * Locks        Takes the space's lock. Holds one window for each level.
 * Failure      None.
 */
#ifndef TINE_MM_CENSUS_H
#define TINE_MM_CENSUS_H

#include "mm/space.h"

enum census_scope {
	CENSUS_SHARE, /* exclusive and share only */
	CENSUS_ALL    /* every leaf */
};

struct census {
	uint64_t exclusive, share;        /* frames */
	uint64_t tables_own;              /* page tables that only this space names, the root among them */
	uint64_t tables_shared;           /* the others */
	uint64_t anon, file, anon_shared; /* CENSUS_ALL: mapped pages: private, of files, of shared anonymous memory */
};

void space_census(struct space *s, enum census_scope scope, struct census *ret);

#endif
