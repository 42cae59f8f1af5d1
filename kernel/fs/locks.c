/*
 * kernel/fs/locks.c - see locks.h.
 */
#include "kernel/fs/locks.h"

#include <linux/fcntl.h>
#include <linux/fs.h>

#include "kernel/fs/hooks.h"
#include "mm/heap.h"
#include "mm/user.h"

enum lock_kind { LOCK_RECORD, LOCK_DESCRIPTION, LOCK_WHOLE };

struct file_lock {
	struct list node;
	enum lock_kind kind;
	uint64_t owner; /* a pid, or a description's address */
	int32_t pid;    /* as F_GETLK reports it */
	bool exclusive;
	uint64_t start, end; /* [start, end), end UINT64_MAX: to wherever the file ends */
};

struct locks {
	struct list held;
	struct waitq wait;
};

/* The inode's list, made when first needed. inode->mutex held. */
static struct locks *locks_of(struct inode *inode)
{
	if (!inode->locks) {
		inode->locks = kmalloc(sizeof(*inode->locks));
		if (inode->locks) {
			list_init(&inode->locks->held);
			waitq_init(&inode->locks->wait);
		}
	}
	return inode->locks;
}

static bool same_owner(const struct file_lock *a, const struct file_lock *b)
{
	return a->kind == b->kind && a->owner == b->owner;
}

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
	return (a->kind == LOCK_WHOLE) == (b->kind == LOCK_WHOLE) && a->start < b->end && b->start < a->end;
}

/* Who stands in the way of `want`; NULL: nobody. */
static struct file_lock *find_conflict(struct locks *l, const struct file_lock *want)
{
	struct file_lock *held;

	list_for_each (held, &l->held, node)
		if (overlap(held, want) && !same_owner(held, want) && (held->exclusive || want->exclusive))
			return held;
	return NULL;
}

/* Takes [cut->start, cut->end) away from its owner's locks. `spare` is used if a lock must be split in two. */
static void cut_range(struct locks *l, const struct file_lock *cut, struct file_lock **spare)
{
	struct file_lock *held, *next;

	list_for_each_safe (held, next, &l->held, node) {
		if (!overlap(held, cut) || !same_owner(held, cut))
			continue;
		if (held->start < cut->start && held->end > cut->end) {
			struct file_lock *tail = *spare;

			*spare = NULL;
			*tail = *held;
			tail->start = cut->end;
			held->end = cut->start;
			list_append(&l->held, &tail->node);
		} else if (held->start < cut->start) {
			held->end = cut->start;
		} else if (held->end > cut->end) {
			held->start = cut->end;
		} else {
			list_remove(&held->node);
			kfree(held);
		}
	}
}

/* Sets or (unlock) clears a range; nobody stands in the way. inode->mutex held. */
static int apply(struct locks *l, const struct file_lock *want, bool unlock)
{
	struct file_lock *spare = kmalloc(sizeof(*spare)), *new = unlock ? NULL : kmalloc(sizeof(*new));

	if (!spare || (!unlock && !new)) {
		kfree(spare);
		kfree(new);
		return -ENOLCK;
	}
	cut_range(l, want, &spare);
	if (new) {
		*new = *want;
		list_append(&l->held, &new->node);
	}
	kfree(spare);
	waitq_wake_all(&l->wait);
	return 0;
}

static int64_t set_lock(struct inode *inode, const struct file_lock *want, bool unlock, bool wait)
{
	struct locks *l;
	int err = 0;

	mutex_lock(&inode->mutex);
	l = locks_of(inode);
	if (!l)
		err = -ENOLCK;
	else if (!unlock && find_conflict(l, want))
		err = wait ? WAIT_UNTIL(&l->wait, &inode->mutex, !find_conflict(l, want), NO_DEADLINE) : -EAGAIN;
	if (!err)
		err = apply(l, want, unlock);
	mutex_unlock(&inode->mutex);
	return err;
}

