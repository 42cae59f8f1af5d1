/* proc/signal.c - see proc/signal.h: actions, pending sets, sending. */
/* sigcontext.h comes before the others that declare parts of it. */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "kernel/base/string.h"
#include "mm/heap.h"
#include "proc/process.h"
#include "proc/sched.h"
#include "proc/signal_private.h"

enum default_action { TERMINATE, DUMP, IGNORE, STOP, CONTINUE };

static const uint8_t default_actions[SIGNALS + 1] = {
    [SIGQUIT] = DUMP,    [SIGILL] = DUMP,  [SIGTRAP] = DUMP, [SIGABRT] = DUMP, [SIGBUS] = DUMP,    [SIGFPE] = DUMP,
    [SIGSEGV] = DUMP,    [SIGXCPU] = DUMP, [SIGXFSZ] = DUMP, [SIGSYS] = DUMP,  [SIGCHLD] = IGNORE, [SIGURG] = IGNORE,
    [SIGWINCH] = IGNORE, [SIGSTOP] = STOP, [SIGTSTP] = STOP, [SIGTTIN] = STOP, [SIGTTOU] = STOP,   [SIGCONT] = CONTINUE,
};

#define STOP_SIGNALS    (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
#define DEFAULT_IGNORED (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGCONT))

bool signal_default_stops(int signo) { return default_actions[signo] == STOP; }

bool signal_default_ignores(int signo)
{
	return default_actions[signo] == IGNORE || default_actions[signo] == CONTINUE;
}

static uint64_t ignored_by(const struct signal_actions *a)
{
	uint64_t set = 0;

	for (int n = 1; n <= SIGNALS; n++) {
		uint64_t handler = a->action[n - 1].handler;

		if (handler == (uint64_t)SIG_IGN || (handler == (uint64_t)SIG_DFL && (DEFAULT_IGNORED & SIGNAL_BIT(n))))
			set |= SIGNAL_BIT(n);
	}
	return set;
}

int signals_init(struct signals *s, struct signals *parent)
{
	spin_init(&s->lock, "signal", LOCK_SIGNAL);
	list_init(&s->pending_info);
	s->pending = 0;
	s->queued = 0;
	if (parent) {
		uint64_t flags = spin_lock_irq(&parent->lock);

		s->actions = parent->actions;
		ref_get(&s->actions->ref);
		s->ignored = parent->ignored;
		spin_unlock_irq(&parent->lock, flags);
		return 0;
	}
	s->actions = kzalloc(sizeof(*s->actions));
	if (!s->actions)
		return -ENOMEM;
	ref_init(&s->actions->ref);
	s->ignored = DEFAULT_IGNORED;
	return 0;
}

void signal_flush(struct list *pending_info)
{
	while (!list_empty(pending_info)) {
		struct signal_entry *e = list_first(pending_info, struct signal_entry, node);

		list_remove(&e->node);
		kfree(e);
	}
}

static void actions_put(struct signal_actions *a)
{
	if (ref_put(&a->ref))
		kfree(a);
}

void signals_destroy(struct signals *s)
{
	signal_flush(&s->pending_info);
	actions_put(s->actions);
}

int signals_prepare_exec(struct process *p, struct signal_actions **ret_actions)
{
	struct signal_actions *fresh = kzalloc(sizeof(*fresh));

	if (!fresh)
		return -ENOMEM;
	ref_init(&fresh->ref);
	for (int n = 0; n < SIGNALS; n++)
		if (p->signals.actions->action[n].handler == (uint64_t)SIG_IGN)
			fresh->action[n].handler = (uint64_t)SIG_IGN;
	*ret_actions = fresh;
	return 0;
}

void signals_exec(struct process *p, struct signal_actions *fresh)
{
	struct signal_actions *old = p->signals.actions;
	uint64_t flags = spin_lock_irq(&p->signals.lock);

	p->signals.actions = fresh;
	p->signals.ignored = ignored_by(fresh);
	spin_unlock_irq(&p->signals.lock, flags);
	actions_put(old);
}

/* Removes signals from a set and its list. [s] */
static void discard(struct signals *s, uint64_t *pending, struct list *list, uint64_t set)
{
	struct signal_entry *e, *next;

	*pending &= ~set;
	list_for_each_safe (e, next, list, node)
		if (SIGNAL_BIT(e->info.signo) & set) {
			list_remove(&e->node);
			s->queued--;
			kfree(e);
		}
}

static void discard_everywhere(struct process *p, uint64_t set)
{
	struct thread *t;

	discard(&p->signals, &p->signals.pending, &p->signals.pending_info, set);
	list_for_each (t, &p->threads, process_node)
		discard(&p->signals, &t->pending, &t->pending_info, set);
}

