/* tests/host/model/op.c - see op.h: each operation beside what had to come of it. */
#include "tests/host/model/op.h"

#include <asm/mman.h>
#include <linux/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/clone.h"
#include "mm/inject.h"
#include "mm/uio.h"
#include "tests/host/machine/machine.h"
#include "tests/host/model/world.h"

#define GUARD_GAP MIB(1) /* kept free below a stack that grows */
/* Free frames: with less a failure is no surprise, be it for the tables of the call or for what the kernel keeps for itself. */
#define SHORT_OF (64 + MACHINE_FRAMES / 128)

struct op_counts op_counts;

/* How the call that runs now went. */
static struct {
	const struct op *op;
	bool armed;   /* one will fail */
	bool fired;   /* one has failed */
	bool refused; /* -ENOMEM, with good reason */
	unsigned nth;
} now;

static struct process *current_process(void) { return &world.process[world.current]; }

static void arm(void)
{
	now.fired = false;
	now.armed = now.nth != 0;
	(void)inject_arm(now.nth);
}

static bool has_fired(void)
{
	now.fired |= now.armed && !inject_countdown;
	return now.fired;
}

static void disarm(void)
{
	op_counts.failed_allocations += has_fired() && now.armed;
	now.armed = false;
	(void)inject_arm(0);
}

/* Was there reason for -ENOMEM? A fork may need as much again as the process has; more than all of RAM may be refused to anybody. */
static bool memory_short(void)
{
	const struct space *s = current_process()->space;
	uint64_t need = SHORT_OF + machine_tables(s);

	if ((now.op->kind == OP_remap || now.op->kind == OP_protect) && now.op->len >> PAGE_SHIFT > MACHINE_FRAMES / 2)
		return true;
	return machine_free_frames() < (now.op->kind == OP_fork ? need + s->resident : need);
}

/* True if `got` is what had to come; false if the call was refused, and so has changed nothing. */
static bool judge(const char *what, int64_t want, int64_t got)
{
	if (got == want)
		return true;
	if (got == -ENOMEM && (has_fired() || memory_short())) {
		now.refused = true;
		return false;
	}
	machine_fail("%s: expected %ld, got %ld (%lu frames free, %s)", what, want, got, machine_free_frames(),
		     now.fired ? "an allocation failed" : "no allocation failed");
}

/* Accesses. */

/* Would the stack grow down to va? */
static bool stack_grows(struct process *p, uint64_t va)
{
	struct area *a = area_after(p, va);
	uint64_t bottom = ALIGN_DOWN(va, PAGE_SIZE);

	if (!a || a->start <= va || !(a->flags & REGION_STACK) || a->end - bottom > p->space->stack_limit ||
	    bottom < GUARD_GAP)
		return false;
	return a == p->areas || a[-1].end <= bottom - GUARD_GAP;
}

static bool allowed(const struct area *a, enum access access)
{
	if (access == ACCESS_READ)
		return a->prot != 0;
	return a->prot & (access == ACCESS_WRITE ? PROT_WRITE : PROT_EXEC);
}

static int access_wanted(struct process *p, uint64_t va, enum access access)
{
	struct area *a = area_find(p, va);

	if (!a && !stack_grows(p, va))
		return -EFAULT;
	if (!a)
		a = area_after(p, va);
	if (!allowed(a, access))
		return -EACCES;
	if (a->file && (a->offset + (va - a->start)) >> PAGE_SHIFT >= a->file->pages)
		return -ENXIO;
	return 0;
}

/* A stack that has grown stays so, even where the access failed in the end. */
static void note_growth(struct process *p, uint64_t va)
{
	if (!area_find(p, va) && stack_grows(p, va) && region_find(p->space->regions, UADDR(va)))
		area_after(p, va)->start = ALIGN_DOWN(va, PAGE_SIZE);
}

/* One access of the current process: NULL where it failed, as it had to or for want of memory. */
static struct area *access_one(struct process *p, uint64_t va, enum access access, void **ret_byte)
{
	int want = access_wanted(p, va, access), err = machine_access(UADDR(va), access, ret_byte);
	bool grew = !area_find(p, va);

