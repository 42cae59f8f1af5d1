/*
 * proc/sigframe.c - delivery: from a pending signal to a handler's first instruction, and back.
 *
 * The frame is Linux's struct rt_sigframe (arch/x86 ABI): return address, ucontext, siginfo, and the FPU image above, 64-byte
 * aligned. On entry to the handler rsp + 8 is 16-byte aligned, as after a call (System V ABI, 3.2.2).
 */
/* sigcontext.h comes before the others that declare parts of it. */
#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/ucontext.h>
#include <asm/unistd_64.h>
#include <linux/signal.h>

#include "kernel/base/cpu.h"
#include "kernel/base/string.h"
#include "kernel/base/syscalls.h"
#include "mm/user.h"
#include "proc/fpu.h"
#include "proc/oom.h"
#include "proc/process.h"
#include "proc/sched.h"
#include "proc/signal_private.h"

#define RED_ZONE          128
#define SS_AUTODISARM_BIT 0x80000000u

/* struct ucontext of the kernel: its last word is one 64-bit mask. */
struct frame_context {
	uint64_t flags;
	uint64_t link;
	stack_t stack;
	struct sigcontext registers;
	uint64_t mask;
};

struct rt_sigframe {
	uint64_t return_address;
	struct frame_context context;
	struct siginfo info;
};

#define UC_FLAGS_ALL (0x1 | 0x2 | 0x4) /* UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS */

void signal_fill_siginfo(struct siginfo *to, const struct signal_info *from)
{
	memset(to, 0, sizeof(*to));
	to->si_signo = from->signo;
	to->si_code = from->code;
	switch (from->signo) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
		if (from->code > 0) {
			to->si_addr = (void *)from->address;
			return;
		}
		break;
	case SIGCHLD:
		to->si_status = from->status;
		to->si_utime = (long)from->utime;
		to->si_stime = (long)from->stime;
		break;
	default:
		break;
	}
	to->si_pid = from->pid;
	to->si_uid = from->uid;
	if (from->code == SI_QUEUE || from->code == SI_TIMER || from->signo >= SIGRTMIN)
		to->si_value.sival_ptr = (void *)from->value;
}

static bool on_altstack(const struct thread *t, uint64_t rsp)
{
	return t->altstack_size && rsp > t->altstack.v && rsp - t->altstack.v <= t->altstack_size;
}

static uint64_t frame_top(const struct thread *t, const struct trapframe *tf, const struct signal_action *action)
{
	if ((action->flags & SA_ONSTACK) && t->altstack_size && !on_altstack(t, tf->rsp))
		return t->altstack.v + t->altstack_size;
	return tf->rsp - RED_ZONE;
}

static stack_t stack_of(const struct thread *t, uint64_t rsp)
{
	stack_t s = {.ss_sp = (void *)t->altstack.v, .ss_size = t->altstack_size};

	s.ss_flags = (int)t->altstack_flags;
	if (!t->altstack_size)
		s.ss_flags = SS_DISABLE;
	else if (on_altstack(t, rsp))
		s.ss_flags |= SS_ONSTACK;
	return s;
}

static void fill_registers(struct sigcontext *sc, const struct trapframe *tf)
{
	*sc = (struct sigcontext){.r8 = tf->r8,
				  .r9 = tf->r9,
				  .r10 = tf->r10,
				  .r11 = tf->r11,
				  .r12 = tf->r12,
				  .r13 = tf->r13,
				  .r14 = tf->r14,
				  .r15 = tf->r15,
				  .rdi = tf->rdi,
				  .rsi = tf->rsi,
				  .rbp = tf->rbp,
				  .rbx = tf->rbx,
				  .rdx = tf->rdx,
				  .rax = tf->rax,
				  .rcx = tf->rcx,
				  .rsp = tf->rsp,
				  .rip = tf->rip,
				  .eflags = tf->rflags,
				  .cs = (uint16_t)tf->cs,
				  .ss = (uint16_t)tf->ss};
	if (tf->vector != VECTOR_SYSCALL) {
		sc->trapno = tf->vector;
		sc->err = tf->error;
	}
}