int signal_set_action(struct process *p, int signo, const struct signal_action *new, struct signal_action *ret_old)
{
	struct signals *s = &p->signals;
	struct signal_actions *copy = NULL;
	uint64_t flags;

	if (new &&ref_count(&s->actions->ref) > 1) {
		copy = kmalloc(sizeof(*copy));
		if (!copy)
			return -ENOMEM;
	}
	flags = spin_lock_irq(&s->lock);
	*ret_old = s->actions->action[signo - 1];
	if (copy) {
		struct signal_actions *old = s->actions;

		*copy = *old;
		ref_init(&copy->ref);
		s->actions = copy;
		actions_put(old);
	}
	if (new) {
		s->actions->action[signo - 1] = *new;
		s->ignored = ignored_by(s->actions);
		if (s->ignored & SIGNAL_BIT(signo))
			discard_everywhere(p, SIGNAL_BIT(signo));
	}
	spin_unlock_irq(&s->lock, flags);
	return 0;
}

struct signal_action signal_action_of(struct process *p, int signo) { return p->signals.actions->action[signo - 1]; }

/* RLIMIT_SIGPENDING bounds what one process's queued signals take of the kernel's memory. */
bool signal_queue_full(const struct process *p) { return p->signals.queued >= p->limits[RLIMIT_SIGPENDING].soft; }

/* Adds to a pending set: standard signals once, real-time ones each time. [s] */
static void pend(struct process *p, uint64_t *pending, struct list *list, const struct signal_info *info)
{
	uint64_t bit = SIGNAL_BIT(info->signo);
	struct signal_entry *e;

	if ((*pending & bit) && info->signo < SIGRTMIN)
		return;
	__atomic_or_fetch(pending, bit, __ATOMIC_SEQ_CST); /* before anybody's mask is looked at: signal_recheck() */
	if (this_cpu()->irq_depth) /* the heap is not for interrupt handlers: such signals (timers) carry nothing */
		return;
	if (signal_queue_full(p))
		return;
	e = kmalloc(sizeof(*e));
	if (!e)
		return;
	e->info = *info;
	p->signals.queued++;
	list_append(list, &e->node);
}

static bool wants(const struct thread *t, int signo)
{
	return !(t->blocked & SIGNAL_BIT(signo)) || signo == SIGKILL || signo == SIGSTOP;
}

static void notify(struct thread *t, int signo)
{
	thread_set_flag(t, TFLAG_SIGNAL);
	if (signo == SIGKILL) {
		thread_continue(t);
		if (t->killable)
			thread_wake(t);
	}
	thread_interrupt(t);
}

/* A thread that will take a signal for the process: the leader if it can. [s] */
static void notify_one(struct process *p, int signo)
{
	struct thread *t;

	list_for_each (t, &p->threads, process_node)
		if (wants(t, signo)) {
			notify(t, signo);
			return;
		}
}

/* What sending does besides: SIGCONT undoes stops and starts the process, a stop signal undoes SIGCONT (POSIX 2.4.3). [s] */
static void side_effects(struct process *p, int signo)
{
	struct thread *t;

	if (signo == SIGCONT) {
		discard_everywhere(p, STOP_SIGNALS);
		list_for_each (t, &p->threads, process_node)
			thread_continue(t);
	} else if (SIGNAL_BIT(signo) & STOP_SIGNALS) {
		discard_everywhere(p, SIGNAL_BIT(SIGCONT));
	}
}

/* Ignored signals vanish, unless somebody blocks them: the action may change until then. */
static bool dropped(const struct process *p, uint64_t blocked, int signo)
{
	uint64_t bit = SIGNAL_BIT(signo);

	return (p->signals.ignored & bit) && !(blocked & bit) && signo != SIGKILL && signo != SIGSTOP;
}

static uint64_t blocked_by_all(const struct process *p)
{
	const struct thread *t;
	uint64_t all = ~(uint64_t)0;

	list_for_each (t, &p->threads, process_node)
		all &= t->blocked | t->awaited;
	return all;
}

void signal_send_process(struct process *p, const struct signal_info *info)
{
	uint64_t flags;

	if (!info->signo || p->state == PROCESS_ZOMBIE || (p == init_process && signal_init_immune(p, info)))
		return;
	if (info->signo == SIGCONT)
		process_continued(p);
	flags = spin_lock_irq(&p->signals.lock);
	side_effects(p, info->signo);
	if (!dropped(p, blocked_by_all(p), info->signo)) {
		pend(p, &p->signals.pending, &p->signals.pending_info, info);
		notify_one(p, info->signo);
	}
	spin_unlock_irq(&p->signals.lock, flags);
}

void signal_send_thread(struct thread *t, const struct signal_info *info)
{
	struct process *p = t->process;
	uint64_t flags;

	if (!info->signo || p->state == PROCESS_ZOMBIE || (p == init_process && signal_init_immune(p, info)))
		return;
	if (info->signo == SIGCONT)
		process_continued(p);
	flags = spin_lock_irq(&p->signals.lock);
	side_effects(p, info->signo);
	if (!dropped(p, t->blocked | t->awaited, info->signo)) {
		pend(p, &t->pending, &t->pending_info, info);
		if (wants(t, info->signo))
			notify(t, info->signo);
	}
	spin_unlock_irq(&p->signals.lock, flags);
}

