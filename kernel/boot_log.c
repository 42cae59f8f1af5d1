/* kernel/boot_log.c - see boot_log.h. The wording is Linux's, which tools such as fwts look for. */
#include "kernel/boot_log.h"

#include <efi.h>

#include "kernel/base/options.h"
#include "kernel/base/print.h"
#include "kernel/base/string.h"
#include "kernel/dev/debugcon.h"
#include "kernel/dev/serial.h"
#include "kernel/version.h"

void boot_log_init(void)
{
	debugcon_init();
	serial_init();
	pr_info("Tine %s (%s)", TINE_RELEASE, TINE_VERSION);
}

static enum log_level serial_level(void)
{
	if (options.quiet)
		return LOG_ERR;
	if (options.loglevel >= 0)
		return (enum log_level)(options.loglevel - 1);
	return options.console && !strncmp(options.console, "ttyS0", 5) ? LOG_INFO : LOG_WARN;
}

void boot_log_consoles(void)
{
	static struct log_sink sink = {.write = serial_write_text};

	sink.max_level = serial_level();
	if (serial_present() && !options.batch)
		log_add_sink(&sink);
}

static const char *memory_type_name(uint32_t type)
{
	static const char *const names[] = {
	    "Reserved",     "Loader Code",  "Loader Data",  "Boot Code", "Boot Data",
	    "Runtime Code", "Runtime Data", "Conventional", "Unusable",  "ACPI Reclaim",
	    "ACPI Mem NVS", "MMIO",         "MMIO Port",    "PAL Code",  "Persistent",
	};

	return type < ARRAY_LEN(names) ? names[type] : "Unknown";
}

static void log_descriptor(unsigned n, const EFI_MEMORY_DESCRIPTOR *d)
{
	static const struct {
		uint64_t bit;
		char name[4];
	} attributes[] = {{EFI_MEMORY_RUNTIME, "RUN"}, {EFI_MEMORY_XP, "XP"}, {EFI_MEMORY_RP, "RP"},
			  {EFI_MEMORY_WP, "WP"},       {EFI_MEMORY_WB, "WB"}, {EFI_MEMORY_WT, "WT"},
			  {EFI_MEMORY_WC, "WC"},       {EFI_MEMORY_UC, "UC"}};
	char text[64] = "";
	size_t len = 0;

	for (unsigned i = 0; i < ARRAY_LEN(attributes); i++)
		len += (size_t)ksnprintf(text + len, sizeof(text) - len, "|%3s",
					 d->Attribute & attributes[i].bit ? attributes[i].name : "");
	pr_debug("efi: mem%02u: [%-12s%s] range=[0x%016lx-0x%016lx] (%luKB)", n, memory_type_name(d->Type), text,
		 (uint64_t)d->PhysicalStart, (uint64_t)d->PhysicalStart + (d->NumberOfPages << PAGE_SHIFT) - 1,
		 (uint64_t)d->NumberOfPages * 4);
}

static void log_memory_map(const struct boot_info *info)
{
	uint64_t size = info->descriptor_size;

	if (size < sizeof(EFI_MEMORY_DESCRIPTOR))
		return;
	for (uint64_t at = 0, n = 0; at + size <= info->memory_map_size; at += size, n++)
		log_descriptor((unsigned)n, (const void *)((const char *)info->memory_map + at));
}

static void log_stub_messages(const char *text)
{
	while (*text) {
		const char *end = strchr(text, '\n');
		int len = (int)(end ? (size_t)(end - text) : strlen(text));
		if (len)
			pr_info("efi: stub: %.*s", len, text);
		text += len + (end ? 1 : 0);
	}
}

void boot_log_firmware(const struct boot_info *info)
{
	uint32_t minor = info->uefi_revision & 0xffff;

	pr_info("efi: EFI v%u.%02u by %s", info->uefi_revision >> 16, minor, info->vendor);
	pr_info("efi: ACPI=%#lx SMBIOS=%#lx SMBIOS 3.0=%#lx", info->rsdp.v, info->smbios.v, info->smbios3.v);
	if (info->messages)
		log_stub_messages(info->messages);
	if (info->exit_tries != 1)
		pr_info("efi: ExitBootServices took %u tries", info->exit_tries);
	if (info->secure_boot)
		pr_info("efi: Secure boot enabled");
	if (!info->runtime_services)
		pr_warn("efi: no runtime services (SetVirtualAddressMap: %#lx)", (uint64_t)info->virtual_map_status);
	log_memory_map(info);
}
