/*
 * kernel/proc_pid.c - /proc/PID: what is shown of a process (Linux proc(5)).
 */
#include <asm/mman.h>
#include <linux/fs.h>

#include "kernel/base/clock.h"
#include "kernel/base/string.h"
#include "kernel/dev/tty.h"
#include "kernel/fs/context.h"
#include "kernel/fs/files.h"
#include "kernel/procfs_private.h"
#include "mm/census.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "mm/space.h"
#include "proc/cred.h"
#include "proc/oom.h"

#define TICK_NS         (NSEC_PER_SEC / 100)
#define ARGUMENTS_LIMIT KIB(128)

typedef unsigned long long ull;

/* ---- A look at one process ---- */

struct view {
	int32_t pid, tid, ppid, pgid, sid, tty_pgrp;
	uint32_t tty, threads, exit_status;
	int32_t exit_signal;
	char state;
	char name[16];
	struct usage usage, children;
	uint64_t start_ns, pending, shared_pending, blocked, ignored, caught;
	enum fork_policy fork_policy;
	int oom_score_adj;
	struct limit limits[RLIM_NLIMITS];
	/* References; NULL in a zombie and where the process is on its way out. */
	struct cred *cred;
	struct space *space;
	struct files *files;
	struct fs_context *fs;
	struct file *exe;
};

static char state_letter(const struct process *p, const struct thread *t)
{
	if (p->state == PROCESS_ZOMBIE || !t || t->state == THREAD_DEAD)
		return 'Z';
	if (p->stopped || t->state == THREAD_STOPPED)
		return 'T';
	if (t->state == THREAD_SLEEPING)
		return t->interruptible ? 'S' : 'D';
	return 'R';
}

static void view_signals(struct view *v, struct process *p, const struct thread *t)
{
	const struct signal_actions *a = p->signals.actions;

	v->pending = t ? t->pending : 0;
	v->blocked = t ? t->blocked : 0;
	v->shared_pending = p->signals.pending;
	for (unsigned i = 0; a && i < SIGNALS; i++) {
		if (a->action[i].handler == 1)
			v->ignored |= 1ull << i;
		else if (a->action[i].handler)
			v->caught |= 1ull << i;
	}
}

/* References on what the thread uses. proc_lock held; nothing is taken from a process that is giving things back. */
static void view_hold(struct view *v, const struct process *p, const struct thread *t)
{
	if (!t || p->exiting || p->state != PROCESS_ALIVE)
		return;
	if (t->cred) {
		cred_get(t->cred);
		v->cred = t->cred;
	}
	if (t->space) {
		space_get(t->space);
		v->space = t->space;
	}
	v->files = t->files ? files_get(t->files) : NULL;
	v->fs = t->fs ? fs_context_get(t->fs) : NULL;
	v->exe = p->exe ? file_get(p->exe) : NULL;
}

static uint32_t count_threads(const struct process *p)
{
	const struct thread *t;
	uint32_t n = 0;

	list_for_each (t, &p->threads, process_node)
		n++;
	return n;
}

static void view_fill(struct view *v, struct process *p, struct thread *t)
{
	*v = (struct view){
	    .pid = p->pid,
	    .tid = t ? t->tid : p->pid,
	    .ppid = p->parent ? p->parent->pid : 0,
	    .pgid = p->pgid,
	    .sid = p->sid,
	    .tty = tty_number(p->tty),
	    .tty_pgrp = tty_foreground(p->tty),
	    .threads = count_threads(p),
	    .exit_status = p->state == PROCESS_ZOMBIE ? p->exit_status : 0,
	    .exit_signal = p->exit_signal,
	    .state = state_letter(p, t),
	    .usage = p->state == PROCESS_ZOMBIE ? p->dead_threads : process_usage(p),
	    .children = p->children_usage,
	    .start_ns = p->start_ns,
	    .fork_policy = p->fork_policy,
	    .oom_score_adj = p->oom_score_adj,
	};
	strlcpy(v->name, t ? t->name : p->name, sizeof(v->name));
	memcpy(v->limits, p->limits, sizeof(v->limits));
	view_signals(v, p, t);
	view_hold(v, p, t);
}

