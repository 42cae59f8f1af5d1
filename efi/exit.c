/*
 * efi/exit.c - leaving boot services (UEFI 2.10 section 7.4.6).
 *
 * The map's key may be stale by the time it is used: events of drivers change the map, some of them in the exit itself.
 * So the pair of calls is repeated, with nothing in between: after a failed try firmware may have stopped its timer,
 * and a console call can hang. `efi=stale-key` spoils the first key, so that a test goes this way on any firmware.
 */
#include "efi/stub.h"
#include "kernel/base/cpu.h"

STUB_BEGIN

static bool wants_stale_key(const struct stub *s) { return option_word(s->cmdline, "efi=stale-key"); }

EFI_STATUS boot_services_exit(struct stub *s)
{
	struct boot_info *info = s->info;
	bool stale = wants_stale_key(s);
	EFI_STATUS status;

	do {
		status = memory_map_read(s, &s->map);
		if (EFI_ERROR(status))
			break;
		status = s->bs->ExitBootServices(s->image, s->map.key + stale);
		stale = false;
		info->exit_tries++;
	} while (EFI_ERROR(status) && info->exit_tries < STUB_EXIT_TRIES);

	if (EFI_ERROR(status)) {
		debugcon_puts("efi: stub: ExitBootServices failed\n");
		return status;
	}
	irq_disable();
	info->tsc_exit = read_tsc();
	info->memory_map = block_virtual(s, s->map.descriptors);
	info->memory_map_size = s->map.size;
	info->descriptor_size = s->map.stride;
	info->descriptor_version = s->map.version;
	return EFI_SUCCESS;
}

STUB_END
