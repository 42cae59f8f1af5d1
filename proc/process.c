/* proc/process.c - see proc/process.h: the table of processes, pids, birth. */
#include "proc/process.h"

#include <asm/signal.h>

#include "kernel/base/clock.h"
#include "kernel/base/string.h"
#include "kernel/fs/file.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/space.h"
#include "proc/cred.h"

#define PID_RESERVED 300 /* not given out again after the first round, as Linux does */

struct spinlock proc_lock = SPINLOCK_INIT("proc", LOCK_PROC);
struct process *init_process;

static struct {
	struct process *by_pid[PID_MAX]; /* [p] */
	uint32_t bearers[PID_MAX];       /* [p] processes, groups' and sessions' members that bear the number */
	int32_t last;                    /* [p] */
	uint32_t count;                  /* [p] */
} table;

/* The next free pid in cyclic order: one that just died is not soon mistaken for another. */
static int pid_take(int32_t *ret_pid)
{
	int32_t pid = table.last;

	for (int tries = 0; tries < PID_MAX; tries++) {
		if (++pid >= PID_MAX)
			pid = PID_RESERVED;
		if (!table.bearers[pid]) {
			table.bearers[pid] = 1;
			table.last = pid;
			*ret_pid = pid;
			return 0;
		}
	}
	return -EAGAIN;
}

static void pid_release(int32_t pid)
{
	ASSERT(table.bearers[pid] > 0);
	table.bearers[pid]--;
}

static int pid_alloc(int32_t *ret_pid)
{
	int err;

	spin_lock(&proc_lock);
	err = pid_take(ret_pid);
	spin_unlock(&proc_lock);
	return err;
}

static const struct limit default_limits[RLIM_NLIMITS] = {
    [RLIMIT_CPU] = {RLIM64_INFINITY, RLIM64_INFINITY},
    [RLIMIT_FSIZE] = {RLIM64_INFINITY, RLIM64_INFINITY},
    [RLIMIT_DATA] = {RLIM64_INFINITY, RLIM64_INFINITY},
    [RLIMIT_STACK] = {MIB(8), RLIM64_INFINITY},
    [RLIMIT_CORE] = {0, RLIM64_INFINITY},
    [RLIMIT_RSS] = {RLIM64_INFINITY, RLIM64_INFINITY},
    [RLIMIT_NPROC] = {PID_MAX, PID_MAX},
    [RLIMIT_NOFILE] = {1024, 4096},
    [RLIMIT_MEMLOCK] = {MIB(8), MIB(8)},
    [RLIMIT_AS] = {RLIM64_INFINITY, RLIM64_INFINITY},
    [RLIMIT_LOCKS] = {RLIM64_INFINITY, RLIM64_INFINITY},
    [RLIMIT_SIGPENDING] = {4096, 4096},
    [RLIMIT_MSGQUEUE] = {819200, 819200},
    [RLIMIT_NICE] = {0, 0},
    [RLIMIT_RTPRIO] = {0, 0},
    [RLIMIT_RTTIME] = {RLIM64_INFINITY, RLIM64_INFINITY},
};

#define ALARM_MIN_NS 100000 /* what rings more often would leave no time for anything else */

/* Periods that were missed are skipped: their signals would be one pending signal all the same. */
static void alarm_rings(struct timer *t)
{
	struct process *p = CONTAINER_OF(t, struct process, alarm);
	uint64_t interval = MAX(p->alarm_interval, (uint64_t)ALARM_MIN_NS), now = clock_ns();
	uint64_t next = t->deadline + interval;

	if (next <= now)
		next += ((now - next) / interval + 1) * interval;
	if (p->alarm_interval)
		timer_start(t, next);
	signal_kernel(p, SIGALRM);
}

