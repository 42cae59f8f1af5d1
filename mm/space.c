/* mm/space.c - see mm/space.h: the life of a space. */
#include "mm/space.h"

#include "kernel/base/percpu.h"
#include "kernel/base/string.h"
#include "mm/boot.h"
#include "mm/heap.h"
#include "mm/kmap.h"
#include "mm/paging.h"
#include "mm/tlb.h"

static struct space *active[MAX_CPUS];
static struct spinlock all_lock = SPINLOCK_INIT("spaces", LOCK_SPACES);
static struct list all_spaces = LIST_INIT(all_spaces);

void space_publish(struct space *s)
{
	spin_lock(&all_lock);
	list_append(&all_spaces, &s->all);
	spin_unlock(&all_lock);
}

void space_for_each(void (*fn)(struct space *s, void *arg), void *arg)
{
	struct space *s;

	spin_lock(&all_lock);
	list_for_each (s, &all_spaces, all)
		fn(s, arg);
	spin_unlock(&all_lock);
}

static uint64_t recursive_bits(void) { return PTE_P | PTE_W | PTE_A | PTE_D | kmap_nx(); }

/* Makes a frame a root: the user half empty, the kernel half as all roots have it, and itself in the recursive slot. */
static void root_fill(pfn_t root)
{
	struct window w = window_map(root);
	pte_t *entries = w.dst;

	memset(entries, 0, PAGE_SIZE / 2);
	memcpy(&entries[ENTRIES / 2], entry_window(slot_base(ENTRIES / 2).v, 4), PAGE_SIZE / 2);
	pte_write(&entries[SLOT_RECURSIVE], pte_make(root, recursive_bits()));
	window_unmap(w);
}

int space_create(struct space **ret_space)
{
	struct space *s = kzalloc(sizeof(*s));
	int err = -ENOMEM;

	if (!s)
		return err;
	err = regions_create(&s->regions);
	if (err)
		goto free_space;
	err = frame_alloc(FRAME_ROOT, &s->root);
	if (err)
		goto put_regions;
	root_fill(s->root);
	ref_init(&s->ref);
	spin_init(&s->lock, "space", LOCK_SPACE);
	s->stack_limit = MIB(8);
	s->data_limit = UINT64_MAX;
	s->map_top = UADDR(USER_END);
	space_publish(s);
	*ret_space = s;
	return 0;

put_regions:
	regions_put(s->regions);
free_space:
	kfree(s);
	return err;
}

int space_create_from(const struct space *parent, struct frame_reserve *reserve, struct space **ret_space)
{
	struct space *s = kmalloc(sizeof(*s));

	if (!s)
		return -ENOMEM;
	*s = *parent;
	ref_init(&s->ref);
	spin_init(&s->lock, "space", LOCK_SPACE);
	s->regions = NULL;
	s->resident = s->peak = 0;
	s->dead = 0;
	s->root = frame_take(reserve, FRAME_ROOT);
	root_fill(s->root);
	*ret_space = s;
	return 0;
}

void space_abandon(struct space *s)
{
	frame_put(s->root);
	kfree(s);
}

void space_get(struct space *s) { ref_get(&s->ref); }

/* Only the user half: the kernel's tables belong to all. */
static void tree_put(struct space *s)
{
	struct window w = window_map(s->root);
	const pte_t *entries = w.dst;

	for (unsigned i = 0; i < ENTRIES / 2; i++)
		if (pte_present(entries[i]))
			table_put(s, pte_frame(entries[i]), 3);
	window_unmap(w);
	frame_put(s->root);
}

void space_put(struct space *s)
{
	if (!ref_put(&s->ref))
		return;
	ASSERT(space_active() != s);
	spin_lock(&all_lock);
	list_remove(&s->all);
	spin_unlock(&all_lock);
	tree_put(s);
	while (s->dead) { /* no CPU runs the space: nothing to flush */
		pfn_t f = PFN(s->dead);

		s->dead = frame_of(f)->next;
		frame_free(f);
	}
	regions_put(s->regions);
	kfree(s);
}

void space_activate(struct space *s)
{
	if (active[cpu_id()] == s)
		return;
	active[cpu_id()] = s;
	tlb_load_root(s ? s->root : mm_boot_root());
}

struct space *space_active(void) { return active[cpu_id()]; }

/* The leaf for va in a tree that need not be the current one. */
static pte_t leaf_walk(struct space *s, uaddr_t va)
{
	pfn_t table = s->root;

	for (int level = 4;; level--) {
		struct window w = window_map(table);
		pte_t e = pte_read((const pte_t *)w.dst + entry_index(va.v, level));

		window_unmap(w);
		if (level == 1 || !pte_present(e))
			return e;
		table = pte_frame(e);
	}
}

size_t space_peek(struct space *s, uaddr_t src, void *dst, size_t n)
{
	size_t done = 0;

	spin_lock(&s->lock);
	while (done < n && src.v + done < USER_END) {
		uaddr_t va = uaddr_add(src, done);
		uint64_t offset = page_offset(va.v), part = MIN(n - done, PAGE_SIZE - offset);
		pte_t leaf = leaf_walk(s, va);
		struct window w;

		if (!pte_present(leaf))
			break;
		w = window_map(pte_frame(leaf));
		memcpy((char *)dst + done, (const char *)w.dst + offset, part);
		window_unmap(w);
		done += part;
	}
	spin_unlock(&s->lock);
	return done;
}