/* pid 1 gets only signals that it has handlers for: a stray kill must not end the system. The kernel's own faults do. */
bool signal_init_immune(const struct process *p, const struct signal_info *info)
{
	uint64_t handler = p->signals.actions->action[info->signo - 1].handler;

	return handler == (uint64_t)SIG_DFL && (info->code <= 0 || info->signo == SIGKILL);
}

void signal_kernel(struct process *p, int signo)
{
	struct signal_info info = {.signo = signo, .code = SI_KERNEL};

	signal_send_process(p, &info);
}

void signal_current(int signo)
{
	struct signal_info info = {.signo = signo, .code = SI_USER, .pid = current_process()->pid};

	signal_send_thread(current(), &info);
}

unsigned signal_group(int32_t pgid, const struct signal_info *info)
{
	unsigned n = 0;

	for (struct process *p = process_next(0); p; p = process_next(p->pid))
		if (p->pgid == pgid) {
			signal_send_process(p, info);
			n++;
		}
	return n;
}

/* A fault's signal that is blocked or ignored cannot wait: the default action it is (Linux: force_sig_fault). */
void trap_signal(int signo, int code, uaddr_t address)
{
	struct signal_info info = {.signo = signo, .code = code, .address = address.v};
	struct thread *t = current();
	struct signal_action old, reset = {0};
	bool ignored = signal_action_of(t->process, signo).handler == (uint64_t)SIG_IGN;

	if ((t->blocked & SIGNAL_BIT(signo)) || ignored) {
		if (signal_set_action(t->process, signo, &reset, &old))
			process_exit((uint32_t)signo);
		t->blocked &= ~SIGNAL_BIT(signo);
	}
	signal_send_thread(t, &info);
}

void signal_recheck(void)
{
	struct thread *t = current();
	struct signals *s = &t->process->signals;
	uint64_t flags;

	/* Who sends a signal adds it first and looks at the mask then: either they see the new mask, or it is seen here. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (likely(!(__atomic_load_n(&t->pending, __ATOMIC_RELAXED) | __atomic_load_n(&s->pending, __ATOMIC_RELAXED)) &&
		   !(t->flags & TFLAG_SIGNAL)))
		return;
	flags = spin_lock_irq(&s->lock);
	if ((t->pending | s->pending) & ~t->blocked)
		thread_set_flag(t, TFLAG_SIGNAL);
	else
		thread_clear_flag(t, TFLAG_SIGNAL);
	spin_unlock_irq(&s->lock, flags);
}

void signal_set_mask(uint64_t mask)
{
	current()->blocked = mask & ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
	signal_recheck();
}

bool signal_is_deaf(int signo)
{
	return (current()->blocked & SIGNAL_BIT(signo)) ||
	       signal_action_of(current_process(), signo).handler == (uint64_t)SIG_IGN;
}

bool signal_fatal_pending(const struct thread *t)
{
	return (t->pending | t->process->signals.pending) & SIGNAL_BIT(SIGKILL);
}

/* Takes the lowest signal of `set` out of one pending set. [s] */
static bool take_from(struct signals *s, uint64_t *pending, struct list *list, uint64_t set,
		      struct signal_info *ret_info)
{
	struct signal_entry *e, *found = NULL;
	bool more = false;
	int signo;

	if (!(*pending & set))
		return false;
	signo = __builtin_ctzll(*pending & set) + 1;
	list_for_each (e, list, node) {
		if (e->info.signo != signo)
			continue;
		more = found != NULL;
		if (more)
			break;
		found = e;
	}
	*ret_info = found ? found->info : (struct signal_info){.signo = signo, .code = SI_USER};
	if (found) {
		list_remove(&found->node);
		s->queued--;
		kfree(found);
	}
	if (!more)
		*pending &= ~SIGNAL_BIT(signo);
	return true;
}

/* Synchronous faults come first, as on Linux, so that their frame is the one nearest to the fault. */
#define SYNCHRONOUS                                                                                                 \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGFPE) | \
	 SIGNAL_BIT(SIGSYS))

bool signal_take(uint64_t set, struct signal_info *ret_info)
{
	struct thread *t = current();
	struct signals *s = &t->process->signals;
	uint64_t flags = spin_lock_irq(&s->lock);
	bool found = take_from(s, &t->pending, &t->pending_info, set & SYNCHRONOUS, ret_info) ||
		     take_from(s, &t->pending, &t->pending_info, set, ret_info) ||
		     take_from(s, &s->pending, &s->pending_info, set, ret_info);

	spin_unlock_irq(&s->lock, flags);
	return found;
}