	note_growth(p, va);
	if (grew && has_fired() && err == -EFAULT) { /* the region set could not be copied: the stack did not grow */
		now.refused = true;
		return NULL;
	}
	return judge("access", want, err) && !err ? area_find(p, va) : NULL;
}

/* The other words of a page that gets its first write become the process's own. */
static uint64_t *words_for_write(struct process *p, const struct area *a, uint64_t va, const uint8_t *bytes, unsigned w)
{
	struct page *page;

	if (a->flags & REGION_SHARED)
		return word_of(p, a, va, w);
	page = page_find(p, va);
	if (!page) {
		check_words(p, a, va, bytes);
		page = page_make(p, va);
		for (unsigned i = 0; i < WORDS; i++)
			page->word[i] = *(const uint64_t *)(bytes + word_offset(i));
	}
	return &page->word[w];
}

static bool write_one(struct process *p, uint64_t va)
{
	unsigned w = (unsigned)(world.stamps % WORDS);
	const struct area *a;
	uint64_t *word, value;
	const struct file *f;
	void *at;

	va = ALIGN_DOWN(va, PAGE_SIZE);
	a = access_one(p, va + word_offset(w), ACCESS_WRITE, &at);
	if (!a)
		return false;
	word = words_for_write(p, a, va, (const uint8_t *)at - word_offset(w), w);
	f = a->flags & REGION_SHARED ? a->file : NULL;
	value = stamp(f, f ? (a->offset + (va - a->start)) >> PAGE_SHIFT : 0, w);
	*(uint64_t *)at = *word = value;
	p->last = va;
	return true;
}

static bool read_one(struct process *p, uint64_t va, enum access access)
{
	const struct area *a;
	void *at;

	va = ALIGN_DOWN(va, PAGE_SIZE);
	a = access_one(p, va, access, &at);
	if (!a)
		return false;
	check_words(p, a, va, at);
	return true;
}

static void run_accesses(const struct op *op, uint64_t va, enum access access)
{
	struct process *p = current_process();

	for (uint32_t i = 0; i < op->count && va < USER_END; i++, va += op->stride) {
		bool ok = access == ACCESS_WRITE ? write_one(p, va) : read_one(p, va, access);

		if (now.refused || (!ok && i > 1))
			return;
	}
}

static void run_write(const struct op *op) { run_accesses(op, op->addr, ACCESS_WRITE); }

static void run_read(const struct op *op) { run_accesses(op, op->addr, ACCESS_READ); }

static void run_fetch(const struct op *op) { run_accesses(op, op->addr, ACCESS_FETCH); }

static void run_speculate(const struct op *op)
{
	for (uint32_t i = 0; i < op->count && op->addr + i * op->stride < USER_END; i++)
		machine_speculate(UADDR(op->addr + i * op->stride));
}

/* Another process's memory, as /proc reads it. */
static void run_peek(const struct op *op)
{
	struct process *p = &world.process[op->target];
	unsigned w = op->target % WORDS;
	uint64_t va = ALIGN_DOWN(op->addr, PAGE_SIZE), got;
	const struct area *a;

	if (!p->space)
		return;
	if (space_peek(p->space, UADDR(va + word_offset(w)), &got, sizeof(got)) != sizeof(got))
		return;
	a = area_find(p, va);
	if (!a || !word_right(p, a, va, w, got))
		machine_fail("peek of process %u at %#lx got %#lx, expected something else", op->target, va, got);
}

/* Processes. */
static struct process *free_slot(void)
{
	for (unsigned i = 0; i < PROCESSES; i++)
		if (!world.process[i].space)
			return &world.process[i];
	return NULL;
}

static void switch_to(struct process *p)
{
	world.current = (unsigned)(p - world.process);
	space_activate(p->space);
}

static void run_switch(const struct op *op)
{
	for (unsigned i = 0; i < PROCESSES; i++) {
		struct process *p = &world.process[(op->target + i) % PROCESSES];

		if (p->space) {
			switch_to(p);
			return;
		}
	}
}

