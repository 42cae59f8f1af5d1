/* proc/sys_cred.c - user and group ids (POSIX setuid() and kin; Linux credentials(7)). */
#include "kernel/base/string.h"
#include "kernel/base/syscalls.h"
#include "mm/user.h"
#include "proc/cred.h"
#include "proc/process.h"

#define KEEP UINT32_MAX /* -1: leave this id as it is */

int64_t sys_getuid(void) { return current()->cred->uid; }

int64_t sys_geteuid(void) { return current()->cred->euid; }

int64_t sys_getgid(void) { return current()->cred->gid; }

int64_t sys_getegid(void) { return current()->cred->egid; }

static void install(struct cred *new)
{
	struct process *p = current_process();
	struct cred *old = current()->cred, *old_of_process;

	cred_get(new);
	spin_lock(&proc_lock);
	old_of_process = p->cred;
	p->cred = new;
	spin_unlock(&proc_lock);
	current()->cred = new;
	cred_put(old_of_process);
	cred_put(old);
}

/* May an id become `id`? Root may all; others only what they have in one of the three. */
static bool may_be(const struct cred *c, uint32_t id, const uint32_t has[3])
{
	return id == KEEP || c->euid == 0 || id == has[0] || id == has[1] || id == has[2];
}

static int64_t set_uids(uint32_t r, uint32_t e, uint32_t s)
{
	const struct cred *c = current()->cred;
	const uint32_t has[3] = {c->uid, c->euid, c->suid};
	struct cred *new;
	int err;

	if (!may_be(c, r, has) || !may_be(c, e, has) || !may_be(c, s, has))
		return -EPERM;
	err = cred_copy(c, &new);
	if (err)
		return err;
	new->uid = r == KEEP ? c->uid : r;
	new->euid = new->fsuid = e == KEEP ? c->euid : e;
	new->suid = s == KEEP ? c->suid : s;
	install(new);
	return 0;
}

static int64_t set_gids(uint32_t r, uint32_t e, uint32_t s)
{
	const struct cred *c = current()->cred;
	const uint32_t has[3] = {c->gid, c->egid, c->sgid};
	struct cred *new;
	int err;

	if (!may_be(c, r, has) || !may_be(c, e, has) || !may_be(c, s, has))
		return -EPERM;
	err = cred_copy(c, &new);
	if (err)
		return err;
	new->gid = r == KEEP ? c->gid : r;
	new->egid = new->fsgid = e == KEEP ? c->egid : e;
	new->sgid = s == KEEP ? c->sgid : s;
	install(new);
	return 0;
}

int64_t sys_setresuid(uint32_t r, uint32_t e, uint32_t s) { return set_uids(r, e, s); }

int64_t sys_setresgid(uint32_t r, uint32_t e, uint32_t s) { return set_gids(r, e, s); }

int64_t sys_setuid(uint32_t id)
{
	bool root = current()->cred->euid == 0;

	if (id == KEEP)
		return -EINVAL;
	return set_uids(root ? id : KEEP, id, root ? id : KEEP);
}

int64_t sys_setgid(uint32_t id)
{
	bool root = current()->cred->euid == 0;

	if (id == KEEP)
		return -EINVAL;
	return set_gids(root ? id : KEEP, id, root ? id : KEEP);
}

/* The saved id follows the effective one when the real one is set, or the effective one to another than the real. */
int64_t sys_setreuid(uint32_t r, uint32_t e)
{
	const struct cred *c = current()->cred;
	uint32_t new_e = e == KEEP ? c->euid : e;
	bool follow = r != KEEP || (e != KEEP && e != c->uid);

	return set_uids(r, e, follow ? new_e : KEEP);
}

int64_t sys_setregid(uint32_t r, uint32_t e)
{
	const struct cred *c = current()->cred;
	uint32_t new_e = e == KEEP ? c->egid : e;
	bool follow = r != KEEP || (e != KEEP && e != c->gid);

	return set_gids(r, e, follow ? new_e : KEEP);
}

static int64_t put_three(uaddr_t r, uaddr_t e, uaddr_t s, uint32_t vr, uint32_t ve, uint32_t vs)
{
	if (user_put_u32(r, vr) || user_put_u32(e, ve) || user_put_u32(s, vs))
		return -EFAULT;
	return 0;
}

int64_t sys_getresuid(uaddr_t r, uaddr_t e, uaddr_t s)
{
	const struct cred *c = current()->cred;

	return put_three(r, e, s, c->uid, c->euid, c->suid);
}

int64_t sys_getresgid(uaddr_t r, uaddr_t e, uaddr_t s)
{
	const struct cred *c = current()->cred;

	return put_three(r, e, s, c->gid, c->egid, c->sgid);
}

int64_t sys_getgroups(int size, uaddr_t list)
{
	const struct cred *c = current()->cred;

	if (size < 0)
		return -EINVAL;
	if (!size)
		return c->ngroups;
	if ((uint32_t)size < c->ngroups)
		return -EINVAL;
	if (copy_to_user(list, c->groups, c->ngroups * sizeof(c->groups[0])))
		return -EFAULT;
	return c->ngroups;
}

int64_t sys_setgroups(int size, uaddr_t list)
{
	struct cred *new;
	int err;

	if (current()->cred->euid != 0)
		return -EPERM;
	if (size < 0 || size > CRED_MAX_GROUPS)
		return -EINVAL;
	err = cred_copy(current()->cred, &new);
	if (err)
		return err;
	if (copy_from_user(new->groups, list, (size_t)size * sizeof(new->groups[0]))) {
		cred_put(new);
		return -EFAULT;
	}
	new->ngroups = (uint32_t)size;
	install(new);
	return 0;
}
