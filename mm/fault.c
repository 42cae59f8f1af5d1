/* mm/fault.c - see mm/fault.h. */
#include "mm/fault.h"

#include <asm/mman.h>

#include "mm/clone.h"
#include "mm/hot.h"
#include "mm/kmap.h"
#include "mm/object.h"
#include "mm/paging.h"
#include "mm/tlb.h"

#define STACK_GUARD_GAP MIB(1) /* kept free below a stack that grows, as Linux's stack_guard_gap */

uint64_t region_leaf_bits(const struct region *r)
{
	uint64_t bits = PTE_U | PTE_A | PTE_D;

	bits |= r->prot & (PROT_READ | PROT_WRITE | PROT_EXEC) ? PTE_P : PTE_HELD;
	if (!(r->prot & PROT_EXEC))
		bits |= kmap_nx();
	if (r->flags & REGION_SHARED)
		bits |= PTE_SHARED;
	return bits;
}

static uint64_t write_bit(const struct region *r) { return r->prot & PROT_WRITE ? PTE_W : 0; }

/* Extends a stack region down to va, if that is what the address asks for. */
static struct region *grow_stack(struct space *s, uaddr_t va)
{
	struct region *r = region_after(s->regions, va);
	uint64_t bottom = ALIGN_DOWN(va.v, PAGE_SIZE);

	if (!r || !(r->flags & REGION_STACK) || r->end.v - bottom > s->stack_limit || bottom < STACK_GUARD_GAP)
		return NULL;
	if (r > s->regions->r && r[-1].end.v > bottom - STACK_GUARD_GAP)
		return NULL;
	if (regions_prepare(&s->regions, 0))
		return NULL;
	r = region_after(s->regions, va);
	if (commit_grow(s, r, (r->start.v - bottom) >> PAGE_SHIFT))
		return NULL;
	r->start = UADDR(bottom);
	COUNT(faults_stack_growth);
	return r;
}

static int access_allowed(const struct region *r, uint32_t code)
{
	uint8_t need = code & FAULT_WRITE ? PROT_WRITE : code & FAULT_FETCH ? PROT_EXEC : PROT_READ;

	/* x86 has no write-only or execute-only pages: any right lets one read. */
	if (need == PROT_READ ? !(r->prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) : !(r->prot & need))
		return -EACCES;
	return 0;
}

/* A fault under way. */
struct fault {
	uint32_t code;
	bool low; /* the fault of user code, and there were only the last frames when it began: it gets none */
};

static int fault_frame(const struct fault *fault, pfn_t *ret_frame)
{
	return unlikely(fault->low) ? -ENOMEM : frame_alloc(FRAME_ANON, ret_frame);
}

static int fault_anonymous(struct space *s, const struct region *r, uaddr_t va, pte_t *entry, const struct fault *fault)
{
	pfn_t f;
	int err = fault_frame(fault, &f);

	if (err)
		return err;
	frame_zero(f);
	leaf_install(s, va, entry, pte_make(f, region_leaf_bits(r) | write_bit(r)));
	COUNT(faults_zero);
	return 0;
}

static int fault_object(struct space *s, const struct region *r, uaddr_t va, pte_t *entry, const struct fault *fault)
{
	uint64_t bits = region_leaf_bits(r);
	pfn_t page, copy;
	int err = object_frame(r->object, (r->offset + (va.v - r->start.v)) >> PAGE_SHIFT, !fault->low, &page);

	if (err)
		return err;
	COUNT(faults_file);
	if (r->flags & REGION_SHARED) {
		leaf_install(s, va, entry, pte_make(page, bits | write_bit(r)));
	} else if (!(fault->code & FAULT_WRITE)) {
		leaf_install(s, va, entry, pte_make(page, bits));
	} else {
		err = fault_frame(fault, &copy);
		if (!err) {
			frame_copy(copy, page);
			leaf_install(s, va, entry, pte_make(copy, bits | PTE_W));
		}
		frame_put(page);
	}
	return err;
}

/* A write to a leaf with W=0 in a region that may be written. */
static int fault_copy_on_write(struct space *s, uaddr_t va, pte_t *entry, pte_t leaf, const struct fault *fault)
{
	pfn_t old = pte_frame(leaf), copy;
	int err;

	if (pte_shared(leaf) || (frame_of(old)->kind == FRAME_ANON && frame_refs(old) == 1)) {
		pte_write(entry, pte_with(leaf, PTE_W));
		COUNT(faults_cow_reuse);
		return 0;
	}
	err = fault_frame(fault, &copy);
	if (err)
		return err;
	frame_copy(copy, old);
	pte_write(entry, pte_make(copy, (leaf.v & ~PTE_FRAME) | PTE_W));
	tlb_flush_page(va.v);
	frame_put(old);
	if (clone_copies_table(frame_of(pte_frame(pte_read(entry_window(va.v, 2)))), 1))
		hot_learn(s->hot, va);
	COUNT(faults_cow_copy);
	return 0;
}

static int resolve(struct space *s, const struct region *r, uaddr_t va, uint32_t code)
{
	/*
	 * User code does not get the last frames: it can wait, and copies that the kernel makes cannot (proc/oom.h). That is asked here, before
	 * own() takes frames for tables, which paging_prune() gives back: else a fault could be refused for their want, find memory as it was,
	 * and be tried again for ever.
	 */
	struct fault fault = {.code = code, .low = (code & FAULT_USER) && unlikely(commit_low())};
	pte_t *entry, leaf;
	int err = own(s, va, 1, &entry);

	if (err)
		return err;
	leaf = pte_read(entry);
	if (!pte_mapped(leaf)) {
		err = r->object ? fault_object(s, r, va, entry, &fault) : fault_anonymous(s, r, va, entry, &fault);
		if (err)
			paging_prune(s, va);
		return err;
	}
	if ((code & FAULT_WRITE) && !pte_writable(leaf))
		return fault_copy_on_write(s, va, entry, leaf, &fault);
	tlb_flush_page(va.v); /* resolved meanwhile, or a stale entry */
	COUNT(faults_spurious);
	return 0;
}

int space_fault(struct space *s, uaddr_t va, uint32_t code)
{
	struct region *r;
	int err = -EFAULT;

	va = UADDR(ALIGN_DOWN(va.v, PAGE_SIZE));
	spin_lock(&s->lock);
	r = region_find(s->regions, va);
	if (!r)
		r = grow_stack(s, va);
	if (r) {
		err = access_allowed(r, code);
		if (!err)
			err = resolve(s, r, va, code);
		s->peak = MAX(s->peak, s->resident);
	}
	spin_unlock(&s->lock);
	if (err)
		COUNT(faults_bad);
	return err;
}
