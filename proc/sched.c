/* proc/sched.c - see proc/sched.h. */
#include "proc/sched.h"

#include "kernel/base/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/lock.h"
#include "kernel/base/string.h"
#include "mm/counters.h"
#include "mm/heap.h"
#include "mm/kmap.h"
#include "mm/space.h"
#include "mm/user.h"
#include "mm/window.h"
#include "proc/fpu.h"
#include "proc/timer.h"

struct runq {
	struct spinlock lock;
	struct list ready;      /* [r] RUNNABLE threads, next to run first; the running one is not on it */
	uint32_t nready;        /* [r] */
	struct thread *running; /* [r] */
	struct thread idle;     /* [I] runs when nobody else can */
	struct thread *dead;    /* [c] left the CPU for good; freed by its successor */
	uint64_t idle_ns;       /* [r] */
	uint64_t switches;      /* [r] */
};

static struct runq runqs[MAX_CPUS];

void context_switch(uint64_t *save_rsp, uint64_t load_rsp);
void thread_begin(void);

/* What context_switch() pops for a thread that never ran. The trapframe, or nothing, stands above. */
struct first_switch {
	uint64_t r15, r14, r13, r12, rsi, rdi, rbp, rbx;
	uint64_t rip;
};

static struct runq *this_runq(void) { return &runqs[cpu_id()]; }

/*
 * Life of a thread record. Some that ended are kept, with their stack and FPU area, for the next fork; as many from the boot on, so that
 * free memory does not depend on how many threads there once were.
 */
#define SPARE_THREADS 16

static struct {
	struct spinlock lock;
	struct list threads; /* through run_node */
	uint32_t count;
} spare = {.lock = SPINLOCK_INIT("spare threads", LOCK_THREADS), .threads = LIST_INIT(spare.threads)};

static int thread_build(struct thread **ret_thread)
{
	struct thread *t = kmalloc(sizeof(*t));
	int err = -ENOMEM;

	if (!t)
		return err;
	err = kstack_alloc(&t->stack);
	if (err)
		goto free_record;
	err = -ENOMEM;
	t->fpu = fpu_alloc();
	if (!t->fpu)
		goto free_stack;
	*ret_thread = t;
	return 0;

free_stack:
	kstack_free(t->stack);
free_record:
	kfree(t);
	return err;
}

static void thread_destroy(struct thread *t)
{
	fpu_free(t->fpu);
	kstack_free(t->stack);
	kfree(t);
}

static struct thread *spare_take(void)
{
	uint64_t flags = spin_lock_irq(&spare.lock);
	struct thread *t = NULL;

	if (spare.count) {
		t = list_first(&spare.threads, struct thread, run_node);
		list_remove(&t->run_node);
		spare.count--;
	}
	spin_unlock_irq(&spare.lock, flags);
	return t;
}

static bool spare_keep(struct thread *t)
{
	uint64_t flags = spin_lock_irq(&spare.lock);
	bool room = spare.count < SPARE_THREADS;

	if (room) {
		list_push(&spare.threads, &t->run_node);
		spare.count++;
	}
	spin_unlock_irq(&spare.lock, flags);
	return room;
}

int thread_create(struct thread **ret_thread)
{
	struct thread *t = spare_take();
	int err = t ? 0 : thread_build(&t);
	vaddr_t stack;
	void *fpu;

	if (err)
		return err;
	stack = t->stack;
	fpu = t->fpu;
	memset(t, 0, sizeof(*t));
	t->stack = stack;
	t->fpu = fpu;
	t->state = THREAD_NEW;
	list_init(&t->run_node);
	list_init(&t->pending_info);
	list_init(&t->process_node);
	*ret_thread = t;
	return 0;
}

void thread_free(struct thread *t)
{
	ASSERT(t->state == THREAD_NEW || t->state == THREAD_DEAD);
	if (!spare_keep(t))
		thread_destroy(t);
}