/* The thread that a subject names, or the leader; NULL in a zombie. proc_lock held. */
static struct thread *subject_thread(struct process *p, const struct subject *s)
{
	struct thread *t;

	if (!s->tid)
		return p->leader;
	list_for_each (t, &p->threads, process_node)
		if (t->tid == s->tid)
			return t;
	return NULL;
}

static int view_get(const struct subject *s, struct view *v)
{
	struct process *p;
	struct thread *t = NULL;

	spin_lock(&proc_lock);
	p = process_find(s->pid);
	if (p)
		t = subject_thread(p, s);
	if (p && (t || !s->tid))
		view_fill(v, p, t);
	else
		p = NULL;
	spin_unlock(&proc_lock);
	return p ? 0 : -ESRCH;
}

static void view_put(struct view *v)
{
	if (v->cred)
		cred_put(v->cred);
	if (v->space)
		space_put(v->space);
	if (v->exe)
		file_put(v->exe);
	files_put(v->files);
	fs_context_put(v->fs);
}

bool proc_owner(int32_t pid, uint32_t *ret_uid, uint32_t *ret_gid)
{
	struct process *p;
	bool found = false;

	spin_lock(&proc_lock);
	p = process_find(pid);
	if (p && p->leader && p->leader->cred) {
		*ret_uid = p->leader->cred->euid;
		*ret_gid = p->leader->cred->egid;
		found = true;
	}
	spin_unlock(&proc_lock);
	return found;
}

int proc_may_inspect(int32_t pid)
{
	const struct cred *c = current()->cred;
	uint32_t uid, gid;

	if (!c || c->fsuid == 0 || (current_process() && current_process()->pid == pid))
		return 0;
	if (!proc_owner(pid, &uid, &gid))
		return -EACCES;
	return uid == c->fsuid ? 0 : -EACCES;
}

void proc_total_times(uint64_t *ret_user_ns, uint64_t *ret_system_ns)
{
	uint64_t user = 0, system = 0;

	spin_lock(&proc_lock);
	for (struct process *p = process_next(0); p; p = process_next(p->pid)) {
		struct usage u = p->state == PROCESS_ZOMBIE ? p->dead_threads : process_usage(p);

		user += u.user_ns + p->children_usage.user_ns;
		system += u.system_ns + p->children_usage.system_ns;
	}
	spin_unlock(&proc_lock);
	*ret_user_ns = user;
	*ret_system_ns = system;
}

/* ---- Memory ---- */

struct memory {
	uint64_t size, peak, resident, resident_peak, committed; /* pages, all of them */
	uint64_t data, stack, exec, text;
	struct census census;
};

static uint64_t pages_between(uaddr_t start, uaddr_t end)
{
	return (ALIGN_UP(end.v, PAGE_SIZE) - ALIGN_DOWN(start.v, PAGE_SIZE)) / PAGE_SIZE;
}

/* As Linux sorts them (vm_stat_account): each region is one of these, or none. */
static void count_region(struct memory *m, const struct region *r)
{
	uint64_t pages = (r->end.v - r->start.v) / PAGE_SIZE;

	if (r->flags & REGION_STACK)
		m->stack += pages;
	else if ((r->prot & (PROT_EXEC | PROT_WRITE)) == PROT_EXEC)
		m->exec += pages;
	else if ((r->prot & PROT_WRITE) && !(r->flags & REGION_SHARED))
		m->data += pages;
}

static struct memory memory_of(struct space *s)
{
	struct memory m = {0};
	struct region *r;

	if (!s)
		return m;
	spin_lock(&s->lock);
	m.size = s->commit.mapped;
	m.peak = MAX(s->commit.peak, m.size);
	m.committed = s->commit.pages;
	m.resident = s->resident;
	m.resident_peak = MAX(s->peak, s->resident);
	region_for_each (r, s->regions)
		count_region(&m, r);
	m.text = MIN(pages_between(s->code_start, s->code_end), m.exec);
	spin_unlock(&s->lock);
	space_census(s, CENSUS_ALL, &m.census);
	return m;
}

