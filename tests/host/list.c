/*
 * tests/host/list.c - the linked ring.
 * sources:
 */
#include "kernel/base/list.h"

#include "tests/host/test.h"

struct item {
	int value;
	struct list node;
};

/* The values in order, as one number. */
static long order(struct list *head)
{
	struct item *i;
	long all = 0;

	list_for_each (i, head, node)
		all = all * 10 + i->value;
	return all;
}

static void test_order(void)
{
	struct item a = {.value = 1}, b = {.value = 2}, c = {.value = 3};
	struct list head = LIST_INIT(head);

	EXPECT_TRUE(list_empty(&head));
	EXPECT(0, order(&head));
	list_append(&head, &a.node);
	list_append(&head, &b.node);
	list_push(&head, &c.node);
	EXPECT(312, order(&head));
	EXPECT(3, list_first(&head, struct item, node)->value);
	list_remove(&a.node);
	EXPECT(32, order(&head));
	list_remove(&a.node); /* harmless */
	EXPECT(32, order(&head));
	EXPECT_TRUE(list_empty(&a.node));
	list_insert_between(&a.node, &c.node, &b.node);
	EXPECT(312, order(&head));
}

static void test_removal_while_walking(void)
{
	struct item items[6], *i, *next;
	struct list head;

	list_init(&head);
	for (int n = 0; n < 6; n++) {
		items[n].value = n + 1;
		list_append(&head, &items[n].node);
	}
	list_for_each_safe (i, next, &head, node) {
		if (i->value % 2)
			list_remove(&i->node);
	}
	EXPECT(246, order(&head));
	list_for_each_safe (i, next, &head, node)
		list_remove(&i->node);
	EXPECT_TRUE(list_empty(&head));
}

int main(void)
{
	test_order();
	test_removal_while_walking();
	return test_result();
}
