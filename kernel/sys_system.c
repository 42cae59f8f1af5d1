/* kernel/sys_system.c - system calls about the machine: names, memory, random bytes, the log, power. */
#include <asm/prctl.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

#include "kernel/base/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/lock.h"
#include "kernel/base/power.h"
#include "kernel/base/print.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/base/syscalls.h"
#include "kernel/version.h"
#include "mm/frame.h"
#include "mm/user.h"
#include "proc/cred.h"
#include "proc/process.h"
#include "proc/sched.h"

static struct spinlock name_lock = SPINLOCK_INIT("uname", LOCK_DEVICE);

static struct new_utsname system_name = {
    .sysname = TINE_SYSNAME,
    .nodename = "tine",
    .release = TINE_RELEASE,
    .version = TINE_VERSION,
    .machine = "x86_64",
    .domainname = "(none)",
};

int64_t sys_uname(uaddr_t buf)
{
	uint64_t flags = spin_lock_irq(&name_lock);
	struct new_utsname name = system_name;

	spin_unlock_irq(&name_lock, flags);
	return copy_to_user(buf, &name, sizeof(name));
}

/* field: one of system_name's, all of a size. */
static int64_t set_name(char field[__NEW_UTS_LEN + 1], uaddr_t from, int len)
{
	char name[__NEW_UTS_LEN + 1] = "";

	if (!cred_is_root(current()->cred))
		return -EPERM;
	if (len < 0 || len > __NEW_UTS_LEN)
		return -EINVAL;
	if (copy_from_user(name, from, (size_t)len))
		return -EFAULT;
	uint64_t flags = spin_lock_irq(&name_lock);
	memcpy(field, name, sizeof(name));
	spin_unlock_irq(&name_lock, flags);
	return 0;
}

int64_t sys_sethostname(uaddr_t name, int len) { return set_name(system_name.nodename, name, len); }

int64_t sys_setdomainname(uaddr_t name, int len) { return set_name(system_name.domainname, name, len); }

int64_t sys_sysinfo(uaddr_t info)
{
	struct frame_stats f;

	frame_stats(&f);
	struct sysinfo s = {.uptime = (long)(clock_ns() / NSEC_PER_SEC),
			    .totalram = f.total << PAGE_SHIFT,
			    .freeram = f.free << PAGE_SHIFT,
			    .procs = (uint16_t)process_count(),
			    .mem_unit = 1};
	return copy_to_user(info, &s, sizeof(s));
}

int64_t sys_getrandom(uaddr_t buf, size_t len, unsigned flags)
{
	uint8_t chunk[256];
	size_t done = 0;

	if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	len = MIN(len, (size_t)INT32_MAX);
	while (done < len) {
		size_t n = MIN(sizeof(chunk), len - done);
		random_bytes(chunk, n);
		size_t copied = user_write(uaddr_add(buf, done), chunk, n);
		done += copied;
		if (copied < n)
			break;
		if (signal_pending(current()))
			break;
		sched_point();
	}
	memset(chunk, 0, sizeof(chunk));
	return done || !len ? (int64_t)done : -EFAULT;
}

int64_t sys_getcpu(uaddr_t cpu, uaddr_t node, uaddr_t unused)
{
	(void)unused;
	if (cpu.v && user_put_u32(cpu, cpu_id()))
		return -EFAULT;
	if (node.v && user_put_u32(node, 0))
		return -EFAULT;
	return 0;
}

/* ---- Scheduling: there is one CPU and one policy, round robin without priorities (SCHED_OTHER) ---- */

static int check_pid(int32_t pid)
{
	if (pid < 0)
		return -EINVAL;
	if (!pid || pid == current()->tid)
		return 0;
	spin_lock(&proc_lock);
	bool found = process_find(pid);
	spin_unlock(&proc_lock);
	return found ? 0 : -ESRCH;
}

int64_t sys_sched_getaffinity(int32_t pid, unsigned len, uaddr_t mask)
{
	int err = check_pid(pid);

	if (len < sizeof(uint64_t) || len % sizeof(uint64_t))
		return -EINVAL;
	if (err)
		return err;
	return user_put_u64(mask, 1) ? -EFAULT : (int64_t)sizeof(uint64_t);
}

int64_t sys_sched_setaffinity(int32_t pid, unsigned len, uaddr_t mask)
{
	uint64_t wanted = 0;
	int err = check_pid(pid);

	if (copy_from_user(&wanted, mask, MIN(len, (unsigned)sizeof(wanted))))
		return -EFAULT;
	if (err)
		return err;
	return wanted & 1 ? 0 : -EINVAL;
}

int64_t sys_sched_getscheduler(int32_t pid)
{
	int err = check_pid(pid);

	return err ? err : SCHED_NORMAL;
}

int64_t sys_sched_getparam(int32_t pid, uaddr_t param)
{
	int err = check_pid(pid);

	return err ? err : user_put_u32(param, 0);
}

/* As sched(7) says for the policies that Linux has. */
int64_t sys_sched_get_priority_max(int policy)
{
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return 99;
	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ? 0 : -EINVAL;
}