/* Too little memory for spares is no reason not to start. */
static void spare_fill(void)
{
	struct thread *t;

	while (spare.count < SPARE_THREADS && !thread_build(&t))
		(void)!spare_keep(t);
}

static void make_ready(struct runq *rq, struct thread *t)
{
	list_append(&rq->ready, &t->run_node);
	rq->nready++;
	if (rq->running == &rq->idle)
		this_cpu()->need_resched = true;
	else if (rq->nready == 1) /* nobody shared the CPU until now: the running thread had no slice */
		timer_set_slice(rq->running->slice_end);
}

static void start(struct thread *t, void (*entry)(void *), void *arg, bool user)
{
	struct first_switch *first = (struct first_switch *)thread_frame(t) - 1;
	struct runq *rq = this_runq();
	uint64_t flags;

	*first = (struct first_switch){
	    .rip = (uint64_t)thread_begin, .rbx = (uint64_t)entry, .r12 = (uint64_t)arg, .r13 = user};
	t->switch_rsp = (uint64_t)first;
	flags = spin_lock_irq(&rq->lock);
	t->state = THREAD_RUNNABLE;
	make_ready(rq, t);
	spin_unlock_irq(&rq->lock, flags);
}

void thread_start_kernel(struct thread *t, void (*entry)(void *), void *arg)
{
	memset(thread_frame(t), 0, sizeof(struct trapframe));
	start(t, entry, arg, false);
}

/* A new user thread's first act, in its own space. A bad pointer is not an error (Linux ignores it too). */
static void begin_user(void *arg)
{
	struct thread *t = arg;

	if (t->set_tid.v)
		(void)!user_put_u32(t->set_tid, (uint32_t)t->tid);
}

void thread_start_user(struct thread *t) { start(t, begin_user, t, true); }

void thread_start_program(struct thread *t, void (*load)(void *), void *arg) { start(t, load, arg, true); }

void thread_save_bases(struct thread *t)
{
	if (cpu_features.fsgsbase)
		__asm__ volatile("rdfsbase %0" : "=r"(t->fs_base));
	else
		t->fs_base = read_msr(MSR_FS_BASE);
	t->gs_base = read_msr(MSR_KERNEL_GS);
}

/* User registers that are not in the trapframe. */
static void save_user(struct thread *t)
{
	if (!t->space)
		return;
	fpu_save(t->fpu);
	thread_save_bases(t);
}

void thread_load_bases(const struct thread *t)
{
	if (cpu_features.fsgsbase)
		__asm__ volatile("wrfsbase %0" : : "r"(t->fs_base));
	else
		write_msr(MSR_FS_BASE, t->fs_base);
	write_msr(MSR_KERNEL_GS, t->gs_base);
}

static void load_user(struct thread *t)
{
	if (!t->space)
		return;
	space_activate(t->space);
	fpu_restore(t->fpu);
	thread_load_bases(t);
}

static void account(struct runq *rq, struct thread *prev, struct thread *next)
{
	uint64_t now = clock_ns();

	if (prev == &rq->idle)
		rq->idle_ns += now - prev->run_start;
	else
		prev->user_ns += now - prev->run_start;
	next->run_start = now;
	next->slice_end = now + SCHED_SLICE;
	timer_set_slice(next != &rq->idle && rq->nready ? next->slice_end : 0);
	rq->switches++;
	COUNT(context_switches);
}

static struct thread *pick(struct runq *rq)
{
	struct thread *t;

	if (list_empty(&rq->ready))
		return &rq->idle;
	t = list_first(&rq->ready, struct thread, run_node);
	list_remove(&t->run_node);
	rq->nready--;
	return t;
}

/* The first thing that a thread does when it comes back (or starts): the switch happened under the lock. */
void sched_switched(void)
{
	struct runq *rq = this_runq();
	struct thread *dead = rq->dead;

	rq->dead = NULL;
	spin_unlock(&rq->lock);
	if (dead)
		thread_free(dead);
}

