/* tests/host/machine/mmu.c - see machine.h: CR3, the TLB, page walks, accesses of the program. */
#include <errno.h>
#include <string.h>

#include "kernel/base/cpu.h"
#include "kernel/base/lock.h"
#include "mm/fault.h"
#include "mm/frame.h"
#include "mm/user.h"
#include "mm/window.h"
#include "tests/host/machine/machine.h"

#define TLB_ENTRIES 1024
#define PDE_ENTRIES 64
#define FAULTS_MAX  3 /* for one access: each one has to bring it further */

/* A translation, with the rights that the whole path gives. */
struct tlb_entry {
	uint64_t page; /* number of the virtual page; 0: none (page 0 is never mapped) */
	pfn_t frame;
	bool writable, executable, dirty;
};

/* A path down to an L1 table, as the paging-structure cache has it (SDM 3, 4.10.3). */
struct pde_entry {
	uint64_t stretch; /* number of the 2 MiB stretch, plus 1; 0: none */
	pfn_t table;
	bool writable, executable;
};

static struct {
	uint64_t cr3;
	struct tlb_entry tlb[TLB_ENTRIES];
	struct pde_entry pde[PDE_ENTRIES];
	uint16_t filled[TLB_ENTRIES]; /* entries of the TLB that were filled since it was empty */
	unsigned nfilled;
} cpu;

uint64_t read_cr3(void) { return cpu.cr3; }

/* INVLPG and faults forget all of the paging-structure cache, whatever the address (SDM 3, 4.10.4.1). */
static void pde_forget(void) { memset(cpu.pde, 0, sizeof(cpu.pde)); }

static struct tlb_entry *tlb_slot(uint64_t page) { return &cpu.tlb[(page ^ page >> 9 ^ page >> 18) % TLB_ENTRIES]; }

void write_cr3(uint64_t v)
{
	cpu.cr3 = v;
	for (unsigned i = 0; i < cpu.nfilled; i++)
		cpu.tlb[cpu.filled[i]].page = 0;
	cpu.nfilled = 0;
	pde_forget();
}

/* Windows on this machine are real pointers: they have no translation to be forgotten. */
static bool is_window(uint64_t va)
{
	return va - (uint64_t)machine_ram < MACHINE_FRAMES * PAGE_SIZE ||
	       va - (uint64_t)machine_rom < MACHINE_FRAMES * PAGE_SIZE;
}

void invlpg(uint64_t va)
{
	struct tlb_entry *t = tlb_slot(va >> PAGE_SHIFT);

	pde_forget();
	if (!is_window(va) && t->page == va >> PAGE_SHIFT)
		t->page = 0;
}

static pte_t *table_entry(pfn_t table, uint64_t va, int level)
{
	return (pte_t *)machine_frame(table) + entry_index(va, level);
}

/*
 * The recursive slot's arithmetic, done by walking. Where the path ends early the CPU would fault, and so does the page that comes back
 * here; where an entry above the table has W=0 a write would fault, and so it does in the read-only mapping.
 */
pte_t *entry_window(uint64_t va, int level)
{
	pfn_t table = PFN(cpu.cr3 >> PAGE_SHIFT);
	bool writable = true;

	for (int l = 4; l > level; l--) {
		pte_t e = *table_entry(table, va, l);

		if (!pte_present(e))
			return (pte_t *)machine_absent + entry_index(va, level);
		writable &= pte_writable(e);
		table = pte_frame(e);
	}
	(void)machine_frame(table);
	return (pte_t *)((writable ? machine_ram : (uint8_t *)machine_rom) + table.v * PAGE_SIZE) +
	       entry_index(va, level);
}

pte_t *table_window(const pte_t *entry)
{
	const uint8_t *at = (const uint8_t *)entry;
	bool writable = pte_writable(*entry) && at >= machine_ram && at < machine_ram + MACHINE_FRAMES * PAGE_SIZE;

	if (!pte_present(*entry))
		return (pte_t *)machine_absent;
	(void)machine_frame(pte_frame(*entry));
	return (pte_t *)((writable ? machine_ram : (uint8_t *)machine_rom) + pte_frame(*entry).v * PAGE_SIZE);
}

/* The CPU sets A in every entry that it goes through, and D in the leaf of a write. */
static pte_t entry_use(pte_t *entry, uint64_t bits)
{
	if ((entry->v & bits) != bits)
		entry->v |= bits;
	return *entry;
}