static void run_fork(const struct op *op)
{
	struct process *p = current_process(), *child = free_slot();
	uint64_t frames = machine_free_frames();
	long blocks = machine_heap_blocks();
	struct space *space;
	int err;

	if (!child || world.living >= rules.processes)
		return;
	err = space_clone(p->space, op->policy, UADDR(op->addr), &space);
	disarm();
	if (!judge("fork", 0, err)) {
		if (machine_free_frames() != frames || machine_heap_blocks() != blocks)
			machine_fail("a failed fork leaves %lu frames and %ld blocks, expected %lu and %ld",
				     machine_free_frames(), machine_heap_blocks(), frames, blocks);
		return;
	}
	child->space = space;
	world.living++;
	process_copy(p, child);
	machine_check_idle(); /* the parent's translations, before a switch forgets them */
	if (!op->stay)
		switch_to(child);
}

static void run_exit(const struct op *op)
{
	struct process *p = current_process();

	if (world.living == 1)
		return;
	if (op->stay) {
		space_leave(p->space);
		p->space = NULL;
	} else {
		space_activate(NULL);
	}
	process_drop(p);
	world.living--;
	run_switch(op);
}

/* Maps into the current space, whose account is p. */
static int exec_map(struct process *p, struct area a)
{
	struct map_request req = {.addr = UADDR(a.start),
				  .len = a.end - a.start,
				  .prot = a.prot,
				  .flags = a.flags,
				  .fixed = true,
				  .object = a.file ? a.file->object : NULL,
				  .offset = a.offset};
	uaddr_t at;
	int err = space_map(p->space, &req, &at);

	if (!err)
		area_insert(p, &a);
	return err;
}

/* A program as exec lays it out: text, data, heap and stack, at places that meet in one table, or do not. */
static int exec_fill(struct process *p, uint64_t base)
{
	struct file *f = world.open[0];
	uint64_t data = base + 3 * PAGE_SIZE, top = MIN(base + GIB(1), USER_END);
	int err = 0;

	if (f) {
		err = exec_map(p, (struct area){base, data, PROT_READ | PROT_EXEC, 0, f, 0});
		if (!err)
			err = exec_map(
			    p, (struct area){data, data + 3 * PAGE_SIZE, PROT_READ | PROT_WRITE, 0, f, PAGE_SIZE});
	}
	if (!err)
		err =
		    exec_map(p, (struct area){top - 4 * PAGE_SIZE, top, PROT_READ | PROT_WRITE, REGION_STACK, NULL, 0});
	p->stack = p->last = top - PAGE_SIZE;
	p->brk = p->brk_start = data + 3 * PAGE_SIZE + 100;
	p->space->brk = p->space->brk_start = UADDR(p->brk);
	return err;
}

static void run_exec(const struct op *op)
{
	struct process *p = current_process(), fresh = {0}, old = *p;
	uint64_t frames = machine_free_frames(), base = MIN(ALIGN_DOWN(op->addr, PAGE_SIZE), USER_END - MIB(16));
	int err = space_create(&fresh.space);

	if (!err) {
		space_activate(fresh.space);
		err = exec_fill(&fresh, base);
	}
	disarm();
	if (err && fresh.space) {
		space_activate(old.space);
		process_drop(&fresh);
	}
	if (!judge("exec", 0, err)) {
		if (machine_free_frames() != frames)
			machine_fail("a failed exec leaves %lu frames, expected %lu", machine_free_frames(), frames);
		return;
	}
	*p = fresh;
	process_drop(&old);
}

/* Mapping. */
static struct file *file_for(const struct op *op)
{
	struct file *f;

	if (op->target < OPEN_FILES) {
		f = world.open[op->target];
		if (f)
			f->refs++;
		return f;
	}
	return op->shared ? file_create(MAX(MIN(op->len >> PAGE_SHIFT, 700ul), 1ul)) : NULL;
}

static void check_place(struct process *p, const struct op *op, uint64_t at)
{
	if (op->fixed && at != op->addr)
		machine_fail("map: expected %#lx, got %#lx", op->addr, at);
	if (op->fixed)
		return;
	if (page_offset(at) || at < PAGE_SIZE || at >= USER_END || op->len > USER_END - at ||
	    !area_free(p, at, at + op->len))
		machine_fail("map: got %#lx, expected a free place", at);
	if (area_free(p, op->addr, op->addr + op->len) && at != op->addr)
		machine_fail("map: got %#lx, expected the free place that was asked for, %#lx", at, op->addr);
}

