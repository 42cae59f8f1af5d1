/* kernel/trap.c - see trap.h. Exceptions: SDM 3, chapter 6. */
#include "kernel/trap.h"

/* sigcontext.h comes before the others that declare parts of it. */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "kernel/base/cpu.h"
#include "kernel/base/lock.h"
#include "kernel/base/options.h"
#include "kernel/base/panic.h"
#include "kernel/base/percpu.h"
#include "kernel/base/print.h"
#include "kernel/base/probe.h"
#include "kernel/panic.h"
#include "mm/counters.h"
#include "mm/fault.h"
#include "mm/kmap.h"
#include "mm/paging.h"
#include "mm/user.h"
#include "proc/fpu.h"
#include "proc/oom.h"
#include "proc/sched.h"
#include "proc/signal.h"
#include "proc/thread.h"

/* ---- Interrupts ---- */

static void (*irq_handlers[256 - VECTOR_IRQ_BASE])(void);
static void (*irq_ack)(void);

void irq_set_handler(uint8_t vector, void (*handler)(void)) { irq_handlers[vector - VECTOR_IRQ_BASE] = handler; }

void irq_set_ack(void (*ack)(void)) { irq_ack = ack; }

static uint32_t nmi_count, nmi_reported;

static void report_nmis(void)
{
	uint32_t seen = nmi_count;

	if (likely(seen == nmi_reported))
		return;
	pr_warn("NMI for an unknown reason, %u so far (unknown_nmi_panic shows where)", seen);
	nmi_reported = seen;
}

static void handle_irq(const struct trapframe *tf)
{
	struct cpu *c = this_cpu();
	void (*handler)(void) = irq_handlers[tf->vector - VECTOR_IRQ_BASE];

	/* A spurious interrupt is not in service: acknowledging it would end another one (SDM 3, 10.9). */
	if (tf->vector == VECTOR_SPURIOUS)
		return;
	uint32_t base = c->irq_base;

	c->irq_depth++;
	c->irq_base = c->nheld;
	COUNT(interrupts);
	if (irq_ack)
		irq_ack();
	if (handler)
		handler();
	report_nmis();
	c->irq_base = base;
	c->irq_depth--;
}

/* ---- Exceptions ---- */

struct exception {
	const char *name;
	void (*handle)(struct trapframe *tf, const struct exception *e);
	int signal, code; /* what user code gets */
};

/* Kernel code faulted: go on where a fixup says, or never. */
static void kernel_fault(struct trapframe *tf, const struct exception *e, uint64_t address)
{
	uint64_t resume = user_fixup(tf->rip);

	if (!resume)
		resume = probe_fixup(tf->rip);
	if (!resume)
		panic_trap(tf, "%s in the kernel (error %#lx, address %#lx)", e->name, tf->error, address);
	tf->rip = resume;
}

static void user_fault(struct trapframe *tf, const struct exception *e, int code, uint64_t address)
{
	pr_debug("traps: %s[%d] %s ip:%lx sp:%lx error:%lx addr:%lx", current()->name, current()->tid, e->name, tf->rip,
		 tf->rsp, tf->error, address);
	trap_signal(e->signal, code, UADDR(address));
}

/* The exceptions that say nothing but "this instruction": the address is its own, or none. */
static void handle_simple(struct trapframe *tf, const struct exception *e)
{
	if (!frame_is_user(tf)) {
		kernel_fault(tf, e, tf->rip);
		return;
	}
	irq_enable();
	user_fault(tf, e, e->code, e->code == SI_KERNEL ? 0 : tf->rip);
}

static void handle_float(struct trapframe *tf, const struct exception *e)
{
	if (!frame_is_user(tf))
		panic_trap(tf, "%s in the kernel", e->name);
	int code = fpu_fault_code(e->code);
	irq_enable();
	user_fault(tf, e, code, tf->rip);
}

static void handle_debug(struct trapframe *tf, const struct exception *e)
{
	if (frame_is_user(tf)) {
		tf->rflags &= ~(uint64_t)RFLAGS_TF;
		irq_enable();
		user_fault(tf, e, TRAP_TRACE, tf->rip);
		return;
	}
	/* The kernel sets no breakpoints and clears TF at each entry: go on without it. */
	tf->rflags &= ~(uint64_t)RFLAGS_TF;
}

/* It may strike while the log's lock is held: the next interrupt reports it. */
static void handle_nmi(struct trapframe *tf, const struct exception *e)
{
	if (options.unknown_nmi_panic)
		panic_trap(tf, "%s", e->name);
	nmi_count++;
}

static void handle_double_fault(struct trapframe *tf, const struct exception *e)
{
	if (kstack_is_guard(tf->rsp) || kstack_is_guard(tf->rsp - 8))
		panic_trap(tf, "kernel stack overflow (%s, stack pointer %#lx)", e->name, tf->rsp);
	panic_trap(tf, "%s (stack pointer %#lx)", e->name, tf->rsp);
}

static void handle_machine_check(struct trapframe *tf, const struct exception *e)
{
	panic_trap(tf, "%s: the hardware reports an error that it could not correct", e->name);
}

static int page_fault_signal(int err, int *ret_code)
{
	switch (err) {
	case -EACCES:
		*ret_code = SEGV_ACCERR;
		return SIGSEGV;
	case -ENXIO:
	case -ENOSPC:
		*ret_code = BUS_ADRERR;
		return SIGBUS;
	default:
		*ret_code = SEGV_MAPERR;
		return SIGSEGV;
	}
}

