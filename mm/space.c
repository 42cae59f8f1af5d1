/* mm/space.c - see mm/space.h: the life of a space. */
#include "mm/space.h"

#include "kernel/base/percpu.h"
#include "kernel/base/string.h"
#include "mm/boot.h"
#include "mm/heap.h"
#include "mm/paging.h"
#include "mm/table.h"
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

int space_create(struct space **ret_space)
{
	struct space *s = kzalloc(sizeof(*s));
	int err = -ENOMEM;

	if (!s)
		return err;
	err = regions_create(&s->regions);
	if (err)
		goto free_space;
	err = table_alloc(FRAME_ROOT, &s->root);
	if (err)
		goto put_regions;
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
	s->hot = hot_get(parent->hot);
	s->dead = 0;
	s->root = table_take(reserve, FRAME_ROOT);
	*ret_space = s;
	return 0;
}

void space_abandon(struct space *s)
{
	if (s->regions)
		regions_put(s->regions);
	frame_put(s->root);
	hot_put(s->hot);
	kfree(s);
}

void space_get(struct space *s) { ref_get(&s->ref); }

/* A tree that no CPU has loaded. Only the user half: the kernel's tables belong to all, and a root's record does not speak of them. */
static void tree_put(struct space *s)
{
	struct window w = window_map(s->root);
	pte_t *entries = w.dst;

	table_for_each (i, entries, frame_of(s->root)) {
		pfn_t child = pte_frame(entries[i]);

		pte_write(&entries[i], PTE_NONE);
		table_put(s, child, 3);
	}
	frame_of(s->root)->npresent = 0;
	window_unmap(w);
}

static void unpublish(struct space *s)
{
	spin_lock(&all_lock);
	list_remove(&s->all);
	spin_unlock(&all_lock);
}

/* The tree is empty, and no CPU has it loaded. */
static void space_free(struct space *s)
{
	commit_release(s);
	space_free_dead(s);
	frame_put(s->root);
	regions_put(s->regions);
	hot_put(s->hot);
	kfree(s);
}

void space_put(struct space *s)
{
	if (!ref_put(&s->ref))
		return;
	ASSERT(space_active() != s);
	unpublish(s);
	tree_put(s);
	space_free(s);
}

void space_leave(struct space *s)
{
	bool last = ref_put(&s->ref);

	ASSERT(space_active() == s);
	if (last) {
		unpublish(s);
		paging_drop_all(s);
	}
	space_activate(NULL);
	if (last)
		space_free(s);
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