/* Down to the L1 table: false if the path ends early. */
static bool walk_inner(uint64_t va, struct pde_entry *ret)
{
	struct pde_entry p = {va / entry_span(2) + 1, PFN(cpu.cr3 >> PAGE_SHIFT), true, true};

	for (int l = 4; l > 1; l--) {
		pte_t *entry = table_entry(p.table, va, l), e = *entry;

		if (!pte_present(e))
			return false;
		if (e.v & (PTE_PS | PTE_NX) || !(e.v & PTE_U))
			machine_fail("level %d entry %#lx for %#lx: expected no PS, no NX, but U", l, e.v, va);
		entry_use(entry, PTE_A);
		p.writable &= pte_writable(e);
		p.table = pte_frame(e);
	}
	*ret = p;
	return true;
}

/* A page walk: 0 and a translation, or the error code of the fault. */
static uint32_t walk(uint64_t va, enum access access, struct tlb_entry *ret)
{
	uint32_t code = access == ACCESS_WRITE ? FAULT_WRITE : access == ACCESS_FETCH ? FAULT_FETCH : 0;
	struct pde_entry *cached = &cpu.pde[va / entry_span(2) % PDE_ENTRIES];
	pte_t *entry, e;

	if (cached->stretch != va / entry_span(2) + 1 && !walk_inner(va, cached))
		return code | FAULT_USER;
	entry = table_entry(cached->table, va, 1);
	e = *entry;
	if (!pte_present(e))
		return code | FAULT_USER;
	*ret = (struct tlb_entry){va >> PAGE_SHIFT, pte_frame(e), cached->writable && pte_writable(e), !(e.v & PTE_NX),
				  access == ACCESS_WRITE};
	if ((access == ACCESS_WRITE && !ret->writable) || (access == ACCESS_FETCH && !ret->executable))
		return code | FAULT_USER | FAULT_PROTECTION;
	entry_use(entry, access == ACCESS_WRITE ? PTE_A | PTE_D : PTE_A);
	return 0;
}

/* The list of filled entries, without those that INVLPG emptied and that were filled again. */
static void filled_rebuild(void)
{
	cpu.nfilled = 0;
	for (unsigned i = 0; i < TLB_ENTRIES; i++)
		if (cpu.tlb[i].page)
			cpu.filled[cpu.nfilled++] = (uint16_t)i;
}

static void tlb_fill(const struct tlb_entry *found)
{
	struct tlb_entry *t = tlb_slot(found->page);

	if (!t->page && cpu.nfilled == TLB_ENTRIES)
		filled_rebuild();
	if (!t->page)
		cpu.filled[cpu.nfilled++] = (uint16_t)(t - cpu.tlb);
	*t = *found;
}

static bool tlb_allows(const struct tlb_entry *t, uint64_t va, enum access access)
{
	if (t->page != va >> PAGE_SHIFT)
		return false;
	return access == ACCESS_WRITE ? t->writable && t->dirty : access == ACCESS_READ || t->executable;
}

/* The TLB has the page, and forbids the access: a fault, without a look at the tables. */
static bool tlb_forbids(const struct tlb_entry *t, uint64_t va, enum access access)
{
	return t->page == va >> PAGE_SHIFT &&
	       (access == ACCESS_WRITE ? !t->writable : access == ACCESS_FETCH && !t->executable);
}

/* The error code of the fault that the access makes; 0: it needs none, and the translation is in the TLB. */
static uint32_t translate(uint64_t va, enum access access)
{
	const struct tlb_entry *t = tlb_slot(va >> PAGE_SHIFT);
	struct tlb_entry found;
	uint32_t code;

	if (tlb_allows(t, va, access))
		return 0;
	if (tlb_forbids(t, va, access))
		return FAULT_USER | FAULT_PROTECTION | (access == ACCESS_WRITE ? FAULT_WRITE : FAULT_FETCH);
	code = walk(va, access, &found);
	if (!code)
		tlb_fill(&found);
	return code;
}

void machine_speculate(uaddr_t va) { (void)translate(va.v, ACCESS_READ); }

/* A translation in the TLB may allow less than the tables do, never more. */
static void check_translation(const struct tlb_entry *t)
{
	uint64_t va = t->page << PAGE_SHIFT;
	struct pde_entry path = {0};
	pte_t e = PTE_NONE;

	if (walk_inner(va, &path))
		e = *table_entry(path.table, va, 1);
	if (!pte_present(e) || pte_frame(e).v != t->frame.v || (t->writable && !(path.writable && pte_writable(e))) ||
	    (t->executable && e.v & PTE_NX))
		machine_fail("the TLB has %#lx as frame %#lx%s: expected leaf %#lx%s: a flush was forgotten", va,
			     t->frame.v, t->writable ? " writable" : "", e.v, path.writable ? "" : " below W=0");
}

