/* kernel/base/probe.c - see probe.h. */
#include "kernel/base/probe.h"

struct probe_entry {
	uint32_t site, resume; /* image-relative */
};

extern const struct probe_entry probe_table[];

uint64_t probe_fixup(uint64_t rip)
{
	uint64_t base = (uint64_t)__ImageBase;

	for (const struct probe_entry *e = probe_table; e->site; e++)
		if (base + e->site == rip)
			return base + e->resume;
	return 0;
}
