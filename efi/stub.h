/*
 * efi/stub.h - the EFI stub: from the firmware's call of efi_main to kernel_main.
 *
 * Role         Collects what only boot services can tell into struct boot_info, places the kernel, leaves boot services
 *              and enters the kernel. One file per job, in the order in which efi_main calls them.
 * Invariants   1. All of it runs in the image as the firmware loaded it, under the firmware's identity mapping: its code
 *                 is in section .init (STUB_BEGIN), which is not part of the kernel's mapped image.
 *              2. Nothing is written but memory that AllocatePages gave as EfiLoaderData, and the image's own data.
 *              3. Pointers in struct boot_info are those of the kernel (block_virtual()), never dereferenced here.
 *              4. After the first ExitBootServices call only GetMemoryMap and ExitBootServices are called, and once that
 *                 has succeeded only SetVirtualAddressMap.
 * Failure      Before the exit: a message on the firmware's console, everything is freed, and efi_main returns an
 *              EFI_STATUS to whoever started the image. An optional part that is missing leaves its fields 0.
 * Not handled  5-level paging left on: refused. Firmware of another word size: it does not even start such an image.
 */
#ifndef TINE_EFI_STUB_H
#define TINE_EFI_STUB_H

#include "efi/extra.h"

#include "efi/boot_info.h"
#include "kernel/base/types.h"

/* Between these two each function goes to section .init. (`#pragma clang section` makes a nameless section in COFF.) */
#define STUB_BEGIN _Pragma("clang attribute push(__attribute__((section(\".init\"))), apply_to = function)")
#define STUB_END   _Pragma("clang attribute pop")

#define STUB_RAM_MIN        MIB(40)
#define STUB_ALLOCATIONS    16
#define STUB_MESSAGES       KIB(4)
#define STUB_CMDLINE_MAX    KIB(4) /* the NUL included */
#define STUB_TABLE_COPY_MAX KIB(64)
#define STUB_EXIT_TRIES     5

struct memory_map {
	uint8_t *descriptors; /* firmware order, `stride` bytes apart: at least sizeof(EFI_MEMORY_DESCRIPTOR) */
	UINTN size, capacity, stride, key;
	UINT32 version;
};

struct page_tables {
	uint64_t root;       /* physical address of the PML4 */
	uint64_t next, left; /* tables not used yet, zeroed */
	bool nx;
};

struct stub {
	EFI_HANDLE image;
	EFI_SYSTEM_TABLE *st;
	EFI_BOOT_SERVICES *bs;
	EFI_LOADED_IMAGE *loaded;
	EFI_FILE_HANDLE volume; /* root directory of the boot device, NULL if it has no file system */

	struct boot_info *info; /* in the block */
	struct boot_range block;
	uint64_t block_used;
	char *cmdline;                /* in the block, STUB_CMDLINE_MAX bytes */
	struct memory_map map;        /* the newest; from block_create() on its buffer is in the block */
	uint8_t *runtime_descriptors; /* in the block, as large as the map's buffer */

	struct page_tables tables;
	uint64_t random; /* for the slide */

	struct boot_range allocations[STUB_ALLOCATIONS]; /* to undo */
	unsigned allocation_count;

	char messages[STUB_MESSAGES];
	size_t message_length;
};

/* console.c. Formats as ksnprintf, a line each, to the firmware's console and to info->messages. */
PRINTF(2, 3) void say(struct stub *s, const char *fmt, ...);
void say_progress(struct stub *s); /* a dot */
/* After the exit: the messages and one line more to QEMU's debug console, if there is one. */
void debugcon_report(struct stub *s);
void debugcon_puts(const char *text);

/* memory.c */
EFI_STATUS pages_alloc(struct stub *s, uint64_t pages,
		       uint64_t *ret_paddr); /* zeroed EfiLoaderData, freed on failure */