/* The range that a struct flock means, from the start of the file. */
static int range_of(struct file *f, const struct flock *user, struct file_lock *lock)
{
	int64_t base = 0, start;

	if (user->l_whence == SEEK_CUR)
		base = (int64_t)f->offset;
	else if (user->l_whence == SEEK_END)
		base = (int64_t)inode_size(f->inode);
	else if (user->l_whence != SEEK_SET)
		return -EINVAL;
	if (__builtin_add_overflow(base, user->l_start, &start))
		return -EOVERFLOW;
	if (user->l_len < 0 && __builtin_add_overflow(start, user->l_len, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	lock->start = (uint64_t)start;
	lock->end =
	    user->l_len ? (uint64_t)start + (uint64_t)(user->l_len < 0 ? -user->l_len : user->l_len) : UINT64_MAX;
	return lock->end > (uint64_t)INT64_MAX + 1 && lock->end != UINT64_MAX ? -EOVERFLOW : 0;
}

static void describe(const struct file_lock *held, struct flock *user)
{
	user->l_type = held->exclusive ? F_WRLCK : F_RDLCK;
	user->l_whence = SEEK_SET;
	user->l_start = (int64_t)held->start;
	user->l_len = held->end == UINT64_MAX ? 0 : (int64_t)(held->end - held->start);
	user->l_pid = held->kind == LOCK_RECORD ? held->pid : -1;
}

static int64_t get_lock(struct inode *inode, const struct file_lock *want, struct flock *user, uaddr_t arg)
{
	struct file_lock *held;

	mutex_lock(&inode->mutex);
	held = inode->locks ? find_conflict(inode->locks, want) : NULL;
	if (held)
		describe(held, user);
	else
		user->l_type = F_UNLCK;
	mutex_unlock(&inode->mutex);
	return copy_to_user(arg, user, sizeof(*user));
}

int64_t locks_fcntl(struct file *f, unsigned cmd, uaddr_t arg)
{
	bool description = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	struct file_lock want = {.kind = description ? LOCK_DESCRIPTION : LOCK_RECORD, .pid = fs_current_pid()};
	struct flock user;
	int err = copy_from_user(&user, arg, sizeof(user));

	if (err)
		return err;
	if (user.l_type != F_RDLCK && user.l_type != F_WRLCK && user.l_type != F_UNLCK)
		return -EINVAL;
	if (description && user.l_pid)
		return -EINVAL;
	err = range_of(f, &user, &want);
	if (err)
		return err;
	want.owner = description ? (uint64_t)f : (uint64_t)want.pid;
	want.exclusive = user.l_type == F_WRLCK;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK)
		return user.l_type == F_UNLCK ? -EINVAL : get_lock(f->inode, &want, &user, arg);
	if ((user.l_type == F_RDLCK && !f->readable) || (user.l_type == F_WRLCK && !f->writable))
		return -EBADF;
	return set_lock(f->inode, &want, user.l_type == F_UNLCK, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
}

int64_t locks_flock(struct file *f, unsigned operation)
{
	struct file_lock want = {.kind = LOCK_WHOLE, .owner = (uint64_t)f, .end = UINT64_MAX};
	unsigned what = operation & ~(unsigned)LOCK_NB;

	if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN)
		return -EINVAL;
	want.exclusive = what == LOCK_EX;
	return set_lock(f->inode, &want, what == LOCK_UN, !(operation & LOCK_NB));
}

/* Drops all locks of one owner and kind. */
static void drop_all(struct inode *inode, enum lock_kind kind, uint64_t owner)
{
	const struct file_lock all = {.kind = kind, .owner = owner, .end = UINT64_MAX};
	struct file_lock *none = NULL;

	mutex_lock(&inode->mutex);
	cut_range(inode->locks, &all, &none);
	waitq_wake_all(&inode->locks->wait);
	mutex_unlock(&inode->mutex);
}

void locks_drop_process(struct inode *inode, int32_t pid)
{
	if (unlikely(inode->locks))
		drop_all(inode, LOCK_RECORD, (uint64_t)pid);
}

void locks_drop_file(struct file *f)
{
	if (likely(!f->inode->locks))
		return;
	drop_all(f->inode, LOCK_DESCRIPTION, (uint64_t)f);
	drop_all(f->inode, LOCK_WHOLE, (uint64_t)f);
}
