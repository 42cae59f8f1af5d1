/*
 * kernel/proc_files.c - /proc: the system's own entries (Linux proc(5)).
 */
#include <linux/fs.h>

#include "kernel/base/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/options.h"
#include "kernel/base/panic.h"
#include "kernel/base/power.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/fs/context.h"
#include "kernel/procfs_private.h"
#include "kernel/syscall.h"
#include "kernel/version.h"
#include "mm/commit.h"
#include "mm/counters.h"
#include "mm/forget_own.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/inject.h"
#include "mm/verify.h"
#include "proc/process.h"
#include "proc/sched.h"

#define TICK_NS (NSEC_PER_SEC / 100) /* USER_HZ is 100 */

typedef unsigned long long ull;

static ull kib(uint64_t frames) { return frames << (PAGE_SHIFT - 10); }

static int show_meminfo(struct text *t, const struct subject *subject)
{
	struct frame_stats s;
	uint64_t tables;

	(void)subject;
	frame_stats(&s);
	tables = s.by_kind[FRAME_L1] + s.by_kind[FRAME_L2] + s.by_kind[FRAME_L3] + s.by_kind[FRAME_ROOT];
	const struct {
		const char *name;
		uint64_t frames;
	} rows[] = {
	    {"MemTotal", s.total},
	    {"MemFree", s.free},
	    {"MemAvailable", s.free - s.reserved},
	    {"Buffers", 0},
	    {"Cached", s.by_kind[FRAME_CACHE]},
	    {"SwapCached", 0},
	    {"Active", s.by_kind[FRAME_ANON]},
	    {"Inactive", 0},
	    {"SwapTotal", 0},
	    {"SwapFree", 0},
	    {"Dirty", 0},
	    {"Writeback", 0},
	    {"AnonPages", s.by_kind[FRAME_ANON]},
	    {"Mapped", 0},
	    {"Shmem", s.by_kind[FRAME_CACHE]},
	    {"KReclaimable", 0},
	    {"Slab", s.by_kind[FRAME_KERNEL]},
	    {"SReclaimable", 0},
	    {"SUnreclaim", s.by_kind[FRAME_KERNEL]},
	    {"PageTables", tables},
	    {"CommitLimit", commit_limit()},
	    {"Committed_AS", commit_promised()},
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		text_printf(t, "%s:%*s%8llu kB\n", rows[i].name, (int)(15 - strlen(rows[i].name)), "",
			    kib(rows[i].frames));
	return 0;
}

static int show_stat(struct text *t, const struct subject *subject)
{
	uint64_t user, system, now = clock_ns(), idle = sched_idle_ns();

	(void)subject;
	proc_total_times(&user, &system);
	for (int line = 0; line < 2; line++)
		text_printf(t, "cpu%s %llu 0 %llu %llu 0 0 0 0 0 0\n", line ? "0" : " ", (ull)(user / TICK_NS),
			    (ull)(system / TICK_NS), (ull)(idle / TICK_NS));
	text_printf(t, "intr %llu\nctxt %llu\nbtime %llu\nprocesses %llu\nprocs_running %u\nprocs_blocked 0\n",
		    (ull)counters[COUNTER_interrupts], (ull)sched_context_switches(),
		    (ull)((clock_realtime_ns() - now) / NSEC_PER_SEC),
		    (ull)(counters[COUNTER_forks_copy] + counters[COUNTER_forks_cow] + counters[COUNTER_forks_hybrid] +
			  counters[COUNTER_forks_tree] + counters[COUNTER_vforks] + 1),
		    MAX(sched_runnable(), 1u));
	return 0;
}

static int show_uptime(struct text *t, const struct subject *subject)
{
	uint64_t up = clock_ns() / 10000000, idle = sched_idle_ns() / 10000000;

	(void)subject;
	text_printf(t, "%llu.%02llu %llu.%02llu\n", (ull)(up / 100), (ull)(up % 100), (ull)(idle / 100),
		    (ull)(idle % 100));
	return 0;
}

static int show_loadavg(struct text *t, const struct subject *subject)
{
	(void)subject;
	text_printf(t, "0.00 0.00 0.00 %u/%u %d\n", MAX(sched_runnable(), 1u), process_count(), process_last_pid());
	return 0;
}

static int show_version(struct text *t, const struct subject *subject)
{
	(void)subject;
	text_printf(t, "%s version %s (tine) (clang) %s\n", TINE_SYSNAME, TINE_RELEASE, TINE_VERSION);
	return 0;
}

static int show_cmdline(struct text *t, const struct subject *subject)
{
	(void)subject;
	text_printf(t, "%s\n", options.cmdline);
	return 0;
}

static int show_filesystems(struct text *t, const struct subject *subject)
{
	(void)subject;
	for (const struct filesystem_type *type = filesystem_types(); type; type = type->next)
		text_printf(t, "nodev\t%s\n", type->name);
	return 0;
}

static int show_swaps(struct text *t, const struct subject *subject)
{
	(void)subject;
	text_printf(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

static int show_vmstat(struct text *t, const struct subject *subject)
{
	struct frame_stats s;

	(void)subject;
	frame_stats(&s);
	text_printf(t, "nr_free_pages %llu\nnr_anon_pages %llu\nnr_file_pages %llu\npgfault %llu\npgmajfault 0\n",
		    (ull)s.free, (ull)s.by_kind[FRAME_ANON], (ull)s.by_kind[FRAME_CACHE],
		    (ull)(counters[COUNTER_faults_zero] + counters[COUNTER_faults_file] +
			  counters[COUNTER_faults_cow_copy] + counters[COUNTER_faults_cow_reuse]));
	return 0;
}

/* Names of CPUID bits as Linux prints them: those that programs look for. */
static void cpu_flags(struct text *t)
{
	static const struct {
		unsigned leaf, reg, bit;
		const char *name;
	} flags[] = {
	    {1, 3, 0, "fpu"},
	    {1, 3, 4, "tsc"},
	    {1, 3, 5, "msr"},
	    {1, 3, 6, "pae"},
	    {1, 3, 8, "cx8"},
	    {1, 3, 9, "apic"},
	    {1, 3, 15, "cmov"},
	    {1, 3, 23, "mmx"},
	    {1, 3, 24, "fxsr"},
	    {1, 3, 25, "sse"},
	    {1, 3, 26, "sse2"},
	    {1, 2, 0, "pni"},
	    {1, 2, 9, "ssse3"},
	    {1, 2, 12, "fma"},
	    {1, 2, 13, "cx16"},
	    {1, 2, 19, "sse4_1"},
	    {1, 2, 20, "sse4_2"},
	    {1, 2, 22, "movbe"},
	    {1, 2, 23, "popcnt"},
	    {1, 2, 25, "aes"},
	    {1, 2, 26, "xsave"},
	    {1, 2, 28, "avx"},
	    {1, 2, 30, "rdrand"},
	    {7, 1, 0, "fsgsbase"},
	    {7, 1, 3, "bmi1"},
	    {7, 1, 5, "avx2"},
	    {7, 1, 7, "smep"},
	    {7, 1, 8, "bmi2"},
	    {7, 1, 9, "erms"},
	    {7, 1, 18, "rdseed"},
	    {7, 1, 19, "adx"},
	    {7, 1, 20, "smap"},
	    {0x80000001, 3, 11, "syscall"},
	    {0x80000001, 3, 20, "nx"},
	    {0x80000001, 3, 26, "pdpe1gb"},
	    {0x80000001, 3, 29, "lm"},
	};

	text_printf(t, "flags\t\t:");
	for (unsigned i = 0; i < ARRAY_LEN(flags); i++) {
		uint32_t regs[4];

		cpuid(flags[i].leaf, 0, regs);
		if (regs[flags[i].reg] >> flags[i].bit & 1)
			text_printf(t, " %s", flags[i].name);
	}
	text_printf(t, "\n");
}

static int show_cpuinfo(struct text *t, const struct subject *subject)
{
	const struct cpu_features *c = &cpu_features;
	ull khz = clock_tsc_hz() / 1000;

	(void)subject;
	text_printf(
	    t, "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n",
	    c->vendor, c->family, c->model, c->brand, c->stepping);
	text_printf(t, "cpu MHz\t\t: %llu.%03llu\nphysical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\n",
		    khz / 1000, khz % 1000);
	text_printf(t, "fpu\t\t: yes\nwp\t\t: yes\n");
	cpu_flags(t);
	text_printf(t, "bogomips\t: %llu.%02llu\naddress sizes\t: %u bits physical, 48 bits virtual\n\n", khz / 500,
		    khz / 5 % 100, c->phys_bits);
	return 0;
}

/* ---- sys/kernel ---- */

#define SHOW_TEXT(name, ...)                                                  \
	static int show_##name(struct text *t, const struct subject *subject) \
	{                                                                     \
		(void)subject;                                                \
		text_printf(t, __VA_ARGS__);                                  \
		return 0;                                                     \
	}

SHOW_TEXT(ostype, "%s\n", TINE_SYSNAME)
SHOW_TEXT(osrelease, "%s\n", TINE_RELEASE)
SHOW_TEXT(osversion, "%s\n", TINE_VERSION)
SHOW_TEXT(pid_max, "%d\n", PID_MAX)
SHOW_TEXT(ngroups_max, "%d\n", 65536)
SHOW_TEXT(cap_last_cap, "%d\n", 40)
SHOW_TEXT(zero, "0\n")
SHOW_TEXT(pipe_max_size, "1048576\n")
SHOW_TEXT(file_max, "1048576\n")

static int show_hostname(struct text *t, const struct subject *subject)
{
	(void)subject;
	text_printf(t, "%s\n", "tine");
	return 0;
}

/* ---- sys/vm ---- */

static int show_overcommit_memory(struct text *t, const struct subject *subject)
{
	(void)subject;
	text_printf(t, "%u\n", commit_policy.mode);
	return 0;
}

static int show_overcommit_ratio(struct text *t, const struct subject *subject)
{
	(void)subject;
	text_printf(t, "%u\n", commit_policy.ratio);
	return 0;
}

static int show_overcommit_kbytes(struct text *t, const struct subject *subject)
{
	(void)subject;
	text_printf(t, "%llu\n", (ull)commit_policy.limit_kib);
	return 0;
}

/* A whole decimal number up to max. */
static int parse_setting(const char *value, uint64_t max, uint64_t *ret)
{
	return parse_u64(value, NULL, ret) || *ret > max ? -EINVAL : 0;
}

static int store_overcommit_memory(const struct subject *subject, const char *value)
{
	uint64_t mode;
	int err = parse_setting(value, COMMIT_MODES - 1, &mode);

	(void)subject;
	if (!err)
		commit_policy.mode = (enum commit_mode)mode;
	return err;
}

/* The ratio and the absolute limit stand for each other: the one that was written last counts, as on Linux. */
static int store_overcommit_ratio(const struct subject *subject, const char *value)
{
	uint64_t ratio;
	int err = parse_setting(value, INT32_MAX, &ratio);

	(void)subject;
	if (err)
		return err;
	commit_policy.ratio = (uint32_t)ratio;
	commit_policy.limit_kib = 0;
	return 0;
}

static int store_overcommit_kbytes(const struct subject *subject, const char *value)
{
	uint64_t kib;
	int err = parse_setting(value, UINT64_MAX / 1024, &kib);

	(void)subject;
	if (err)
		return err;
	commit_policy.limit_kib = kib;
	commit_policy.ratio = kib ? 0 : commit_policy.ratio;
	return 0;
}

/* Random bytes in the form of RFC 4122's version 4. */
static int show_uuid(struct text *t, const struct subject *subject)
{
	uint8_t b[16];

	(void)subject;
	random_bytes(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	for (unsigned i = 0; i < sizeof(b); i++)
		text_printf(t, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
	text_printf(t, "\n");
	return 0;
}

/* ---- tine/ ---- */

static int show_counters(struct text *t, const struct subject *subject)
{
	struct frame_stats s;

	(void)subject;
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		text_printf(t, "%s %llu\n", counter_names[i], (ull)__atomic_load_n(&counters[i], __ATOMIC_RELAXED));
	frame_stats(&s);
	text_printf(t, "frames_total %llu\nframes_free %llu\nframes_reserved %llu\n", (ull)s.total, (ull)s.free,
		    (ull)s.reserved);
	/* Pages with free blocks between live ones make frames_heap vary: frames_free + frames_heap and heap_live do not. */
	text_printf(t, "frames_heap %llu\nheap_live %llu\n", (ull)heap_frames(),
		    (ull)(counters[COUNTER_heap_allocs] - counters[COUNTER_heap_frees]));
	text_printf(t, "frames_anon %llu\nframes_cache %llu\nframes_tables %llu\nframes_kernel %llu\n",
		    (ull)s.by_kind[FRAME_ANON], (ull)s.by_kind[FRAME_CACHE],
		    (ull)(s.by_kind[FRAME_L1] + s.by_kind[FRAME_L2] + s.by_kind[FRAME_L3] + s.by_kind[FRAME_ROOT]),
		    (ull)s.by_kind[FRAME_KERNEL]);
	return 0;
}

/* The recounts of mm/verify.h and mm/commit.h: "ok" or the first breach of an invariant. */
static int show_verify(struct text *t, const struct subject *subject)
{
	struct verify_report r;
	int err = mm_verify(&r);

	(void)subject;
	if (err == -ENOMEM)
		return err;
	if (err || commit_verify(r.breach, sizeof(r.breach)))
		text_printf(t, "breach: %s\n", r.breach);
	else
		text_printf(t, "ok spaces=%llu tables=%llu leaves=%llu frames=%llu\n", (ull)r.spaces, (ull)r.tables,
			    (ull)r.leaves, (ull)r.frames);
	return 0;
}

/* System calls that programs asked for and that are not there: number and count. */
static int show_enosys(struct text *t, const struct subject *subject)
{
	(void)subject;
	for (unsigned n = 0; n < SYSCALL_LIMIT; n++)
		if (syscall_unknown_count(n))
			text_printf(t, "%u %u\n", n, syscall_unknown_count(n));
	return 0;
}

static int show_fail_nth(struct text *t, const struct subject *subject)
{
	(void)subject;
	text_printf(t, "%llu\n", (ull)inject_countdown);
	return 0;
}

static int store_fail_nth(const struct subject *subject, const char *value)
{
	uint64_t nth;
	int err = parse_u64(value, NULL, &nth);

	(void)subject;
	if (!err)
		inject_arm(nth);
	return err;
}

#ifdef TINE_CHECKED
/* `ADDRESS`: a store without own(), a panic where the path is shared. `own ADDRESS`: the same after own(). */
static int store_forget_own(const struct subject *subject, const char *value)
{
	bool owned = strncmp(value, "own ", 4) == 0;
	uint64_t va;
	int err = parse_u64(value + (owned ? 4 : 0), NULL, &va);

	(void)subject;
	if (err)
		return err;
	return (owned ? store_owned : store_unowned)(space_active(), UADDR(va));
}
#endif

/* As Linux's sysrq(8): what root may do to the whole machine in an emergency. c crashes it on purpose, to see the report. */
static int store_sysrq(const struct subject *subject, const char *value)
{
	(void)subject;
	switch (value[0]) {
	case 'c':
		panic("sysrq triggered crash");
	case 'b':
		power_restart();
	case 'o':
		power_off(0);
	default:
		return 0; /* unknown letters are ignored, as on Linux */
	}
}

/* ---- Links ---- */

static int put_text(char *buf, size_t size, const char *text) { return (int)MIN(strlcpy(buf, text, size), size - 1); }

static int target_self(const struct subject *subject, char *buf, size_t size)
{
	(void)subject;
	return current_process() ? ksnprintf(buf, size, "%d", current_process()->pid) : -ENOENT;
}

static int target_thread_self(const struct subject *subject, char *buf, size_t size)
{
	(void)subject;
	if (!current_process())
		return -ENOENT;
	return ksnprintf(buf, size, "%d/task/%d", current_process()->pid, current()->tid);
}

static int target_mounts(const struct subject *subject, char *buf, size_t size)
{
	(void)subject;
	return put_text(buf, size, "self/mounts");
}

/* ---- The tables ---- */

static const struct dir_entry random_entries[] = {
    ENTRY_FILE("uuid", show_uuid),
    {.name = NULL},
};

static const struct dir_entry sys_kernel_entries[] = {
    ENTRY_FILE("ostype", show_ostype),
    ENTRY_FILE("osrelease", show_osrelease),
    ENTRY_FILE("version", show_osversion),
    ENTRY_FILE("hostname", show_hostname),
    ENTRY_FILE("pid_max", show_pid_max),
    ENTRY_FILE("ngroups_max", show_ngroups_max),
    ENTRY_FILE("cap_last_cap", show_cap_last_cap),
    ENTRY_FILE("randomize_va_space", show_zero),
    ENTRY_DIR("random", random_entries),
    {.name = NULL},
};

static const struct dir_entry sys_vm_entries[] = {
    ENTRY_WRITABLE("overcommit_memory", show_overcommit_memory, store_overcommit_memory),
    ENTRY_WRITABLE("overcommit_ratio", show_overcommit_ratio, store_overcommit_ratio),
    ENTRY_WRITABLE("overcommit_kbytes", show_overcommit_kbytes, store_overcommit_kbytes),
    {.name = NULL},
};

static const struct dir_entry sys_fs_entries[] = {
    ENTRY_FILE("pipe-max-size", show_pipe_max_size),
    ENTRY_FILE("file-max", show_file_max),
    {.name = NULL},
};

static const struct dir_entry sys_entries[] = {
    ENTRY_DIR("kernel", sys_kernel_entries),
    ENTRY_DIR("vm", sys_vm_entries),
    ENTRY_DIR("fs", sys_fs_entries),
    {.name = NULL},
};

static const struct dir_entry tine_entries[] = {
    ENTRY_FILE("counters", show_counters),
    ENTRY_FILE("enosys", show_enosys),
    ENTRY_FILE("verify", show_verify),
    ENTRY_WRITABLE("fail_nth", show_fail_nth, store_fail_nth),
#ifdef TINE_CHECKED
    {.name = "forget_own", .mode = S_IFREG | 0200, .store = store_forget_own},
#endif
    {.name = NULL},
};

static const struct dir_entry root_entries[] = {
    {.name = "self", .mode = S_IFLNK | 0777, .target = target_self},
    {.name = "thread-self", .mode = S_IFLNK | 0777, .target = target_thread_self},
    {.name = "mounts", .mode = S_IFLNK | 0777, .target = target_mounts},
    ENTRY_FILE("cmdline", show_cmdline),
    ENTRY_FILE("cpuinfo", show_cpuinfo),
    ENTRY_FILE("filesystems", show_filesystems),
    ENTRY_FILE("loadavg", show_loadavg),
    ENTRY_FILE("meminfo", show_meminfo),
    ENTRY_FILE("stat", show_stat),
    ENTRY_FILE("swaps", show_swaps),
    {.name = "sysrq-trigger", .mode = S_IFREG | 0200, .store = store_sysrq},
    ENTRY_FILE("uptime", show_uptime),
    ENTRY_FILE("version", show_version),
    ENTRY_FILE("vmstat", show_vmstat),
    ENTRY_DIR("sys", sys_entries),
    ENTRY_DIR("tine", tine_entries),
    {.name = NULL},
};

const struct dir_entry proc_root = {
    .name = "proc",
    .mode = S_IFDIR | 0555,
    .children = root_entries,
    .dynamic = &proc_pids,
};