/* 0, or why the user's access (or the kernel's on its behalf) at `address` cannot be. */
static int resolve_fault(const struct trapframe *tf, uint64_t address)
{
	struct thread *t = current();

	if (!t || !t->space || address >= USER_END || (tf->error & FAULT_RESERVED))
		return -EFAULT;
	t->faults_minor++;
	return space_fault(t->space, UADDR(address), (uint32_t)tf->error);
}

static void user_page_fault(struct trapframe *tf, const struct exception *e, uint64_t address)
{
	irq_enable();
	int err = resolve_fault(tf, address);
	if (likely(!err))
		return;
	if (err == -ENOMEM) { /* tried again, unless this process has to go */
		oom_wait();
		return;
	}

	int code;
	int signal = page_fault_signal(err, &code);
	struct exception as = {.name = e->name, .signal = signal};
	user_fault(tf, &as, code, address);
}

/* The kernel may fault on user addresses inside the copies of mm/user.h, and on stale entries of the recursive window. */
static void kernel_page_fault(struct trapframe *tf, const struct exception *e, uint64_t address)
{
	if (user_fixup(tf->rip) && address < USER_END) {
		if (tf->rflags & RFLAGS_IF)
			irq_enable();
		int err = resolve_fault(tf, address);
		irq_disable();
		oom_note(err);
		if (!err)
			return;
	}
	if (!paging_window_fault(address, tf->error & FAULT_WRITE))
		kernel_fault(tf, e, address);
}

static void handle_page_fault(struct trapframe *tf, const struct exception *e)
{
	uint64_t address = read_cr2(); /* before interrupts are on: another fault overwrites it */

	if (frame_is_user(tf))
		user_page_fault(tf, e, address);
	else
		kernel_page_fault(tf, e, address);
}

/* The one table of what each exception means. `code` of the float rows: is it SIMD? */
static const struct exception exceptions[32] = {
    [0] = {"divide error", handle_simple, SIGFPE, FPE_INTDIV},
    [1] = {"debug", handle_debug, SIGTRAP, TRAP_TRACE},
    [2] = {"NMI", handle_nmi, 0, 0},
    [3] = {"int3", handle_simple, SIGTRAP, SI_KERNEL},
    [4] = {"overflow", handle_simple, SIGSEGV, SI_KERNEL},
    [5] = {"bounds", handle_simple, SIGSEGV, SI_KERNEL},
    [6] = {"invalid opcode", handle_simple, SIGILL, ILL_ILLOPN},
    [7] = {"device not available", handle_simple, SIGSEGV, SI_KERNEL},
    [8] = {"double fault", handle_double_fault, 0, 0},
    [10] = {"invalid TSS", handle_simple, SIGSEGV, SI_KERNEL},
    [11] = {"segment not present", handle_simple, SIGBUS, SI_KERNEL},
    [12] = {"stack segment", handle_simple, SIGBUS, SI_KERNEL},
    [13] = {"general protection fault", handle_simple, SIGSEGV, SI_KERNEL},
    [14] = {"page fault", handle_page_fault, SIGSEGV, SEGV_MAPERR},
    [16] = {"x87 floating point", handle_float, SIGFPE, false},
    [17] = {"alignment check", handle_simple, SIGBUS, BUS_ADRALN},
    [18] = {"machine check", handle_machine_check, 0, 0},
    [19] = {"SIMD floating point", handle_float, SIGFPE, true},
};

static const struct exception unknown_exception = {"reserved exception", handle_simple, SIGSEGV, SI_KERNEL};

static void handle_exception(struct trapframe *tf)
{
	const struct exception *e = &exceptions[tf->vector];

	if (!e->handle)
		e = &unknown_exception;
	e->handle(tf, e);
}

void trap_dispatch(struct trapframe *tf)
{
	if (tf->vector < ARRAY_LEN(exceptions))
		handle_exception(tf);
	else if (tf->vector >= VECTOR_IRQ_BASE)
		handle_irq(tf);
	if (frame_is_user(tf))
		exit_to_user(tf);
}

struct trapframe *trap_to_thread_stack(const struct trapframe *tf)
{
	struct trapframe *own = (struct trapframe *)this_cpu()->kernel_rsp - 1;

	*own = *tf;
	return own;
}

/* ---- Back to user mode ---- */

/* IRETQ to an address that is not canonical faults in the kernel; a program that asks for it gets what a jump there
   gives. */
static bool bad_return_address(const struct trapframe *tf) { return tf->rip >= (uint64_t)1 << 47; }

void exit_work(struct trapframe *tf)
{
	do {
		irq_enable();
		if (cpu_need_resched() || (current()->flags & TFLAG_RESCHED))
			sched_yield_now();
		bool restart = (current()->flags & TFLAG_OOM) && oom_settle(tf);
		if (restart || signal_pending(current()))
			signal_deliver(tf);
		if (bad_return_address(tf)) {
			trap_signal(SIGSEGV, SI_KERNEL, UADDR(0));
			signal_deliver(tf);
		}
		irq_disable();
	} while (exit_work_pending());
}

void exit_to_user(struct trapframe *tf)
{
	irq_disable();
	if (unlikely(exit_work_pending() || bad_return_address(tf)))
		exit_work(tf);
	lock_assert_none();
}
