/* efi/main.c - the entry: the boot from the firmware's call to the kernel, as a table of contents. */
#include "efi/stub.h"
#include "kernel/base/cpu.h"

/* In the image's data, since a firmware stack may be small. */
static struct stub stub;

STUB_BEGIN

static EFI_STATUS firmware_open(struct stub *s, EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;

	s->image = image;
	s->st = st;
	s->bs = st->BootServices;
	/* First of all: some firmware resets the machine seconds after a boot option was started. */
	s->bs->SetWatchdogTimer(0, 0, 0, NULL);
	say(s, "EFI v%u.%02u, starting", st->Hdr.Revision >> 16, st->Hdr.Revision & 0xffff);
	return s->bs->HandleProtocol(image, &guid, (void **)&s->loaded);
}

static void entry_state_save(struct stub *s, uint64_t tsc)
{
	s->info->tsc_entry = tsc;
	s->info->entry_cr0 = read_cr0();
	s->info->entry_cr4 = read_cr4();
	s->info->entry_efer = read_msr(MSR_EFER);
	s->info->nx = s->tables.nx;
}

/* What can stop the boot: on failure nothing but a message is left behind. */
static EFI_STATUS prepare(struct stub *s, uint64_t tsc)
{
	EFI_STATUS status = cpu_check(s);

	if (!EFI_ERROR(status))
		status = memory_check(s);
	if (!EFI_ERROR(status))
		status = block_create(s);
	if (EFI_ERROR(status))
		return status;

	entry_state_save(s, tsc);
	volume_open(s);
	options_read(s);
	tables_collect(s);
	drivers_collect(s);
	framebuffer_find(s);
	clock_read(s);
	random_collect(s);

	status = initrd_load(s);
	if (!EFI_ERROR(status))
		status = image_load(s);
	if (!EFI_ERROR(status))
		status = paging_build(s);
	return status;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	struct stub *s = &stub;
	uint64_t tsc = read_tsc();
	EFI_STATUS status = firmware_open(s, image, st);

	if (!EFI_ERROR(status))
		status = prepare(s, tsc);
	if (EFI_ERROR(status))
		goto release;
	say(s, "%s, kernel %lu KiB, initrd %lu KiB; leaving boot services", s->info->vendor, s->info->image_size >> 10,
	    s->info->initrd_size >> 10);
	status = boot_services_exit(s);
	if (EFI_ERROR(status))
		goto release;

	runtime_map(s);
	kernel_enter(s);
release:
	pages_release(s);
	return status;
}

STUB_END
