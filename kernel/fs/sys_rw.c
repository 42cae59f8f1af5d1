/*
 * kernel/fs/sys_rw.c - system calls that move bytes: read, write, their vectored and positioned kin, sendfile.
 */
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "kernel/base/syscalls.h"
#include "kernel/fs/files.h"
#include "kernel/fs/vfs.h"
#include "mm/heap.h"
#include "mm/uio.h"
#include "mm/user.h"
#include "proc/sched.h"
#include "proc/thread.h"

#define MAX_SEGMENTS    1024 /* UIO_MAXIOV */
#define INLINE_SEGMENTS 8
#define MAX_BYTES       0x7ffff000u /* of one call, as on Linux */

/* struct iovec and struct uio_segment are one layout. */
struct segments {
	struct uio_segment *seg;
	struct uio_segment inline_seg[INLINE_SEGMENTS];
};

enum way { READ, WRITE };

static int check_segments(const struct uio_segment *seg, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (seg[i].len > INT64_MAX || sum > INT64_MAX - seg[i].len)
			return -EINVAL;
		if (!user_range_ok(seg[i].base, seg[i].len))
			return -EFAULT;
		sum += seg[i].len;
	}
	return 0;
}

static int segments_get(struct segments *s, uaddr_t user, uint64_t n)
{
	int err;

	if (n > MAX_SEGMENTS)
		return -EINVAL;
	s->seg = s->inline_seg;
	if (n > INLINE_SEGMENTS) {
		s->seg = kmalloc(n * sizeof(*s->seg));
		if (!s->seg)
			return -ENOMEM;
	}
	err = copy_from_user(s->seg, user, n * sizeof(*s->seg));
	if (!err)
		err = check_segments(s->seg, (uint32_t)n);
	if (err && s->seg != s->inline_seg)
		kfree(s->seg);
	return err;
}

static void segments_put(struct segments *s)
{
	if (s->seg != s->inline_seg)
		kfree(s->seg);
}

static ALWAYS_INLINE int64_t transfer(int fd, uaddr_t buf, size_t len, enum way way)
{
	struct uio_segment seg = {buf, MIN(len, MAX_BYTES)};
	struct uio uio = {.seg = &seg, .nseg = 1, .left = seg.len};
	struct file *f;
	int64_t n = files_lookup(current()->files, fd, &f);

	if (n)
		return n;
	if (!user_range_ok(buf, len))
		n = (way == READ ? f->readable : f->writable) ? -EFAULT : -EBADF;
	else
		n = way == READ ? file_read(f, &uio) : file_write(f, &uio);
	file_put(f);
	return n;
}

int64_t sys_read(int fd, uaddr_t buf, size_t len) { return transfer(fd, buf, len, READ); }
int64_t sys_write(int fd, uaddr_t buf, size_t len) { return transfer(fd, buf, len, WRITE); }

static int64_t transfer_at(int fd, uaddr_t buf, size_t len, int64_t offset, enum way way)
{
	struct uio_segment seg = {buf, MIN(len, MAX_BYTES)};
	struct uio uio = {.seg = &seg, .nseg = 1, .left = seg.len};
	struct file *f;
	int64_t n;

	if (offset < 0)
		return -EINVAL;
	n = files_lookup(current()->files, fd, &f);
	if (n)
		return n;
	if (!user_range_ok(buf, len))
		n = -EFAULT;
	else if (way == READ)
		n = file_read_at(f, &uio, (uint64_t)offset);
	else
		n = file_write_at(f, &uio, (uint64_t)offset);
	file_put(f);
	return n;
}

int64_t sys_pread64(int fd, uaddr_t buf, size_t len, int64_t offset) { return transfer_at(fd, buf, len, offset, READ); }
int64_t sys_pwrite64(int fd, uaddr_t buf, size_t len, int64_t offset)
{
	return transfer_at(fd, buf, len, offset, WRITE);
}

/* offset -1: the description's own. */
static int64_t vector_file(struct file *f, struct segments *s, uint32_t n, int64_t offset, enum way way)
{
	struct uio uio = uio_from_segments(s->seg, n);

	uio.left = MIN(uio.left, MAX_BYTES);
	if (offset < 0)
		return way == READ ? file_read(f, &uio) : file_write(f, &uio);
	return way == READ ? file_read_at(f, &uio, (uint64_t)offset) : file_write_at(f, &uio, (uint64_t)offset);
}

