/*
 * proc/exec.c - execve: another program in the same process.
 *
 * Role         Gathers path, arguments and environment in kernel memory, builds a whole new space beside the old one, and only when
 *              nothing can fail any more puts it in the old one's place. So a failed exec returns to the old program, always.
 * Invariants   1. Until the commit the old space, files and signal actions are untouched.
 *              2. The stack at entry is as the System V ABI says (AMD64 supplement, 3.4.1): argc, argv, envp, auxv, 16-aligned.
 * Locks        None held across; the calling thread is the only one of its process.
 * Failure      The errno of execve(2): E2BIG, ENOEXEC, EACCES, ENOENT, ELOOP (scripts), ENOMEM, EFAULT.
 * Not handled  Set-user-id bits; a process with more than one thread.
 */
#include <asm/mman.h>
#include <asm/signal.h>
#include <linux/auxvec.h>
#include <linux/elf.h>

#include "kernel/base/cpu.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/base/syscalls.h"
#include "kernel/fs/files.h"
#include "kernel/fs/vfs.h"
#include "mm/counters.h"
#include "mm/heap.h"
#include "mm/space.h"
#include "mm/user.h"
#include "proc/arguments.h"
#include "proc/cred.h"
#include "proc/elf.h"
#include "proc/fpu.h"
#include "proc/process.h"
#include "proc/sched.h"

#define SCRIPT_DEPTH  4   /* interpreters of interpreters */
#define HEADER_SIZE   256 /* as much of the file as is looked at to see what it is */
#define STACK_INITIAL KIB(128)
#define PIE_BASE      0x555555554000ull
#define MAP_GAP_MIN   MIB(128)

/* One exec on its way. */
struct exec {
	struct arguments args;
	char name[16]; /* the last part of the path as it was given: a script's own name */
	struct file *file, *interp_file;
	struct elf_plan plan, interp;
	uint64_t bias, interp_bias;
	struct space *space;
	uint64_t stack_top, entry, rsp;
};

static int read_plan(struct file *f, struct elf_plan *ret_plan)
{
	uint64_t offset, size;
	Elf64_Ehdr header;
	void *phdrs;
	int64_t n = file_pread(f, &header, sizeof(header), 0);
	int err;

	if (n < 0)
		return (int)n;
	err = elf_check_header(&header, (size_t)n, &offset, &size);
	if (err)
		return err;
	phdrs = kmalloc(size);
	if (!phdrs)
		return -ENOMEM;
	n = file_pread(f, phdrs, size, offset);
	err = n == (int64_t)size ? elf_parse(&header, phdrs, ret_plan) : n < 0 ? (int)n : -ENOEXEC;
	kfree(phdrs);
	return err;
}