static void switch_to(struct runq *rq, struct thread *prev, struct thread *next)
{
	struct cpu *cpu = this_cpu();

	account(rq, prev, next);
	if (prev->state == THREAD_DEAD)
		rq->dead = prev;
	else
		save_user(prev);
	load_user(next);
	rq->running = next;
	cpu->current = next;
	cpu->kernel_rsp = next->stack.v + KERNEL_STACK_SIZE;
	context_switch(&prev->switch_rsp, next->switch_rsp);
	sched_switched();
}

void schedule(void)
{
	uint64_t flags = irq_save();
	struct runq *rq = this_runq();
	struct thread *prev = current(), *next;

	lock_assert_none();
	CHECK(window_held() == 0);
	spin_lock(&rq->lock);
	this_cpu()->need_resched = false;
	thread_clear_flag(prev, TFLAG_RESCHED);
	if (prev->state == THREAD_RUNNABLE && prev != &rq->idle) {
		prev->switches_forced++;
		list_append(&rq->ready, &prev->run_node);
		rq->nready++;
	} else {
		prev->switches_voluntary++;
	}
	next = pick(rq);
	if (next == prev)
		spin_unlock(&rq->lock);
	else
		switch_to(rq, prev, next);
	irq_restore(flags);
}

void sched_yield_now(void) { schedule(); }

void sched_point(void)
{
	if (unlikely(this_cpu()->need_resched))
		schedule();
}

static bool wake_if(struct thread *t, bool only_interruptible)
{
	struct runq *rq = this_runq();
	uint64_t flags = spin_lock_irq(&rq->lock);
	bool slept = t->state == THREAD_SLEEPING && (!only_interruptible || t->interruptible);

	if (slept) {
		t->state = THREAD_RUNNABLE;
		if (rq->running != t) /* else it is still on its way to schedule() */
			make_ready(rq, t);
	}
	spin_unlock_irq(&rq->lock, flags);
	return slept;
}

bool thread_wake(struct thread *t) { return wake_if(t, false); }

bool thread_interrupt(struct thread *t) { return wake_if(t, true); }

void thread_stop_here(void) { current()->state = THREAD_STOPPED; }

bool thread_continue(struct thread *t)
{
	struct runq *rq = this_runq();
	uint64_t flags = spin_lock_irq(&rq->lock);
	bool stopped = t->state == THREAD_STOPPED;

	if (stopped) {
		t->state = THREAD_RUNNABLE;
		if (rq->running != t)
			make_ready(rq, t);
	}
	spin_unlock_irq(&rq->lock, flags);
	return stopped;
}

void thread_exit(void)
{
	current()->state = THREAD_DEAD;
	schedule();
	panic("a dead thread was scheduled");
}

/* The end of a slice: the timer interrupt's word. */
void sched_slice_over(void)
{
	struct runq *rq = this_runq();

	if (rq->nready)
		this_cpu()->need_resched = true;
}

void sched_init(void)
{
	struct runq *rq = this_runq();
	struct thread *idle = &rq->idle;

	spin_init(&rq->lock, "runq", LOCK_RUNQ);
	list_init(&rq->ready);
	idle->state = THREAD_RUNNABLE;
	idle->run_start = clock_ns();
	strlcpy(idle->name, "idle", sizeof(idle->name));
	list_init(&idle->run_node);
	list_init(&idle->pending_info);
	rq->running = idle;
	this_cpu()->current = idle;
	spare_fill();
}

void sched_idle(void)
{
	for (;;) {
		irq_disable();
		if (this_cpu()->need_resched || this_runq()->nready)
			schedule();
		else
			__asm__ volatile("sti; hlt"
					 :
					 :
					 : "memory"); /* STI takes effect after HLT: no wake-up is lost */
	}
}

uint32_t sched_runnable(void)
{
	struct runq *rq = this_runq();

	return rq->nready + (rq->running != &rq->idle);
}

uint64_t sched_context_switches(void) { return this_runq()->switches; }

uint64_t sched_idle_ns(void) { return this_runq()->idle_ns; }