/* What a child has from its parent; see ABI.md section 10 for what it has not. */
static void inherit(struct process *p, struct process *parent)
{
	memcpy(p->limits, parent ? parent->limits : default_limits, sizeof(p->limits));
	p->fork_policy = parent ? parent->fork_policy : options.fork;
	p->dumpable = parent ? parent->dumpable : true;
	if (!parent)
		return;
	p->personality = parent->personality;
	p->oom_score_adj = parent->oom_score_adj;
	p->oom_score_adj_min = parent->oom_score_adj_min;
	p->exe = parent->exe;
	if (p->exe)
		file_get(p->exe);
}

int process_create(struct process *parent, struct process **ret_process)
{
	struct process *p = kzalloc(sizeof(*p));
	int err = -ENOMEM;

	if (!p)
		return err;
	err = pid_alloc(&p->pid);
	if (err)
		goto free_record;
	err = signals_init(&p->signals, parent ? &parent->signals : NULL);
	if (err)
		goto free_pid;
	inherit(p, parent);
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->all);
	list_init(&p->threads);
	waitq_init(&p->child_wait);
	timer_init(&p->alarm, alarm_rings);
	p->parent = parent;
	p->parent_pid = parent ? parent->pid : 0;
	p->start_ns = clock_ns();
	p->exit_signal = SIGCHLD;
	*ret_process = p;
	return 0;

free_pid:
	spin_lock(&proc_lock);
	pid_release(p->pid);
	spin_unlock(&proc_lock);
free_record:
	kfree(p);
	return err;
}

/* Of a process that was never published, or of a zombie that was taken out of the table (proc_lock not held). */
void process_free(struct process *p)
{
	spin_lock(&proc_lock);
	pid_release(p->pid);
	if (p->state != PROCESS_NEW) {
		pid_release(p->pgid);
		pid_release(p->sid);
		table.by_pid[p->pid] = NULL;
		table.count--;
	}
	spin_unlock(&proc_lock);
	if (p->exe)
		file_put(p->exe);
	if (p->cred)
		cred_put(p->cred);
	signals_destroy(&p->signals);
	kfree(p);
}

void process_publish(struct process *p, struct thread *leader)
{
	struct process *parent = p->parent;

	spin_lock(&proc_lock);
	p->leader = leader;
	p->cred = leader->cred;
	cred_get(p->cred);
	list_append(&p->threads, &leader->process_node);
	p->pgid = parent ? parent->pgid : p->pid;
	p->sid = parent ? parent->sid : p->pid;
	p->tty = parent ? parent->tty : NULL;
	table.bearers[p->pgid]++;
	table.bearers[p->sid]++;
	table.by_pid[p->pid] = p;
	table.count++;
	p->state = PROCESS_ALIVE;
	if (parent)
		list_append(&parent->children, &p->sibling);
	spin_unlock(&proc_lock);
}

struct process *process_find(int32_t pid) { return pid > 0 && pid < PID_MAX ? table.by_pid[pid] : NULL; }

struct process *process_next(int32_t pid)
{
	for (pid = MAX(pid, 0) + 1; pid < PID_MAX; pid++)
		if (table.by_pid[pid])
			return table.by_pid[pid];
	return NULL;
}

uint32_t process_count(void) { return table.count; }

int32_t process_last_pid(void) { return table.last; }

void process_set_group(struct process *p, int32_t pgid, int32_t sid)
{
	table.bearers[pgid]++;
	table.bearers[sid]++;
	pid_release(p->pgid);
	pid_release(p->sid);
	p->pgid = pgid;
	p->sid = sid;
}

struct usage process_usage(const struct process *p)
{
	struct usage u = p->dead_threads;
	const struct thread *t;

	list_for_each (t, &p->threads, process_node) {
		u.user_ns += t->user_ns;
		u.system_ns += t->system_ns;
		u.faults += t->faults_minor;
		u.switches_voluntary += t->switches_voluntary;
		u.switches_forced += t->switches_forced;
		if (t == current()) /* the present stretch is not booked yet */
			u.user_ns += clock_ns() - t->run_start;
		if (t->space)
			u.peak_pages = MAX(u.peak_pages, t->space->peak);
	}
	return u;
}
