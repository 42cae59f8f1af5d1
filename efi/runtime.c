/*
 * efi/runtime.c - the runtime services move to their place in the kernel half.
 *
 * One constant offset for all regions: drivers hold 32-bit distances between them. The descriptors are passed on in the
 * firmware's order and size. SetVirtualAddressMap runs under the firmware's own page tables, which the caller has left
 * in force, because firmware touches memory there that it never declared.
 */
#include "efi/stub.h"
#include "kernel/base/string.h"

#define OFFSET_ALIGN GIB(1) /* regions keep their place within 2 MiB pages */
#define SLOT_BYTES   GIB(512)

STUB_BEGIN

static uint64_t descriptor_end(const EFI_MEMORY_DESCRIPTOR *d)
{
	return d->PhysicalStart + (d->NumberOfPages << PAGE_SHIFT);
}

/* EFI_UNSUPPORTED unless all runtime regions fit the slot. */
static EFI_STATUS choose_offset(struct stub *s)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (UINTN i = 0; i < memory_map_count(&s->map); i++) {
		const EFI_MEMORY_DESCRIPTOR *d = memory_map_at(&s->map, i);
		if (!(d->Attribute & EFI_MEMORY_RUNTIME) || !d->NumberOfPages)
			continue;
		low = MIN(low, d->PhysicalStart);
		high = MAX(high, descriptor_end(d));
	}
	low = ALIGN_DOWN(low, OFFSET_ALIGN);
	if (high <= low || high - low > SLOT_BYTES)
		return EFI_UNSUPPORTED;
	s->info->runtime_offset = slot_base(SLOT_RUNTIME).v - low;
	return EFI_SUCCESS;
}

/* The runtime descriptors alone, in order, each with its virtual address: their size in bytes. */
static UINTN runtime_list(struct stub *s)
{
	UINTN size = 0;

	for (UINTN i = 0; i < memory_map_count(&s->map); i++) {
		const EFI_MEMORY_DESCRIPTOR *d = memory_map_at(&s->map, i);
		EFI_MEMORY_DESCRIPTOR *out = (EFI_MEMORY_DESCRIPTOR *)(s->runtime_descriptors + size);
		if (!(d->Attribute & EFI_MEMORY_RUNTIME))
			continue;
		memcpy(out, d, s->map.stride);
		out->VirtualStart = d->PhysicalStart + s->info->runtime_offset;
		size += s->map.stride;
	}
	return size;
}

static EFI_STATUS map_pages(struct stub *s, const EFI_MEMORY_DESCRIPTOR *d, uint64_t flags)
{
	return paging_map(&s->tables, d->PhysicalStart + s->info->runtime_offset, d->PhysicalStart, d->NumberOfPages,
			  flags | PTE_LARGE);
}

static bool in_runtime_region(struct stub *s, uint64_t start, uint64_t end)
{
	for (UINTN i = 0; i < memory_map_count(&s->map); i++) {
		const EFI_MEMORY_DESCRIPTOR *d = memory_map_at(&s->map, i);
		if (d->Attribute & EFI_MEMORY_RUNTIME && start >= d->PhysicalStart && end <= descriptor_end(d))
			return true;
	}
	return false;
}

/* Code and data of each driver by the firmware's own word on them. */
static EFI_STATUS map_by_attributes(struct stub *s, const EFI_MEMORY_ATTRIBUTES_TABLE *table)
{
	EFI_STATUS status = EFI_SUCCESS;

	for (UINT32 i = 0; i < table->NumberOfEntries && !EFI_ERROR(status); i++) {
		const EFI_MEMORY_DESCRIPTOR *d =
		    (const EFI_MEMORY_DESCRIPTOR *)((const uint8_t *)(table + 1) + (size_t)i * table->DescriptorSize);
		if (in_runtime_region(s, d->PhysicalStart, descriptor_end(d)))
			status = map_pages(
			    s, d, paging_flags(!(d->Attribute & EFI_MEMORY_RO), !(d->Attribute & EFI_MEMORY_XP)));
	}
	return status;
}

/* Whole regions: what is mapped already stays. Without an attributes table a driver's data may lie in code regions. */
static EFI_STATUS map_regions(struct stub *s)
{
	EFI_STATUS status = EFI_SUCCESS;

	for (UINTN i = 0; i < memory_map_count(&s->map) && !EFI_ERROR(status); i++) {
		const EFI_MEMORY_DESCRIPTOR *d = memory_map_at(&s->map, i);
		uint64_t uncached = d->Attribute & EFI_MEMORY_WB ? 0 : PTE_UNCACHED;
		if (d->Attribute & EFI_MEMORY_RUNTIME)
			status = map_pages(s, d, paging_flags(true, d->Type == EfiRuntimeServicesCode) | uncached);
	}
	return status;
}

static EFI_STATUS runtime_move(struct stub *s)
{
	const EFI_MEMORY_ATTRIBUTES_TABLE *attributes = tables_memory_attributes(s);
	EFI_RUNTIME_SERVICES *services = s->st->RuntimeServices;
	uint64_t paddr = (uint64_t)services;
	EFI_STATUS status = choose_offset(s);

	if (!EFI_ERROR(status) && !in_runtime_region(s, paddr, paddr + sizeof(*services)))
		status = EFI_NOT_FOUND;
	if (!EFI_ERROR(status) && attributes)
		status = map_by_attributes(s, attributes);
	if (!EFI_ERROR(status))
		status = map_regions(s);
	if (!EFI_ERROR(status))
		status = services->SetVirtualAddressMap(runtime_list(s), s->map.stride, s->map.version,
							(EFI_MEMORY_DESCRIPTOR *)s->runtime_descriptors);
	if (!EFI_ERROR(status))
		s->info->runtime_services = (const void *)(paddr + s->info->runtime_offset);
	return status;
}

void runtime_map(struct stub *s)
{
	s->info->virtual_map_status = (int64_t)runtime_move(s);
	if (s->info->virtual_map_status)
		debugcon_puts("efi: stub: SetVirtualAddressMap failed: no runtime services\n");
}

STUB_END
