/*
 * efi/tables.c - the firmware's configuration tables.
 *
 * The kernel takes boot-services memory as free RAM, and firmware keeps tables there. A table whose size is known is
 * copied; what ACPI and SMBIOS tables point to is kept in place (info->keep). Nothing is believed before it is checked to
 * lie in memory: pointers in tables are the firmware's word.
 */
#include "efi/stub.h"
#include "kernel/base/string.h"

#define ACPI_HEADER_SIZE 36
#define ACPI_TABLE_MAX   MIB(4)
#define RSDP1_SIZE       20
#define RSDP2_SIZE       36

STUB_BEGIN

static uint32_t get_u32(const void *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get_u64(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t size_of_rsdp1(const uint8_t *p UNUSED) { return RSDP1_SIZE; }
static uint64_t size_of_rsdp2(const uint8_t *p UNUSED) { return RSDP2_SIZE; }
static uint64_t size_of_smbios(const uint8_t *p) { return p[5]; }
static uint64_t size_of_smbios3(const uint8_t *p) { return p[6]; }
static uint64_t size_of_rt_properties(const uint8_t *p) { return ((const EFI_RT_PROPERTIES_TABLE *)p)->Length; }
static uint64_t size_of_esrt(const uint8_t *p)
{
	uint64_t count = ((const EFI_SYSTEM_RESOURCE_TABLE *)p)->FwResourceCount;
	return sizeof(EFI_SYSTEM_RESOURCE_TABLE) + count * EFI_SYSTEM_RESOURCE_ENTRY_SIZE;
}

/* The tables whose size this file can tell. `header` bytes must be readable before size() may look. */
static const struct known_table {
	EFI_GUID guid;
	uint64_t header;
	uint64_t (*size)(const uint8_t *p);
	size_t paddr_offset; /* of the field of struct boot_info that gets the address; 0: none */
} known_tables[] = {
    {ACPI_TABLE_GUID, RSDP1_SIZE, size_of_rsdp1, 0},
    {ACPI_20_TABLE_GUID, RSDP2_SIZE, size_of_rsdp2, offsetof(struct boot_info, rsdp)},
    {SMBIOS_TABLE_GUID, 0x1f, size_of_smbios, offsetof(struct boot_info, smbios)},
    {SMBIOS3_TABLE_GUID, 0x18, size_of_smbios3, offsetof(struct boot_info, smbios3)},
    {EFI_RT_PROPERTIES_TABLE_GUID, sizeof(EFI_RT_PROPERTIES_TABLE), size_of_rt_properties, 0},
    {EFI_SYSTEM_RESOURCE_TABLE_GUID, sizeof(EFI_SYSTEM_RESOURCE_TABLE), size_of_esrt, 0},
};

static void keep_bytes(struct stub *s, uint64_t paddr, uint64_t size)
{
	uint64_t first = ALIGN_DOWN(paddr, PAGE_SIZE);

	if (!memory_readable(s, paddr, size) || !memory_reclaimed(s, paddr))
		return;
	if (EFI_ERROR(memory_keep(s, first, pages_for(paddr + size - first))))
		say(s, "no room to keep the firmware table at %lx", paddr);
}

/* Keeps one ACPI table in place; returns it if its header makes sense. */
static const uint8_t *acpi_table(struct stub *s, uint64_t paddr)
{
	uint32_t length;

	if (!memory_readable(s, paddr, ACPI_HEADER_SIZE))
		return NULL;
	length = get_u32((const uint8_t *)paddr + 4);
	if (length < ACPI_HEADER_SIZE || length > ACPI_TABLE_MAX || !memory_readable(s, paddr, length))
		return NULL;
	keep_bytes(s, paddr, length);
	return (const uint8_t *)paddr;
}

/* The FADT's DSDT and FACS: 64-bit fields win where the table has them (ACPI 6.5 section 5.2.9). */
static void keep_fadt_tables(struct stub *s, const uint8_t *fadt)
{
	uint32_t length = get_u32(fadt + 4);
	uint64_t facs = length >= 40 ? get_u32(fadt + 36) : 0;

	if (length >= 44)
		acpi_table(s, get_u32(fadt + 40));
	if (length >= 148)
		acpi_table(s, get_u64(fadt + 140));
	if (length >= 140 && get_u64(fadt + 132))
		facs = get_u64(fadt + 132);
	keep_bytes(s, facs, 64);
}

static void keep_acpi(struct stub *s)
{
	const uint8_t *rsdp = (const uint8_t *)s->info->rsdp.v;
	bool wide = rsdp && memory_readable(s, (uint64_t)rsdp, RSDP2_SIZE) && rsdp[15] >= 2 && get_u64(rsdp + 24);
	const uint8_t *root = NULL;
	size_t entry = wide ? 8 : 4;

	if (wide)
		root = acpi_table(s, get_u64(rsdp + 24));
	else if (rsdp && memory_readable(s, (uint64_t)rsdp, RSDP1_SIZE))
		root = acpi_table(s, get_u32(rsdp + 16));
	if (!root)
		return;
	for (size_t at = ACPI_HEADER_SIZE; at + entry <= get_u32(root + 4); at += entry) {
		const uint8_t *t = acpi_table(s, wide ? get_u64(root + at) : get_u32(root + at));
		if (t && !memcmp(t, "FACP", 4))
			keep_fadt_tables(s, t);
	}
}

/* The structure tables that the SMBIOS entry points name (SMBIOS 3.6 section 5.2). */
static void keep_smbios(struct stub *s)
{
	const uint8_t *v2 = (const uint8_t *)s->info->smbios.v, *v3 = (const uint8_t *)s->info->smbios3.v;

	if (v2 && memory_readable(s, (uint64_t)v2, 0x1f))
		keep_bytes(s, get_u32(v2 + 0x18), v2[0x16] | (uint64_t)v2[0x17] << 8);
	if (v3 && memory_readable(s, (uint64_t)v3, 0x18))
		keep_bytes(s, get_u64(v3 + 0x10), get_u32(v3 + 0x0c));
}

/* Fills what is known of one table: its copy, and the field of info that names it. */
static void table_known(struct stub *s, struct boot_table *t)
{
	for (size_t i = 0; i < ARRAY_LEN(known_tables); i++) {
		const struct known_table *k = &known_tables[i];
		uint64_t size;

		if (memcmp(&k->guid, t->guid, sizeof(k->guid)) || !memory_readable(s, t->paddr.v, k->header))
			continue;
		if (k->paddr_offset)
			*(paddr_t *)((char *)s->info + k->paddr_offset) = t->paddr;
		size = k->size((const uint8_t *)t->paddr.v);
		if (!memory_reclaimed(s, t->paddr.v) || size > STUB_TABLE_COPY_MAX ||
		    !memory_readable(s, t->paddr.v, size))
			continue;
		t->copy = block_copy(s, (const void *)t->paddr.v, size);
		t->size = t->copy ? size : 0;
	}
}

static const EFI_CONFIGURATION_TABLE *config_table(struct stub *s, const EFI_GUID *guid)
{
	for (UINTN i = 0; i < s->st->NumberOfTableEntries; i++) {
		if (!memcmp(&s->st->ConfigurationTable[i].VendorGuid, guid, sizeof(*guid)))
			return &s->st->ConfigurationTable[i];
	}
	return NULL;
}

static void firmware_identity(struct stub *s)
{
	const CHAR16 *vendor = s->st->FirmwareVendor;
	size_t n = 0;

	for (; vendor && vendor[n] && n < sizeof(s->info->vendor) - 1; n++)
		s->info->vendor[n] = vendor[n] >= 0x20 && vendor[n] < 0x7f ? (char)vendor[n] : '?';
	s->info->firmware_revision = s->st->FirmwareRevision;
	s->info->uefi_revision = s->st->Hdr.Revision;
	s->info->system_table = PADDR(s->st);
}

static bool secure_boot_on(struct stub *s)
{
	EFI_GUID guid = EFI_GLOBAL_VARIABLE;
	CHAR16 name[] = {'S', 'e', 'c', 'u', 'r', 'e', 'B', 'o', 'o', 't', 0};
	uint8_t value = 0;
	UINTN size = sizeof(value);

	return !EFI_ERROR(s->st->RuntimeServices->GetVariable(name, &guid, NULL, &size, &value)) && value == 1;
}

void tables_collect(struct stub *s)
{
	EFI_GUID acpi1 = ACPI_TABLE_GUID;
	const EFI_CONFIGURATION_TABLE *fallback = config_table(s, &acpi1);
	struct boot_table *list = block_alloc(s, s->st->NumberOfTableEntries * sizeof(*list));

	firmware_identity(s);
	s->info->secure_boot = secure_boot_on(s);
	if (!list)
		return;
	for (UINTN i = 0; i < s->st->NumberOfTableEntries; i++) {
		memcpy(list[i].guid, &s->st->ConfigurationTable[i].VendorGuid, sizeof(list[i].guid));
		list[i].paddr = PADDR(s->st->ConfigurationTable[i].VendorTable);
		table_known(s, &list[i]);
	}
	s->info->tables = block_virtual(s, list);
	s->info->table_count = (uint32_t)s->st->NumberOfTableEntries;
	if (!s->info->rsdp.v && fallback)
		s->info->rsdp = PADDR(fallback->VendorTable);
	keep_acpi(s);
	keep_smbios(s);
}

/* After the exit, since firmware may change the table until then (UEFI 2.10 section 4.6.4). */
const EFI_MEMORY_ATTRIBUTES_TABLE *tables_memory_attributes(struct stub *s)
{
	EFI_GUID guid = EFI_MEMORY_ATTRIBUTES_TABLE_GUID;
	const EFI_CONFIGURATION_TABLE *found = config_table(s, &guid);
	const EFI_MEMORY_ATTRIBUTES_TABLE *t = found ? found->VendorTable : NULL;
	uint64_t size;

	if (!t || !memory_readable(s, (uint64_t)t, sizeof(*t)) || t->DescriptorSize < sizeof(EFI_MEMORY_DESCRIPTOR))
		return NULL;
	size = sizeof(*t) + (uint64_t)t->NumberOfEntries * t->DescriptorSize;
	if (size > STUB_TABLE_COPY_MAX || !memory_readable(s, (uint64_t)t, size))
		return NULL;
	s->info->memory_attributes = block_copy(s, t, size);
	return t;
}

STUB_END