int64_t sys_sched_get_priority_min(int policy)
{
	int64_t max = sys_sched_get_priority_max(policy);

	return max == 99 ? 1 : max;
}

int64_t sys_sched_yield(void)
{
	sched_yield_now();
	return 0;
}

/* ---- FS and GS base ---- */

static int64_t set_base(uint64_t *base, uint64_t address)
{
	if (address >= USER_END)
		return -EPERM;
	*base = address;
	thread_load_bases(current());
	return 0;
}

/* The bases in the thread's record are stale while it runs: user code may have written them with WRFSBASE. */
static void fetch_bases(struct thread *t)
{
	t->fs_base = read_msr(MSR_FS_BASE);
	t->gs_base = read_msr(MSR_KERNEL_GS);
}

int64_t sys_arch_prctl(int code, uint64_t address)
{
	struct thread *t = current();

	fetch_bases(t);
	switch (code) {
	case ARCH_SET_FS:
		return set_base(&t->fs_base, address);
	case ARCH_SET_GS:
		return set_base(&t->gs_base, address);
	case ARCH_GET_FS:
		return user_put_u64(UADDR(address), t->fs_base);
	case ARCH_GET_GS:
		return user_put_u64(UADDR(address), t->gs_base);
	default:
		return -EINVAL;
	}
}

/* ---- The log: syslog(2) ---- */

enum syslog_action {
	SYSLOG_CLOSE,
	SYSLOG_OPEN,
	SYSLOG_READ,
	SYSLOG_READ_ALL,
	SYSLOG_READ_CLEAR,
	SYSLOG_CLEAR,
	SYSLOG_CONSOLE_OFF,
	SYSLOG_CONSOLE_ON,
	SYSLOG_CONSOLE_LEVEL,
	SYSLOG_SIZE_UNREAD,
	SYSLOG_SIZE_BUFFER,
};

static uint64_t log_cleared; /* READ_ALL begins here */
static uint64_t log_unread;  /* READ begins here */

/* Copies the log from *pos on, at most len bytes: the number of them. */
static int64_t copy_log(uint64_t *pos, uaddr_t buf, uint64_t len)
{
	char chunk[256];
	uint64_t done = 0;

	while (done < len) {
		size_t n = log_read(pos, chunk, MIN(sizeof(chunk), len - done));
		if (!n)
			break;
		if (copy_to_user(uaddr_add(buf, done), chunk, n))
			return -EFAULT;
		done += n;
	}
	return (int64_t)done;
}

/* The newest len bytes since the last clearing. */
static int64_t read_newest(uaddr_t buf, uint64_t len, bool clear)
{
	uint64_t end = log_end(), pos = MAX(log_cleared, end > len ? end - len : 0);
	int64_t n = copy_log(&pos, buf, len);

	if (clear && n >= 0)
		log_cleared = pos;
	return n;
}

int64_t sys_syslog(int action, uaddr_t buf, int len)
{
	bool reads = action == SYSLOG_READ || action == SYSLOG_READ_ALL || action == SYSLOG_READ_CLEAR;

	if (reads && (!buf.v || len < 0))
		return -EINVAL;
	if (action != SYSLOG_READ_ALL && action != SYSLOG_SIZE_BUFFER && !cred_is_root(current()->cred))
		return -EPERM;
	switch (action) {
	case SYSLOG_READ:
		return copy_log(&log_unread, buf, (uint64_t)len);
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR:
		return read_newest(buf, (uint64_t)len, action == SYSLOG_READ_CLEAR);
	case SYSLOG_CLEAR:
		log_cleared = log_end();
		return 0;
	case SYSLOG_SIZE_UNREAD:
		return (int64_t)MIN(log_end() - log_unread, (uint64_t)LOG_RING_SIZE);
	case SYSLOG_SIZE_BUFFER:
		return LOG_RING_SIZE;
	case SYSLOG_CLOSE:
	case SYSLOG_OPEN:
	case SYSLOG_CONSOLE_OFF:
	case SYSLOG_CONSOLE_ON:
		return 0;
	case SYSLOG_CONSOLE_LEVEL:
		return len >= 1 && len <= 8 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* ---- Power ---- */

static bool reboot_magic_ok(uint32_t magic1, uint32_t magic2)
{
	return magic1 == LINUX_REBOOT_MAGIC1 && (magic2 == LINUX_REBOOT_MAGIC2 || magic2 == LINUX_REBOOT_MAGIC2A ||
						 magic2 == LINUX_REBOOT_MAGIC2B || magic2 == LINUX_REBOOT_MAGIC2C);
}

int64_t sys_reboot(uint32_t magic1, uint32_t magic2, uint32_t command, uaddr_t arg)
{
	(void)arg;
	if (!cred_is_root(current()->cred))
		return -EPERM;
	if (!reboot_magic_ok(magic1, magic2))
		return -EINVAL;
	switch (command) {
	case LINUX_REBOOT_CMD_RESTART:
	case LINUX_REBOOT_CMD_RESTART2:
		power_restart();
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
		power_off(0);
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0;
	default:
		return -EINVAL;
	}
}
