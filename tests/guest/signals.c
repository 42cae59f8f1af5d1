/* tests/guest/signals.c - handlers, masks, restarts, SIGCHLD, and what fork and exec do to them. */
#define _GNU_SOURCE
#include "user/check.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

static volatile sig_atomic_t caught, last, depth, deepest;
static siginfo_t last_info;
static sigjmp_buf jump;

static void count(int sig)
{
	caught++;
	last = sig;
}

static void count_info(int sig, siginfo_t *info, void *context)
{
	(void)context;
	count(sig);
	last_info = *info;
}

static void install(int sig, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	need("sigaction", sigaction(sig, &action, NULL));
}

static sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	if (sig)
		sigaddset(&set, sig);
	return set;
}

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static void check_handler(void)
{
	struct sigaction action = {.sa_sigaction = count_info, .sa_flags = SA_SIGINFO};

	caught = 0;
	install(SIGUSR1, count, 0);
	check("raise", 0, raise(SIGUSR1));
	check("caught", 1, caught);
	check("number", SIGUSR1, last);
	sigaction(SIGUSR2, &action, NULL);
	kill(getpid(), SIGUSR2);
	check("info-signo", SIGUSR2, last_info.si_signo);
	check("info-code", SI_USER, last_info.si_code);
	check("info-pid", getpid(), last_info.si_pid);
	install(SIGUSR1, count, (int)SA_RESETHAND);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &action);
	check_true("reset-after-one", action.sa_handler == SIG_DFL);
	signal(SIGUSR1, SIG_IGN);
	check("ignored", 0, raise(SIGUSR1));
}

static void nested(int sig)
{
	depth++;
	deepest = depth > deepest ? depth : deepest;
	if (caught++ < 3)
		raise(sig);
	depth--;
}

static void check_masks(void)
{
	sigset_t one = set_of(SIGUSR1), old, pending;

	caught = deepest = 0;
	install(SIGUSR1, nested, 0);
	raise(SIGUSR1);
	check("own-signal-masked", 1, deepest);
	check("delivered-after", 4, caught);
	caught = deepest = 0;
	install(SIGUSR1, nested, SA_NODEFER);
	raise(SIGUSR1);
	check("nodefer", 4, deepest);
	caught = 0;
	install(SIGUSR1, count, 0);
	sigprocmask(SIG_BLOCK, &one, &old);
	raise(SIGUSR1);
	raise(SIGUSR1);
	check("blocked", 0, caught);
	sigpending(&pending);
	check("pending", 1, sigismember(&pending, SIGUSR1));
	sigprocmask(SIG_SETMASK, &old, NULL);
	check("once-when-unblocked", 1, caught);
	sigprocmask(SIG_SETMASK, NULL, &old);
	check("mask-restored", 0, sigismember(&old, SIGUSR1));
}

static int child_signals(void *arg)
{
	sigset_t pending, mask;

	(void)arg;
	sigpending(&pending);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	if (sigismember(&pending, SIGUSR1) || !sigismember(&mask, SIGUSR1))
		return 1;
	caught = 0;
	raise(SIGUSR2);
	return caught == 1 ? 0 : 2;
}

/* The child has the mask and the handlers, but not what was pending. */
static void check_fork(void)
{
	sigset_t one = set_of(SIGUSR1), old;

	install(SIGUSR1, count, 0);
	install(SIGUSR2, count, 0);
	sigprocmask(SIG_BLOCK, &one, &old);
	raise(SIGUSR1);
	check("fork-mask-not-pending", EXITED(0), in_child(child_signals, NULL));
	caught = 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	check("parent-still-pending", 1, caught);
}

static int send_later(void *arg)
{
	pause_ms(30);
	kill(getppid(), SIGUSR1);
	pause_ms(60);
	return write(*(int *)arg, "x", 1) == 1 ? 0 : 1;
}

static void check_interrupted_read(void)
{
	int p[2];
	char byte;
	pid_t pid;

	need("pipe", pipe(p));
	caught = 0;
	install(SIGUSR1, count, 0);
	pid = spawn(send_later, &p[1]);
	check_errno("read-eintr", EINTR, read(p[0], &byte, 1));
	check("read-after", 1, read(p[0], &byte, 1));
	check("read-eintr-sender", EXITED(0), wait_for(pid));
	install(SIGUSR1, count, SA_RESTART);
	pid = spawn(send_later, &p[1]);
	check("read-restarted", 1, read(p[0], &byte, 1));
	check("read-restart-caught", 2, caught);
	check("read-restart-sender", EXITED(0), wait_for(pid));
	close(p[0]);
	close(p[1]);
}

static int exit_code(void *arg) { return (int)(long)arg; }

static void check_sigchld(void)
{
	struct sigaction action = {.sa_sigaction = count_info, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigset_t chld = set_of(SIGCHLD), none = set_of(0), old;
	pid_t pid;

	caught = 0;
	sigaction(SIGCHLD, &action, NULL);
	sigprocmask(SIG_BLOCK, &chld, &old);
	pid = spawn(exit_code, (void *)77);
	check_errno("sigsuspend", EINTR, sigsuspend(&none));
	check("sigchld-caught", 1, caught);
	check("sigchld-code", CLD_EXITED, last_info.si_code);
	check("sigchld-status", 77, last_info.si_status);
	check("sigchld-pid", pid, last_info.si_pid);
	check("sigchld-wait", EXITED(77), wait_for(pid));
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGCHLD, SIG_DFL);
}

