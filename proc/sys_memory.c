/* proc/sys_memory.c - system calls about memory: mmap(2), munmap(2), mprotect(2), madvise(2), mremap(2), brk(2), msync(2). */
#include <asm/mman.h>
#include <linux/mman.h>

#include "kernel/base/syscalls.h"
#include "kernel/fs/files.h"
#include "mm/object.h"
#include "mm/space.h"
#include "proc/process.h"

#define PROT_ALL  (PROT_READ | PROT_WRITE | PROT_EXEC)
#define TYPE_MASK 0xf /* MAP_TYPE */

static int map_type(unsigned flags, bool anonymous, bool *ret_shared)
{
	switch (flags & TYPE_MASK) {
	case MAP_SHARED_VALIDATE:
		if (anonymous)
			return -EINVAL;
		*ret_shared = true;
		return 0;
	case MAP_SHARED:
		*ret_shared = true;
		return 0;
	case MAP_PRIVATE:
		*ret_shared = false;
		return 0;
	default:
		return -EINVAL;
	}
}

/* The object behind fd, with the rights that its open mode gives. The file's reference is handed to the caller. */
static int file_backing(int fd, bool shared, struct map_request *req, struct file **ret_file)
{
	struct file *f;
	int err = files_lookup(current()->files, fd, &f);

	if (err)
		return err;
	req->object = file_object(f);
	if (!f->readable || (shared && (req->prot & PROT_WRITE) && !file_mmap_writable(f)))
		err = -EACCES;
	else if (!req->object)
		err = -ENODEV;
	if (err) {
		file_put(f);
		return err;
	}
	if (shared && !file_mmap_writable(f))
		req->flags |= REGION_NO_WRITE;
	*ret_file = f;
	return 0;
}

static int64_t map_anonymous(struct map_request *req, bool shared, uaddr_t *ret_at)
{
	int err;

	if (!shared)
		return space_map(current()->space, req, ret_at);
	err = object_create_anonymous(ALIGN_UP(req->len, PAGE_SIZE), !(req->flags & REGION_NORESERVE), &req->object);
	if (err)
		return err;
	err = space_map(current()->space, req, ret_at);
	object_put(req->object); /* the region has its own reference */
	return err;
}

int64_t sys_mmap(uaddr_t addr, uint64_t len, uint64_t prot, uint64_t flags, int fd, uint64_t offset)
{
	bool anonymous = flags & MAP_ANONYMOUS, shared;
	struct map_request req = {.addr = addr, .len = len, .prot = prot & PROT_ALL};
	struct file *f;
	uaddr_t at;
	int64_t err;

	if (page_offset(offset) || !len)
		return -EINVAL;
	err = map_type((unsigned)flags, anonymous, &shared);
	if (err)
		return err;
	req.fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	req.no_replace = flags & MAP_FIXED_NOREPLACE;
	if ((flags & MAP_GROWSDOWN) && shared)
		return -EINVAL;
	req.flags = (shared ? REGION_SHARED : 0) | (anonymous && (flags & MAP_GROWSDOWN) ? REGION_STACK : 0);
	if ((flags & MAP_NORESERVE) && commit_policy.mode != COMMIT_NEVER)
		req.flags |= REGION_NORESERVE;
	if (anonymous) {
		err = map_anonymous(&req, shared, &at);
		return err ? err : (int64_t)at.v;
	}
	req.offset = offset;
	err = file_backing(fd, shared, &req, &f);
	if (err)
		return err;
	err = space_map(current()->space, &req, &at);
	file_put(f);
	return err ? err : (int64_t)at.v;
}

int64_t sys_munmap(uaddr_t addr, uint64_t len) { return space_unmap(current()->space, addr, len); }

int64_t sys_mprotect(uaddr_t addr, uint64_t len, uint64_t prot)
{
	if (prot & ~(uint64_t)(PROT_ALL | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	return space_protect(current()->space, addr, len, prot & PROT_ALL);
}

int64_t sys_madvise(uaddr_t addr, uint64_t len, int advice)
{
	return space_advise(current()->space, addr, len, advice);
}

int64_t sys_mremap(uaddr_t addr, uint64_t old_len, uint64_t new_len, uint64_t flags, uaddr_t new_addr)
{
	uaddr_t at;
	int err = space_remap(current()->space, addr, old_len, new_len, (unsigned)flags, new_addr, &at);

	return err ? err : (int64_t)at.v;
}

int64_t sys_brk(uaddr_t brk) { return (int64_t)space_brk(current()->space, brk).v; }

/* Mapped pages are the file: there is nothing to write back, but the arguments are checked. */
int64_t sys_msync(uaddr_t addr, uint64_t len, int flags)
{
	uaddr_t hole, end = UADDR(addr.v + ALIGN_UP(len, PAGE_SIZE));
	struct space *s = current()->space;
	bool covered;

	if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || page_offset(addr.v) ||
	    ((flags & MS_ASYNC) && (flags & MS_SYNC)))
		return -EINVAL;
	if (len > USER_END || !user_range_ok(addr, ALIGN_UP(len, PAGE_SIZE)))
		return -ENOMEM;
	spin_lock(&s->lock);
	covered = regions_cover(s->regions, addr, end, &hole);
	spin_unlock(&s->lock);
	return covered ? 0 : -ENOMEM;
}
