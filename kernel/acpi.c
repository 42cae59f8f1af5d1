/* kernel/acpi.c - see acpi.h. Section numbers are of ACPI 6.5. */
#include "kernel/acpi.h"

#include "kernel/base/cpu.h"
#include "kernel/base/print.h"
#include "kernel/base/string.h"
#include "mm/kmap.h"

#define TABLE_MAX KIB(512)

/* 5.2.5.3 */
struct PACKED rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum, reserved[3];
};
#define RSDP_V1_SIZE 20

/* 5.2.12: fixed part, then entries of { type, length, ... }. */
struct PACKED madt {
	struct acpi_header header;
	uint32_t lapic_address, flags;
};

struct PACKED madt_entry {
	uint8_t type, length;
	union {
		struct PACKED {
			uint8_t processor, apic_id;
			uint32_t flags;
		} lapic;
		struct PACKED {
			uint8_t id, reserved;
			uint32_t address, gsi_base;
		} ioapic;
		struct PACKED {
			uint8_t bus, source;
			uint32_t gsi;
			uint16_t flags;
		} override;
		struct PACKED {
			uint16_t reserved;
			uint32_t apic_id, flags;
		} x2apic;
	};
};

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9 };

/* 5.2.3.2 */
struct PACKED address_structure {
	uint8_t space, bit_width, bit_offset, access_size;
	uint64_t address;
};
enum { SPACE_MEMORY = 0, SPACE_IO = 1 };

struct PACKED hpet_table {
	struct acpi_header header;
	uint32_t id;
	struct address_structure base;
};

/* 5.2.9: only what is used. */
#define FADT_PM_TIMER   76
#define FADT_X_PM_TIMER 208

struct acpi_info acpi_info;

static uint8_t byte_sum(const void *p, size_t n)
{
	uint8_t sum = 0;

	for (const uint8_t *b = p; n; n--)
		sum = (uint8_t)(sum + *b++);
	return sum;
}

static const void *map(paddr_t at, uint64_t size)
{
	uint64_t limit = (uint64_t)1 << cpu_features.phys_bits;

	if (!at.v || at.v >= limit || size > limit - at.v)
		return NULL;
	return kmap_device(at, size, KMAP_WB);
}

/* A table with a plausible length and a good checksum, else NULL. */
static const struct acpi_header *map_table(paddr_t at)
{
	const struct acpi_header *h = map(at, sizeof(*h));

	if (!h || h->length < sizeof(*h) || h->length > TABLE_MAX)
		return NULL;
	h = map(at, h->length);
	if (h && byte_sum(h, h->length)) {
		pr_warn("ACPI: %.4s at %#lx: bad checksum, ignored", h->signature, at.v);
		return NULL;
	}
	return h;
}

/* ---- MADT ---- */

static void note_cpu(uint32_t flags)
{
	/* Enabled, or may be enabled by the OS. */
	if (flags & 1)
		acpi_info.cpu_count++;
}

/* 5.2.12.5; the flags are MPS's: 0 as the bus says (ISA: high, edge), 1 high or edge, 3 low or level. */
static void note_override(const struct madt_entry *e)
{
	if (e->override.bus != 0 || e->override.source >= ACPI_MAX_ISA_IRQS)
		return;
	acpi_info.isa[e->override.source] = (struct acpi_isa_irq){
	    .gsi = e->override.gsi,
	    .active_low = (e->override.flags & 3) == 3,
	    .level = (e->override.flags >> 2 & 3) == 3,
	};
}

static void note_ioapic(const struct madt_entry *e)
{
	/* ISA interrupts arrive at the one that begins with interrupt 0. */
	if (acpi_info.ioapic.v && e->ioapic.gsi_base != 0)
		return;
	acpi_info.ioapic = PADDR(e->ioapic.address);
	acpi_info.ioapic_gsi = e->ioapic.gsi_base;
}

