/*
 * mm/census.h - what a space holds, counted from its tree.
 *
 * Role         Walks the page tables of any space through windows and counts its pages by what they are, and what is its own: the
 *              frames that nobody else names, by the reference counts of mm/paging.h. A page is exclusive if its frame and all
 *              tables above it have one reference; so the walk for `exclusive` descends only where it is alone, and over all
 *              spaces together it meets each table once. For the rest (CENSUS_ALL) it goes through shared tables too.
 * Estimated    A page of shared anonymous memory is taken for exclusive if no other table names it: its object, which goes with its
 *              last mapping, holds one reference more. Pages of files are never exclusive: the file keeps them.
 * Locks        Takes the space's lock. Holds one window for each level.
 * Failure      None.
 */
#ifndef TINE_MM_CENSUS_H
#define TINE_MM_CENSUS_H

#include "mm/space.h"

enum census_scope { CENSUS_EXCLUSIVE, CENSUS_ALL };

struct census {
	uint64_t exclusive;               /* frames, tables included, that come back when the space goes */
	uint64_t tables_own;              /* page tables that only this space names, the root among them */
	uint64_t tables_shared;           /* CENSUS_ALL: tables below an entry that others have too */
	uint64_t anon, file, anon_shared; /* CENSUS_ALL: mapped pages: private, of files, of shared anonymous memory */
};

void space_census(struct space *s, enum census_scope scope, struct census *ret);

#endif
