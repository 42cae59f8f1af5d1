/* tests/host/model/choose.c - see op.h: which operation, and at which addresses. */
#include <asm/mman.h>
#include <linux/mman.h>
#include <stdio.h>

#include "tests/host/model/op.h"
#include "tests/host/model/world.h"

struct rules rules;

static uint32_t next_random(struct source *s)
{
	s->state ^= s->state << 13;
	s->state ^= s->state >> 7;
	s->state ^= s->state << 17;
	return (uint32_t)(s->state >> 24);
}

static uint32_t next_byte(struct source *s)
{
	if (!s->left)
		return 0;
	s->left--;
	return *s->bytes++;
}

uint32_t pick(struct source *s, uint32_t n)
{
	if (!s->bytes)
		return next_random(s) % n;
	return (n > 256 ? next_byte(s) << 8 | next_byte(s) : next_byte(s)) % n;
}

/* Addresses whose neighbours lie in another table of level 1, 2, 3, in another entry of the root; the ends; and a dense place. */
static const uint64_t anchors[] = {
    0x40200000,   0x40400000,    0x80000000, 0xc0000000, 0x8000000000,
    0x8040000000, 0x10000000000, 0x100000,   USER_END,   0x7f0000000000,
};

/* Some pages off. */
static uint64_t near(struct source *s, uint64_t va)
{
	int64_t at = (int64_t)(ALIGN_DOWN(va, PAGE_SIZE) + pick(s, 17) * PAGE_SIZE) - 8 * (int64_t)PAGE_SIZE;

	return MIN(MAX(at, (int64_t)PAGE_SIZE), (int64_t)(USER_END - PAGE_SIZE));
}

static uint64_t pick_in_area(struct source *s, const struct area *a)
{
	uint64_t pages = (a->end - a->start) >> PAGE_SHIFT, va;
	unsigned how = pick(s, 8);

	if (how < 3)
		va = a->start + pick(s, 4) * PAGE_SIZE;
	else if (how < 4)
		va = a->end - PAGE_SIZE - pick(s, 4) * PAGE_SIZE;
	else if (how < 7)
		va = near(s, ALIGN_DOWN(a->start, entry_span(how - 2)) +
				 (1 + pick(s, how == 4 ? 14 : 3)) * entry_span((int)how - 2));
	else
		va = a->start + pick(s, (uint32_t)MIN(pages, 4096ul)) * PAGE_SIZE;
	return va >= a->start && va < a->end ? va : a->start;
}

static uint64_t pick_address(struct source *s, struct process *p)
{
	unsigned how = pick(s, 32);

	if (how == 0 || !p->narea)
		return near(s, anchors[pick(s, ARRAY_LEN(anchors))]);
	if (how < 7)
		return near(s, p->last);
	if (how < 10)
		return near(s, p->stack);
	return pick_in_area(s, &p->areas[pick(s, p->narea)]);
}

static uint64_t pick_length(struct source *s, uint64_t addr)
{
	unsigned how = pick(s, 16);
	uint64_t len;

	if (how < 8)
		len = (1 + pick(s, 16)) * PAGE_SIZE;
	else if (how < 10)
		len = (60 + pick(s, 100)) * PAGE_SIZE;
	else if (how == 10)
		len = ALIGN_UP(addr + 1, entry_span(2)) - addr;
	else if (how < 14)
		len = (1 + pick(s, 8)) * entry_span(2) + pick(s, 2) * PAGE_SIZE;
	else if (how == 14)
		len = ALIGN_UP(addr + 1, entry_span(3)) - addr + pick(s, 3) * PAGE_SIZE;
	else
		len = (1 + pick(s, 3)) * entry_span(3 + (int)pick(s, 2));
	return addr < USER_END ? MIN(len, USER_END - addr) : len;
}

/* Dense runs fill an L1 table; wide ones make many tables with little in them. */
static void choose_run(struct source *s, struct op *op, unsigned how)
{
	op->stride = PAGE_SIZE;
	op->count = 1 + pick(s, 4);
	if (how < 2) {
		op->count = 65 + pick(s, 140);
	} else if (how < 5) {
		op->stride = entry_span(2);
		op->count = 5 + pick(s, 6);
	} else if (how == 5) {
		op->stride = entry_span(3 + (int)pick(s, 2));
		op->count = 2 + pick(s, 3);
	}
}

static const uint8_t protections[] = {PROT_READ | PROT_WRITE,
				      PROT_READ | PROT_WRITE,
				      PROT_READ,
				      PROT_NONE,
				      PROT_READ | PROT_EXEC,
				      PROT_READ | PROT_WRITE | PROT_EXEC,
				      PROT_WRITE};

static const int advices[] = {MADV_DONTNEED, MADV_DONTNEED,   MADV_FREE,       MADV_DONTFORK,
			      MADV_DOFORK,   MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_WILLNEED};

