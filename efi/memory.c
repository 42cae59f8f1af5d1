/* efi/memory.c - pages from the firmware, its memory map, and the block of boot data. */
#include "efi/stub.h"
#include "kernel/base/string.h"

#define SPARE_DESCRIPTORS 32 /* allocations of ours, and what drivers do in their exit events, split descriptors */
#define BLOCK_BASE_BYTES  KIB(128)
#define BLOCK_ALIGN       16
#define DESCRIPTOR_MIN    sizeof(EFI_MEMORY_DESCRIPTOR)

STUB_BEGIN

EFI_STATUS pages_alloc(struct stub *s, uint64_t pages, uint64_t *ret_paddr)
{
	EFI_PHYSICAL_ADDRESS paddr = 0;
	EFI_STATUS status;

	if (s->allocation_count == STUB_ALLOCATIONS)
		return EFI_OUT_OF_RESOURCES;
	status = s->bs->AllocatePages(AllocateAnyPages, EfiLoaderData, pages, &paddr);
	if (EFI_ERROR(status))
		return status;
	memset((void *)paddr, 0, pages << PAGE_SHIFT);
	s->allocations[s->allocation_count++] = (struct boot_range){PADDR(paddr), pages};
	*ret_paddr = paddr;
	return EFI_SUCCESS;
}

void pages_release(struct stub *s)
{
	while (s->allocation_count) {
		struct boot_range *r = &s->allocations[--s->allocation_count];
		s->bs->FreePages(r->start.v, r->pages);
	}
}

EFI_STATUS memory_map_read(struct stub *s, struct memory_map *map)
{
	map->size = map->capacity;
	return s->bs->GetMemoryMap(&map->size, (EFI_MEMORY_DESCRIPTOR *)map->descriptors, &map->key, &map->stride,
				   &map->version);
}

const EFI_MEMORY_DESCRIPTOR *memory_map_at(const struct memory_map *map, UINTN index)
{
	return (const EFI_MEMORY_DESCRIPTOR *)(map->descriptors + index * map->stride);
}

UINTN memory_map_count(const struct memory_map *map)
{
	return map->stride < DESCRIPTOR_MIN ? 0 : map->size / map->stride;
}

/* Wrap-around and overlap are the kernel's to clean up: here a descriptor only answers for what it plainly covers. */
const EFI_MEMORY_DESCRIPTOR *memory_find(const struct stub *s, uint64_t paddr)
{
	for (UINTN i = 0; i < memory_map_count(&s->map); i++) {
		const EFI_MEMORY_DESCRIPTOR *d = memory_map_at(&s->map, i);
		if (paddr >= d->PhysicalStart && (paddr - d->PhysicalStart) >> PAGE_SHIFT < d->NumberOfPages)
			return d;
	}
	return NULL;
}

bool memory_readable(const struct stub *s, uint64_t paddr, uint64_t size)
{
	const EFI_MEMORY_DESCRIPTOR *d = memory_find(s, paddr);

	if (!d || !paddr || d->Type == EfiUnusableMemory || d->Type == EfiMemoryMappedIO ||
	    d->Type == EfiMemoryMappedIOPortSpace)
		return false;
	return size <= (d->NumberOfPages << PAGE_SHIFT) - (paddr - d->PhysicalStart);
}

static bool type_reclaimed(UINT32 type)
{
	return type == EfiLoaderCode || type == EfiLoaderData || type == EfiBootServicesCode ||
	       type == EfiBootServicesData || type == EfiConventionalMemory;
}

bool memory_reclaimed(const struct stub *s, uint64_t paddr)
{
	const EFI_MEMORY_DESCRIPTOR *d = memory_find(s, paddr);

	return d && type_reclaimed(d->Type);
}

EFI_STATUS memory_keep(struct stub *s, uint64_t paddr, uint64_t pages)
{
	struct boot_info *info = s->info;

	for (uint32_t i = 0; i < info->keep_count; i++) {
		struct boot_range *r = &info->keep[i];
		if (paddr >= r->start.v && paddr + (pages << PAGE_SHIFT) <= r->start.v + (r->pages << PAGE_SHIFT))
			return EFI_SUCCESS;
	}
	if (info->keep_count == BOOT_KEEP_MAX)
		return EFI_OUT_OF_RESOURCES;
	info->keep[info->keep_count++] = (struct boot_range){PADDR(paddr), pages};
	return EFI_SUCCESS;
}

