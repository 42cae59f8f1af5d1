/*
 * efi/pe.h - the parts of a PE32+ image that the stub reads (Microsoft PE Format, revision 11).
 *
 * Role         Headers of an image in memory, sections at their virtual addresses. pe_headers() checks that all of them
 *              lie within `size`; the other functions rely on that.
 */
#ifndef TINE_EFI_PE_H
#define TINE_EFI_PE_H

#include "kernel/base/types.h"

#define PE_MAGIC32PLUS 0x20b
#define PE_EXECUTE     0x20000000u
#define PE_WRITE       0x80000000u
#define PE_DISCARDABLE 0x02000000u

enum pe_directory_index { PE_RELOCATIONS = 5, PE_DEBUG = 6 };
enum pe_relocation_type { PE_REL_ABSOLUTE = 0, PE_REL_DIR64 = 10 };

struct pe_directory {
	uint32_t rva, size;
};

struct pe_headers {
	uint32_t signature; /* "PE\0\0" */
	uint16_t machine, section_count;
	uint32_t timestamp, symbols, symbol_count;
	uint16_t optional_size, characteristics;
	/* The optional header. */
	uint16_t magic;
	uint8_t linker_version[2];
	uint32_t code_size, data_size, bss_size, entry, code_base;
	uint64_t image_base;
	uint32_t section_alignment, file_alignment;
	uint16_t versions[6];
	uint32_t reserved, image_size, headers_size, checksum;
	uint16_t subsystem, dll_characteristics;
	uint64_t sizes[4]; /* stack and heap */
	uint32_t loader_flags, directory_count;
	struct pe_directory directories[]; /* directory_count of them, then the sections */
};

struct pe_section {
	char name[8];
	uint32_t virtual_size, rva, raw_size, raw_offset, relocations, lines;
	uint16_t relocation_count, line_count;
	uint32_t characteristics;
};

_Static_assert(offsetof(struct pe_headers, directories) == 136 && sizeof(struct pe_section) == 40, "PE32+ layout");

const struct pe_headers *pe_headers(const void *image, uint64_t size); /* NULL: not PE32+, or not within size */
const struct pe_section *pe_sections(const struct pe_headers *pe);
struct pe_directory pe_directory(const struct pe_headers *pe, enum pe_directory_index index); /* {0, 0}: none */
/* The CodeView path of the debug directory, not terminated; NULL if there is none. */
const char *pe_pdb_path(const void *image, uint64_t size, size_t *ret_length);

#endif