int signal_push_frame(struct trapframe *tf, const struct signal_info *info, const struct signal_action *action)
{
	struct thread *t = current();
	uint64_t top = frame_top(t, tf, action);
	uint64_t fpu = ALIGN_DOWN(top - fpu_frame_size(), FPU_FRAME_ALIGN);
	uint64_t at = ALIGN_DOWN(fpu - sizeof(struct rt_sigframe), 16) - 8;
	struct rt_sigframe frame = {.return_address = action->restorer};
	int err = user_range_ok(UADDR(at), top - at) ? fpu_to_user(UADDR(fpu)) : -EFAULT;

	if (err)
		return err;
	frame.context.flags = UC_FLAGS_ALL;
	frame.context.stack = stack_of(t, tf->rsp);
	fill_registers(&frame.context.registers, tf);
	frame.context.registers.cr2 = info->address;
	frame.context.registers.fpstate = (void *)fpu;
	frame.context.mask = t->restore_blocked ? t->saved_blocked : t->blocked;
	signal_fill_siginfo(&frame.info, info);
	err = copy_to_user(UADDR(at), &frame, sizeof(frame));
	if (err)
		return err;
	if (t->altstack_flags & SS_AUTODISARM_BIT)
		t->altstack_size = 0;
	t->restore_blocked = false;

	tf->rdi = (uint64_t)info->signo;
	tf->rsi = at + offsetof(struct rt_sigframe, info);
	tf->rdx = at + offsetof(struct rt_sigframe, context);
	tf->rax = 0;
	tf->rsp = at;
	tf->rip = action->handler;
	tf->cs = SEL_USER_CODE;
	tf->ss = SEL_USER_DATA;
	tf->rflags &= ~(uint64_t)(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
	tf->vector = 0;
	tf->error = (uint64_t)-1;
	return 0;
}

/* Flags that a program may set for itself (SDM 3, 3.4.3; as Linux's FIX_EFLAGS). */
#define USER_FLAGS (RFLAGS_AC | RFLAGS_DF | RFLAGS_TF | RFLAGS_RF | 0x8d5u)

static void take_registers(struct trapframe *tf, const struct sigcontext *sc)
{
	tf->r8 = sc->r8, tf->r9 = sc->r9, tf->r10 = sc->r10, tf->r11 = sc->r11;
	tf->r12 = sc->r12, tf->r13 = sc->r13, tf->r14 = sc->r14, tf->r15 = sc->r15;
	tf->rdi = sc->rdi, tf->rsi = sc->rsi, tf->rbp = sc->rbp, tf->rbx = sc->rbx;
	tf->rdx = sc->rdx, tf->rax = sc->rax, tf->rcx = sc->rcx;
	tf->rsp = sc->rsp, tf->rip = sc->rip;
	tf->rflags = (tf->rflags & ~(uint64_t)USER_FLAGS) | (sc->eflags & USER_FLAGS);
	tf->cs = SEL_USER_CODE;
	tf->ss = SEL_USER_DATA;
	tf->vector = 0;
	tf->error = (uint64_t)-1;
}

int64_t sys_rt_sigreturn(void)
{
	struct thread *t = current();
	struct trapframe *tf = thread_frame(t);
	uint64_t at = tf->rsp - 8;
	struct frame_context context;
	int err;

	do {
		err = copy_from_user(&context, UADDR(at + offsetof(struct rt_sigframe, context)), sizeof(context));
		if (!err)
			err = fpu_from_user(UADDR(context.registers.fpstate));
	} while (err && oom_retry(err));
	if (err) {
		trap_signal(SIGSEGV, SI_KERNEL, UADDR(0));
		return 0;
	}
	take_registers(tf, &context.registers);
	t->altstack = UADDR(context.stack.ss_sp);
	t->altstack_flags = (uint32_t)context.stack.ss_flags & SS_AUTODISARM_BIT;
	t->altstack_size = context.stack.ss_flags & SS_DISABLE ? 0 : context.stack.ss_size;
	signal_set_mask(context.mask);
	return (int64_t)tf->rax;
}

/* What an interrupted system call becomes: a restart, or -EINTR. `action` is the handler that will run, NULL: none. */
static void finish_syscall(struct trapframe *tf, const struct signal_action *action)
{
	int64_t result = (int64_t)tf->rax;
	bool restart;

	if (tf->vector != VECTOR_SYSCALL || tf->error == (uint64_t)-1)
		return;
	switch (result) {
	case -ERESTARTNOINTR:
		restart = true;
		break;
	case -ERESTARTSYS:
		restart = !action || (action->flags & SA_RESTART);
		break;
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		restart = !action;
		break;
	default:
		return;
	}
	tf->rax = !restart ? (uint64_t)-EINTR : result == -ERESTART_RESTARTBLOCK ? __NR_restart_syscall : tf->error;
	if (restart)
		tf->rip -= 2; /* SYSCALL is two bytes */
	tf->error = (uint64_t)-1;
}

static void enter_handler(struct trapframe *tf, const struct signal_info *info, const struct signal_action *action)
{
	struct thread *t = current();
	struct signal_action old, reset = {0};
	uint64_t mask;
	int err;

	finish_syscall(tf, action);
	do
		err = signal_push_frame(tf, info, action);
	while (err && oom_retry(err));
	if (err) {
		if (signal_fatal_pending(t)) /* it is taken next */
			return;
		if (info->signo == SIGSEGV)
			process_exit(SIGSEGV);
		trap_signal(SIGSEGV, SI_KERNEL, UADDR(0)); /* its handler may have a stack of its own */
		return;
	}
	mask = t->blocked | action->mask;
	if (!(action->flags & SA_NODEFER))
		mask |= SIGNAL_BIT(info->signo);
	if ((action->flags & SA_RESETHAND) && signal_set_action(t->process, info->signo, &reset, &old))
		process_exit(SIGKILL);
	signal_set_mask(mask);
}

/* A signal without a handler. May not return. */
static void default_action(int signo)
{
	if (signal_default_ignores(signo))
		return;
	if (signal_default_stops(signo))
		process_stop(signo);
	else
		process_exit((uint32_t)signo);
}

void signal_deliver(struct trapframe *tf)
{
	struct thread *t = current();
	struct signal_info info;

	if (t->process->exiting)
		process_exit(SIGKILL);
	while (signal_take(~t->blocked, &info)) {
		struct signal_action action = signal_action_of(t->process, info.signo);

		if (action.handler == (uint64_t)SIG_IGN)
			continue;
		if (action.handler != (uint64_t)SIG_DFL) {
			enter_handler(tf, &info, &action);
			return;
		}
		default_action(info.signo);
	}
	finish_syscall(tf, NULL);
	if (t->restore_blocked) {
		t->restore_blocked = false;
		signal_set_mask(t->saved_blocked);
	}
	signal_recheck();
}