static void read_madt_entry(const struct madt_entry *e)
{
	if (e->type == MADT_LAPIC && e->length >= 8)
		note_cpu(e->lapic.flags);
	else if (e->type == MADT_IOAPIC && e->length >= 12)
		note_ioapic(e);
	else if (e->type == MADT_OVERRIDE && e->length >= 10)
		note_override(e);
	else if (e->type == MADT_X2APIC && e->length >= 16)
		note_cpu(e->x2apic.flags);
}

static void read_madt(const struct acpi_header *h)
{
	const char *p = (const char *)h + sizeof(struct madt), *end = (const char *)h + h->length;

	while (end - p >= 2) {
		const struct madt_entry *e = (const struct madt_entry *)p;
		if (e->length < 2 || e->length > end - p) {
			pr_warn("ACPI: MADT: an entry of %u bytes, the rest is ignored", e->length);
			return;
		}
		read_madt_entry(e);
		p += e->length;
	}
}

/* ---- Timers ---- */

static void read_hpet(const struct acpi_header *h)
{
	const struct hpet_table *t = (const struct hpet_table *)h;

	if (h->length >= sizeof(*t) && t->base.space == SPACE_MEMORY && !page_offset(t->base.address))
		acpi_info.hpet = PADDR(t->base.address);
}

static void read_fadt(const struct acpi_header *h)
{
	struct address_structure x = {0};
	uint32_t port = 0;

	if (h->length >= FADT_PM_TIMER + sizeof(port))
		memcpy(&port, (const char *)h + FADT_PM_TIMER, sizeof(port));
	if (h->length >= FADT_X_PM_TIMER + sizeof(x))
		memcpy(&x, (const char *)h + FADT_X_PM_TIMER, sizeof(x));
	if (x.space == SPACE_IO && x.address && x.address <= UINT16_MAX)
		port = (uint32_t)x.address;
	acpi_info.pm_timer = port <= UINT16_MAX - 3 ? (uint16_t)port : 0;
}

/* ---- The root ---- */

static const struct {
	char signature[5];
	void (*read)(const struct acpi_header *h);
} readers[] = {{"APIC", read_madt}, {"HPET", read_hpet}, {"FACP", read_fadt}};

static void read_table(paddr_t at)
{
	const struct acpi_header *h = map_table(at);

	if (!h)
		return;
	pr_debug("ACPI: %.4s %#lx %06x (v%02u %.6s)", h->signature, at.v, h->length, h->revision, h->oem_id);
	for (unsigned i = 0; i < ARRAY_LEN(readers); i++)
		if (!memcmp(h->signature, readers[i].signature, 4))
			readers[i].read(h);
}

/* RSDT entries have 4 bytes, XSDT entries 8 (and no alignment). */
static void read_root(const struct acpi_header *root, size_t entry_size)
{
	const char *entry = (const char *)(root + 1), *end = (const char *)root + root->length;

	for (; end - entry >= (long)entry_size; entry += entry_size) {
		uint64_t at = 0;
		memcpy(&at, entry, entry_size);
		read_table(PADDR(at));
	}
}

static bool read_rsdp(const struct rsdp *r)
{
	const struct acpi_header *root = NULL;

	if (memcmp(r->signature, "RSD PTR ", 8) || byte_sum(r, RSDP_V1_SIZE))
		return false;
	bool extended = r->revision >= 2 && r->length >= sizeof(*r) && !byte_sum(r, sizeof(*r));
	if (extended)
		root = map_table(PADDR(r->xsdt));
	if (root && !memcmp(root->signature, "XSDT", 4)) {
		read_root(root, sizeof(uint64_t));
		return true;
	}
	root = map_table(PADDR(r->rsdt));
	if (!root || memcmp(root->signature, "RSDT", 4))
		return false;
	read_root(root, sizeof(uint32_t));
	return true;
}

void acpi_init(paddr_t rsdp)
{
	for (uint32_t i = 0; i < ACPI_MAX_ISA_IRQS; i++)
		acpi_info.isa[i] = (struct acpi_isa_irq){.gsi = i};
	const struct rsdp *r = map(rsdp, sizeof(*r));
	if (!r || !read_rsdp(r))
		pr_warn("ACPI: no usable tables: interrupts are polled");
}
