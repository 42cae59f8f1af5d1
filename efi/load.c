/*
 * efi/load.c - the kernel's own copy of the image.
 *
 * The firmware's copy runs the stub and is free RAM afterwards. The kernel's is made of the sections that are mapped for
 * it, in one run of frames, with the base relocations redone: the firmware has moved the words to where it loaded the
 * image, and they move on to image_base from there.
 */
#include "efi/pe.h"
#include "efi/stub.h"
#include "kernel/base/string.h"

#define SLIDE_MIN MIB(2)
#define SLIDE_END GIB(1)

STUB_BEGIN

bool section_is_kernel(const struct pe_section *section)
{
	return !(section->characteristics & PE_DISCARDABLE) && strncmp(section->name, ".init", sizeof(section->name)) &&
	       strncmp(section->name, ".initrd", sizeof(section->name));
}

static uint64_t kernel_size(const struct pe_headers *pe)
{
	const struct pe_section *sections = pe_sections(pe);
	uint64_t end = PAGE_SIZE;

	for (unsigned i = 0; i < pe->section_count; i++) {
		if (section_is_kernel(&sections[i]))
			end = MAX(end, (uint64_t)sections[i].rva + sections[i].virtual_size);
	}
	return ALIGN_UP(end, PAGE_SIZE);
}

static uint64_t choose_slide(struct stub *s, uint64_t size)
{
	uint64_t choices = (SLIDE_END - SLIDE_MIN - size) >> PAGE_SHIFT;

	return option_word(s->cmdline, "nokaslr") ? 0 : SLIDE_MIN + (s->random % choices << PAGE_SHIFT);
}

/* One block of relocations: the page's address, the block's size, 16-bit entries of type and offset (PE Format, .reloc). */
static bool relocate_block(const uint8_t *block, uint32_t block_size, uint8_t *copy, uint64_t copy_size, uint64_t delta)
{
	uint32_t page;

	memcpy(&page, block, sizeof(page));
	for (uint32_t at = 8; at + 2 <= block_size; at += 2) {
		uint16_t entry = (uint16_t)(block[at] | block[at + 1] << 8);
		uint64_t word, target = (uint64_t)page + (entry & 0xfff);

		if (entry >> 12 == PE_REL_ABSOLUTE || target + sizeof(word) > copy_size)
			continue; /* padding; or a word of a section that is not copied */
		if (entry >> 12 != PE_REL_DIR64)
			return false;
		memcpy(&word, copy + target, sizeof(word));
		word += delta;
		memcpy(copy + target, &word, sizeof(word));
	}
	return true;
}

static bool relocate(const uint8_t *image, struct pe_directory relocations, uint8_t *copy, uint64_t copy_size,
		     uint64_t delta)
{
	const uint8_t *p = image + relocations.rva, *end = p + relocations.size;

	while (p + 8 <= end) {
		uint32_t size;
		memcpy(&size, p + 4, sizeof(size));
		if (size < 8 || size > (uint64_t)(end - p) || !relocate_block(p, size, copy, copy_size, delta))
			return false;
		p += size;
	}
	return true;
}

static void copy_sections(const struct pe_headers *pe, const uint8_t *image, uint8_t *copy)
{
	const struct pe_section *sections = pe_sections(pe);

	memcpy(copy, image, pe->headers_size);
	for (unsigned i = 0; i < pe->section_count; i++) {
		if (section_is_kernel(&sections[i]))
			memcpy(copy + sections[i].rva, image + sections[i].rva, sections[i].virtual_size);
	}
}

EFI_STATUS image_load(struct stub *s)
{
	const uint8_t *image = s->loaded->ImageBase;
	const struct pe_headers *pe = pe_headers(image, s->loaded->ImageSize);
	struct boot_info *info = s->info;
	uint64_t size = pe ? kernel_size(pe) : 0, paddr;
	EFI_STATUS status;

	if (!pe || size > s->loaded->ImageSize || pe->headers_size > PAGE_SIZE) {
		say(s, "the firmware shows no PE headers where it loaded the image");
		return EFI_LOAD_ERROR;
	}
	status = pages_alloc(s, size >> PAGE_SHIFT, &paddr);
	if (EFI_ERROR(status)) {
		say(s, "no %lu KiB for the kernel", size >> 10);
		return status;
	}
	info->slide = choose_slide(s, size);
	info->image_base = VADDR(IMAGE_LINK_BASE.v + info->slide);
	info->image_size = size;
	info->image_paddr = PADDR(paddr);
	copy_sections(pe, image, (uint8_t *)paddr);
	if (!relocate(image, pe_directory(pe, PE_RELOCATIONS), (uint8_t *)paddr, size,
		      info->image_base.v - (uint64_t)image)) {
		say(s, "the image's relocations are damaged");
		return EFI_LOAD_ERROR;
	}
	return memory_keep(s, paddr, size >> PAGE_SHIFT);
}

STUB_END
