/* kernel/panic.c - see panic.h. */
#include "kernel/panic.h"

#include "efi/boot_info.h"
#include "kernel/base/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/options.h"
#include "kernel/base/percpu.h"
#include "kernel/base/power.h"
#include "kernel/base/print.h"
#include "kernel/base/probe.h"
#include "kernel/base/unwind.h"
#include "kernel/symbols.h"
#include "proc/thread.h"

#define BACKTRACE_MAX 32

static bool panicking;

static void log_location(const char *what, uint64_t address, bool exact)
{
	uint64_t offset;
	/* A return address belongs to the call before it. */
	const char *name = symbol_find(address - (exact ? 0 : 1), &offset);

	if (name)
		pr_err("%s %016lx %s+%#lx", what, address, name, offset + (exact ? 0 : 1));
	else
		pr_err("%s %016lx", what, address);
}

static void log_calls(struct unwind *u)
{
	pr_err("Call Trace:");
	for (int i = 0; i < BACKTRACE_MAX; i++) {
		log_location(u->exact ? " =" : "  ", u->rip, u->exact);
		if (!unwind_step(u))
			break;
	}
}

NOINLINE void backtrace_log(void)
{
	struct unwind u;

	unwind_from_here(&u);
	log_calls(&u);
}

static void log_registers(const struct trapframe *tf)
{
	pr_err("RIP: %04lx:%016lx RSP: %04lx:%016lx EFLAGS: %08lx vector %lu error %lx", tf->cs, tf->rip, tf->ss,
	       tf->rsp, tf->rflags, tf->vector, tf->error);
	pr_err("RAX: %016lx RBX: %016lx RCX: %016lx RDX: %016lx", tf->rax, tf->rbx, tf->rcx, tf->rdx);
	pr_err("RSI: %016lx RDI: %016lx RBP: %016lx R08: %016lx", tf->rsi, tf->rdi, tf->rbp, tf->r8);
	pr_err("R09: %016lx R10: %016lx R11: %016lx R12: %016lx", tf->r9, tf->r10, tf->r11, tf->r12);
	pr_err("R13: %016lx R14: %016lx R15: %016lx", tf->r13, tf->r14, tf->r15);
}

static void log_context(void)
{
	const struct thread *t = current();

	pr_err("CPU: %u PID: %d Comm: %.15s", cpu_id(), t ? t->tid : 0, t ? t->name : "boot");
	pr_err("CR0: %08lx CR2: %016lx CR3: %016lx CR4: %08lx", read_cr0(), read_cr2(), read_cr3(), read_cr4());
}

/* False the second time. */
static bool begin_panic(void)
{
	irq_disable();
	if (panicking) {
		pr_err("panic inside a panic: no more is said");
		return false;
	}
	panicking = true;
	log_break_lock();
	this_cpu()->nheld = 0;
	return true;
}

static NORETURN void end_panic(void)
{
	pr_err("Kernel Offset: %#lx from %#lx (llvm-symbolizer --obj=build/BOOTX64.debug.EFI ADDRESS-OFFSET)",
	       (uint64_t)__ImageBase - IMAGE_LINK_BASE.v, IMAGE_LINK_BASE.v);
	power_after_panic();
}

void panic(const char *fmt, ...)
{
	static char reason[256];
	va_list ap;

	if (!begin_panic())
		power_halt();
	va_start(ap, fmt);
	kvsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	pr_err("Kernel panic - not syncing: %s", reason);
	log_context();
	backtrace_log();
	end_panic();
}

static NORETURN void panic_frame(const struct trapframe *tf, const char *reason)
{
	struct unwind u;

	pr_err("Kernel panic - not syncing: %s", reason);
	log_context();
	log_registers(tf);
	unwind_from_frame(&u, tf);
	log_calls(&u);
	end_panic();
}

void panic_trap(const struct trapframe *tf, const char *fmt, ...)
{
	static char reason[256];
	va_list ap;

	if (!begin_panic())
		power_halt();
	va_start(ap, fmt);
	kvsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	panic_frame(tf, reason);
}

/* ---- Stack protector ---- */

uint64_t __stack_chk_guard = 0x595e9fbd94fda766;

NORETURN void __stack_chk_fail(void) { panic("stack overrun detected in the caller"); }

/* A zero byte lowest: no string overrun can write it. */
void stack_guard_init(uint64_t random) { __stack_chk_guard = random & ~0xffull; }