/* Finds the map's size (the call must fail), and takes a buffer with room for descriptors to come. */
static EFI_STATUS map_buffer_alloc(struct stub *s, struct memory_map *map)
{
	struct memory_map probe = {0};
	EFI_STATUS status = memory_map_read(s, &probe);
	uint64_t paddr;

	if (status != EFI_BUFFER_TOO_SMALL)
		return EFI_ERROR(status) ? status : EFI_DEVICE_ERROR;
	if (probe.stride < DESCRIPTOR_MIN)
		return EFI_UNSUPPORTED;
	map->capacity = probe.size + SPARE_DESCRIPTORS * probe.stride;
	status = pages_alloc(s, pages_for(map->capacity), &paddr);
	if (EFI_ERROR(status))
		return status;
	map->descriptors = (uint8_t *)paddr;
	return EFI_SUCCESS;
}

EFI_STATUS memory_check(struct stub *s)
{
	uint64_t usable = 0;
	EFI_STATUS status = map_buffer_alloc(s, &s->map);

	if (!EFI_ERROR(status))
		status = memory_map_read(s, &s->map);
	if (EFI_ERROR(status)) {
		say(s, "cannot read the memory map (status %lx)", status);
		return status;
	}
	for (UINTN i = 0; i < memory_map_count(&s->map); i++) {
		const EFI_MEMORY_DESCRIPTOR *d = memory_map_at(&s->map, i);
		if (type_reclaimed(d->Type))
			usable += d->NumberOfPages << PAGE_SHIFT;
	}
	if (usable >= STUB_RAM_MIN)
		return EFI_SUCCESS;
	say(s, "not enough memory: %lu KiB usable, %lu KiB needed", (uint64_t)(usable >> 10),
	    (uint64_t)(STUB_RAM_MIN >> 10));
	return EFI_OUT_OF_RESOURCES;
}

/* The map as it is now stays for the report; the final one and SetVirtualAddressMap's have room in the block too. */
static EFI_STATUS block_maps(struct stub *s)
{
	void *before = block_alloc(s, s->map.size);
	void *current = block_alloc(s, s->map.capacity);
	void *runtime = block_alloc(s, s->map.capacity);

	s->cmdline = block_alloc(s, STUB_CMDLINE_MAX);
	if (!before || !current || !runtime || !s->cmdline)
		return EFI_OUT_OF_RESOURCES;
	memcpy(before, s->map.descriptors, s->map.size);
	memcpy(current, s->map.descriptors, s->map.size);
	s->map.descriptors = current;
	s->runtime_descriptors = runtime;
	s->info->memory_map_before = block_virtual(s, before);
	s->info->memory_map_before_size = s->map.size;
	s->info->cmdline = block_virtual(s, s->cmdline);
	return EFI_SUCCESS;
}

EFI_STATUS block_create(struct stub *s)
{
	uint64_t paddr, pages = pages_for(BLOCK_BASE_BYTES + 3 * s->map.capacity);
	EFI_STATUS status = pages_alloc(s, pages, &paddr);

	if (EFI_ERROR(status)) {
		say(s, "no %lu KiB for the boot data", pages << 2);
		return status;
	}
	s->block = (struct boot_range){PADDR(paddr), pages};
	s->info = block_alloc(s, sizeof(*s->info));
	s->info->magic = BOOT_INFO_MAGIC;
	s->info->size = sizeof(*s->info);
	s->info->boot_data = s->block;
	status = memory_keep(s, paddr, pages);
	return EFI_ERROR(status) ? status : block_maps(s);
}

void *block_alloc(struct stub *s, uint64_t size)
{
	uint64_t left = (s->block.pages << PAGE_SHIFT) - s->block_used;
	uint64_t taken = ALIGN_UP(size, BLOCK_ALIGN);
	void *p = (void *)(s->block.start.v + s->block_used);

	if (taken < size || taken > left)
		return NULL;
	s->block_used += taken;
	return p;
}

const void *block_virtual(const struct stub *s, const void *p)
{
	return vaddr_ptr(VADDR(slot_base(SLOT_BOOT_DATA).v + ((uint64_t)p - s->block.start.v)));
}

const void *block_copy(struct stub *s, const void *src, uint64_t size)
{
	void *p = block_alloc(s, size);

	if (!p)
		return NULL;
	memcpy(p, src, size);
	return block_virtual(s, p);
}

STUB_END
