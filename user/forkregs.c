/*
 * user/forkregs.c - the child of fork() goes on at the same instruction with the same registers.
 *
 * Every register is loaded with a known value, the bare system call is made, and everything is stored before any
 * compiled code runs. Parent and child then compare: general registers, flags, x87 control word and stack, MXCSR, XMM,
 * the high halves of YMM where the CPU and the kernel offer AVX, FS and GS base, and RIP.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <cpuid.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>

/* musl has no header for these: arch_prctl(2). */
#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

enum gpr { RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15, RAX, GPRS };

static const char *const gpr_names[GPRS] = {"rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8",
					    "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rax"};

struct fxarea {
	uint16_t cw, sw, tag, opcode;
	uint64_t rip, rdp;
	uint32_t mxcsr, mxcsr_mask;
	unsigned char st[8][16], xmm[16][16], rest[96];
} __attribute__((aligned(64)));

/* The assembly below names these; each process has its own copy. */
uint64_t regs_in[GPRS], regs_out[GPRS];
uint64_t flags_in, flags_out, rip_expected, saved_rsp;
uint64_t wanted_call; /* SYS_fork, or SYS_getpid to see that the method itself holds */
struct fxarea fx_in, fx_out;
unsigned char ymm_in[16][32] __attribute__((aligned(64))), ymm_out[16][32] __attribute__((aligned(64)));
uint64_t use_avx;

void call_with_registers(void);

/* clang-format off */
__asm__(
".text\n.globl call_with_registers\n.type call_with_registers, @function\ncall_with_registers:\n"
"	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
"	mov %rsp, saved_rsp(%rip)\n"
"	fxrstor64 fx_in(%rip)\n"
"	cmpq $0, use_avx(%rip)\n	je 1f\n"
".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
"	vmovdqu ymm_in+\\n*32(%rip), %ymm\\n\n"
".endr\n"
"1:	lea 2f(%rip), %rax\n	mov %rax, rip_expected(%rip)\n"
"	mov regs_in+0(%rip), %rbx\n	mov regs_in+16(%rip), %rdx\n	mov regs_in+24(%rip), %rsi\n"
"	mov regs_in+32(%rip), %rdi\n	mov regs_in+40(%rip), %rbp\n	mov regs_in+56(%rip), %r8\n"
"	mov regs_in+64(%rip), %r9\n	mov regs_in+72(%rip), %r10\n	mov regs_in+88(%rip), %r12\n"
"	mov regs_in+96(%rip), %r13\n	mov regs_in+104(%rip), %r14\n	mov regs_in+112(%rip), %r15\n"
"	mov wanted_call(%rip), %rax\n"
"	pushq flags_in(%rip)\n	popfq\n"
"	syscall\n"
"2:	mov %rsp, regs_out+48(%rip)\n"
"	pushfq\n	popq flags_out(%rip)\n"
"	pushq $0x202\n	popfq\n"
"	mov %rbx, regs_out+0(%rip)\n	mov %rcx, regs_out+8(%rip)\n	mov %rdx, regs_out+16(%rip)\n"
"	mov %rsi, regs_out+24(%rip)\n	mov %rdi, regs_out+32(%rip)\n	mov %rbp, regs_out+40(%rip)\n"
"	mov %r8, regs_out+56(%rip)\n	mov %r9, regs_out+64(%rip)\n	mov %r10, regs_out+72(%rip)\n"
"	mov %r11, regs_out+80(%rip)\n	mov %r12, regs_out+88(%rip)\n	mov %r13, regs_out+96(%rip)\n"
"	mov %r14, regs_out+104(%rip)\n	mov %r15, regs_out+112(%rip)\n	mov %rax, regs_out+120(%rip)\n"
"	fxsave64 fx_out(%rip)\n"
"	cmpq $0, use_avx(%rip)\n	je 3f\n"
".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
"	vmovdqu %ymm\\n, ymm_out+\\n*32(%rip)\n"
".endr\n"
"	vzeroupper\n"
"3:	fninit\n	ldmxcsr default_mxcsr(%rip)\n"
"	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n	ret\n"
".section .rodata\ndefault_mxcsr: .long 0x1f80\n.text\n");
/* clang-format on */

/* AVX is usable where CPUID says so and the kernel has switched the state on (XCR0 bits 1 and 2). */
static bool avx_usable(void)
{
	unsigned a, b, c, d, lo, hi;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX))
		return false;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (lo & 6) == 6;
}

static void load_pattern(uint64_t flags, unsigned seed)
{
	for (unsigned i = 0; i < GPRS; i++)
		regs_in[i] = 0x0101010101010101ull * (i + 1) + ((uint64_t)seed << 56) + i;
	flags_in = flags;
	memset(&fx_in, 0, sizeof(fx_in));
	fx_in.cw = 0x0c7f; /* round towards zero, 24-bit precision cleared: not the value at program start */
	fx_in.sw = 3 << 11;
	fx_in.tag = 0xff;
	fx_in.mxcsr = 0x7f80; /* round towards zero */
	for (unsigned r = 0; r < 8; r++) {
		for (unsigned i = 0; i < 8; i++)
			fx_in.st[r][i] = (unsigned char)(seed + r * 16 + i);
		fx_in.st[r][7] |= 0x80; /* the integer bit: a normal number */
		fx_in.st[r][8] = (unsigned char)r;
		fx_in.st[r][9] = 0x40;
	}
	for (unsigned r = 0; r < 16; r++) {
		for (unsigned i = 0; i < 32; i++)
			ymm_in[r][i] = (unsigned char)(seed * 3 + r * 13 + i);
		memcpy(fx_in.xmm[r], ymm_in[r], 16);
	}
}