static void choose_map(struct source *s, struct op *op)
{
	op->fixed = pick(s, 4) != 0;
	if (op->fixed && pick(s, 2))
		op->addr = near(s, anchors[pick(s, ARRAY_LEN(anchors))]);
	op->len = pick_length(s, op->addr);
	op->prot = pick(s, 4) ? PROT_READ | PROT_WRITE : protections[pick(s, ARRAY_LEN(protections))];
	op->shared = pick(s, 4) == 0;
	op->target = pick(s, 3) == 0 ? pick(s, OPEN_FILES) : OPEN_FILES; /* OPEN_FILES: anonymous */
	op->offset = pick(s, 4) * PAGE_SIZE;
	op->flags = pick(s, 8) == 0 ? REGION_NO_WRITE : 0;
	if (pick(s, 2))
		choose_run(s, op, pick(s, 6)); /* to be filled at once */
}

static void choose_remap(struct source *s, struct process *p, struct op *op)
{
	static const unsigned flags[] = {0, MREMAP_MAYMOVE, MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED};
	const struct area *a = area_find(p, op->addr);

	if (!a)
		a = area_after(p, op->addr);
	if (!a)
		a = area_after(p, 0);
	if (!a) /* nothing there to move: op.c leaves it */
		return;
	op->addr = pick_in_area(s, a);
	op->old_len = MIN(pick_length(s, op->addr), a->end - op->addr);
	op->len = pick(s, 4) ? pick_length(s, op->addr) : op->old_len;
	op->flags = flags[pick(s, ARRAY_LEN(flags))];
	op->to = near(s, anchors[pick(s, ARRAY_LEN(anchors))]);
}

static void choose_kind(struct source *s, struct op *op)
{
	/* In the order of OPS; of 128. */
	static const uint8_t weight[OP_KINDS] = {40, 12, 2, 4, 2, 12, 9, 3, 10, 9, 5, 6, 5, 5, 2, 1, 1};
	unsigned at = pick(s, 128);

	for (op->kind = 0; at >= weight[op->kind]; op->kind++)
		at -= weight[op->kind];
}

/* Which allocation fails. */
static void choose_failure(struct source *s, struct op *op)
{
	if (rules.fail && pick(s, rules.fail) == 0)
		op->fail = 1 + pick(s, 8);
	else if (rules.sweep && pick(s, rules.sweep) == 0)
		op->sweep = true;
}

void op_choose(struct source *s, struct op *op)
{
	struct process *p = &world.process[world.current];

	*op = (struct op){.stride = PAGE_SIZE};
	choose_kind(s, op);
	op->addr = pick_address(s, p);
	switch (op->kind) {
	case OP_write:
	case OP_read:
	case OP_fetch:
	case OP_speculate:
		choose_run(s, op, pick(s, 16));
		break;
	case OP_fork:
		op->policy = rules.policy < 0 ? MIN(pick(s, 6), (unsigned)FORK_TREE) : (unsigned)rules.policy;
		op->stay = pick(s, 2);
		break;
	case OP_exit: /* it leaves its own space, or somebody else drops that */
		op->stay = pick(s, 2);
		op->target = pick(s, PROCESSES);
		break;
	case OP_map:
		choose_map(s, op);
		break;
	case OP_remap:
		choose_remap(s, p, op);
		break;
	case OP_unmap:
	case OP_protect:
	case OP_advise:
		op->addr |= pick(s, 64) == 0; /* not aligned: -EINVAL */
		op->len = pick_length(s, op->addr);
		op->prot = protections[pick(s, ARRAY_LEN(protections))];
		op->flags = (unsigned)advices[pick(s, ARRAY_LEN(advices))];
		break;
	case OP_brk:
		op->len = pick(s, 4) ? pick(s, 40) * 1000 : pick(s, 8) * entry_span(2);
		break;
	case OP_file_write:
	case OP_file_read:
		op->target = pick(s, OPEN_FILES);
		op->offset = pick(s, 4096);
		break;
	default:
		op->target = pick(s, PROCESSES);
		break;
	}
	choose_failure(s, op);
}

void op_print(const struct op *op)
{
	static const char *const names[] = {
#define OP_NAME(name) #name,
	    OPS(OP_NAME)
#undef OP_NAME
	};

	printf("%s of process %u: addr %#lx len %#lx to %#lx old_len %#lx stride %#lx count %u target %u flags %#x "
	       "prot %u%s%s%s offset %#lx policy %d fail %u%s\n",
	       names[op->kind], world.current, op->addr, op->len, op->to, op->old_len, op->stride, op->count,
	       op->target, op->flags, op->prot, op->shared ? " shared" : "", op->fixed ? " fixed" : "",
	       op->stay ? " stay" : "", op->offset, op->policy, op->fail, op->sweep ? " sweep" : "");
}
