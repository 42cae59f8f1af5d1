/*
 * mm/boot.h - bringing memory up.
 *
 * Role         mm_init() turns the firmware's memory map into frame records and a running allocator; everything else of
 * mm works after it. mm_release_boot_data() gives back what the stub left, once the kernel has copied what it needs.
 * Invariants   1. The records of a 2 MiB stretch are mapped all or not at all (mm/frame.c merges within one).
 *              2. The root that the stub made stays: it is the root of kernel threads.
 * Failure      -ENOMEM: too little memory to start; the caller says so and stops.
 */
#ifndef TINE_MM_BOOT_H
#define TINE_MM_BOOT_H

#include "efi/boot_info.h"
#include "kernel/base/addr.h"
#include "mm/memmap.h"

/* max_bytes: use no more than this of RAM (mem=), 0: all. */
MUST_CHECK int mm_init(const struct boot_info *info, uint64_t max_bytes);
/* Frees [start, start + pages) of info->keep and takes it out of the kernel's address space. */
void mm_release(const void *mapped_at, struct boot_range range);
pfn_t mm_boot_root(void);
/* The ranges that the allocator was given, for mm/verify.c. */
const struct memory_range *mm_ram_ranges(uint32_t *ret_count);

#endif
