/* mm/kmap.c - see mm/kmap.h. */
#include "mm/kmap.h"

#include "kernel/base/lock.h"
#include "kernel/base/string.h"
#include "mm/tlb.h"

#define STACK_STRIDE  KIB(32) /* guard below, stack above; the rest is unused address space */
#define STACKS_MAX    (entry_span(4) / STACK_STRIDE)
#define STACKS_REUSED 32768 /* indexes that are remembered: as many as there can be processes */

static struct spinlock kmap_lock = SPINLOCK_INIT("kmap", LOCK_KMAP);
uint64_t kmap_nx_bit;
static int (*early_source)(pfn_t *ret_frame);
static uint64_t device_next;

static struct {
	uint64_t next_new; /* index of the first stack that never was */
	uint32_t unmapped_count;
	uint32_t unmapped[STACKS_REUSED]; /* indexes whose pages were given back */
} stacks;

void kmap_init(bool nx) { kmap_nx_bit = nx ? PTE_NX : 0; }

void kmap_set_early_source(int (*source)(pfn_t *ret_frame)) { early_source = source; }

static int table_frame(pfn_t *ret) { return early_source ? early_source(ret) : frame_alloc(FRAME_KERNEL, ret); }

/* The L1 entry of va, its tables made. */
static int make_path(uint64_t va, pte_t **ret_slot)
{
	for (int level = 3; level > 1; level--) {
		pte_t *slot = entry_window(va, level);
		pfn_t table;
		int err;

		if (pte_present(pte_read(slot)))
			continue;
		err = table_frame(&table);
		if (err)
			return err;
		pte_write(slot, pte_make(table, PTE_P | PTE_W | PTE_A));
		memset((void *)ALIGN_DOWN((uint64_t)entry_window(va, level - 1), PAGE_SIZE), 0, PAGE_SIZE);
	}
	*ret_slot = entry_window(va, 1);
	return 0;
}

static uint64_t cache_bits(enum kmap_cache cache)
{
	switch (cache) {
	case KMAP_UC:
		return PTE_PCD | PTE_PWT; /* PAT entry 3 */
	case KMAP_WC:
		return PTE_PWT; /* PAT entry 1, which kernel/cpu.c sets to WC */
	default:
		return 0;
	}
}

int kmap_make_tables(vaddr_t va, uint64_t size)
{
	int err = 0;

	spin_lock(&kmap_lock);
	for (uint64_t at = ALIGN_DOWN(va.v, entry_span(2)); !err && at < va.v + size; at += entry_span(2)) {
		pte_t *slot;

		err = make_path(at, &slot);
	}
	spin_unlock(&kmap_lock);
	return err;
}

int kmap_page(vaddr_t va, pfn_t f, enum kmap_cache cache)
{
	pte_t *slot;
	int err;

	spin_lock(&kmap_lock);
	err = make_path(va.v, &slot);
	if (!err) {
		ASSERT(!pte_present(pte_read(slot)));
		pte_write(slot, pte_make(f, PTE_P | PTE_W | PTE_A | PTE_D | cache_bits(cache) | kmap_nx()));
	}
	spin_unlock(&kmap_lock);
	return err;
}

pfn_t kunmap_page(vaddr_t va)
{
	pte_t *slot = entry_window(va.v, 1);
	pte_t old;

	spin_lock(&kmap_lock);
	old = pte_read(slot);
	ASSERT(pte_present(old));
	pte_write(slot, PTE_NONE);
	tlb_flush_page(va.v);
	spin_unlock(&kmap_lock);
	return pte_frame(old);
}

bool kmap_is_mapped(vaddr_t va)
{
	for (int level = 4; level >= 1; level--)
		if (!pte_present(pte_read(entry_window(va.v, level))))
			return false;
	return true;
}

pfn_t kmap_frame(vaddr_t va)
{
	pte_t e = pte_read(entry_window(va.v, 1));

	ASSERT(pte_present(e));
	return pte_frame(e);
}

void *kmap_device(paddr_t start, uint64_t size, enum kmap_cache cache)
{
	uint64_t offset = page_offset(start.v);
	uint64_t pages = pages_for(offset + size);
	uint64_t va;

	if (!size || size > GIB(64))
		return NULL;
	spin_lock(&kmap_lock);
	va = slot_base(SLOT_DEVICES).v + device_next;
	if (pages * PAGE_SIZE > entry_span(4) - device_next) {
		spin_unlock(&kmap_lock);
		return NULL;
	}
	device_next += (pages + 1) * PAGE_SIZE; /* a hole between neighbours */
	spin_unlock(&kmap_lock);
	for (uint64_t i = 0; i < pages; i++)
		if (kmap_page(VADDR(va + i * PAGE_SIZE), PFN((start.v >> PAGE_SHIFT) + i), cache)) {
			while (i--)
				(void)kunmap_page(VADDR(va + i * PAGE_SIZE));
			return NULL;
		}
	return (void *)(va + offset);
}

/* Stacks. */
static vaddr_t stack_address(uint64_t index)
{
	return VADDR(slot_base(SLOT_STACKS).v + index * STACK_STRIDE + (STACK_STRIDE - KSTACK_SIZE));
}

bool kstack_is_guard(uint64_t addr)
{
	uint64_t base = slot_base(SLOT_STACKS).v;

	return addr >= base && addr - base < entry_span(4) && (addr - base) % STACK_STRIDE < STACK_STRIDE - KSTACK_SIZE;
}

static void stack_unmap(vaddr_t lowest, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += PAGE_SIZE)
		frame_put(kunmap_page(VADDR(lowest.v + at)));
}

static int stack_map(vaddr_t lowest)
{
	for (uint64_t at = 0; at < KSTACK_SIZE; at += PAGE_SIZE) {
		pfn_t f;
		int err = frame_alloc(FRAME_KERNEL, &f);

		if (!err) {
			err = kmap_page(VADDR(lowest.v + at), f, KMAP_WB);
			if (err)
				frame_put(f);
		}
		if (err) {
			stack_unmap(lowest, at);
			return err;
		}
	}
	return 0;
}

static void index_release(uint64_t index)
{
	spin_lock(&kmap_lock);
	if (stacks.unmapped_count < ARRAY_LEN(stacks.unmapped))
		stacks.unmapped[stacks.unmapped_count++] = (uint32_t)index;
	spin_unlock(&kmap_lock);
}

int kstack_alloc(vaddr_t *ret_lowest)
{
	uint64_t index;
	int err;

	spin_lock(&kmap_lock);
	if (!stacks.unmapped_count && stacks.next_new == STACKS_MAX) {
		spin_unlock(&kmap_lock);
		return -ENOMEM;
	}
	index = stacks.unmapped_count ? stacks.unmapped[--stacks.unmapped_count] : stacks.next_new++;
	spin_unlock(&kmap_lock);

	err = stack_map(stack_address(index));
	if (err) {
		index_release(index);
		return err;
	}
	*ret_lowest = stack_address(index);
	return 0;
}

void kstack_free(vaddr_t lowest)
{
	stack_unmap(lowest, KSTACK_SIZE);
	index_release((lowest.v - slot_base(SLOT_STACKS).v) / STACK_STRIDE);
}
