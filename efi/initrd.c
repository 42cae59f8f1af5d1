/*
 * efi/initrd.c - the initial RAM file system's archive.
 *
 * Sources in order, as Linux takes them: the boot loader (LoadFile2), `initrd=` files, \EFI\tine\initrd.img, the archive
 * linked into the image. \EFI\tine\overlay.img comes after whichever was taken: cpio archives concatenate, with zeros
 * between them. The linked archive alone is used where it stands; all else is gathered in one run of pages.
 */
#include "efi/stub.h"
#include "kernel/base/string.h"

#define BESIDE_FILE   "\\EFI\\tine\\initrd.img"
#define OVERLAY_FILE  "\\EFI\\tine\\overlay.img"
#define PIECES_MAX    10
#define ARCHIVE_ALIGN 4 /* newc headers start at multiples of this */

/* One archive: a file, a LoadFile2 protocol, or bytes in memory. */
struct piece {
	const char *name;
	size_t name_length;
	uint64_t size;
	EFI_FILE_HANDLE file;
	EFI_LOAD_FILE_INTERFACE *loader;
	EFI_DEVICE_PATH *loader_path;
	const void *bytes;
};

struct pieces {
	struct piece at[PIECES_MAX];
	unsigned count;
};

extern const uint8_t initrd_start[], initrd_end[]; /* initrd.S: page-aligned, zero-padded */

STUB_BEGIN

static void piece_add(struct pieces *list, struct piece piece)
{
	if (piece.size && list->count < PIECES_MAX)
		list->at[list->count++] = piece;
	else if (piece.file)
		piece.file->Close(piece.file);
}

static bool add_loader(struct stub *s, struct pieces *list)
{
	static struct {
		VENDOR_DEVICE_PATH vendor;
		EFI_DEVICE_PATH end;
	} path = {{{MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, {sizeof(VENDOR_DEVICE_PATH), 0}}, LINUX_EFI_INITRD_MEDIA_GUID},
		  {END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, {END_DEVICE_PATH_LENGTH, 0}}};
	EFI_GUID guid = EFI_LOAD_FILE2_PROTOCOL_GUID;
	struct piece p = {.name = "boot loader's initrd", .name_length = 20, .loader_path = (EFI_DEVICE_PATH *)&path};
	EFI_HANDLE handle;
	EFI_STATUS status;

	if (EFI_ERROR(s->bs->LocateDevicePath(&guid, &p.loader_path, &handle)) ||
	    EFI_ERROR(s->bs->HandleProtocol(handle, &guid, (void **)&p.loader)))
		return false;
	status = p.loader->LoadFile(p.loader, p.loader_path, FALSE, &p.size, NULL);
	if (status != EFI_BUFFER_TOO_SMALL || !p.size)
		return false;
	piece_add(list, p);
	return true;
}

static bool add_file(struct stub *s, struct pieces *list, const char *path, size_t length)
{
	struct piece p = {.name = path, .name_length = length};

	if (EFI_ERROR(volume_file_open(s, path, length, &p.file, &p.size)))
		return false;
	piece_add(list, p);
	return p.size != 0;
}

static bool add_options(struct stub *s, struct pieces *list)
{
	const char *at = s->cmdline;
	unsigned before = list->count;
	size_t length;

	while ((at = option_value(at, "initrd", &length))) {
		if (!add_file(s, list, at, length))
			say(s, "initrd=%.*s: not found, or empty", (int)length, at);
		at += length;
	}
	return list->count > before;
}

static enum boot_initrd_source find_pieces(struct stub *s, struct pieces *list)
{
	uint64_t linked = (uint64_t)(initrd_end - initrd_start);

	if (add_loader(s, list))
		return INITRD_LOADFILE2;
	if (add_options(s, list))
		return INITRD_OPTION;
	if (add_file(s, list, BESIDE_FILE, strlen(BESIDE_FILE)))
		return INITRD_BESIDE;
	piece_add(list, (struct piece){.size = linked, .bytes = initrd_start});
	return linked ? INITRD_LINKED : INITRD_NONE;
}

/* Consumes the piece's file. */
static EFI_STATUS piece_read(struct stub *s, struct piece *p, uint8_t *buffer)
{
	UINTN size = p->size;

	if (p->file)
		return volume_file_read(s, p->file, buffer, size);
	if (p->loader)
		return p->loader->LoadFile(p->loader, p->loader_path, FALSE, &size, buffer);
	memcpy(buffer, p->bytes, size);
	return EFI_SUCCESS;
}

/* A piece that cannot be read leaves zeros, which the archive's reader skips. */
static void read_pieces(struct stub *s, struct pieces *list, uint8_t *buffer)
{
	for (unsigned i = 0; i < list->count; i++) {
		struct piece *p = &list->at[i];
		EFI_STATUS status = piece_read(s, p, buffer);
		if (EFI_ERROR(status)) {
			say(s, "%.*s: cannot be read (status %lx)", (int)p->name_length, p->name, status);
			memset(buffer, 0, p->size);
		}
		buffer += ALIGN_UP(p->size, ARCHIVE_ALIGN);
	}
}

static void close_pieces(struct pieces *list)
{
	for (unsigned i = 0; i < list->count; i++) {
		if (list->at[i].file)
			list->at[i].file->Close(list->at[i].file);
	}
}

static EFI_STATUS gather(struct stub *s, struct pieces *list, uint64_t size, uint64_t *ret_paddr)
{
	EFI_STATUS status = pages_alloc(s, pages_for(size), ret_paddr);

	if (EFI_ERROR(status)) {
		say(s, "no memory for an initrd of %lu KiB", size >> 10);
		close_pieces(list);
		return status;
	}
	read_pieces(s, list, (uint8_t *)*ret_paddr);
	return EFI_SUCCESS;
}

EFI_STATUS initrd_load(struct stub *s)
{
	struct boot_info *info = s->info;
	struct pieces list = {0};
	uint64_t paddr, size = 0;
	EFI_STATUS status;

	info->initrd_source = find_pieces(s, &list);
	add_file(s, &list, OVERLAY_FILE, strlen(OVERLAY_FILE));
	for (unsigned i = 0; i < list.count; i++)
		size += ALIGN_UP(list.at[i].size, ARCHIVE_ALIGN);
	if (!size)
		return EFI_SUCCESS;
	if (list.count == 1 && list.at[0].bytes) {
		paddr = (uint64_t)list.at[0].bytes;
	} else {
		status = gather(s, &list, size, &paddr);
		if (EFI_ERROR(status))
			return status;
	}
	info->initrd = vaddr_ptr(slot_base(SLOT_INITRD));
	info->initrd_size = size;
	info->initrd_pages = (struct boot_range){PADDR(paddr), pages_for(size)};
	return memory_keep(s, paddr, pages_for(size));
}

STUB_END
