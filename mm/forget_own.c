/* mm/forget_own.c - see mm/forget_own.h. */
#include "mm/forget_own.h"

#include "mm/paging.h"

#ifdef TINE_CHECKED

static int store_again(uaddr_t va)
{
	pte_t *entry = entry_window(va.v, 1);

	if (path_missing(va))
		return -EFAULT;
	pte_write(entry, pte_read(entry));
	return 0;
}

int store_unowned(struct space *s, uaddr_t va)
{
	int err;

	if (va.v >= USER_END)
		return -EFAULT;
	spin_lock(&s->lock);
	err = store_again(va);
	spin_unlock(&s->lock);
	return err;
}

int store_owned(struct space *s, uaddr_t va)
{
	int err;

	if (va.v >= USER_END)
		return -EFAULT;
	spin_lock(&s->lock);
	err = own_existing(s, va);
	if (!err)
		err = store_again(va);
	spin_unlock(&s->lock);
	return err;
}

#endif