static int64_t transfer_vector(int fd, uaddr_t vec, uint64_t count, int64_t offset, enum way way)
{
	struct segments s;
	struct file *f;
	int64_t n = files_lookup(current()->files, fd, &f);

	if (n)
		return n;
	n = segments_get(&s, vec, count);
	if (!n) {
		n = vector_file(f, &s, (uint32_t)count, offset, way);
		segments_put(&s);
	}
	file_put(f);
	return n;
}

int64_t sys_readv(int fd, uaddr_t vec, uint64_t count) { return transfer_vector(fd, vec, count, -1, READ); }
int64_t sys_writev(int fd, uaddr_t vec, uint64_t count) { return transfer_vector(fd, vec, count, -1, WRITE); }

/* The offset's high half is for 32-bit callers: unused, as on Linux. */
int64_t sys_preadv(int fd, uaddr_t vec, uint64_t count, int64_t offset, uint64_t high)
{
	(void)high;
	return offset < 0 ? -EINVAL : transfer_vector(fd, vec, count, offset, READ);
}

int64_t sys_pwritev(int fd, uaddr_t vec, uint64_t count, int64_t offset, uint64_t high)
{
	(void)high;
	return offset < 0 ? -EINVAL : transfer_vector(fd, vec, count, offset, WRITE);
}

/* Flags ask for nothing that memory has to promise, but for RWF_NOWAIT and RWF_APPEND, which are refused. */
static int check_rw_flags(int flags, int64_t offset)
{
	if (flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC))
		return -EOPNOTSUPP;
	return offset < -1 ? -EINVAL : 0;
}

int64_t sys_preadv2(int fd, uaddr_t vec, uint64_t count, int64_t offset, uint64_t high, int flags)
{
	int err = check_rw_flags(flags, offset);

	(void)high;
	return err ? err : transfer_vector(fd, vec, count, offset, READ);
}

int64_t sys_pwritev2(int fd, uaddr_t vec, uint64_t count, int64_t offset, uint64_t high, int flags)
{
	int err = check_rw_flags(flags, offset);

	(void)high;
	return err ? err : transfer_vector(fd, vec, count, offset, WRITE);
}

int64_t sys_lseek(int fd, int64_t offset, unsigned whence)
{
	struct file *f;
	int64_t at = files_lookup(current()->files, fd, &f);

	if (at)
		return at;
	at = file_seek(f, offset, (int)whence);
	file_put(f);
	return at;
}

/* ---- File to file ---- */

#define COPY_CHUNK 2000 /* of the small heap classes */

struct copy {
	struct file *in, *out;
	uint64_t *in_offset, *out_offset; /* NULL: the description's own */
	uint64_t left;
};

/* One chunk through kernel memory: bytes moved, 0 at the end of the input. What was read but not written is read again. */
static int64_t copy_chunk(struct copy *c, char *buf)
{
	struct uio from = uio_from_kernel(buf, MIN(c->left, COPY_CHUNK)), to;
	int64_t at = c->in_offset ? (int64_t)*c->in_offset : file_seek(c->in, 0, SEEK_CUR), n, written;

	n = at < 0 ? at : file_read_at(c->in, &from, (uint64_t)at);
	if (n <= 0)
		return n;
	to = uio_from_kernel(buf, (uint64_t)n);
	written = c->out_offset ? file_write_at(c->out, &to, *c->out_offset) : file_write(c->out, &to);
	if (written <= 0)
		return written;
	if (c->in_offset)
		*c->in_offset += (uint64_t)written;
	else if (file_seek(c->in, at + written, SEEK_SET) < 0)
		return -EINVAL;
	if (c->out_offset)
		*c->out_offset += (uint64_t)written;
	c->left -= (uint64_t)written;
	return written;
}