static bool gprs_kept(const char *who)
{
	char name[32];
	bool fine = true;

	regs_in[RCX] = rip_expected;
	regs_in[R11] = flags_out;
	regs_in[RSP] = saved_rsp;
	for (unsigned i = 0; i < GPRS; i++) {
		if (i == RAX || i == R11)
			continue;
		snprintf(name, sizeof(name), "%s-%s", who, gpr_names[i]);
		fine &= expect(name, (long)regs_in[i], (long)regs_out[i]);
	}
	return fine;
}

static bool x87_kept(void)
{
	bool fine = expect("x87-cw", fx_in.cw, fx_out.cw) && expect("x87-sw", fx_in.sw & 0x3800, fx_out.sw & 0x3800) &&
		    expect("x87-tags", fx_in.tag, fx_out.tag);

	for (unsigned r = 0; r < 8 && fine; r++)
		fine = expect("x87-stack", 0, memcmp(fx_in.st[r], fx_out.st[r], 10));
	return fine;
}

static bool sse_kept(void)
{
	bool fine = expect("mxcsr", fx_in.mxcsr, fx_out.mxcsr);

	for (unsigned r = 0; r < 16 && fine; r++)
		fine = expect("xmm", 0, memcmp(fx_in.xmm[r], fx_out.xmm[r], 16));
	for (unsigned r = 0; r < 16 && fine && use_avx; r++)
		fine = expect("ymm", 0, memcmp(ymm_in[r], ymm_out[r], 32));
	return fine;
}

#define FLAGS_SEEN 0x240dd5ul /* CF PF AF ZF SF DF OF NT AC ID and the trap flag, which is never set here */

static bool all_kept(const char *who)
{
	bool fine = gprs_kept(who);

	fine &= expect("rflags", (long)(flags_in & FLAGS_SEEN), (long)(flags_out & FLAGS_SEEN));
	fine &= x87_kept();
	fine &= sse_kept();
	return fine;
}

/* One call with the registers loaded; in the child of a fork this ends the child. */
static void check_call(const char *name, long number, uint64_t flags, unsigned seed)
{
	bool fine;

	wanted_call = (uint64_t)number;
	load_pattern(flags, seed);
	call_with_registers();
	fine = all_kept(name);
	if (number == SYS_fork && regs_out[RAX] == 0)
		_exit(fine ? 33 : 1);
	if (number == SYS_fork)
		fine &= expect(name, EXITED(33), wait_for((pid_t)regs_out[RAX]));
	ok_if(fine, name);
}

static int check_bases(void *arg)
{
	uint64_t *want = arg, fs = 0, gs = 0, through_gs, through_fs;

	need("arch_prctl", syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
	need("arch_prctl", syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
	__asm__ volatile("mov %%gs:8, %0" : "=r"(through_gs));
	__asm__ volatile("mov %%fs:0, %0" : "=r"(through_fs));
	return expect("fs-base", (long)want[0], (long)fs) && expect("gs-base", (long)want[1], (long)gs) &&
		       expect("gs-load", (long)want[2], (long)through_gs) &&
		       expect("fs-load", (long)want[0], (long)through_fs)
		   ? 0
		   : 1;
}

static void check_segment_bases(void)
{
	static uint64_t area[4] = {0, 0x5ca1ab1e5ca1ab1e};
	uint64_t want[3] = {0, (uint64_t)area, area[1]};

	need("arch_prctl", syscall(SYS_arch_prctl, ARCH_GET_FS, &want[0]));
	need("arch_prctl", syscall(SYS_arch_prctl, ARCH_SET_GS, area));
	check("fs-gs-child", EXITED(0), in_child(check_bases, want));
	check("fs-gs-parent", 0, check_bases(want));
	check_errno("fs-base-refused", EPERM, syscall(SYS_arch_prctl, ARCH_SET_FS, 0x8000000000000000ul));
}

/* Spins with its own values in registers while siblings do the same: every switch between them must keep all of it. */
static int spin_with_pattern(void *arg)
{
	unsigned seed = (unsigned)(long)arg;

	for (unsigned i = 0; i < 400; i++) {
		wanted_call = i % 2 ? SYS_sched_yield : SYS_getpid;
		load_pattern(0x202, seed);
		call_with_registers();
		if (!all_kept("switch"))
			return 1;
	}
	return 0;
}

static void check_switches(void)
{
	pid_t pids[4];
	bool fine = true;

	for (long i = 0; i < 4; i++)
		pids[i] = spawn(spin_with_pattern, (void *)(i * 50 + 1));
	for (int i = 0; i < 4; i++)
		fine &= expect("switch", EXITED(0), wait_for(pids[i]));
	ok_if(fine, "switch");
}

int main(void)
{
	use_avx = avx_usable();
	check_call("method", SYS_getpid, 0x202, 1);
	check_call("fork-flags-clear", SYS_fork, 0x202, 2);
	check_call("fork-flags-arithmetic", SYS_fork, 0x202 | 0x8d5, 3);
	check_call("fork-flag-direction", SYS_fork, 0x202 | 0x400, 4);
	check_call("fork-flag-nested-task", SYS_fork, 0x202 | 0x4000, 5);
	check_call("fork-flag-alignment", SYS_fork, 0x202 | 0x40000, 6);
	check_call("fork-flag-id", SYS_fork, 0x202 | 0x200000, 7);
	check_segment_bases();
	check_switches();
	return checks_status();
}
