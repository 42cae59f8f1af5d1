/*
 * kernel/base/ref.h - reference counts.
 *
 * Invariants   1. An object is born with one reference; the holder of a reference may take more.
 *              2. The one whose ref_put() returns true is the last, and frees the object.
 * Failure      A count that would wrap, or be taken on a dead object, is a broken invariant: panic.
 */
#ifndef TINE_BASE_REF_H
#define TINE_BASE_REF_H

#include "kernel/base/panic.h"
#include "kernel/base/types.h"

struct ref {
	uint32_t n;
};

#define REF_INIT  \
	{         \
		1 \
	}

static inline void ref_init(struct ref *r) { r->n = 1; }

static inline void ref_get(struct ref *r)
{
	uint32_t old = __atomic_fetch_add(&r->n, 1, __ATOMIC_RELAXED);
	ASSERT(old != 0 && old != UINT32_MAX);
}

static inline MUST_CHECK bool ref_put(struct ref *r)
{
	uint32_t old = __atomic_fetch_sub(&r->n, 1, __ATOMIC_ACQ_REL);
	ASSERT(old != 0);
	return old == 1;
}

static inline uint32_t ref_count(const struct ref *r) { return __atomic_load_n(&r->n, __ATOMIC_RELAXED); }

#endif