static int show_statm(struct text *t, const struct subject *s)
{
	struct view v;
	struct memory m;
	int err = view_get(s, &v);

	if (err)
		return err;
	m = memory_of(v.space);
	text_printf(t, "%llu %llu %llu %llu 0 %llu 0\n", (ull)m.size, (ull)m.resident,
		    (ull)(m.census.file + m.census.anon_shared), (ull)m.text, (ull)(m.data + m.stack));
	view_put(&v);
	return 0;
}

/* ---- stat and status ---- */

static void stat_memory(struct text *t, const struct view *v)
{
	static const struct space none;
	const struct space *s = v->space ? v->space : &none;
	struct memory m = memory_of(v->space);

	text_printf(t, " %llu %llu %llu %llu %llu %llu 0 0", (ull)(m.size * PAGE_SIZE), (ull)m.resident,
		    (ull)UINT64_MAX, (ull)s->code_start.v, (ull)s->code_end.v, (ull)s->stack_start.v);
	text_printf(t, " %llu %llu %llu %llu 0 0 0 %d 0 0 0 0 0 0", (ull)(v->pending & INT32_MAX),
		    (ull)(v->blocked & INT32_MAX), (ull)(v->ignored & INT32_MAX), (ull)(v->caught & INT32_MAX),
		    v->exit_signal);
	text_printf(t, " %llu %llu %llu %llu %llu %llu %llu %u\n", (ull)s->data_start.v, (ull)s->data_end.v,
		    (ull)s->brk_start.v, (ull)s->arg_start.v, (ull)s->arg_end.v, (ull)s->env_start.v, (ull)s->env_end.v,
		    v->exit_status);
}

/* proc(5): 52 fields. */
static int show_stat(struct text *t, const struct subject *s)
{
	struct view v;
	int err = view_get(s, &v);

	if (err)
		return err;
	text_printf(t, "%d (%s) %c %d %d %d %d %d 0", v.tid, v.name, v.state, v.ppid, v.pgid, v.sid, (int)v.tty,
		    v.tty_pgrp);
	text_printf(t, " %llu %llu 0 0 %llu %llu %llu %llu 20 0 %u 0 %llu", (ull)v.usage.faults, (ull)v.children.faults,
		    (ull)(v.usage.user_ns / TICK_NS), (ull)(v.usage.system_ns / TICK_NS),
		    (ull)(v.children.user_ns / TICK_NS), (ull)(v.children.system_ns / TICK_NS), v.threads,
		    (ull)(v.start_ns / TICK_NS));
	stat_memory(t, &v);
	view_put(&v);
	return 0;
}

static const char *state_word(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'D':
		return "disk sleep";
	case 'T':
		return "stopped";
	default:
		return "zombie";
	}
}

static void status_ids(struct text *t, const struct view *v)
{
	const struct cred *c = v->cred;

	if (!c)
		return;
	text_printf(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid, c->fsuid, c->gid,
		    c->egid, c->sgid, c->fsgid);
	text_printf(t, "FDSize:\t%u\nGroups:\t", v->files ? v->files->capacity : 0);
	for (uint32_t i = 0; i < c->ngroups; i++)
		text_printf(t, "%u ", c->groups[i]);
	text_printf(t, "\n");
}

static void status_memory(struct text *t, const struct view *v)
{
	struct memory m = memory_of(v->space);
	const struct {
		const char *name;
		uint64_t pages;
	} rows[] = {
	    {"VmPeak", m.peak},
	    {"VmSize", m.size},
	    {"VmLck", 0},
	    {"VmPin", 0},
	    {"VmHWM", m.resident_peak},
	    {"VmRSS", m.resident},
	    {"RssAnon", m.census.anon},
	    {"RssFile", m.census.file},
	    {"RssShmem", m.census.anon_shared},
	    {"VmData", m.data},
	    {"VmStk", m.stack},
	    {"VmExe", m.text},
	    {"VmLib", m.exec - m.text},
	    {"VmPTE", m.census.tables_own + m.census.tables_shared},
	    {"VmSwap", 0},
	};

	if (!v->space)
		return;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		text_printf(t, "%s:\t%8llu kB\n", rows[i].name, (ull)(rows[i].pages * (PAGE_SIZE / 1024)));
}

