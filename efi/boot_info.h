/*
 * efi/boot_info.h - all that the kernel learns from the firmware.
 *
 * Role         The EFI stub (efi/) fills one struct boot_info, leaves boot services and calls kernel_main(info).
 *              Nothing else passes between the two: the kernel never sees a boot-services pointer.
 *
 * State at the call of kernel_main (the contract)
 *   1. CR3 is a root made from scratch: slot 510 recursive (P, W, NX, not U, not G), slot 511 the kernel image by
 *      section (text RX, rodata R, data and bss RW, NX; the PE headers R; `.init`, `.initrd` and `.reloc` not mapped),
 *      L3 tables present for every slot of enum kernel_slot. The user half is empty. Nothing else is mapped but what the
 *      pointers below say. Leaf entries of the kernel half carry G, 4 KiB all but in SLOT_RUNTIME.
 *   2. Interrupts are off, DF is clear, the stack is boot_stack in the image's .bss, GDT and IDT are still the
 *      firmware's (not mapped: the kernel loads its own before it can fault).
 *   3. CR0, CR4 and EFER hold exactly what the stub wrote: CR0 PE MP ET NE WP PG; CR4 PAE, OSFXSR, OSXMMEXCPT; EFER
 *      LME, LMA, and NXE where the CPU has it (`nx`). kernel/cpu.c turns the rest on.
 *   4. All pointers are kernel-virtual, readable and writable until the kernel releases the boot data (`keep`).
 *
 * Failure      What is missing is NULL or 0, never a guess; the kernel must run without any of the optional parts.
 */
#ifndef TINE_EFI_BOOT_INFO_H
#define TINE_EFI_BOOT_INFO_H

#include "kernel/base/addr.h"

#define BOOT_INFO_MAGIC 0x656e6954746f6f42ull /* "BootTine" */

/* Where the image is linked (the Makefile's /base); it runs at this plus a multiple of the page size below 1 GiB. */
#define IMAGE_LINK_BASE VADDR(0xffffffff80000000ull)

#define BOOT_STACK_SIZE KIB(32)
#define BOOT_KEEP_MAX   32

/* The stack of kernel_main, 16-byte aligned, in the image's .bss. */
extern uint8_t boot_stack[BOOT_STACK_SIZE];

/* PML4 slots of the kernel half (DESIGN.md section 2). */
enum kernel_slot {
	SLOT_FRAMES = 256, /* struct frame records */
	SLOT_HEAP,         /* kernel heap */
	SLOT_STACKS,       /* kernel stacks with guard pages */
	SLOT_DEVICES,      /* device registers (UC), framebuffer (WC), firmware tables */
	SLOT_WINDOWS,      /* per-CPU temporary windows */
	SLOT_RUNTIME,      /* EFI runtime services, one constant offset */
	SLOT_BOOT_DATA,    /* this structure and what it points to */
	SLOT_INITRD,       /* the initial RAM file system's archive */
	SLOT_END,          /* first slot without a table */
	SLOT_RECURSIVE = 510,
	SLOT_IMAGE = 511,
};

static inline vaddr_t slot_base(unsigned slot) { return VADDR(0xffff000000000000ull | (uint64_t)slot << 39); }

struct boot_range {
	paddr_t start;
	uint64_t pages;
};

/* A configuration table of the firmware. */
struct boot_table {
	uint8_t guid[16];
	paddr_t paddr;    /* where the firmware left it */
	const void *copy; /* its bytes, where they stood in memory that the kernel reclaims; else NULL */
	uint64_t size;    /* of the copy */
};

/* A driver image that the firmware had loaded (EFI_DEBUG_IMAGE_INFO_TABLE). */
struct boot_driver {
	paddr_t base;
	uint64_t size;
	uint32_t code_type;    /* EFI_MEMORY_TYPE */
	uint8_t file_guid[16]; /* FFS file name, zeros if none */
	char pdb[64];          /* debug path, cut from the left, "" if none */
};