static void run_map(const struct op *op)
{
	struct process *p = current_process();
	struct file *f = file_for(op);
	struct area a = {
	    .prot = op->prot, .flags = op->shared && f ? REGION_SHARED : 0, .file = f, .offset = op->offset};
	struct map_request req = {.addr = UADDR(op->addr),
				  .len = op->len,
				  .prot = a.prot,
				  .fixed = op->fixed,
				  .object = f ? f->object : NULL,
				  .offset = a.offset};
	uaddr_t at;
	int err = 0;

	if (!f && (op->shared || op->target < OPEN_FILES)) /* no file there, or not enough memory for one */
		goto out;
	if ((a.flags & REGION_SHARED) && !(a.prot & PROT_WRITE))
		a.flags |= (uint8_t)op->flags;
	req.flags = a.flags | REGION_NORESERVE;
	err = space_map(p->space, &req, &at);
	disarm();
	if (!judge("map", 0, err))
		goto out;
	check_place(p, op, at.v);
	a.start = at.v;
	a.end = at.v + op->len;
	area_cut(p, a.start, a.end);
	area_insert(p, &a);
	run_accesses(op, a.start, ACCESS_WRITE);
out:
	file_put(f);
}

static void run_unmap(const struct op *op)
{
	struct process *p = current_process();
	int err = space_unmap(p->space, UADDR(op->addr), op->len);

	disarm();
	if (judge("unmap", page_offset(op->addr) ? -EINVAL : 0, err) && !err)
		area_cut(p, op->addr, op->addr + op->len);
}

static void set_prot(struct area *a, unsigned prot) { a->prot = (uint8_t)prot; }

static void set_flags(struct area *a, unsigned flags) { a->flags |= (uint8_t)flags; }

static void clear_flags(struct area *a, unsigned flags) { a->flags &= (uint8_t)~flags; }

static bool any_area(struct process *p, uint64_t start, uint64_t end, bool (*question)(const struct area *))
{
	for (const struct area *a = area_after(p, start); a && a < p->areas + p->narea && a->start < end; a++)
		if (question(a))
			return true;
	return false;
}

static bool not_for_writing(const struct area *a) { return a->flags & REGION_NO_WRITE; }

static bool has_file(const struct area *a) { return a->file != NULL; }

/* mprotect changes what precedes a hole and says -ENOMEM all the same; where an allocation failed it says so too, and changes nothing. */
static bool protect_done(struct process *p, const struct op *op, uint64_t hole)
{
	const struct regions *set = p->space->regions;
	const struct region *r = region_after(set, UADDR(op->addr));

	for (; r && r < set->r + set->count && r->start.v < hole; r++)
		if (r->prot != op->prot)
			return false;
	return true;
}

static void run_protect(const struct op *op)
{
	struct process *p = current_process();
	uint64_t end = op->addr + op->len, hole = end;
	int want = area_cover(p, op->addr, end, &hole) ? 0 : -ENOMEM, err;

	hole = want ? hole : end;
	if (page_offset(op->addr))
		want = -EINVAL;
	else if (hole > op->addr && (op->prot & PROT_WRITE) && any_area(p, op->addr, hole, not_for_writing))
		want = -EACCES;
	err = space_protect(p->space, UADDR(op->addr), op->len, op->prot);
	disarm();
	if (!judge("protect", want, err) || err == -EINVAL || err == -EACCES || hole == op->addr)
		return;
	if (err == -ENOMEM && (has_fired() || memory_short()) && !protect_done(p, op, hole)) {
		now.refused = true;
		return;
	}
	area_edit(p, op->addr, hole, set_prot, op->prot);
}

static int advise_wanted(struct process *p, const struct op *op)
{
	uint64_t end = op->addr + op->len, hole;

	if (page_offset(op->addr))
		return -EINVAL;
	if (!area_cover(p, op->addr, end, &hole))
		return -ENOMEM;
	return (op->flags == MADV_FREE || op->flags == MADV_WIPEONFORK) && any_area(p, op->addr, end, has_file)
		   ? -EINVAL
		   : 0;
}

