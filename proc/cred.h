/*
 * proc/cred.h - who a thread acts as.
 *
 * Role         User and group ids. A struct cred is immutable once published and shared by reference: fork takes one more
 *              reference, setuid() and friends install a new one.
 * Invariants   1. Nobody writes a cred that current()->cred of any thread names.
 * Failure      cred_copy: -ENOMEM.
 */
#ifndef TINE_PROC_CRED_H
#define TINE_PROC_CRED_H

#include "kernel/base/ref.h"
#include "kernel/base/types.h"

#define CRED_MAX_GROUPS 64

struct cred {
	struct ref ref;
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	uint32_t ngroups;
	uint32_t groups[CRED_MAX_GROUPS];
};

void cred_get(struct cred *c);
void cred_put(struct cred *c);
/* A writable copy with one reference. */
MUST_CHECK int cred_copy(const struct cred *from, struct cred **ret_cred);
/* Is gid the effective (file system) group or a supplementary one? */
bool cred_in_group(const struct cred *c, uint32_t gid);
static inline bool cred_is_root(const struct cred *c) { return c->euid == 0; }

extern struct cred cred_root; /* uid 0, no groups: of pid 1; never freed */

#endif