int machine_access(uaddr_t va, enum access access, void **ret_byte)
{
	uint32_t code;
	int faults = 0;

	while ((code = translate(va.v, access))) {
		int err;

		/* The fault makes the CPU forget the translation, and the next look ahead may bring it back before the kernel acts. */
		invlpg(va.v);
		machine_speculate(va);
		err = space_fault(space_active(), va, code);
		if (err)
			return err;
		if (tlb_slot(va.v >> PAGE_SHIFT)->page == va.v >> PAGE_SHIFT)
			check_translation(tlb_slot(va.v >> PAGE_SHIFT));
		if (++faults > FAULTS_MAX)
			machine_fail("access %d to %#lx faults again and again: expected progress", access, va.v);
	}
	*ret_byte = machine_frame(tlb_slot(va.v >> PAGE_SHIFT)->frame) + page_offset(va.v);
	return 0;
}

/* The kernel's copies to and from user memory (mm/user.h) fault as the program does. */
static size_t user_move(uaddr_t user, size_t n, enum access access, void (*move)(void *user, void *kernel, size_t n),
			char *kernel)
{
	size_t done = 0;
	void *at;

	while (done < n && user.v + done < USER_END) {
		uaddr_t va = uaddr_add(user, done);
		size_t part = MIN(n - done, PAGE_SIZE - page_offset(va.v));

		if (machine_access(va, access, &at))
			break;
		move(at, kernel + done, part);
		done += part;
	}
	return done;
}

static void move_in(void *user, void *kernel, size_t n) { memcpy(kernel, user, n); }

static void move_out(void *user, void *kernel, size_t n) { memcpy(user, kernel, n); }

static void move_zero(void *user, void *kernel, size_t n)
{
	(void)kernel;
	memset(user, 0, n);
}

size_t user_read(void *dst, uaddr_t src, size_t n) { return user_move(src, n, ACCESS_READ, move_in, dst); }

size_t user_write(uaddr_t dst, const void *src, size_t n)
{
	return user_move(dst, n, ACCESS_WRITE, move_out, (char *)src);
}

size_t user_zero(uaddr_t dst, size_t n)
{
	static char nothing[1];

	return user_move(dst, n, ACCESS_WRITE, move_zero, nothing);
}

struct leaf_walk {
	void (*fn)(uint64_t va, pte_t leaf, void *arg);
	void *arg;
	uint64_t tables;
};

static void each_entry(struct leaf_walk *w, pfn_t table, int level, uint64_t base, bool writable)
{
	for (unsigned i = 0; i < (level == 4 ? ENTRIES / 2 : ENTRIES); i++) {
		pte_t e = ((const pte_t *)machine_frame(table))[i];
		uint64_t va = base + i * entry_span(level);

		if (level > 1 && pte_present(e)) {
			w->tables++;
			each_entry(w, pte_frame(e), level - 1, va, writable && pte_writable(e));
		} else if (level == 1 && pte_mapped(e) && w->fn) {
			w->fn(va, writable ? e : pte_without(e, PTE_W), w->arg);
		}
	}
}

void machine_each_leaf(const struct space *s, void (*fn)(uint64_t va, pte_t leaf, void *arg), void *arg)
{
	struct leaf_walk w = {fn, arg, 0};

	each_entry(&w, s->root, 4, 0, true);
}

uint64_t machine_tables(const struct space *s)
{
	struct leaf_walk w = {NULL, NULL, 0};

	each_entry(&w, s->root, 4, 0, true);
	return w.tables;
}

void machine_check_idle(void)
{
	lock_assert_none();
	if (window_held())
		machine_fail("%u windows are held: expected none", window_held());
	for (unsigned i = 0; i < cpu.nfilled; i++)
		if (cpu.tlb[cpu.filled[i]].page)
			check_translation(&cpu.tlb[cpu.filled[i]]);
	for (unsigned i = 0; i < PDE_ENTRIES; i++) {
		const struct pde_entry *p = &cpu.pde[i];
		struct pde_entry now = {0};

		if (p->stretch && (!walk_inner((p->stretch - 1) * entry_span(2), &now) || now.table.v != p->table.v ||
				   (p->writable && !now.writable)))
			machine_fail("the CPU has table %#lx for %#lx: expected %#lx: a flush was forgotten",
				     p->table.v, (p->stretch - 1) * entry_span(2), now.table.v);
	}
}