static int show_status(struct text *t, const struct subject *s)
{
	const uint64_t all_caps = (1ull << 41) - 1;
	struct view v;
	bool root;
	int err = view_get(s, &v);

	if (err)
		return err;
	root = v.cred && v.cred->euid == 0;
	text_printf(t, "Name:\t%s\n", v.name);
	if (v.fs)
		text_printf(t, "Umask:\t%04o\n", v.fs->umask);
	text_printf(t, "State:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", v.state,
		    state_word(v.state), v.pid, v.tid, v.ppid);
	status_ids(t, &v);
	status_memory(t, &v);
	text_printf(t, "Threads:\t%u\nSigQ:\t0/%llu\n", v.threads, (ull)v.limits[RLIMIT_SIGPENDING].soft);
	text_printf(t, "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n",
		    (ull)v.pending, (ull)v.shared_pending, (ull)v.blocked, (ull)v.ignored, (ull)v.caught);
	text_printf(t, "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\nCapAmb:\t%016llx\n",
		    0ull, root ? (ull)all_caps : 0, root ? (ull)all_caps : 0, (ull)all_caps, 0ull);
	text_printf(t, "NoNewPrivs:\t0\nSeccomp:\t0\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n");
	text_printf(t, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
		    (ull)v.usage.switches_voluntary, (ull)v.usage.switches_forced);
	view_put(&v);
	return 0;
}

static int show_comm(struct text *t, const struct subject *s)
{
	struct view v;
	int err = view_get(s, &v);

	if (err)
		return err;
	text_printf(t, "%s\n", v.name);
	view_put(&v);
	return 0;
}

/* ---- cmdline, environ ---- */

/* Copies [start, end) of the space, as far as it is resident. */
static void append_memory(struct text *t, struct space *s, uaddr_t start, uaddr_t end)
{
	char chunk[256];

	if (end.v - start.v > ARGUMENTS_LIMIT || end.v < start.v)
		end = uaddr_add(start, ARGUMENTS_LIMIT);
	while (start.v < end.v) {
		size_t part = MIN(sizeof(chunk), end.v - start.v), n = space_peek(s, start, chunk, part);

		text_append(t, chunk, n);
		if (n < part)
			break;
		start = uaddr_add(start, n);
	}
}

static int show_process_cmdline(struct text *t, const struct subject *s)
{
	struct view v;
	int err = view_get(s, &v);

	if (err)
		return err;
	if (v.space)
		append_memory(t, v.space, v.space->arg_start, v.space->arg_end);
	view_put(&v);
	return 0;
}

static int show_environ(struct text *t, const struct subject *s)
{
	struct view v;
	int err = proc_may_inspect(s->pid);

	if (!err)
		err = view_get(s, &v);
	if (err)
		return err;
	if (v.space)
		append_memory(t, v.space, v.space->env_start, v.space->env_end);
	view_put(&v);
	return 0;
}

/* ---- maps ---- */

/* What stands behind the region: the program's file, or a name in brackets. */
static void map_name(struct text *t, const struct view *v, const struct region *r, char *path)
{
	const char *name = NULL;
	int len = 0;

	if (r->flags & REGION_HEAP)
		name = "[heap]";
	else if (r->flags & REGION_STACK)
		name = "[stack]";
	else if (r->object && v->exe && r->object == file_object(v->exe))
		len = file_path(v->exe, path, PATH_MAX_LEN);
	if (len > 0)
		name = path;
	if (name)
		text_printf(t, "%20s%s", "", name);
	text_printf(t, "\n");
}