enum boot_pixels { PIXELS_NONE, PIXELS_RGBX, PIXELS_BGRX, PIXELS_MASK };

struct boot_framebuffer {
	enum boot_pixels format; /* PIXELS_NONE: no framebuffer (no GOP, or BltOnly) */
	paddr_t base;
	uint64_t size;
	uint32_t width, height, stride;           /* pixels */
	uint32_t red_mask, green_mask, blue_mask; /* of a 32-bit pixel */
};

enum boot_initrd_source { INITRD_NONE, INITRD_LOADFILE2, INITRD_OPTION, INITRD_BESIDE, INITRD_LINKED };

struct boot_info {
	uint64_t magic, size; /* BOOT_INFO_MAGIC, sizeof(struct boot_info) */

	/* The image. */
	vaddr_t image_base; /* link base + slide */
	uint64_t image_size, slide;
	paddr_t image_paddr;

	/* The command line, UTF-8, NUL-terminated, never NULL: load options, then \EFI\tine\cmdline.txt beside the
	 * image. */
	const char *cmdline;

	const char *messages; /* what the stub said on the firmware's console, lines ending in \n; never NULL */

	/* The memory map as ExitBootServices accepted it, in firmware order. */
	const void *memory_map;
	uint64_t memory_map_size, descriptor_size;
	uint32_t descriptor_version;
	/* And as it was when the stub started (may be NULL). */
	const void *memory_map_before;
	uint64_t memory_map_before_size;

	/* Frames that hold live data: the image, page tables, this block, the initrd. All else that the map calls
	   loader code or data, boot services code or data, or conventional is free. */
	struct boot_range keep[BOOT_KEEP_MAX];
	uint32_t keep_count;
	struct boot_range boot_data; /* also in keep: the kernel may free it when it has copied what it needs */
	struct boot_range initrd_pages;

	const void *initrd;
	uint64_t initrd_size;
	enum boot_initrd_source initrd_source;

	/* Tables. */
	paddr_t rsdp, smbios, smbios3, system_table; /* 0 where absent; rsdp is the ACPI 2.0 one where both exist */
	const struct boot_table *tables;
	uint32_t table_count;
	const struct boot_driver *drivers;
	uint32_t driver_count;
	const void *memory_attributes; /* copy of EFI_MEMORY_ATTRIBUTES_TABLE, NULL if none */

	char vendor[64];            /* firmware vendor, ASCII, unknown characters as ? */
	uint32_t firmware_revision; /* of the vendor */
	uint32_t uefi_revision;     /* (2 << 16) | 70 for 2.7 */

	struct boot_framebuffer framebuffer;

	/* Runtime services, callable with the virtual address map in force (NULL where SetVirtualAddressMap failed). */
	const void *runtime_services; /* EFI_RUNTIME_SERVICES, kernel-virtual */
	int64_t virtual_map_status;   /* EFI_STATUS of SetVirtualAddressMap */
	uint64_t runtime_offset;      /* virtual - physical of every runtime region */

	/* Time. */
	uint64_t tsc_entry;   /* TSC at efi_main */
	uint64_t tsc_exit;    /* TSC when ExitBootServices returned */
	int64_t wall_seconds; /* GetTime() as UTC seconds since 1970, INT64_MIN if the firmware has none or garbage */
	uint64_t wall_tsc;    /* TSC at that GetTime() */

	uint8_t seed[64];     /* random bytes; see seed_source */
	uint32_t seed_source; /* bits: 1 EFI_RNG_PROTOCOL, 2 RDSEED, 4 RDRAND, 8 TSC */

	uint32_t exit_tries; /* calls of ExitBootServices: 1 is usual */
	bool nx;             /* EFER.NXE is set */
	bool secure_boot;
	uint64_t entry_cr0, entry_cr4, entry_efer; /* as the firmware left them, for the report */
};

/* The kernel's entry, in kernel/main.c. */
__attribute__((noreturn)) void kernel_main(const struct boot_info *info);

#endif
