/* mm/uio.c - see mm/uio.h. */
#include "mm/uio.h"

#include "kernel/base/string.h"
#include "mm/user.h"

struct uio uio_from_segments(const struct uio_segment *seg, uint32_t nseg)
{
	struct uio u = {.seg = seg, .nseg = nseg};

	for (uint32_t i = 0; i < nseg; i++)
		u.left += seg[i].len;
	return u;
}

struct uio uio_from_kernel(void *buf, uint64_t len) { return (struct uio){.kernel = buf, .left = len}; }

static void advance(struct uio *u, size_t n)
{
	u->offset += n;
	u->left -= n;
}

/* The present segment's unused part; empty segments are stepped over. u->left > 0. */
static uint64_t segment_left(struct uio *u)
{
	while (u->offset == u->seg->len) {
		u->seg++;
		u->nseg--;
		u->offset = 0;
	}
	return u->seg->len - u->offset;
}

enum move { PUT, GET, ZERO };

static size_t move_user(enum move move, uaddr_t user, void *kernel, size_t n)
{
	switch (move) {
	case PUT:
		return user_write(user, kernel, n);
	case GET:
		return user_read(kernel, user, n);
	default:
		return user_zero(user, n);
	}
}

static void move_kernel(enum move move, void *mine, void *kernel, size_t n)
{
	if (move == PUT)
		memcpy(mine, kernel, n);
	else if (move == GET)
		memcpy(kernel, mine, n);
	else
		memset(mine, 0, n);
}

static size_t move_bytes(struct uio *u, enum move move, char *kernel, size_t n)
{
	size_t done = 0;

	n = MIN(n, u->left);
	if (!u->seg) {
		move_kernel(move, u->kernel + u->offset, kernel, n);
		advance(u, n);
		return n;
	}
	while (done < n) {
		size_t part = MIN(n - done, segment_left(u));
		size_t moved = move_user(move, uaddr_add(u->seg->base, u->offset), kernel + done, part);

		advance(u, moved);
		done += moved;
		if (moved < part)
			break;
	}
	return done;
}

size_t uio_put(struct uio *u, const void *src, size_t n) { return move_bytes(u, PUT, (char *)src, n); }

size_t uio_get(struct uio *u, void *dst, size_t n) { return move_bytes(u, GET, dst, n); }

size_t uio_put_zero(struct uio *u, size_t n)
{
	static char nothing;

	return move_bytes(u, ZERO, &nothing, n);
}
