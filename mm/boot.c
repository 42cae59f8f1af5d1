/* mm/boot.c - see mm/boot.h. */
#include "mm/boot.h"

#include "kernel/base/cpu.h"
#include "kernel/base/print.h"
#include "kernel/base/string.h"
#include "mm/kmap.h"
#include "mm/memmap.h"
#include "mm/window.h"

#define STRETCH (entry_span(2) >> PAGE_SHIFT) /* frames whose records are mapped together */

static struct memory_range ranges[1024];
static struct memory_map map = {.free = ranges, .capacity = ARRAY_LEN(ranges)};
static pfn_t boot_root;

pfn_t mm_boot_root(void) { return boot_root; }

const struct memory_range *mm_ram_ranges(uint32_t *ret_count)
{
	*ret_count = map.count;
	return ranges;
}

/* Before the allocator runs, frames come off the front of the first range that has one. */
static int early_frame(pfn_t *ret_frame)
{
	for (uint32_t i = 0; i < map.count; i++)
		if (ranges[i].start < ranges[i].end) {
			*ret_frame = PFN(ranges[i].start++);
			return 0;
		}
	return -ENOMEM;
}

static int map_record_page(uint64_t address)
{
	pfn_t f;
	int err = early_frame(&f);

	if (!err)
		err = kmap_page(VADDR(address), f, KMAP_WB);
	if (!err)
		memset((void *)address, 0, PAGE_SIZE); /* kind 0 is FRAME_UNUSABLE */
	return err;
}

static int map_records(uint64_t start, uint64_t end)
{
	uint64_t from = (uint64_t)&FRAME_TABLE[ALIGN_DOWN(start, STRETCH)];
	uint64_t to = (uint64_t)&FRAME_TABLE[ALIGN_UP(end, STRETCH)];

	for (; from < to; from += PAGE_SIZE) {
		int err = 0;

		if (kmap_is_mapped(VADDR(from)))
			continue; /* the stretch is shared with the range before */
		err = map_record_page(from);
		if (err)
			return err;
	}
	return 0;
}

/* The records of frames that are kept are needed too: a released boot block becomes free memory. */
static int map_all_records(const struct boot_info *info)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < map.count; i++)
		err = map_records(ranges[i].start, ranges[i].end);
	for (uint32_t i = 0; !err && i < info->keep_count; i++) {
		uint64_t start = info->keep[i].start.v >> PAGE_SHIFT;

		err = map_records(start, start + info->keep[i].pages);
	}
	return err;
}

static void report(void)
{
	struct frame_stats stats;

	frame_stats(&stats);
	if (map.bad_descriptors)
		pr_warn("efi: %u memory descriptors make no sense, ignored", map.bad_descriptors);
	if (map.lost)
		pr_warn("Memory: %lluK not used: the map has too many ranges", (unsigned long long)map.lost * 4);
	pr_debug("Memory: pages are copied by %s", window_copy_loop_name());
	pr_info("Memory: %lluK/%lluK available", (unsigned long long)stats.free * 4,
		(unsigned long long)map.ram_frames * 4);
}

int mm_init(const struct boot_info *info, uint64_t max_bytes)
{
	int err;

	boot_root = paddr_to_pfn(PADDR(read_cr3()));
	kmap_init(info->nx);
	err = memory_map_clean(&map, info->memory_map, info->memory_map_size, info->descriptor_size, info->keep,
			       info->keep_count, max_bytes >> PAGE_SHIFT);
	if (err)
		return err;
	kmap_set_early_source(early_frame);
	err = map_all_records(info);
	if (err)
		return err;
	for (uint32_t i = 0; i < map.count; i++)
		if (ranges[i].start < ranges[i].end)
			frame_add_range(PFN(ranges[i].start), ranges[i].end - ranges[i].start);
	kmap_set_early_source(NULL);
	err = window_init_cpu(0);
	if (err)
		return err;
	window_choose_loops();
	report();
	return 0;
}

void mm_release(const void *mapped_at, struct boot_range range)
{
	vaddr_t at = VADDR(ALIGN_DOWN((uint64_t)mapped_at, PAGE_SIZE));

	for (uint64_t i = 0; i < range.pages; i++)
		(void)kunmap_page(VADDR(at.v + i * PAGE_SIZE));
	frame_add_range(paddr_to_pfn(range.start), range.pages);
	if (map.count < map.capacity)
		ranges[map.count++] =
		    (struct memory_range){paddr_to_pfn(range.start).v, paddr_to_pfn(range.start).v + range.pages};
}