/* #! scripts: the first line names an interpreter and at most one argument. */
static char *skip_blanks(char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

static char *skip_word(char *s)
{
	while (*s && *s != ' ' && *s != '\t')
		s++;
	return s;
}

/*
 * Splits "#! interpreter argument\n" in place. -ENOEXEC if there is no interpreter, or if the part of the file that is looked at ends
 * within its name (a longer argument is cut: as Linux).
 */
static int parse_script_line(char *line, size_t len, char **ret_interp, char **ret_arg)
{
	char *word = skip_blanks(line + 2), *end = memchr(line, '\n', len);

	if (!end && len == HEADER_SIZE - 1 && !*skip_word(word))
		return -ENOEXEC;
	if (!end)
		end = line + len;
	if (word >= end)
		return -ENOEXEC;
	*end = 0;
	while (end > word && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = 0;
	if (!*word)
		return -ENOEXEC;
	*ret_interp = word;
	word = skip_word(word);
	if (*word)
		*word++ = 0;
	word = skip_blanks(word);
	*ret_arg = *word ? word : NULL;
	return 0;
}

/* As long as x->file is a script, goes on with its interpreter, whose arguments are put in front. */
static int follow_scripts(struct exec *x)
{
	char line[HEADER_SIZE], *interp, *arg;
	int err = 0;

	for (int depth = 0; !err; depth++) {
		int64_t n = file_pread(x->file, line, sizeof(line) - 1, 0);

		if (n < 0)
			return (int)n;
		line[n] = 0;
		if (n < 2 || line[0] != '#' || line[1] != '!')
			return 0;
		if (depth == SCRIPT_DEPTH)
			return -ELOOP;
		err = parse_script_line(line, (size_t)n, &interp, &arg);
		if (!err)
			err = arguments_add_interpreter(&x->args, interp, arg);
		if (err)
			return err;
		file_put(x->file);
		x->file = NULL;
		err = vfs_open_exec(interp, &x->file);
	}
	return err;
}

static int open_interpreter(struct exec *x)
{
	char *path;
	int64_t n;
	int err;

	if (!x->plan.interp_size)
		return 0;
	path = kmalloc(x->plan.interp_size);
	if (!path)
		return -ENOMEM;
	n = file_pread(x->file, path, x->plan.interp_size, x->plan.interp_offset);
	if (n != (int64_t)x->plan.interp_size)
		err = n < 0 ? (int)n : -EIO;
	else if (path[n - 1])
		err = -ENOEXEC;
	else
		err = vfs_open_exec(path, &x->interp_file);
	kfree(path);
	if (!err)
		err = read_plan(x->interp_file, &x->interp);
	return err;
}

/* Mapping. */
static int map_file_part(struct space *s, const struct elf_segment *seg, uint64_t bias, struct file *f)
{
	uint64_t skew = page_offset(seg->vaddr);
	struct map_request req = {.addr = UADDR(bias + seg->vaddr - skew),
				  .len = seg->file_size + skew,
				  .prot = seg->prot,
				  .fixed = true,
				  .object = file_object(f),
				  .offset = seg->offset - skew};
	uaddr_t at;

	if (!req.object)
		return -ENOEXEC;
	return space_map(s, &req, &at);
}

/*
 * The zeroed rest: the end of the last file page, if the segment may be written at all, and whole pages after it. The page is zeroed to
 * its end, past the segment's: ld.so takes its first memory from there.
 */
static int map_zero_part(struct space *s, const struct elf_segment *seg, uint64_t bias)
{
	uint64_t start = bias + seg->vaddr + seg->file_size, end = bias + seg->vaddr + seg->memory_size;
	uint64_t page = seg->file_size ? ALIGN_UP(start, PAGE_SIZE) : ALIGN_DOWN(start, PAGE_SIZE);
	struct map_request req = {.addr = UADDR(page), .len = end - page, .prot = seg->prot, .fixed = true};
	uint64_t head = seg->file_size ? page - start : 0;
	uaddr_t at;

	if (head && (seg->prot & PROT_WRITE) && user_zero(UADDR(start), head) != head)
		return -ENOEXEC; /* the file ends before the segment does */
	return end > page ? space_map(s, &req, &at) : 0;
}

static int map_segments(struct space *s, const struct elf_plan *plan, uint64_t bias, struct file *f)
{
	for (unsigned i = 0; i < plan->nsegments; i++) {
		const struct elf_segment *seg = &plan->segment[i];
		int err = seg->file_size ? map_file_part(s, seg, bias, f) : 0;

		if (!err && seg->memory_size > seg->file_size)
			err = map_zero_part(s, seg, bias);
		if (err)
			return err;
	}
	return 0;
}

/* Random pages below `span` bytes (a power of two), 0 where the process asked for no randomness. */
static uint64_t random_offset(uint64_t span)
{
	if (current_process()->personality & 0x0040000) /* ADDR_NO_RANDOMIZE, <linux/personality.h> */
		return 0;
	return random_u64() & (span - 1) & ~(uint64_t)PAGE_MASK;
}

static void place(struct exec *x)
{
	struct space *s = x->space;
	uint64_t stack_limit = current_process()->limits[RLIMIT_STACK].soft;
	uint64_t gap = MIN(MAX(stack_limit, MAP_GAP_MIN), USER_END / 6 * 5);

	x->stack_top = USER_END - random_offset(GIB(16));
	s->stack_limit = MIN(stack_limit, USER_END / 6 * 5);
	s->data_limit = current_process()->limits[RLIMIT_DATA].soft;
	/* No mapping in the stack's GiB: what is on its path a fork cannot share whole (mm/clone.h). */
	s->map_top = UADDR(ALIGN_DOWN(x->stack_top - gap - MIB(2), GIB(1)) - random_offset(GIB(64)));
	if (x->plan.relocatable)
		x->bias = PIE_BASE + random_offset(GIB(512)) - x->plan.low;
}

static int map_interpreter(struct exec *x)
{
	struct map_request hole = {.len = x->interp.high - x->interp.low, .prot = PROT_NONE};
	uaddr_t at;
	int err = space_map(x->space, &hole, &at); /* finds a place; the segments then replace it */

	if (err)
		return err;
	x->interp_bias = at.v - x->interp.low;
	if (!x->interp.relocatable)
		x->interp_bias = 0;
	err = space_unmap(x->space, at, hole.len);
	return err ? err : map_segments(x->space, &x->interp, x->interp_bias, x->interp_file);
}

static int map_stack(struct exec *x)
{
	uint64_t size = ALIGN_UP(arguments_size(&x->args), PAGE_SIZE) + STACK_INITIAL;
	struct map_request req = {.addr = UADDR(x->stack_top - size),
				  .len = size,
				  .prot = PROT_READ | PROT_WRITE,
				  .flags = REGION_STACK,
				  .fixed = true,
				  .no_replace = true};
	uaddr_t at;

	if (x->plan.exec_stack)
		req.prot |= PROT_EXEC;
	return space_map(x->space, &req, &at);
}

static void set_addresses(struct exec *x)
{
	struct space *s = x->space;
	const struct elf_plan *plan = &x->plan;

	for (unsigned i = 0; i < plan->nsegments; i++) {
		const struct elf_segment *seg = &plan->segment[i];
		uaddr_t start = UADDR(x->bias + seg->vaddr);

		if (seg->prot & PROT_EXEC) {
			s->code_start = start;
			s->code_end = uaddr_add(start, seg->file_size);
		} else if (seg->prot & PROT_WRITE) {
			s->data_start = start;
			s->data_end = uaddr_add(start, seg->file_size);
		}
	}
	s->brk_start = s->brk = UADDR(x->bias + plan->high + random_offset(MIB(32)));
}

/* The auxiliary vector, as Linux gives it (ABI.md section 1). */
static unsigned fill_auxv(struct exec *x, const struct stack_places *places, uint64_t (*aux)[2])
{
	const struct cred *c = current()->cred;
	const uint64_t vector[][2] = {
	    {AT_MINSIGSTKSZ, fpu_frame_size() + 1024},
	    {AT_HWCAP, cpu_features.leaf1_edx},
	    {AT_PAGESZ, PAGE_SIZE},
	    {AT_CLKTCK, 100},
	    {AT_PHDR, x->plan.phdr_vaddr ? x->bias + x->plan.phdr_vaddr : 0},
	    {AT_PHENT, sizeof(Elf64_Phdr)},
	    {AT_PHNUM, x->plan.phdr_count},
	    {AT_BASE, x->interp_file ? x->interp_bias + x->interp.low : 0},
	    {AT_FLAGS, 0},
	    {AT_ENTRY, x->bias + x->plan.entry},
	    {AT_UID, c->uid},
	    {AT_EUID, c->euid},
	    {AT_GID, c->gid},
	    {AT_EGID, c->egid},
	    {AT_SECURE, 0},
	    {AT_RANDOM, places->random.v},
	    {AT_HWCAP2, cpu_features.fsgsbase ? 2 : 0},
	    {AT_EXECFN, places->filename.v},
	    {AT_PLATFORM, places->platform.v},
	    {AT_NULL, 0},
	};

	memcpy(aux, vector, sizeof(vector));
	return ARRAY_LEN(vector);
}

static int fill_stack(struct exec *x)
{
	struct stack_places places;
	uint64_t aux[24][2];
	unsigned n;
	uint8_t random[16];
	int err;

	random_bytes(random, sizeof(random));
	err = arguments_push_strings(&x->args, x->stack_top, random, &places);
	if (err)
		return err;
	n = fill_auxv(x, &places, aux);
	err = arguments_push_vectors(&x->args, &places, (const uint64_t *)aux, n * 2, &x->rsp);
	x->space->arg_start = places.arg_start;
	x->space->arg_end = x->space->env_start = places.arg_end;
	x->space->env_end = places.env_end;
	x->space->stack_start = UADDR(x->rsp);
	return err;
}

/* Fills the new space, which is current while that happens. */
static int build_space(struct exec *x)
{
	int err;

	place(x);
	err = map_segments(x->space, &x->plan, x->bias, x->file);
	if (!err && x->interp_file)
		err = map_interpreter(x);
	if (!err)
		err = map_stack(x);
	if (err)
		return err;
	set_addresses(x);
	x->entry = x->interp_file ? x->interp_bias + x->interp.entry : x->bias + x->plan.entry;
	return fill_stack(x);
}

/* build_space() reaches the new space as user memory: it becomes current()'s for the time. */
static int prepare_space(struct exec *x)
{
	struct thread *t = current();
	struct space *old = t->space;
	int err = space_create(&x->space);

	if (err)
		return err;
	t->space = x->space;
	space_activate(x->space);
	err = build_space(x);
	if (err) {
		t->space = old;
		space_activate(old);
		space_put(x->space);
		x->space = NULL;
	}
	return err;
}

static void take_name(struct exec *x, const char *path)
{
	const char *slash = strrchr(path, '/');

	strlcpy(x->name, slash ? slash + 1 : path, sizeof(x->name));
}

static void reset_registers(struct thread *t, const struct exec *x)
{
	*thread_frame(t) = (struct trapframe){.rip = x->entry,
					      .cs = SEL_USER_CODE,
					      .rflags = RFLAGS_IF | RFLAGS_FIXED,
					      .rsp = x->rsp,
					      .ss = SEL_USER_DATA,
					      .rcx = x->entry,
					      .r11 = RFLAGS_IF | RFLAGS_FIXED,
					      .error = (uint64_t)-1};
	fpu_reset_area(t->fpu);
	fpu_restore(t->fpu);
	t->fs_base = t->gs_base = 0;
	thread_load_bases(t);
}

/* The new space stands and is current. Nothing here can fail. */
static void commit(struct exec *x, struct space *old, struct signal_actions *actions)
{
	struct thread *t = current();
	struct process *p = t->process;

	if (old)
		space_put(old);
	files_close_on_exec(t->files);
	signals_exec(p, actions);
	t->altstack_size = 0;
	t->clear_tid = t->robust_list = t->set_tid = UADDR(0);
	strlcpy(t->name, x->name, sizeof(t->name));
	reset_registers(t, x);
	if (p->exe)
		file_put(p->exe);
	p->exe = x->file;
	x->file = NULL;
	p->execed = true;
	p->exit_signal = SIGCHLD;
	p->dumpable = true;
	process_release_vfork(p);
	COUNT(execs);
}

static void release(struct exec *x)
{
	if (x->file)
		file_put(x->file);
	if (x->interp_file)
		file_put(x->interp_file);
	arguments_free(&x->args);
}

/* With the file open and the arguments gathered in x->args. */
static int exec_gathered(struct exec *x, const char *path)
{
	struct space *old = current()->space;
	struct signal_actions *actions;
	int err;

	take_name(x, path);
	err = follow_scripts(x);

	if (!err)
		err = read_plan(x->file, &x->plan);
	if (!err)
		err = open_interpreter(x);
	if (!err)
		err = signals_prepare_exec(current_process(), &actions);
	if (err)
		return err;
	err = prepare_space(x);
	if (err) {
		kfree(actions);
		return err;
	}
	commit(x, old, actions);
	return 0;
}

int process_exec(const char *path, const char *const argv[], const char *const envp[])
{
	struct exec *x = kzalloc(sizeof(*x));
	int err;

	if (!x)
		return -ENOMEM;
	err = vfs_open_exec(path, &x->file);
	if (!err)
		err = arguments_from_kernel(&x->args, path, argv, envp);
	if (!err)
		err = exec_gathered(x, path);
	release(x);
	kfree(x);
	return err;
}

int64_t sys_execve(uaddr_t path, uaddr_t argv, uaddr_t envp)
{
	struct exec *x = kzalloc(sizeof(*x));
	int err;

	if (!x)
		return -ENOMEM;
	err = arguments_path_from_user(&x->args, path);
	if (!err)
		err = vfs_open_exec(x->args.path, &x->file); /* before the vectors: the order of Linux's errors */
	if (!err)
		err = arguments_from_user(&x->args, argv, envp, current_process()->limits[RLIMIT_STACK].soft);
	if (!err)
		err = exec_gathered(x, x->args.path);
	release(x);
	kfree(x);
	return err;
}