static void check_kill(void)
{
	pid_t pid;
	int p[2];
	char byte;

	check("kill-0-self", 0, kill(getpid(), 0));
	check_errno("kill-nobody", ESRCH, kill(0x3ffffff0, 0));
	check_errno("kill-bad-signal", EINVAL, kill(getpid(), 65));
	check_errno("kill-negative-signal", EINVAL, kill(getpid(), -1));
	check_errno("action-kill", EINVAL, sigaction(SIGKILL, &(struct sigaction){.sa_handler = SIG_IGN}, NULL));
	check_errno("action-stop", EINVAL, sigaction(SIGSTOP, &(struct sigaction){.sa_handler = SIG_IGN}, NULL));
	need("pipe", pipe(p));
	pid = (pid_t)need("fork", fork());
	if (pid == 0) {
		signal(SIGTERM, SIG_IGN);
		need("write", write(p[1], "x", 1));
		for (;;)
			pause();
	}
	need("read", read(p[0], &byte, 1));
	kill(pid, SIGTERM);
	kill(pid, SIGKILL);
	check("kill-is-final", SIGNALLED(SIGKILL), wait_for(pid));
	close(p[0]);
	close(p[1]);
}

static int group_member(void *arg)
{
	char byte;

	return (int)read(*(int *)arg, &byte, 1);
}

static void check_group(void)
{
	int gate[2];
	pid_t a, b;

	need("pipe", pipe(gate));
	a = spawn(group_member, &gate[0]);
	setpgid(a, a);
	b = spawn(group_member, &gate[0]);
	setpgid(b, a);
	check("group-of-child", a, getpgid(b));
	check("kill-group", 0, kill(-a, SIGTERM));
	check("group-first", SIGNALLED(SIGTERM), wait_for(a));
	check("group-second", SIGNALLED(SIGTERM), wait_for(b));
	check_errno("group-gone", ESRCH, kill(-a, 0));
	close(gate[0]);
	close(gate[1]);
}

static void jump_out(int sig) { siglongjmp(jump, sig); }

/* A handler for a bad access: first leaving by a jump, then mending the page and going on. */
static void check_fault_handler(void)
{
	volatile unsigned char *p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int sig = sigsetjmp(jump, 1);

	install(SIGSEGV, jump_out, 0);
	if (sig == 0)
		p[0] = 1;
	check("segv-jump", SIGSEGV, sig);
	signal(SIGSEGV, SIG_DFL);
	munmap((void *)p, 4096);
}

static unsigned char *mend_page;
static siginfo_t mend_info;

static void mend(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	mend_info = *info;
	mprotect(mend_page, 4096, PROT_READ | PROT_WRITE);
}

static void check_mend(void)
{
	struct sigaction action = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};

	mend_page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGSEGV, &action, NULL);
	*(volatile unsigned char *)(mend_page + 5) = 42;
	check("segv-mended", 42, mend_page[5]);
	check("segv-address", 5, (long)((uintptr_t)mend_info.si_addr - (uintptr_t)mend_page));
	check("segv-code", SEGV_ACCERR, mend_info.si_code);
	signal(SIGSEGV, SIG_DFL);
	munmap(mend_page, 4096);
}

static unsigned char alternate[16384];
static volatile bool on_alternate;

static void look_at_stack(int sig)
{
	unsigned char here;

	(void)sig;
	on_alternate = &here >= alternate && &here < alternate + sizeof(alternate);
}

static void check_altstack(void)
{
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)}, off = {.ss_flags = SS_DISABLE};

	check("sigaltstack", 0, sigaltstack(&stack, NULL));
	install(SIGUSR1, look_at_stack, SA_ONSTACK);
	raise(SIGUSR1);
	check_true("on-alternate", on_alternate);
	install(SIGUSR1, look_at_stack, 0);
	raise(SIGUSR1);
	check_true("not-on-alternate", !on_alternate);
	check("sigaltstack-off", 0, sigaltstack(&off, NULL));
}

/* Vector registers survive a handler that uses them. */
static void use_vectors(int sig)
{
	(void)sig;
	__asm__ volatile("pxor %%xmm5, %%xmm5\n fninit\n" : : : "xmm5");
	caught++;
}

static void check_registers(void)
{
	uint64_t in = 0x1122334455667788, out = 0;

	install(SIGUSR1, use_vectors, 0);
	caught = 0;
	__asm__ volatile("movq %[in], %%xmm5\n"
			 "mov %[pid], %%edi\n mov %[sig], %%esi\n mov $62, %%eax\n syscall\n"
			 "movq %%xmm5, %[out]\n"
			 : [out] "=r"(out)
			 : [in] "r"(in), [pid] "r"(getpid()), [sig] "i"(SIGUSR1)
			 : "rax", "rdi", "rsi", "rcx", "r11", "xmm5", "memory");
	check("handler-ran", 1, caught);
	check_true("xmm-kept", in == out);
}

int main(void)
{
	check_handler();
	check_masks();
	check_fork();
	check_interrupted_read();
	check_sigchld();
	check_kill();
	check_group();
	check_fault_handler();
	check_mend();
	check_altstack();
	check_registers();
	return checks_status();
}
