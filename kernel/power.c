/* kernel/power.c - see kernel/base/power.h. UEFI 2.10, 8.5.1 (ResetSystem). */
#include "kernel/base/power.h"

#include <efi.h>

#include "kernel/base/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/options.h"
#include "kernel/base/print.h"

#define PANIC_STATUS 127

static const EFI_RUNTIME_SERVICES *runtime;

void power_init(const void *runtime_services) { runtime = runtime_services; }

void power_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* The firmware reports failure by returning. Its code may use SSE; nobody's state is needed any more. */
static void firmware_reset(EFI_RESET_TYPE type)
{
	if (runtime)
		((EFI_RUNTIME_SERVICES *)runtime)->ResetSystem(type, EFI_SUCCESS, 0, NULL);
}

void power_off(uint8_t status)
{
	irq_disable();
	pr_info("reboot: power off, status %u", status);
	/* isa-debug-exit ends QEMU with (value << 1) | 1. */
	if (options.exit_port)
		outl(options.exit_port, status);
	firmware_reset(EfiResetShutdown);
	pr_err("reboot: the firmware did not power off; it is safe to switch off now");
	power_halt();
}

void power_restart(void)
{
	irq_disable();
	pr_info("reboot: restart");
	firmware_reset(EfiResetCold);
	/* The keyboard controller's reset line, then the chipset's reset register. */
	outb(0x64, 0xfe);
	outb(0xcf9, 0x0e);
	pr_err("reboot: the machine did not restart; reset it by hand");
	power_halt();
}

void power_after_panic(void)
{
	uint64_t wait = options.panic_seconds > 0 ? (uint64_t)options.panic_seconds * NSEC_PER_SEC : 0;

	for (uint64_t start = clock_ns(); clock_ns() - start < wait;)
		cpu_pause();
	if (options.panic_seconds)
		power_restart();
	power_off(PANIC_STATUS);
}