static int64_t copy_bytes(struct copy *c)
{
	char *buf = kmalloc(COPY_CHUNK);
	int64_t done = 0, n = 0;

	if (!buf)
		return -ENOMEM;
	c->left = MIN(c->left, MAX_BYTES);
	while (c->left) {
		n = copy_chunk(c, buf);
		if (n <= 0)
			break;
		done += n;
		sched_point();
		if (signal_pending(current()))
			break;
	}
	kfree(buf);
	return done ? done : n;
}

/* Offsets from and to user memory; a NULL address: the description's own offset. */
static int offset_get(uaddr_t user, uint64_t *value, uint64_t **ret_slot)
{
	int err;

	*ret_slot = NULL;
	if (!user.v)
		return 0;
	err = user_get_u64(user, value);
	if (!err && (int64_t)*value < 0)
		err = -EINVAL;
	*ret_slot = value;
	return err;
}

static int64_t offset_put(uaddr_t user, uint64_t value, int64_t result)
{
	if (user.v && result >= 0 && user_put_u64(user, value) < 0)
		return -EFAULT;
	return result;
}

static int check_copy(const struct copy *c)
{
	if (!c->in->readable || !c->out->writable)
		return -EBADF;
	if (inode_is_dir(c->in->inode))
		return -EISDIR;
	if (!S_ISREG(c->in->inode->mode))
		return -EINVAL;
	return 0;
}

static int64_t copy_between(int in, uaddr_t in_user, int out, uaddr_t out_user, uint64_t n, bool both_regular)
{
	uint64_t in_offset = 0, out_offset = 0;
	struct copy c = {.left = n};
	int64_t result = files_lookup(current()->files, in, &c.in);

	if (result)
		return result;
	result = files_lookup(current()->files, out, &c.out);
	if (result)
		goto put_in;
	result = check_copy(&c);
	if (!result && both_regular && !S_ISREG(c.out->inode->mode))
		result = inode_is_dir(c.out->inode) ? -EISDIR : -EINVAL;
	if (!result && (file_flags(c.out) & O_APPEND))
		result = both_regular ? -EBADF : -EINVAL;
	if (!result)
		result = offset_get(in_user, &in_offset, &c.in_offset);
	if (!result)
		result = offset_get(out_user, &out_offset, &c.out_offset);
	if (!result) {
		result = copy_bytes(&c);
		result = offset_put(in_user, in_offset, result);
		result = offset_put(out_user, out_offset, result);
	}
	file_put(c.out);
put_in:
	file_put(c.in);
	return result;
}

int64_t sys_sendfile(int out, int in, uaddr_t offset, size_t n)
{
	return copy_between(in, offset, out, UADDR(0), n, false);
}

int64_t sys_copy_file_range(int in, uaddr_t in_offset, int out, uaddr_t out_offset, size_t n, unsigned flags)
{
	return flags ? -EINVAL : copy_between(in, in_offset, out, out_offset, n, true);
}

/* ---- Memory needs no writing back: these only check the descriptor ---- */

static int64_t check_fd(int fd)
{
	struct file *f;
	int err = files_lookup(current()->files, fd, &f);

	if (!err)
		file_put(f);
	return err;
}

static int64_t check_sync(int fd)
{
	struct file *f;
	int err = files_lookup(current()->files, fd, &f);

	if (err)
		return err;
	err = S_ISREG(f->inode->mode) || inode_is_dir(f->inode) ? 0 : -EINVAL;
	file_put(f);
	return err;
}

int64_t sys_sync(void) { return 0; }
int64_t sys_fsync(int fd) { return check_sync(fd); }
int64_t sys_fdatasync(int fd) { return check_sync(fd); }
int64_t sys_syncfs(int fd) { return check_fd(fd); }
int64_t sys_fadvise64(int fd, int64_t offset, int64_t len, int advice)
{
	(void)offset;
	if (len < 0 || advice < 0 || advice > 5)
		return -EINVAL;
	return check_fd(fd);
}
int64_t sys_readahead(int fd, int64_t offset, size_t count)
{
	(void)offset, (void)count;
	return check_fd(fd);
}
int64_t sys_sync_file_range(int fd, int64_t offset, int64_t n, unsigned flags)
{
	if (offset < 0 || n < 0 || flags > 7)
		return -EINVAL;
	return check_sync(fd);
}
