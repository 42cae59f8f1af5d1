/* kernel/syscall.c - see syscall.h. Registers: System V ABI AMD64 supplement, A.2.1. */
#include "kernel/syscall.h"

#include <asm/unistd_64.h>

#include "kernel/base/cpu.h"
#include "kernel/base/lock.h"
#include "kernel/base/options.h"
#include "kernel/base/print.h"
#include "kernel/base/syscalls.h"
#include "kernel/trap.h"
#include "proc/thread.h"

/* An argument of any type of at most 8 bytes, uaddr_t included, from its register. */
#define ARG(T, reg)                         \
	({                                  \
		union {                     \
			uint64_t from;      \
			T to;               \
		} arg_ = {.from = tf->reg}; \
		arg_.to;                    \
	})

/* One function for each call, that takes its arguments from the frame. */
#define CALL(name, ...) \
	static int64_t call_##name(struct trapframe *tf) { return (void)tf, sys_##name(__VA_ARGS__); }
#define S0(name)                         CALL(name)
#define S1(name, A, a)                   CALL(name, ARG(A, rdi))
#define S2(name, A, a, B, b)             CALL(name, ARG(A, rdi), ARG(B, rsi))
#define S3(name, A, a, B, b, C, c)       CALL(name, ARG(A, rdi), ARG(B, rsi), ARG(C, rdx))
#define S4(name, A, a, B, b, C, c, D, d) CALL(name, ARG(A, rdi), ARG(B, rsi), ARG(C, rdx), ARG(D, r10))
#define S5(name, A, a, B, b, C, c, D, d, E, e) \
	CALL(name, ARG(A, rdi), ARG(B, rsi), ARG(C, rdx), ARG(D, r10), ARG(E, r8))
#define S6(name, A, a, B, b, C, c, D, d, E, e, F, f) \
	CALL(name, ARG(A, rdi), ARG(B, rsi), ARG(C, rdx), ARG(D, r10), ARG(E, r8), ARG(F, r9))
#include "kernel/base/syscall_table.h"
#undef S0
#undef S1
#undef S2
#undef S3
#undef S4
#undef S5
#undef S6

static int64_t call_unknown(struct trapframe *tf);

#define S0(name)      ROW(name, 0)
#define S1(name, ...) ROW(name, 1)
#define S2(name, ...) ROW(name, 2)
#define S3(name, ...) ROW(name, 3)
#define S4(name, ...) ROW(name, 4)
#define S5(name, ...) ROW(name, 5)
#define S6(name, ...) ROW(name, 6)

typedef int64_t syscall_fn(struct trapframe *tf);

/* Every other number is unknown: the rows override the first initialiser. */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winitializer-overrides"
static syscall_fn *const calls[SYSCALL_LIMIT] = {
    [0 ... SYSCALL_LIMIT - 1] = call_unknown,
#define ROW(name, n) [__NR_##name] = call_##name,
#include "kernel/base/syscall_table.h"
#undef ROW
};
#pragma clang diagnostic pop

/* For the trace. */
static const struct {
	const char *name;
	unsigned nargs;
} names[SYSCALL_LIMIT] = {
#define ROW(name, n) [__NR_##name] = {#name, n},
#include "kernel/base/syscall_table.h"
#undef ROW
};

static uint32_t unknown_counts[SYSCALL_LIMIT];

uint32_t syscall_unknown_count(unsigned number) { return number < SYSCALL_LIMIT ? unknown_counts[number] : 0; }

static int64_t call_unknown(struct trapframe *tf)
{
	uint32_t number = (uint32_t)tf->rax;

	if (number < SYSCALL_LIMIT && !unknown_counts[number]++)
		pr_info("syscall: %s[%d] asked for number %u, which is not there", current()->name, current()->tid,
			number);
	return -ENOSYS;
}

static ALWAYS_INLINE int64_t dispatch(struct trapframe *tf)
{
	uint32_t number = (uint32_t)tf->rax;

	return likely(number < SYSCALL_LIMIT) ? calls[number](tf) : -ENOSYS;
}

static void trace_enter(const struct trapframe *tf)
{
	uint32_t number = (uint32_t)tf->rax;
	const uint64_t args[6] = {tf->rdi, tf->rsi, tf->rdx, tf->r10, tf->r8, tf->r9};
	char text[128] = "";
	size_t len = 0;

	for (unsigned i = 0; number < SYSCALL_LIMIT && i < names[number].nargs; i++)
		len += (size_t)ksnprintf(text + len, sizeof(text) - len, i ? ", %#lx" : "%#lx", args[i]);
	if (number < SYSCALL_LIMIT && names[number].name)
		pr_debug("%s[%d] %s(%s)", current()->name, current()->tid, names[number].name, text);
	else
		pr_debug("%s[%d] syscall_%u", current()->name, current()->tid, number);
}

/* Each call twice: a call that ends the thread, or the kernel, is seen too. */
static NOINLINE int64_t traced_dispatch(struct trapframe *tf)
{
	uint32_t number = (uint32_t)tf->rax;

	trace_enter(tf);
	int64_t value = dispatch(tf);
	pr_debug("%s[%d] %s = %ld", current()->name, current()->tid,
		 number < SYSCALL_LIMIT && names[number].name ? names[number].name : "?", value);
	return value;
}

bool syscall_enter(struct trapframe *tf)
{
	irq_enable();
	tf->rax = (uint64_t)(unlikely(options.syscall_trace) ? traced_dispatch(tf) : dispatch(tf));
	irq_disable();
	if (unlikely(exit_work_pending() || (int64_t)tf->error < 0 || (tf->rflags & RFLAGS_TF))) {
		exit_to_user(tf);
		return false;
	}
	lock_assert_none();
	return true;
}