static void map_line(struct text *t, const struct view *v, const struct region *r, char *path)
{
	bool exe = r->object && v->exe && r->object == file_object(v->exe);
	uint32_t dev = exe ? v->exe->inode->fs->dev : 0;

	text_printf(t, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu", (ull)r->start.v, (ull)r->end.v,
		    r->prot & 1 ? 'r' : '-', r->prot & 2 ? 'w' : '-', r->prot & 4 ? 'x' : '-',
		    r->flags & REGION_SHARED ? 's' : 'p', (ull)(r->object ? r->offset : 0), dev >> 8, dev & 0xff,
		    (ull)(exe ? v->exe->inode->ino : 0));
	map_name(t, v, r, path);
}

static int show_maps(struct text *t, const struct subject *s)
{
	struct regions *set = NULL;
	struct region *r;
	struct view v;
	char *path;
	int err = proc_may_inspect(s->pid);

	if (!err)
		err = view_get(s, &v);
	if (err)
		return err;
	path = kmalloc(PATH_MAX_LEN);
	if (v.space) {
		spin_lock(&v.space->lock);
		regions_get(v.space->regions);
		set = v.space->regions;
		spin_unlock(&v.space->lock);
	}
	if (path && set)
		region_for_each (r, set)
			map_line(t, &v, r, path);
	if (set)
		regions_put(set);
	kfree(path);
	view_put(&v);
	return path ? 0 : -ENOMEM;
}

/* ---- mounts ---- */

static const char *mount_flags(const struct mount *m) { return m->flags & MS_RDONLY ? "ro" : "rw"; }

/* The place of a mount as the caller sees it. Tree locked. */
static int mount_place(const struct mount *m, char *buf, char **ret_text)
{
	struct path root = {(struct mount *)m, m->fs->root};

	return path_text(m->at.dentry ? &m->at : &root, current_root(), buf, PATH_MAX_LEN, ret_text, NULL);
}

static int for_each_mount(struct text *t, void (*line)(struct text *, const struct mount *, const char *))
{
	char *buf = kmalloc(PATH_MAX_LEN), *place;
	struct mount *m;

	if (!buf)
		return -ENOMEM;
	tree_lock();
	list_for_each (m, &mounts, node)
		if (mount_place(m, buf, &place) == 0)
			line(t, m, place);
	tree_unlock();
	kfree(buf);
	return 0;
}

static void mounts_line(struct text *t, const struct mount *m, const char *place)
{
	text_append_escaped(t, m->source);
	text_printf(t, " ");
	text_append_escaped(t, place);
	text_printf(t, " %s %s%s 0 0\n", m->fs->type->name, mount_flags(m),
		    m->flags & MS_NOATIME ? ",noatime" : ",relatime");
}

static void mountinfo_line(struct text *t, const struct mount *m, const char *place)
{
	text_printf(t, "%u %u 0:%u / ", m->id, m->parent_id, m->fs->dev);
	text_append_escaped(t, place);
	text_printf(t, " %s,relatime - %s ", mount_flags(m), m->fs->type->name);
	text_append_escaped(t, m->source);
	text_printf(t, " %s\n", mount_flags(m));
}

int show_mounts(struct text *t, const struct subject *s)
{
	(void)s;
	return for_each_mount(t, mounts_line);
}

int show_mountinfo(struct text *t, const struct subject *s)
{
	(void)s;
	return for_each_mount(t, mountinfo_line);
}

/* ---- limits, cgroup, fork_policy ---- */

static void limit_value(struct text *t, uint64_t value)
{
	if (value == UINT64_MAX)
		text_printf(t, "%-20s ", "unlimited");
	else
		text_printf(t, "%-20llu ", (ull)value);
}

