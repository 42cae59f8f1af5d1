/*
 * efi/drivers.c - the driver images that the firmware has loaded, so that a fault in firmware code can be named.
 *
 * From the EFI_DEBUG_IMAGE_INFO_TABLE (UEFI 2.10 section 18.4.3). Even release builds fill it; a PDB path is there in
 * debug builds only, the name of the file in the firmware volume (a GUID) nearly always.
 */
#include <efi.h>
#include <efidebug.h>

#include "efi/pe.h"
#include "efi/stub.h"
#include "kernel/base/string.h"

#define DRIVERS_MAX 400

STUB_BEGIN

static const EFI_DEBUG_IMAGE_INFO_TABLE_HEADER *debug_table(struct stub *s)
{
	EFI_GUID guid = EFI_DEBUG_IMAGE_INFO_TABLE_GUID;

	for (UINTN i = 0; i < s->st->NumberOfTableEntries; i++) {
		const EFI_CONFIGURATION_TABLE *t = &s->st->ConfigurationTable[i];
		if (!memcmp(&t->VendorGuid, &guid, sizeof(guid)) &&
		    memory_readable(s, (uint64_t)t->VendorTable, sizeof(EFI_DEBUG_IMAGE_INFO_TABLE_HEADER)))
			return t->VendorTable;
	}
	return NULL;
}

/* The FFS file name: the first firmware-file node of the image's path. */
static void copy_file_guid(struct stub *s, const EFI_DEVICE_PATH *path, struct boot_driver *d)
{
	for (int nodes = 0; nodes < 16 && memory_readable(s, (uint64_t)path, sizeof(*path)); nodes++) {
		size_t length = path->Length[0] | (size_t)path->Length[1] << 8;
		if (path->Type == END_DEVICE_PATH_TYPE || length < sizeof(*path))
			return;
		if (path->Type == MEDIA_DEVICE_PATH && path->SubType == MEDIA_PIWG_FW_FILE_DP &&
		    length >= sizeof(*path) + sizeof(d->file_guid)) {
			memcpy(d->file_guid, path + 1, sizeof(d->file_guid));
			return;
		}
		path = (const EFI_DEVICE_PATH *)((const uint8_t *)path + length);
	}
}

/* The tail of the path matters: the build directory is at its head. */
static void copy_pdb(struct boot_driver *d)
{
	size_t length, size = sizeof(d->pdb) - 1;
	const char *path = pe_pdb_path((const void *)d->base.v, d->size, &length);

	if (!path)
		return;
	if (length > size)
		path += length - size;
	memcpy(d->pdb, path, MIN(length, size));
}

static void driver_read(struct stub *s, const EFI_LOADED_IMAGE *image, struct boot_driver *d)
{
	d->base = PADDR(image->ImageBase);
	d->size = image->ImageSize;
	d->code_type = image->ImageCodeType;
	copy_file_guid(s, image->FilePath, d);
	if (memory_readable(s, d->base.v, d->size))
		copy_pdb(d);
}

void drivers_collect(struct stub *s)
{
	const EFI_DEBUG_IMAGE_INFO_TABLE_HEADER *table = debug_table(s);
	uint32_t count = table ? MIN(table->TableSize, DRIVERS_MAX) : 0;
	struct boot_driver *list;

	if (!count || !memory_readable(s, (uint64_t)table->EfiDebugImageInfoTable, count * sizeof(void *)))
		return;
	list = block_alloc(s, count * sizeof(*list));
	if (!list)
		return;
	for (uint32_t i = 0; i < count; i++) {
		const EFI_DEBUG_IMAGE_INFO_NORMAL *entry = table->EfiDebugImageInfoTable[i].NormalImage;
		if (!memory_readable(s, (uint64_t)entry, sizeof(*entry)) ||
		    entry->ImageInfoType != EFI_DEBUG_IMAGE_INFO_TYPE_NORMAL ||
		    !memory_readable(s, (uint64_t)entry->LoadedImageProtocolInstance, sizeof(EFI_LOADED_IMAGE)))
			continue; /* the table has holes where images were unloaded */
		driver_read(s, entry->LoadedImageProtocolInstance, &list[s->info->driver_count++]);
	}
	s->info->drivers = block_virtual(s, list);
}

STUB_END
