/*
 * efi/paging.c - the kernel's first page tables, from scratch: nothing of the firmware's is trusted or kept.
 *
 * All tables come from one run of pages, sized before the exit for all that will be mapped, since nothing can be
 * allocated after it. Four levels, Intel SDM 3 section 4.5.
 */
#include "efi/pe.h"
#include "efi/stub.h"

#define PTE_PRESENT  0x001ull
#define PTE_WRITABLE 0x002ull
#define PTE_GLOBAL   0x100ull
#define PTE_NX       0x8000000000000000ull
#define PTE_ADDRESS  0x000ffffffffff000ull

#define TABLE_PAGES      512
#define LARGE_PAGES      512         /* 4 KiB pages in a 2 MiB one */
#define PAGES_PER_GIB    (512 * 512) /* under one L2 table */
#define POOL_FIXED       16          /* the root, an L3 for each slot, the trampoline's three */
#define POOL_PER_RANGE   4           /* L2 and L1 tables of a range that straddles their edges */
#define POOL_SPARE       16          /* regions that firmware adds at the exit */
#define LEVEL_SHIFT(lvl) (PAGE_SHIFT + 9 * ((lvl)-1))

STUB_BEGIN

static uint64_t *table_at(uint64_t entry) { return (uint64_t *)(entry & PTE_ADDRESS); }

static uint64_t table_take(struct page_tables *t)
{
	uint64_t paddr = t->next;

	if (!t->left)
		return 0;
	t->left--;
	t->next += PAGE_SIZE;
	return paddr;
}

/* The entry of `level` for vaddr, with its tables made; NULL if the pool is empty or a large page is in the way. */
static uint64_t *entry_at(struct page_tables *t, uint64_t vaddr, int level)
{
	uint64_t *table = table_at(t->root);

	for (int at = 4; at > level; at--) {
		uint64_t *entry = &table[vaddr >> LEVEL_SHIFT(at) & 511];
		if (!(*entry & PTE_PRESENT)) {
			uint64_t made = table_take(t);
			if (!made)
				return NULL;
			*entry = made | PTE_PRESENT | PTE_WRITABLE;
		}
		if (*entry & PTE_LARGE)
			return NULL;
		table = table_at(*entry);
	}
	return &table[vaddr >> LEVEL_SHIFT(level) & 511];
}

uint64_t paging_flags(bool writable, bool executable)
{
	return PTE_PRESENT | PTE_GLOBAL | (writable ? PTE_WRITABLE : 0) | (executable ? 0 : PTE_NX);
}

EFI_STATUS paging_map(struct page_tables *t, uint64_t vaddr, uint64_t paddr, uint64_t pages, uint64_t flags)
{
	uint64_t small = flags & ~PTE_LARGE & (t->nx ? ~0ull : ~PTE_NX);
	uint64_t step;

	for (; pages; pages -= step, vaddr += step << PAGE_SHIFT, paddr += step << PAGE_SHIFT) {
		bool large = flags & PTE_LARGE && pages >= LARGE_PAGES && !((vaddr | paddr) & (MIB(2) - 1));
		uint64_t *entry = entry_at(t, vaddr, large ? 2 : 1);

		step = large ? LARGE_PAGES : 1;
		if (!entry && !t->left)
			return EFI_OUT_OF_RESOURCES;
		if (entry && !(*entry & PTE_PRESENT))
			*entry = paddr | small | (large ? PTE_LARGE : 0);
	}
	return EFI_SUCCESS;
}

/* Tables for runtime regions, each mapped alone; memory-attribute entries may cut code and data into 4 KiB pages. */
static uint64_t runtime_tables(struct stub *s)
{
	uint64_t count = POOL_SPARE;

	for (UINTN i = 0; i < memory_map_count(&s->map); i++) {
		const EFI_MEMORY_DESCRIPTOR *d = memory_map_at(&s->map, i);
		bool device = d->Type == EfiMemoryMappedIO;
		if (d->Attribute & EFI_MEMORY_RUNTIME)
			count += POOL_PER_RANGE + d->NumberOfPages / (device ? PAGES_PER_GIB : LARGE_PAGES);
	}
	return count;
}

static uint64_t range_tables(uint64_t pages) { return POOL_PER_RANGE + pages / LARGE_PAGES + pages / PAGES_PER_GIB; }

static EFI_STATUS pool_create(struct stub *s)
{
	struct boot_info *info = s->info;
	uint64_t pages = POOL_FIXED + range_tables(pages_for(info->image_size)) + range_tables(s->block.pages) +
			 range_tables(info->initrd_pages.pages) + runtime_tables(s);
	EFI_STATUS status = pages_alloc(s, pages, &s->tables.next);

	if (EFI_ERROR(status))
		return status;
	s->tables.left = pages;
	s->tables.root = table_take(&s->tables);
	return memory_keep(s, s->tables.root, pages);
}

/* The kernel half's fixed part: tables that all spaces will share, and the root seen through itself. */
static void map_slots(struct page_tables *t)
{
	uint64_t *root = table_at(t->root);

	for (unsigned slot = SLOT_FRAMES; slot < SLOT_END; slot++)
		root[slot] = table_take(t) | PTE_PRESENT | PTE_WRITABLE;
	root[SLOT_IMAGE] = table_take(t) | PTE_PRESENT | PTE_WRITABLE;
	root[SLOT_RECURSIVE] = t->root | PTE_PRESENT | PTE_WRITABLE | (t->nx ? PTE_NX : 0);
}

static EFI_STATUS map_image(struct stub *s)
{
	const struct boot_info *info = s->info;
	const struct pe_headers *pe = pe_headers((void *)info->image_paddr.v, info->image_size);
	const struct pe_section *sections = pe_sections(pe);
	uint64_t base = info->image_base.v, paddr = info->image_paddr.v;
	EFI_STATUS status = paging_map(&s->tables, base, paddr, 1, paging_flags(false, false));

	for (unsigned i = 0; i < pe->section_count && !EFI_ERROR(status); i++) {
		uint32_t c = sections[i].characteristics;
		if (!section_is_kernel(&sections[i]))
			continue;
		status = paging_map(&s->tables, base + sections[i].rva, paddr + sections[i].rva,
				    pages_for(sections[i].virtual_size), paging_flags(c & PE_WRITE, c & PE_EXECUTE));
	}
	return status;
}

/* The page in which CR3 changes has one address in both worlds; space_entered() removes it again. */
static EFI_STATUS map_trampoline(struct page_tables *t)
{
	uint64_t page = ALIGN_DOWN((uint64_t)switch_space, PAGE_SIZE);

	return paging_map(t, page, page, 1, paging_flags(false, true) & ~PTE_GLOBAL);
}

EFI_STATUS paging_build(struct stub *s)
{
	const struct boot_info *info = s->info;
	struct page_tables *t = &s->tables;
	EFI_STATUS status = pool_create(s);

	if (!EFI_ERROR(status)) {
		map_slots(t);
		status = map_image(s);
	}
	if (!EFI_ERROR(status))
		status = map_trampoline(t);
	if (!EFI_ERROR(status))
		status = paging_map(t, slot_base(SLOT_BOOT_DATA).v, s->block.start.v, s->block.pages,
				    paging_flags(true, false));
	if (!EFI_ERROR(status))
		status = paging_map(t, slot_base(SLOT_INITRD).v, info->initrd_pages.start.v, info->initrd_pages.pages,
				    paging_flags(true, false));
	if (EFI_ERROR(status))
		say(s, "no memory for page tables (status %lx)", status);
	return status;
}

STUB_END