static int show_limits(struct text *t, const struct subject *s)
{
	static const struct {
		int number;
		const char *name, *unit;
	} rows[] = {
	    {RLIMIT_CPU, "Max cpu time", "seconds"},         {RLIMIT_FSIZE, "Max file size", "bytes"},
	    {RLIMIT_DATA, "Max data size", "bytes"},         {RLIMIT_STACK, "Max stack size", "bytes"},
	    {RLIMIT_CORE, "Max core file size", "bytes"},    {RLIMIT_RSS, "Max resident set", "bytes"},
	    {RLIMIT_NPROC, "Max processes", "processes"},    {RLIMIT_NOFILE, "Max open files", "files"},
	    {RLIMIT_MEMLOCK, "Max locked memory", "bytes"},  {RLIMIT_AS, "Max address space", "bytes"},
	    {RLIMIT_LOCKS, "Max file locks", "locks"},       {RLIMIT_SIGPENDING, "Max pending signals", "signals"},
	    {RLIMIT_MSGQUEUE, "Max msgqueue size", "bytes"}, {RLIMIT_NICE, "Max nice priority", ""},
	    {RLIMIT_RTPRIO, "Max realtime priority", ""},    {RLIMIT_RTTIME, "Max realtime timeout", "us"},
	};
	struct view v;
	int err = view_get(s, &v);

	if (err)
		return err;
	text_printf(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		text_printf(t, "%-25s ", rows[i].name);
		limit_value(t, v.limits[rows[i].number].soft);
		limit_value(t, v.limits[rows[i].number].hard);
		text_printf(t, "%-10s\n", rows[i].unit);
	}
	view_put(&v);
	return 0;
}

static int show_cgroup(struct text *t, const struct subject *s)
{
	(void)s;
	text_printf(t, "0::/\n");
	return 0;
}

static const char *const policy_names[FORK_POLICIES] = {
    [FORK_COPY] = "copy", [FORK_COW] = "cow", [FORK_HYBRID] = "hybrid", [FORK_TREE] = "tree"};

static int show_fork_policy(struct text *t, const struct subject *s)
{
	struct view v;
	int err = view_get(s, &v);

	if (err)
		return err;
	text_printf(t, "%s\n", policy_names[v.fork_policy]);
	view_put(&v);
	return 0;
}

static int store_fork_policy(const struct subject *s, const char *value)
{
	struct process *p;
	unsigned policy = 0;

	while (policy < FORK_POLICIES && strcmp(value, policy_names[policy]) != 0)
		policy++;
	if (policy == FORK_POLICIES)
		return -EINVAL;
	spin_lock(&proc_lock);
	p = process_find(s->pid);
	if (p)
		p->fork_policy = (enum fork_policy)policy;
	spin_unlock(&proc_lock);
	return p ? 0 : -ESRCH;
}

/* ---- oom_score, oom_score_adj ---- */

static int show_oom_score(struct text *t, const struct subject *s)
{
	uint32_t score;
	int err = oom_score(s->pid, &score);

	if (!err)
		text_printf(t, "%u\n", score);
	return err;
}

static int show_oom_score_adj(struct text *t, const struct subject *s)
{
	struct view v;
	int err = view_get(s, &v);

	if (err)
		return err;
	text_printf(t, "%d\n", v.oom_score_adj);
	view_put(&v);
	return 0;
}

static int store_oom_score_adj(const struct subject *s, const char *value)
{
	bool minus = *value == '-';
	uint64_t n;

	if (parse_u64(value + minus, NULL, &n) || n > OOM_ADJ_MAX)
		return -EINVAL;
	return oom_set_adj(s->pid, minus ? -(int64_t)n : (int64_t)n);
}

/* ---- tine ---- */

/*
 * What Linux has no line for, `name value` each: the policy of the next fork; pages that are mapped, and that were promised
 * (mm/commit.h); frames that only this process holds, and its share of all, tables included (mm/census.h); its page tables, and those
 * that it has together with others.
 */
static int show_tine(struct text *t, const struct subject *s)
{
	struct memory m;
	struct view v;
	int err = view_get(s, &v);

	if (err)
		return err;
	m = memory_of(v.space);
	text_printf(t, "fork_policy %s\npages_resident %llu\npages_committed %llu\n", policy_names[v.fork_policy],
		    (ull)m.resident, (ull)m.committed);
	text_printf(t, "frames_exclusive %llu\nframes_share %llu\ntables_own %llu\ntables_shared %llu\n",
		    (ull)m.census.exclusive, (ull)m.census.share, (ull)m.census.tables_own,
		    (ull)m.census.tables_shared);
	view_put(&v);
	return 0;
}

