/* kernel/main.c - the order of the boot. */
#include "efi/boot_info.h"
#include "kernel/acpi.h"
#include "kernel/apic.h"
#include "kernel/base/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/options.h"
#include "kernel/base/panic.h"
#include "kernel/base/power.h"
#include "kernel/base/print.h"
#include "kernel/base/random.h"
#include "kernel/boot_log.h"
#include "kernel/cmdline.h"
#include "kernel/cpu.h"
#include "kernel/dev/serial.h"
#include "kernel/fs/initrd.h"
#include "kernel/fs/vfs.h"
#include "kernel/panic.h"
#include "kernel/procfs.h"
#include "kernel/time.h"
#include "kernel/trap.h"
#include "mm/boot.h"
#include "mm/user.h"
#include "mm/window.h"
#include "proc/fpu.h"
#include "proc/process.h"
#include "proc/sched.h"
#include "proc/timer.h"

/* The kernel cannot start here, and nobody broke a promise: say why, and stop. */
static NORETURN void refuse(const char *why)
{
	pr_err("Tine cannot start: %s", why);
	power_off(1);
}

static void start_log(const struct boot_info *info)
{
	ASSERT(info->magic == BOOT_INFO_MAGIC && info->size == sizeof(*info));
	clock_calibrate(clock_tsc_hz(), info->tsc_entry);
	boot_log_init();
}

static void read_command_line(const struct boot_info *info)
{
	cmdline_parse(info->cmdline);
	boot_log_consoles();
}

static void start_cpu(const struct boot_info *info)
{
	(void)info;
	cpu_detect();
	cpu_enable();
	cpu_tables_init();
	cpu_log();
	if (!cpu_syscall_init())
		refuse("this CPU has no SYSCALL instruction");
	user_access_init(cpu_features.smap);
	fpu_init();
}

static void start_power(const struct boot_info *info) { power_init(info->runtime_services); }

static void start_memory(const struct boot_info *info)
{
	if (mm_init(info, options.mem))
		refuse("too little memory");
}

static void start_random(const struct boot_info *info)
{
	random_seed(info->seed, sizeof(info->seed));
	random_seed_from_cpu();
	if (!(info->seed_source & 7) && !cpu_features.rdrand && !cpu_features.rdseed)
		pr_warn("random: seeded by the time stamp counter only");
}

static void start_stack_guard(const struct boot_info *info)
{
	(void)info;
	stack_guard_init(random_u64());
}

static void read_acpi(const struct boot_info *info) { acpi_init(info->rsdp); }

static void start_scheduler(const struct boot_info *info)
{
	(void)info;
	sched_init();
	if (apic_init())
		apic_timer_init();
}

/* Where no interrupt line is known, the timer looks for input. */
static void poll_serial(struct timer *t)
{
	serial_poll();
	timer_start(t, clock_ns() + 10 * NSEC_PER_MSEC);
}

static void start_serial_input(const struct boot_info *info)
{
	static struct timer poll;

	(void)info;
	if (!serial_present())
		return;
	if (apic_route_isa(SERIAL_IRQ, VECTOR_SERIAL)) {
		irq_set_handler(VECTOR_SERIAL, serial_poll);
		serial_enable_interrupt();
		return;
	}
	pr_warn("serial: no interrupt: input is polled");
	timer_init(&poll, poll_serial);
	timer_start(&poll, clock_ns());
}

static void start_files(const struct boot_info *info)
{
	(void)info;
	if (vfs_init() || procfs_init())
		refuse("no memory for the root file system");
}

/* Without an archive, or with a broken one, the boot goes on: init may be there all the same. */
static void unpack_initrd(const struct boot_info *info)
{
	static const char *const sources[] = {
	    [INITRD_LOADFILE2] = "by LoadFile2",
	    [INITRD_OPTION] = "by initrd=",
	    [INITRD_BESIDE] = "from beside the image",
	    [INITRD_LINKED] = "from inside the image",
	};

	if (!info->initrd_size) {
		pr_err("initrd: none");
		return;
	}
	pr_info("initrd: %lu KiB %s", info->initrd_size >> 10,
		info->initrd_source < ARRAY_LEN(sources) ? sources[info->initrd_source] : "");
	if (initrd_unpack(info->initrd, info->initrd_size))
		pr_err("initrd: the root file system is not complete");
	if (info->initrd_pages.pages)
		mm_release(info->initrd, info->initrd_pages);
}

static void start_init(const struct boot_info *info)
{
	(void)info;
	if (process_start_init())
		refuse("no memory for the first process");
}

/* The boot, in order. */
static const struct {
	const char *name;
	void (*run)(const struct boot_info *info);
} steps[] = {
    {"log", start_log},
    {"command line", read_command_line},
    {"power", start_power},
    {"CPU", start_cpu},
    {"firmware report", boot_log_firmware},
    {"memory", start_memory},
    {"random numbers", start_random},
    {"stack guard", start_stack_guard},
    {"ACPI", read_acpi},
    {"clock", time_init},
    {"scheduler", start_scheduler},
    {"files", start_files},
    {"initrd", unpack_initrd},
    {"serial input", start_serial_input},
    {"init", start_init},
};

void kernel_main(const struct boot_info *info)
{
	cpu_gs_init();
	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		pr_debug("boot: %s", steps[i].name);
		steps[i].run(info);
	}
	sched_idle();
}