static void run_advise(const struct op *op)
{
	struct process *p = current_process();
	uint64_t end = op->addr + op->len;
	int want = advise_wanted(p, op), err = space_advise(p->space, UADDR(op->addr), op->len, (int)op->flags);

	disarm();
	if (!judge("advise", want, err) || err)
		return;
	switch (op->flags) {
	case MADV_DONTNEED:
	case MADV_FREE: /* at once, here */
		page_drop(p, op->addr, end);
		break;
	case MADV_DONTFORK:
		area_edit(p, op->addr, end, set_flags, REGION_DONTFORK);
		break;
	case MADV_DOFORK:
		area_edit(p, op->addr, end, clear_flags, REGION_DONTFORK);
		break;
	case MADV_WIPEONFORK:
		area_edit(p, op->addr, end, set_flags, REGION_WIPEONFORK);
		break;
	case MADV_KEEPONFORK:
		area_edit(p, op->addr, end, clear_flags, REGION_WIPEONFORK);
		break;
	default:
		break;
	}
}

/* remap. */
static int remap_wanted(struct process *p, const struct op *op)
{
	uint64_t old_end = op->addr + op->old_len, new_end = op->addr + op->len;

	if (op->flags & MREMAP_FIXED)
		return op->to > USER_END - MIN(op->len, USER_END) || (op->to < old_end && op->addr < op->to + op->len)
			   ? -EINVAL
			   : 0;
	if (op->len <= op->old_len || (op->flags & MREMAP_MAYMOVE))
		return 0;
	return new_end <= USER_END && area_find(p, op->addr)->end == old_end && area_free(p, old_end, new_end)
		   ? 0
		   : -ENOMEM;
}

/* The account of a move: what was mapped at the new place goes, the pages that fit come along. */
static void move_area(struct process *p, const struct op *op, uint64_t to)
{
	struct area a = *area_find(p, op->addr);
	uint64_t keep = MIN(op->old_len, op->len), va = op->addr;

	a.offset += op->addr - a.start;
	a.start = to;
	a.end = to + op->len;
	a.flags &= (uint8_t)~REGION_STACK;
	if (a.file)
		a.file->refs++; /* while the areas that hold it come and go */
	area_cut(p, a.start, a.end);
	area_insert(p, &a);
	for (struct page *page; (page = page_from(p, va)) && page->va < op->addr + keep;) {
		struct page copy = *page;

		va = copy.va + PAGE_SIZE;
		copy.va += to - op->addr;
		*page_make(p, copy.va) = copy;
	}
	area_cut(p, op->addr, op->addr + op->old_len);
	file_put(a.file);
}

static void run_remap(const struct op *op)
{
	struct process *p = current_process();
	uint64_t old_end = op->addr + op->old_len, new_end = op->addr + op->len;
	struct area *a = area_find(p, op->addr), more;
	int want, err;
	uaddr_t at;

	if (!a || a->end < old_end || !op->old_len) /* nothing there, or not any more, in a sweep */
		return;
	want = remap_wanted(p, op);
	err = space_remap(p->space, UADDR(op->addr), op->old_len, op->len, op->flags, UADDR(op->to), &at);
	disarm();
	if (!judge("remap", want, err) || err)
		return;
	if ((op->flags & MREMAP_FIXED) && at.v != op->to)
		machine_fail("remap: expected %#lx, got %#lx", op->to, at.v);
	if (at.v != op->addr) {
		if (!(op->flags & MREMAP_FIXED) && !area_free(p, at.v, at.v + op->len))
			machine_fail("remap: got %#lx, expected a free place", at.v);
		move_area(p, op, at.v);
	} else if (new_end < old_end) {
		area_cut(p, new_end, old_end);
	} else if (new_end > old_end) {
		more = *area_find(p, op->addr);
		more.offset += old_end - more.start;
		more.start = old_end;
		more.end = new_end;
		area_insert(p, &more);
	}
}