/* ---- Links: exe, cwd, root, fd/N ---- */

/* The path that a link of the process leads to, with references. */
typedef int (*link_source)(const struct view *v, const struct subject *s, struct path *ret_path);

static int path_of_exe(const struct view *v, const struct subject *s, struct path *ret_path)
{
	(void)s;
	if (!v->exe)
		return -ENOENT;
	*ret_path = path_get(&v->exe->path);
	return 0;
}

static int path_of_cwd(const struct view *v, const struct subject *s, struct path *ret_path)
{
	(void)s;
	if (!v->fs)
		return -ENOENT;
	*ret_path = path_get(&v->fs->cwd);
	return 0;
}

static int path_of_root(const struct view *v, const struct subject *s, struct path *ret_path)
{
	(void)s;
	if (!v->fs)
		return -ENOENT;
	*ret_path = path_get(&v->fs->root);
	return 0;
}

static int path_of_fd(const struct view *v, const struct subject *s, struct path *ret_path)
{
	struct file *f;

	if (!v->files || files_lookup_any(v->files, s->fd, &f))
		return -ENOENT;
	*ret_path = path_get(&f->path);
	file_put(f);
	return 0;
}

static int link_path(const struct subject *s, link_source source, struct path *ret_path)
{
	struct view v;
	int err = proc_may_inspect(s->pid);

	if (!err)
		err = view_get(s, &v);
	if (err)
		return err;
	err = source(&v, s, ret_path);
	view_put(&v);
	return err;
}

/* The tree may be locked by the walk that reads the link, or not. */
static int link_text(const struct subject *s, link_source source, char *buf, size_t size)
{
	struct path p;
	int len = link_path(s, source, &p);

	if (len)
		return len;
	len = path_describe(&p, buf, size);
	path_put(&p);
	return len;
}

