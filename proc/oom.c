/* proc/oom.c - see proc/oom.h. */
#include "proc/oom.h"

#include <asm/signal.h>

#include "kernel/base/clock.h"
#include "kernel/base/print.h"
#include "mm/census.h"
#include "mm/commit.h"
#include "mm/counters.h"
#include "mm/user.h"
#include "proc/cred.h"
#include "proc/signal_private.h"

#define VICTIM_PATIENCE (5 * NSEC_PER_SEC)
#define LOOK_AGAIN      (NSEC_PER_SEC / 10) /* memory also comes back by munmap and the like, which wake nobody */
#define NOBODY_PAUSE    NSEC_PER_SEC
#define NOBODY_ROUNDS   10
#define TRIES           3  /* of a system call, before somebody is killed for it whatever the number of free frames */
#define TRIES_MAX       20 /* then it fails */

typedef unsigned long long ull;

static struct {
	struct waitq waiters;
	uint64_t said; /* [p] when the log last had that nobody is left; 0: never */
} oom = {.waiters = WAITQ_INIT(oom.waiters)};

void oom_space_released(void) { waitq_wake_all(&oom.waiters); }

/* ---- Choosing. proc_lock held. ---- */

static struct thread *thread_with_space(const struct process *p)
{
	struct thread *t;

	if (p->state == PROCESS_ALIVE)
		list_for_each (t, &p->threads, process_node)
			if (t->space)
				return t;
	return NULL;
}

static struct space *space_of(const struct process *p)
{
	const struct thread *t = thread_with_space(p);

	return t ? t->space : NULL;
}

/* Linux's oom_badness(), but for counting what is the process's own instead of what is mapped. */
static int64_t badness(const struct process *p, struct space *s)
{
	struct census c;

	space_census(s, CENSUS_SHARE, &c);
	return (int64_t)c.share + p->oom_score_adj * (int64_t)frame_total() / 1000;
}

/* Is p on its way out, and is there still hope that it gets there? */
static bool is_dying(struct process *p, const struct thread *t, uint64_t now)
{
	if (!p->oom_until && !p->exiting && !signal_fatal_pending(t))
		return false;
	if (!p->oom_until)
		p->oom_until = now + VICTIM_PATIENCE;
	if (now >= p->oom_until && !p->oom_given_up) {
		p->oom_given_up = true;
		pr_warn("Out of memory: process %d (%s) was killed and does not go", p->pid, t->name);
	}
	return now < p->oom_until;
}

struct choice {
	struct process *victim; /* NULL: nobody */
	bool wait;              /* somebody is dying: memory is on its way */
	int64_t points;
	uint64_t resident;
};

static void consider(struct choice *c, struct process *p, uint64_t now)
{
	struct thread *t = thread_with_space(p);
	int64_t points;

	if (!t || p == init_process || t->space == space_of(init_process))
		return;
	if (is_dying(p, t, now))
		c->wait = true;
	if (c->wait || p->oom_until || p->oom_score_adj == OOM_ADJ_MIN)
		return;
	points = badness(p, t->space);
	if (c->victim && (points < c->points || (points == c->points && t->space->resident <= c->resident)))
		return;
	c->victim = p;
	c->points = points;
	c->resident = t->space->resident;
}

static struct choice choose(void)
{
	struct choice c = {0};
	uint64_t now = clock_ns();

	for (struct process *p = process_next(0); p; p = process_next(p->pid))
		consider(&c, p, now);
	return c;
}

/* ---- Killing. proc_lock held. ---- */

static ull kib(uint64_t pages) { return pages * (PAGE_SIZE / 1024); }

static void say_killed(const struct process *victim, struct space *s)
{
	struct census c;

	space_census(s, CENSUS_ALL, &c);
	pr_err(
	    "Out of memory: Killed process %d (%s) total-vm:%llukB, anon-rss:%llukB, file-rss:%llukB, shmem-rss:%llukB, "
	    "exclusive:%llukB, share:%llukB, pgtables:%llukB, oom_score_adj:%d; %d (%s) asked for memory",
	    victim->pid, victim->leader ? victim->leader->name : victim->name, kib(s->commit.mapped), kib(c.anon),
	    kib(c.file), kib(c.anon_shared), kib(c.exclusive), kib(c.share), kib(c.tables_own + c.tables_shared),
	    victim->oom_score_adj, current_process()->pid, current()->name);
}

static void kill_all_of(struct process *victim)
{
	struct space *s = space_of(victim);
	uint64_t until = clock_ns() + VICTIM_PATIENCE;

	say_killed(victim, s);
	COUNT(oom_kills);
	for (struct process *p = process_next(0); p; p = process_next(p->pid))
		if (space_of(p) == s) {
			p->oom_until = until;
			signal_kernel(p, SIGKILL);
		}
}