void pages_release(struct stub *s);
EFI_STATUS memory_check(struct stub *s); /* reads s->map; EFI_OUT_OF_RESOURCES below STUB_RAM_MIN */
EFI_STATUS memory_map_read(struct stub *s, struct memory_map *map);
const EFI_MEMORY_DESCRIPTOR *memory_map_at(const struct memory_map *map, UINTN index);
UINTN memory_map_count(const struct memory_map *map);
const EFI_MEMORY_DESCRIPTOR *memory_find(const struct stub *s, uint64_t paddr); /* in s->map, NULL if in none */
bool memory_readable(const struct stub *s, uint64_t paddr, uint64_t size);      /* lies in one descriptor of RAM */
bool memory_reclaimed(const struct stub *s, uint64_t paddr); /* the kernel will take it as free RAM */
/* Adds to info->keep; EFI_OUT_OF_RESOURCES when that is full. */
EFI_STATUS memory_keep(struct stub *s, uint64_t paddr, uint64_t pages);

/* The boot data block: struct boot_info and what it points to. */
EFI_STATUS block_create(struct stub *s);
void *block_alloc(struct stub *s, uint64_t size); /* zeroed, 16-byte aligned; NULL when the block is full */
const void *block_copy(struct stub *s, const void *src, uint64_t size); /* the kernel's pointer, NULL when full */
const void *block_virtual(const struct stub *s, const void *p);

EFI_STATUS cpu_check(struct stub *s);                    /* cpu.c */
void options_read(struct stub *s);                       /* options.c: info->cmdline */
bool option_word(const char *cmdline, const char *word); /* options.c: a whole word of the line */
const char *option_value(const char *at, const char *name,
			 size_t *ret_length); /* options.c: next `name=value` from at */
void tables_collect(struct stub *s);          /* tables.c */
/* tables.c, after the exit: the table, also copied to info; NULL if there is none. */
const EFI_MEMORY_ATTRIBUTES_TABLE *tables_memory_attributes(struct stub *s);
void drivers_collect(struct stub *s);  /* drivers.c */
void framebuffer_find(struct stub *s); /* gop.c */
void clock_read(struct stub *s);       /* clock.c */
void random_collect(struct stub *s);   /* random.c */

/* files.c. Sizes are in bytes; a missing file is EFI_NOT_FOUND. */
void volume_open(struct stub *s);
EFI_STATUS volume_file_open(struct stub *s, const char *path, size_t length, EFI_FILE_HANDLE *ret_file,
			    uint64_t *ret_size);
/* Reads in chunks, and closes the file. */
EFI_STATUS volume_file_read(struct stub *s, EFI_FILE_HANDLE file, void *buffer, uint64_t size);

EFI_STATUS initrd_load(struct stub *s); /* initrd.c */

/* load.c: copies the kernel to its frames, relocated to info->image_base. */
EFI_STATUS image_load(struct stub *s);
struct pe_section;
bool section_is_kernel(const struct pe_section *section); /* mapped for the kernel */

/* paging.c */
EFI_STATUS paging_build(struct stub *s); /* all but the runtime services */
EFI_STATUS paging_map(struct page_tables *t, uint64_t vaddr, uint64_t paddr, uint64_t pages, uint64_t flags);
uint64_t paging_flags(bool writable, bool executable); /* of a supervisor page */
/* Flags that the caller may add: uncached (PCD, PWT); may use 2 MiB pages. Pages mapped before stay as they are. */
#define PTE_UNCACHED 0x18ull
#define PTE_LARGE    0x80ull

EFI_STATUS boot_services_exit(struct stub *s); /* exit.c */
void runtime_map(struct stub *s);              /* runtime.c: SetVirtualAddressMap */
NORETURN void kernel_enter(struct stub *s);    /* enter.c */

/* trampoline.S. switch_space lies within one page; space_entered is kernel text. */
NORETURN void switch_space(uint64_t root, uint64_t entry, const struct boot_info *info, uint64_t stack_top);
void space_entered(void);

#endif
