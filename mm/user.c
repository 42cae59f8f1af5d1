/* mm/user.c - see mm/user.h. The instructions are in user_copy.S. */
#include "mm/user.h"

#include "kernel/base/cpu.h"

size_t user_copy(void *dst, const void *src, size_t n);
size_t user_clear(void *dst, size_t n);
int64_t user_copy_string(char *dst, const char *src, size_t n);
int user_load(uint64_t *dst, const uint64_t *src);
int user_store(uint64_t *dst, uint64_t value);

struct user_fixup {
	uint32_t at, go_on; /* from the image base */
};
extern const struct user_fixup user_fixups[], user_fixups_end[];
extern const char __ImageBase[];

bool user_smap; /* read by user_copy.S; set by user_access_init() */

void user_access_init(bool smap) { user_smap = smap; }

/* How much of [user, user + n) lies in the user half. */
static size_t inside(uaddr_t user, size_t n) { return user.v >= USER_END ? 0 : MIN(n, USER_END - user.v); }

size_t user_read(void *dst, uaddr_t src, size_t n)
{
	size_t in = inside(src, n);

	return in - user_copy(dst, (const void *)src.v, in);
}

size_t user_write(uaddr_t dst, const void *src, size_t n)
{
	size_t in = inside(dst, n);

	return in - user_copy((void *)dst.v, src, in);
}

size_t user_zero(uaddr_t dst, size_t n)
{
	size_t in = inside(dst, n);

	return in - user_clear((void *)dst.v, in);
}

int copy_from_user(void *dst, uaddr_t src, size_t n)
{
	return user_range_ok(src, n) && user_copy(dst, (const void *)src.v, n) == 0 ? 0 : -EFAULT;
}

int copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	return user_range_ok(dst, n) && user_copy((void *)dst.v, src, n) == 0 ? 0 : -EFAULT;
}

int user_get_u64(uaddr_t src, uint64_t *ret)
{
	return user_range_ok(src, sizeof(*ret)) ? user_load(ret, (const uint64_t *)src.v) : -EFAULT;
}

int user_put_u64(uaddr_t dst, uint64_t v)
{
	return user_range_ok(dst, sizeof(v)) ? user_store((uint64_t *)dst.v, v) : -EFAULT;
}

int64_t user_string(char *dst, uaddr_t src, size_t size)
{
	size_t in = inside(src, size);
	int64_t len = user_copy_string(dst, (const char *)src.v, in);

	if (len < 0 || (len == (int64_t)in && in < size))
		return -EFAULT;
	return len == (int64_t)size ? -ENAMETOOLONG : len;
}

uint64_t user_fixup(uint64_t rip)
{
	uint64_t base = (uint64_t)__ImageBase;

	for (const struct user_fixup *f = user_fixups; f < user_fixups_end; f++)
		if (rip == base + f->at)
			return base + f->go_on;
	return 0;
}