#define LINK(name)                                                                \
	static int follow_##name(const struct subject *s, struct path *ret_path)  \
	{                                                                         \
		return link_path(s, path_of_##name, ret_path);                    \
	}                                                                         \
	static int target_##name(const struct subject *s, char *buf, size_t size) \
	{                                                                         \
		return link_text(s, path_of_##name, buf, size);                   \
	}
LINK(exe)
LINK(cwd)
LINK(root)
LINK(fd)

/* ---- fd/ and task/ ---- */

/* The link's permissions say how the descriptor is open (proc(5)): [writable][readable]. */
#define FD_ENTRY(bits)                                                                         \
	{                                                                                      \
		.name = "", .mode = S_IFLNK | (bits), .target = target_fd, .follow = follow_fd \
	}
static const struct dir_entry fd_entries[2][2] = {{FD_ENTRY(0), FD_ENTRY(0500)}, {FD_ENTRY(0300), FD_ENTRY(0700)}};

static int fd_lookup(const struct subject *s, const char *name, size_t len, const struct dir_entry **ret_entry,
		     struct subject *ret_subject)
{
	int32_t fd = parse_decimal_name(name, len);
	struct view v;
	struct file *f;
	int err = fd < 0 ? -ENOENT : proc_may_inspect(s->pid);

	if (!err)
		err = view_get(s, &v);
	if (err)
		return err;
	err = v.files ? files_lookup_any(v.files, fd, &f) : -EBADF;
	view_put(&v);
	if (err)
		return -ENOENT;
	*ret_entry = &fd_entries[f->writable][f->readable];
	file_put(f);
	*ret_subject = *s;
	ret_subject->fd = fd;
	return 0;
}

static int32_t fd_next(const struct subject *s, int32_t from)
{
	struct view v;
	int32_t fd = -1;

	if (proc_may_inspect(s->pid) || view_get(s, &v))
		return -1;
	if (v.files)
		fd = files_next(v.files, from);
	view_put(&v);
	return fd;
}

static const struct dynamic_dir fd_dir = {fd_lookup, fd_next, S_IFLNK};

static const struct dir_entry task_entry;

static int task_lookup(const struct subject *s, const char *name, size_t len, const struct dir_entry **ret_entry,
		       struct subject *ret_subject)
{
	struct subject task = {s->pid, parse_decimal_name(name, len), -1};
	struct process *p;
	bool found;

	if (task.tid <= 0)
		return -ENOENT;
	spin_lock(&proc_lock);
	p = process_find(s->pid);
	found = p && subject_thread(p, &task);
	spin_unlock(&proc_lock);
	if (!found)
		return -ENOENT;
	*ret_entry = &task_entry;
	*ret_subject = task;
	return 0;
}

static int32_t task_next(const struct subject *s, int32_t from)
{
	struct process *p;
	struct thread *t;
	int32_t best = -1;

	spin_lock(&proc_lock);
	p = process_find(s->pid);
	if (p)
		list_for_each (t, &p->threads, process_node)
			if (t->tid >= from && (best < 0 || t->tid < best))
				best = t->tid;
	spin_unlock(&proc_lock);
	return best;
}

static const struct dynamic_dir task_dir = {task_lookup, task_next, S_IFDIR};

#define COMMON_ENTRIES                                                                                                \
	ENTRY_FILE("stat", show_stat), ENTRY_FILE("status", show_status), ENTRY_FILE("statm", show_statm),            \
	    ENTRY_FILE("comm", show_comm), ENTRY_FILE("cmdline", show_process_cmdline),                               \
	    ENTRY_PRIVATE("environ", show_environ), ENTRY_FILE("maps", show_maps), ENTRY_FILE("mounts", show_mounts), \
	    ENTRY_FILE("mountinfo", show_mountinfo), ENTRY_FILE("limits", show_limits),                               \
	    ENTRY_FILE("cgroup", show_cgroup),                                                                        \
	    {.name = "exe", .mode = S_IFLNK | 0777, .target = target_exe, .follow = follow_exe},                      \
	    {.name = "cwd", .mode = S_IFLNK | 0777, .target = target_cwd, .follow = follow_cwd},                      \
	    {.name = "root", .mode = S_IFLNK | 0777, .target = target_root, .follow = follow_root},                   \
	{                                                                                                             \
		.name = "fd", .mode = S_IFDIR | 0500, .dynamic = &fd_dir                                              \
	}

static const struct dir_entry task_entries[] = {COMMON_ENTRIES, {.name = NULL}};
static const struct dir_entry task_entry = {.name = "", .mode = S_IFDIR | 0555, .children = task_entries};

static const struct dir_entry pid_entries[] = {
    COMMON_ENTRIES,
    {.name = "task", .mode = S_IFDIR | 0555, .dynamic = &task_dir},
    ENTRY_WRITABLE("fork_policy", show_fork_policy, store_fork_policy),
    ENTRY_FILE("oom_score", show_oom_score),
    ENTRY_WRITABLE("oom_score_adj", show_oom_score_adj, store_oom_score_adj),
    ENTRY_FILE("tine", show_tine),
    {.name = NULL},
};
static const struct dir_entry pid_entry = {.name = "", .mode = S_IFDIR | 0555, .children = pid_entries};

/* ---- The processes themselves ---- */

static int pid_lookup(const struct subject *s, const char *name, size_t len, const struct dir_entry **ret_entry,
		      struct subject *ret_subject)
{
	int32_t pid = parse_decimal_name(name, len);
	bool found;

	(void)s;
	if (pid <= 0)
		return -ENOENT;
	spin_lock(&proc_lock);
	found = process_find(pid);
	spin_unlock(&proc_lock);
	if (!found)
		return -ENOENT;
	*ret_entry = &pid_entry;
	*ret_subject = (struct subject){pid, 0, -1};
	return 0;
}

static int32_t pid_next(const struct subject *s, int32_t from)
{
	struct process *p;
	int32_t pid;

	(void)s;
	spin_lock(&proc_lock);
	p = process_next(MAX(from, 1) - 1);
	pid = p ? p->pid : -1;
	spin_unlock(&proc_lock);
	return pid;
}

const struct dynamic_dir proc_pids = {pid_lookup, pid_next, S_IFDIR};