static void run_brk(const struct op *op)
{
	struct process *p = current_process();
	uint64_t want = p->brk_start + op->len, old_end = ALIGN_UP(p->brk, PAGE_SIZE),
		 new_end = ALIGN_UP(want, PAGE_SIZE), got;
	struct area heap = {old_end, new_end, PROT_READ | PROT_WRITE, REGION_HEAP, NULL, 0};

	if (want >= USER_END - PAGE_SIZE || (new_end > old_end && !area_free(p, old_end, new_end + PAGE_SIZE)))
		want = p->brk;
	got = space_brk(p->space, UADDR(p->brk_start + op->len)).v;
	disarm();
	if (!judge("brk", 0, got == want ? 0 : got == p->brk ? -ENOMEM : -EIO) || got == p->brk)
		return;
	if (new_end > old_end)
		area_insert(p, &heap);
	else if (new_end < old_end)
		area_cut(p, new_end, old_end);
	p->brk = got;
}

/* Files. */
static void run_file_write(const struct op *op)
{
	struct file *f = world.open[op->target];
	uint64_t page, value;
	unsigned w = (unsigned)(world.stamps % WORDS);
	struct uio uio;
	int64_t done;

	if (!f) {
		world.open[op->target] = file_create(op->offset % 8 ? 1 + op->offset % 12 : 600);
		disarm();
		return;
	}
	page = op->offset % f->pages;
	value = stamp(f, page, w);
	uio = uio_from_kernel(&value, sizeof(value));
	done = object_write(f->object, page * PAGE_SIZE + word_offset(w), &uio);
	disarm();
	if (judge("write to a file", sizeof(value), done))
		f->word[page][w] = value;
}

/* read() of a page of a file into private memory: the kernel's copy faults as the program would. */
static void run_file_read(const struct op *op)
{
	struct process *p = current_process();
	struct file *f = world.open[op->target];
	uint64_t va = ALIGN_DOWN(op->addr, PAGE_SIZE), page;
	struct area *a = area_find(p, va);
	struct uio_segment segment = {UADDR(va), PAGE_SIZE};
	struct uio uio = uio_from_segments(&segment, 1);
	int64_t done;

	if (!f || !a || a->file)
		return;
	page = op->offset % f->pages;
	done = object_read(f->object, page * PAGE_SIZE, &uio);
	disarm();
	if (done == -EFAULT && (now.fired || memory_short())) {
		now.refused = true;
		return;
	}
	if (judge("read of a file", allowed(a, ACCESS_WRITE) ? (int64_t)PAGE_SIZE : -EFAULT, done) && done > 0) {
		struct page *mine = page_find(p, va);

		memcpy((mine ? mine : page_make(p, va))->word, f->word[page], sizeof(mine->word));
	}
}

static void (*const run[OP_KINDS])(const struct op *op) = {
#define OP_RUN(name) [OP_##name] = run_##name,
    OPS(OP_RUN)
#undef OP_RUN
};

/* Once, with the nth allocation failing (0: none). True if it was refused or an allocation failed. */
static bool run_once(const struct op *op, unsigned nth)
{
	now.op = op;
	now.nth = nth;
	now.refused = false;
	arm();
	run[op->kind](op);
	disarm();
	machine_check_idle();
	op_counts.run[op->kind]++;
	op_counts.refused[op->kind] += now.refused;
	check_regions(current_process());
	return now.refused;
}

void op_run(const struct op *op)
{
	bool refused = false, again = op->sweep;

	for (unsigned nth = op->sweep ? 1 : op->fail; again || nth == op->fail; nth++) {
		again = run_once(op, nth) && op->sweep && now.fired;
		refused |= now.refused;
		if (!op->sweep)
			break;
	}
	if (++world.unverified >= rules.verify || (refused && op->sweep)) {
		world.unverified = 0;
		check_counts();
		check_pages(current_process());
	}
}

/* A file to run, and a program that runs it. */
void op_first_process(void)
{
	static const struct op file = {.kind = OP_file_write, .offset = 8},
			       exec = {.kind = OP_exec, .addr = 0x40000000};
	static const struct op write = {.kind = OP_file_write, .offset = 1};

	now.op = &exec;
	if (space_create(&world.process[0].space))
		machine_fail("no memory for the first process");
	world.living = 1;
	space_activate(world.process[0].space);
	run_once(&file, 0);
	run_once(&write, 0);
	run_once(&exec, 0);
}
