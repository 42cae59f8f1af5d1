/* kernel/base/unwind.c - see unwind.h. Names and numbers follow "x64 exception handling" of the Microsoft ABI. */
#include "kernel/base/unwind.h"

#include "kernel/base/probe.h"

#define RSP 4

enum unwind_op {
	UWOP_PUSH_NONVOL,
	UWOP_ALLOC_LARGE,
	UWOP_ALLOC_SMALL,
	UWOP_SET_FPREG,
	UWOP_SAVE_NONVOL,
	UWOP_SAVE_NONVOL_FAR,
	UWOP_EPILOG,
	UWOP_SPARE,
	UWOP_SAVE_XMM128,
	UWOP_SAVE_XMM128_FAR,
	UWOP_PUSH_MACHFRAME,
};

#define UNW_FLAG_CHAININFO 4

struct runtime_function {
	uint32_t begin, end, info; /* image-relative */
};

struct unwind_info {
	uint8_t version : 3, flags : 5;
	uint8_t prolog_size, code_count;
	uint8_t frame_register : 4, frame_offset : 4;
	struct {
		uint8_t offset;
		uint8_t op : 4, info : 4;
	} code[];
};

/* The exception directory of the PE32+ header. */
static const struct runtime_function *exception_table(uint32_t *ret_count)
{
	const char *header = __ImageBase + *(const uint32_t *)(__ImageBase + 0x3c);
	const uint32_t *directory = (const uint32_t *)(header + 24 + 112 + 3 * 8);

	*ret_count = directory[1] / sizeof(struct runtime_function);
	return (const struct runtime_function *)(__ImageBase + directory[0]);
}

static const struct runtime_function *find_function(uint32_t rva)
{
	uint32_t count, low = 0;
	const struct runtime_function *table = exception_table(&count);

	while (low < count) {
		uint32_t mid = low + (count - low) / 2;
		if (rva < table[mid].begin)
			count = mid;
		else if (rva >= table[mid].end)
			low = mid + 1;
		else
			return &table[mid];
	}
	return NULL;
}

static bool pop(struct unwind *u, uint64_t *ret_value)
{
	if (!probe_read_u64((const void *)u->regs[RSP], ret_value))
		return false;
	u->regs[RSP] += 8;
	return true;
}

/* Slots of the code array that an operation takes. */
static unsigned code_slots(unsigned op, unsigned info)
{
	switch (op) {
	case UWOP_ALLOC_LARGE:
		return info ? 3 : 2;
	case UWOP_SAVE_NONVOL:
	case UWOP_SAVE_XMM128:
	case UWOP_EPILOG:
		return 2;
	case UWOP_SAVE_NONVOL_FAR:
	case UWOP_SAVE_XMM128_FAR:
	case UWOP_SPARE:
		return 3;
	default:
		return 1;
	}
}

static bool pop_machine_frame(struct unwind *u, bool error_code)
{
	uint64_t sp;

	u->regs[RSP] += error_code ? 8 : 0;
	uint64_t frame = u->regs[RSP];
	if (!pop(u, &u->rip) || !probe_read_u64((const void *)(frame + 24), &sp))
		return false;
	u->regs[RSP] = sp;
	u->exact = true;
	return true;
}

/* Undoes code[i] of the prologue. *ret_done: it was a machine frame, which restored rip as well. */
static bool undo_code(struct unwind *u, const struct unwind_info *x, unsigned i, bool *ret_done)
{
	const uint16_t *operand = (const uint16_t *)&x->code[i + 1];
	unsigned info = x->code[i].info;

	switch (x->code[i].op) {
	case UWOP_PUSH_NONVOL:
		return pop(u, &u->regs[info]);
	case UWOP_ALLOC_LARGE:
		u->regs[RSP] += info ? operand[0] | (uint64_t)operand[1] << 16 : operand[0] * 8ull;
		return true;
	case UWOP_ALLOC_SMALL:
		u->regs[RSP] += info * 8 + 8;
		return true;
	case UWOP_SET_FPREG:
		u->regs[RSP] = u->regs[x->frame_register] - x->frame_offset * 16ull;
		return true;
	case UWOP_SAVE_NONVOL:
		return probe_read_u64((const void *)(u->regs[RSP] + operand[0] * 8ull), &u->regs[info]);
	case UWOP_PUSH_MACHFRAME:
		*ret_done = true;
		return pop_machine_frame(u, info);
	default:
		return true;
	}
}

/* One piece of a function; a chained piece goes on with the one that it names. */
static bool undo_function(struct unwind *u, const struct runtime_function *f, uint32_t offset, bool *ret_done)
{
	for (unsigned depth = 0; depth < 8; depth++) {
		const struct unwind_info *x = (const void *)(__ImageBase + f->info);
		for (unsigned i = 0; i < x->code_count; i += code_slots(x->code[i].op, x->code[i].info))
			if (x->code[i].offset <= offset && !undo_code(u, x, i, ret_done))
				return false;
		if (!(x->flags & UNW_FLAG_CHAININFO))
			return true;
		f = (const void *)&x->code[(x->code_count + 1u) & ~1u];
		offset = UINT32_MAX;
	}
	return false;
}

/* SizeOfImage of the PE32+ header. */
static uint32_t image_size(void)
{
	return *(const uint32_t *)(__ImageBase + *(const uint32_t *)(__ImageBase + 0x3c) + 24 + 56);
}

bool unwind_step(struct unwind *u)
{
	uint64_t base = (uint64_t)__ImageBase, old_sp = u->regs[RSP];
	/* A return address may be the first byte after its function (a call that never returns). */
	uint64_t rva = u->rip - base - (u->exact ? 0 : 1);
	bool done = false;

	if (rva >= image_size())
		return false;
	const struct runtime_function *f = find_function((uint32_t)rva);
	u->exact = false;
	if (f && !undo_function(u, f, (uint32_t)(u->rip - base) - f->begin, &done))
		return false;
	if (done)
		return true;
	return pop(u, &u->rip) && u->rip && u->regs[RSP] > old_sp;
}

void unwind_from_frame(struct unwind *u, const struct trapframe *tf)
{
	*u = (struct unwind){.rip = tf->rip,
			     .regs = {tf->rax, tf->rcx, tf->rdx, tf->rbx, tf->rsp, tf->rbp, tf->rsi, tf->rdi, tf->r8,
				      tf->r9, tf->r10, tf->r11, tf->r12, tf->r13, tf->r14, tf->r15},
			     .exact = true};
}

NOINLINE void unwind_from_here(struct unwind *u)
{
	/* Registers that this function may have changed do not matter: it is itself undone first. */
	__asm__ volatile("leaq 0(%%rip), %%rax\n\t"
			 "movq %%rax, (%0)\n\t"
			 "movq %%rbx, 32(%0)\n\t"
			 "movq %%rsp, 40(%0)\n\t"
			 "movq %%rbp, 48(%0)\n\t"
			 "movq %%rsi, 56(%0)\n\t"
			 "movq %%rdi, 64(%0)\n\t"
			 "movq %%r12, 104(%0)\n\t"
			 "movq %%r13, 112(%0)\n\t"
			 "movq %%r14, 120(%0)\n\t"
			 "movq %%r15, 128(%0)"
			 :
			 : "r"(u)
			 : "rax", "memory");
	u->exact = true;
	if (!unwind_step(u))
		u->rip = 0;
}

_Static_assert(offsetof(struct unwind, regs) == 8, "unwind_from_here");
