/*
 * mm/fault.h - what a page fault means.
 *
 * Role         space_fault() decides, by the region and the entry, whether a fault at a user address is a page not yet made, a
 *              copy-on-write, stack growth, or an error, and resolves all but the last.
 * Invariants   1. After 0 the access can be retried; it makes progress.
 *              2. A copied page is filled before its entry is published.
 * Locks        Takes the space lock.
 * Failure      -EFAULT no region there (SEGV_MAPERR); -EACCES the region forbids the access (SEGV_ACCERR); -ENXIO past the end of
 *              the object, -ENOSPC a hole in a file that may not grow (SIGBUS, BUS_ADRERR); -ENOMEM no frame, or one of the last
 *              ones that user code does not get (commit_low()): it may be tried again later. The space is unchanged.
 */
#ifndef TINE_MM_FAULT_H
#define TINE_MM_FAULT_H

#include "mm/space.h"

/* The processor's page-fault error code (SDM 3, 4.7). */
#define FAULT_PROTECTION 0x01u /* a present entry forbade it */
#define FAULT_WRITE      0x02u
#define FAULT_USER       0x04u
#define FAULT_RESERVED   0x08u
#define FAULT_FETCH      0x10u

MUST_CHECK int space_fault(struct space *s, uaddr_t va, uint32_t code);

#endif
