/* efi/pe.c - reading PE32+ headers. */
#include "efi/pe.h"
#include "efi/stub.h"
#include "kernel/base/string.h"

#define DOS_HEADER_SIZE      0x40
#define DOS_LFANEW           0x3c
#define DEBUG_ENTRY_SIZE     28
#define DEBUG_TYPE_CODEVIEW  2
#define CODEVIEW_RSDS        0x53445352u
#define CODEVIEW_RSDS_HEADER 24
#define PDB_PATH_MAX         512

STUB_BEGIN

static uint32_t u32_at(const void *image, uint64_t offset)
{
	uint32_t v;
	memcpy(&v, (const uint8_t *)image + offset, sizeof(v));
	return v;
}

static bool within(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

const struct pe_headers *pe_headers(const void *image, uint64_t size)
{
	const struct pe_headers *pe;
	uint64_t at;

	if (!within(0, DOS_HEADER_SIZE, size) || memcmp(image, "MZ", 2))
		return NULL;
	at = u32_at(image, DOS_LFANEW);
	if (!within(at, sizeof(*pe), size))
		return NULL;
	pe = (const struct pe_headers *)((const uint8_t *)image + at);
	at += offsetof(struct pe_headers, magic) + pe->optional_size;
	if (memcmp(&pe->signature, "PE\0\0", 4) || pe->magic != PE_MAGIC32PLUS || pe->directory_count > 16 ||
	    pe->optional_size <
		sizeof(*pe) - offsetof(struct pe_headers, magic) + pe->directory_count * sizeof(struct pe_directory) ||
	    !within(at, pe->section_count * sizeof(struct pe_section), size))
		return NULL;
	return pe;
}

const struct pe_section *pe_sections(const struct pe_headers *pe)
{
	return (const struct pe_section *)((const uint8_t *)&pe->magic + pe->optional_size);
}

struct pe_directory pe_directory(const struct pe_headers *pe, enum pe_directory_index index)
{
	return index < pe->directory_count ? pe->directories[index] : (struct pe_directory){0};
}

/* An entry's CodeView record: the path is what follows its fixed part, to the NUL. */
static const char *codeview_path(const void *image, uint64_t size, uint64_t record, uint64_t length, size_t *ret_length)
{
	const char *path = (const char *)image + record + CODEVIEW_RSDS_HEADER;

	if (length <= CODEVIEW_RSDS_HEADER || !within(record, length, size) || u32_at(image, record) != CODEVIEW_RSDS)
		return NULL;
	*ret_length = strnlen(path, MIN(length - CODEVIEW_RSDS_HEADER, (uint64_t)PDB_PATH_MAX));
	return path;
}

const char *pe_pdb_path(const void *image, uint64_t size, size_t *ret_length)
{
	const struct pe_headers *pe = pe_headers(image, size);
	struct pe_directory debug = pe ? pe_directory(pe, PE_DEBUG) : (struct pe_directory){0};

	for (uint64_t at = debug.rva; at + DEBUG_ENTRY_SIZE <= (uint64_t)debug.rva + debug.size;
	     at += DEBUG_ENTRY_SIZE) {
		if (!within(at, DEBUG_ENTRY_SIZE, size))
			return NULL;
		if (u32_at(image, at + 12) == DEBUG_TYPE_CODEVIEW)
			return codeview_path(image, size, u32_at(image, at + 20), u32_at(image, at + 16), ret_length);
	}
	return NULL;
}

STUB_END
