/* proc/cred.c - see proc/cred.h. */
#include "proc/cred.h"

#include "mm/heap.h"

struct cred cred_root = {.ref = REF_INIT};

void cred_get(struct cred *c) { ref_get(&c->ref); }

void cred_put(struct cred *c)
{
	if (ref_put(&c->ref) && c != &cred_root)
		kfree(c);
}

int cred_copy(const struct cred *from, struct cred **ret_cred)
{
	struct cred *c = kmalloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = *from;
	ref_init(&c->ref);
	*ret_cred = c;
	return 0;
}

bool cred_in_group(const struct cred *c, uint32_t gid)
{
	if (gid == c->fsgid)
		return true;
	for (uint32_t i = 0; i < c->ngroups; i++)
		if (c->groups[i] == gid)
			return true;
	return false;
}
