/*
 * mm/memmap.h - the firmware's memory map, cleaned.
 *
 * Role         From descriptors that may be unsorted, overlapping, empty, wrapping or of an unknown size (FIRMWARE.md 2.2), the
 *              sorted, disjoint ranges of frames that are free to use. Pure: no state, no hardware; the host tests feed it.
 * Invariants   1. Where two descriptors overlap, the more restrictive one wins: a frame is free only if every descriptor that
 *                 covers it says so (UEFI 2.10, 7.2.3: memory types).
 *              2. Frames below 1 MiB, frames in `keep`, and frames from FRAME_LIMIT on are never free.
 * Failure      What does not fit in the output is left out, the highest ranges first; `lost` counts its frames.
 */
#ifndef TINE_MM_MEMMAP_H
#define TINE_MM_MEMMAP_H

#include "efi/boot_info.h"

struct memory_range {
	uint64_t start, end; /* frames, end excluded */
};

struct memory_map {
	struct memory_range *free; /* out: sorted, disjoint, not adjacent */
	uint32_t capacity;         /* in */
	uint32_t count;            /* out */
	uint64_t free_frames;      /* out */
	uint64_t ram_frames;       /* out: all that the map calls RAM, in whatever use */
	uint64_t lost;             /* out */
	uint32_t bad_descriptors;  /* out: empty, wrapping or unaligned ones, ignored */
};

/* -EINVAL: descriptor_size is less than UEFI's 40 bytes; nothing is free then. max_frames: use no more, 0 = all. */
MUST_CHECK int memory_map_clean(struct memory_map *m, const void *descriptors, uint64_t bytes, uint64_t descriptor_size,
				const struct boot_range *keep, uint32_t keep_count, uint64_t max_frames);

#endif