/* Nobody may be killed, in the `round`th look: a line now and then; at last the asker goes, if it is not init. */
static void nobody_left(unsigned round)
{
	struct process *p = current_process();
	uint64_t now = clock_ns();

	if (!oom.said || now - oom.said >= NOBODY_ROUNDS * NOBODY_PAUSE) {
		oom.said = now;
		pr_err("Out of memory: process %d (%s) needs a frame, and nobody is left who may be killed", p->pid,
		       current()->name);
	}
	if (p != init_process && round >= NOBODY_ROUNDS)
		kill_all_of(p);
}

/* ---- Waiting ---- */

/* Makes sure that somebody is dying, or that there is nobody: how long to wait then. */
static uint64_t make_room(unsigned round)
{
	struct choice c;

	spin_lock(&proc_lock);
	c = choose();
	if (!c.wait && c.victim)
		kill_all_of(c.victim);
	else if (!c.wait)
		nobody_left(round);
	spin_unlock(&proc_lock);
	return c.wait || c.victim ? LOOK_AGAIN : NOBODY_PAUSE;
}

static void sleep_killable(uint64_t ns)
{
	struct thread *t = current();
	struct waiter w;

	t->killable = true;
	waitq_enter(&oom.waiters, &w);
	wait_prepare(false);
	if (signal_fatal_pending(t))
		wait_cancel();
	else
		(void)!wait_sleep(clock_ns() + ns);
	waitq_leave(&w);
	t->killable = false;
}

/* `once`: somebody has to go even if there are frames again. */
static void wait_for_memory(bool once)
{
	for (unsigned round = 0; (once || commit_low()) && !signal_fatal_pending(current()); round++) {
		sleep_killable(make_room(round));
		once = false;
	}
}

void oom_wait(void) { wait_for_memory(false); }

void oom_note(int err)
{
	struct thread *t = current();

	if (likely(err != -ENOMEM && !commit_low()))
		return;
	if (!t->process)
		return;
	t->oom_refused |= err == -ENOMEM;
	t->oom_short |= err == -ENOMEM && commit_low();
	thread_set_flag(t, TFLAG_OOM);
}

/* What is tried again and again, with memory short each time, needs more than is kept back: somebody goes for it. */
static void wait_to_try_again(struct thread *t)
{
	bool more = t->oom_short && t->oom_tries > TRIES;

	t->oom_refused = t->oom_short = false;
	wait_for_memory(more);
}

bool oom_settle(struct trapframe *tf)
{
	struct thread *t = current();
	bool restart = t->oom_refused && tf->vector == VECTOR_SYSCALL && (int64_t)tf->rax == -EFAULT;

	thread_clear_flag(t, TFLAG_OOM);
	t->oom_tries = restart && t->oom_short ? MIN(t->oom_tries + 1, TRIES_MAX) : 0;
	if (restart || frame_available() < commit_kept_back() / 2)
		wait_to_try_again(t);
	t->oom_refused = t->oom_short = false;
	if (restart)
		tf->rax = (uint64_t)-ERESTARTNOINTR;
	return restart;
}

bool oom_retry(int err)
{
	struct thread *t = current();

	if ((err != -ENOMEM && !t->oom_refused) || t->oom_tries >= TRIES_MAX)
		return false;
	oom_note(-ENOMEM);
	t->oom_tries++;
	wait_to_try_again(t);
	return !signal_fatal_pending(t);
}

int oom_copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	int err;

	do
		err = copy_to_user(dst, src, n);
	while (err && oom_retry(err));
	return err;
}

/* ---- /proc/PID/oom_score and oom_score_adj ---- */

int oom_score(int32_t pid, uint32_t *ret_score)
{
	struct process *p;
	struct space *s;
	int64_t score = 0;

	spin_lock(&proc_lock);
	p = process_find(pid);
	s = p ? space_of(p) : NULL;
	if (s && p->oom_score_adj != OOM_ADJ_MIN)
		score = (1000 + badness(p, s) * 1000 / (int64_t)frame_total()) * 2 / 3;
	spin_unlock(&proc_lock);
	*ret_score = (uint32_t)MAX(score, (int64_t)0);
	return p ? 0 : -ESRCH;
}

int oom_set_adj(int32_t pid, int64_t adj)
{
	bool root = current()->cred->euid == 0;
	struct process *p;
	int err = 0;

	if (adj < OOM_ADJ_MIN || adj > OOM_ADJ_MAX)
		return -EINVAL;
	spin_lock(&proc_lock);
	p = process_find(pid);
	if (!p)
		err = -ESRCH;
	else if (adj < p->oom_score_adj_min && !root)
		err = -EACCES;
	if (!err) {
		p->oom_score_adj = (int16_t)adj;
		if (root)
			p->oom_score_adj_min = (int16_t)adj;
	}
	spin_unlock(&proc_lock);
	return err;
}
