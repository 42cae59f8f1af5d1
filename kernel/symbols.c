/* kernel/symbols.c - see symbols.h. */
#include "kernel/symbols.h"

#include "kernel/base/probe.h"
#include "kernel/base/string.h"

/* Made by kernel/mksymbols: image-relative addresses in rising order, and the names in the same order, each with its NUL. */
extern const uint32_t symbol_count, symbol_addresses[];
extern const char symbol_names[];

/* Functions are smaller than this: a larger offset is an address outside the code. */
#define FUNCTION_MAX KIB(64)

static const char *name_at(uint32_t index)
{
	const char *name = symbol_names;

	while (index--)
		name += strlen(name) + 1;
	return name;
}

const char *symbol_find(uint64_t address, uint64_t *ret_offset)
{
	uint64_t rva = address - (uint64_t)__ImageBase;
	uint32_t low = 0, high = symbol_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (symbol_addresses[mid] <= rva)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || rva - symbol_addresses[low - 1] > FUNCTION_MAX)
		return NULL;
	*ret_offset = rva - symbol_addresses[low - 1];
	return name_at(low - 1);
}
