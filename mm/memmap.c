/* mm/memmap.c - see mm/memmap.h. */
#include "mm/memmap.h"

/* EFI_MEMORY_DESCRIPTOR, UEFI 2.10 section 7.2.3. Our own, since this file also runs on the host. */
struct descriptor {
	uint32_t type, pad;
	uint64_t physical_start, virtual_start, pages, attribute;
};

_Static_assert(sizeof(struct descriptor) == 40, "UEFI's layout");

enum {
	LOADER_CODE = 1,
	LOADER_DATA,
	BOOT_CODE,
	BOOT_DATA,
	RUNTIME_CODE,
	RUNTIME_DATA,
	CONVENTIONAL,
	UNUSABLE,
	ACPI_RECLAIM,
	ACPI_NVS,
	MMIO,
	MMIO_PORT,
	PAL_CODE,
	PERSISTENT
};

#define ATTRIBUTE_WB 0x8ull     /* cacheable: RAM that works as RAM */
#define ATTRIBUTE_SP 0x40000ull /* specific purpose: leave it to drivers */
#define FRAMES_MAX   ((uint64_t)1 << 32)
#define LOW_FRAMES   (MIB(1) >> PAGE_SHIFT) /* firmware scribbles there; CPUs start there */

static bool is_free_type(const struct descriptor *d)
{
	bool type = (d->type >= LOADER_CODE && d->type <= BOOT_DATA) || d->type == CONVENTIONAL;

	return type && (d->attribute & ATTRIBUTE_WB) && !(d->attribute & ATTRIBUTE_SP);
}

static bool is_ram_type(const struct descriptor *d)
{
	return (d->type >= LOADER_CODE && d->type <= CONVENTIONAL) || d->type == ACPI_RECLAIM || d->type == ACPI_NVS;
}

/* The frames of a descriptor; false if it makes no sense. */
static bool descriptor_range(const struct descriptor *d, struct memory_range *ret)
{
	uint64_t start = d->physical_start >> PAGE_SHIFT;

	if (page_offset(d->physical_start) || !d->pages || d->pages > UINT64_MAX >> PAGE_SHIFT ||
	    start + d->pages > UINT64_MAX >> PAGE_SHIFT)
		return false;
	*ret = (struct memory_range){start, start + d->pages};
	return true;
}

static void range_delete(struct memory_map *m, uint32_t at)
{
	m->count--;
	for (uint32_t i = at; i < m->count; i++)
		m->free[i] = m->free[i + 1];
}

static void range_insert(struct memory_map *m, uint32_t at, struct memory_range r)
{
	if (m->count == m->capacity) { /* full: the highest range goes */
		if (at == m->count) {
			m->lost += r.end - r.start;
			return;
		}
		m->count--;
		m->lost += m->free[m->count].end - m->free[m->count].start;
	}
	for (uint32_t i = m->count; i > at; i--)
		m->free[i] = m->free[i - 1];
	m->free[at] = r;
	m->count++;
}

/* Adds a range, joined with all that it touches. */
static void range_add(struct memory_map *m, struct memory_range r)
{
	uint32_t at = 0;

	while (at < m->count && m->free[at].end < r.start)
		at++;
	while (at < m->count && m->free[at].start <= r.end) {
		r.start = MIN(r.start, m->free[at].start);
		r.end = MAX(r.end, m->free[at].end);
		range_delete(m, at);
	}
	range_insert(m, at, r);
}

static void range_subtract(struct memory_map *m, struct memory_range hole)
{
	for (uint32_t i = 0; i < m->count && hole.start < hole.end; i++) {
		struct memory_range r = m->free[i];

		if (r.end <= hole.start || r.start >= hole.end)
			continue;
		range_delete(m, i);
		if (r.end > hole.end)
			range_insert(m, i, (struct memory_range){hole.end, r.end});
		if (r.start < hole.start)
			range_insert(m, i, (struct memory_range){r.start, hole.start});
		else
			i--;
	}
}

static void limit(struct memory_map *m, uint64_t max_frames)
{
	uint64_t sum = 0;

	range_subtract(m, (struct memory_range){0, LOW_FRAMES});
	range_subtract(m, (struct memory_range){FRAMES_MAX, UINT64_MAX});
	for (uint32_t i = 0; i < m->count; i++) {
		uint64_t n = m->free[i].end - m->free[i].start;

		if (max_frames && sum + n > max_frames) {
			m->free[i].end -= sum + n - max_frames;
			m->count = i + (m->free[i].end > m->free[i].start);
			sum = max_frames;
			break;
		}
		sum += n;
	}
	m->free_frames = sum;
}

int memory_map_clean(struct memory_map *m, const void *descriptors, uint64_t bytes, uint64_t descriptor_size,
		     const struct boot_range *keep, uint32_t keep_count, uint64_t max_frames)
{
	struct memory_range r;

	m->count = 0;
	m->free_frames = m->ram_frames = m->lost = 0;
	m->bad_descriptors = 0;
	if (descriptor_size < sizeof(struct descriptor) || descriptor_size % 8)
		return -EINVAL;
	for (uint64_t at = 0; at + descriptor_size <= bytes; at += descriptor_size) {
		const struct descriptor *d = (const void *)((const char *)descriptors + at);

		if (!descriptor_range(d, &r)) {
			m->bad_descriptors++;
			continue;
		}
		if (is_ram_type(d))
			m->ram_frames += d->pages;
		if (is_free_type(d))
			range_add(m, r);
	}
	for (uint64_t at = 0; at + descriptor_size <= bytes; at += descriptor_size) {
		const struct descriptor *d = (const void *)((const char *)descriptors + at);

		if (descriptor_range(d, &r) && !is_free_type(d))
			range_subtract(m, r);
	}
	for (uint32_t i = 0; i < keep_count; i++) {
		uint64_t start = keep[i].start.v >> PAGE_SHIFT;

		range_subtract(m, (struct memory_range){start, start + keep[i].pages});
	}
	limit(m, max_frames);
	return 0;
}
