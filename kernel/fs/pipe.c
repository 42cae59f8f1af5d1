/*
 * kernel/fs/pipe.c - see pipe.h.
 */
#include "kernel/fs/pipe.h"

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#include "kernel/base/print.h"
#include "kernel/base/string.h"
#include "kernel/fs/hooks.h"
#include "kernel/fs/poll.h"
#include "mm/heap.h"
#include "mm/uio.h"
#include "mm/user.h"
#include "proc/cred.h"
#include "proc/wait.h"

struct pipe {
	struct spinlock lock;
	char *ring;
	uint32_t room, capacity;             /* of the ring now, and at most */
	uint32_t head, used;                 /* first byte, number of bytes */
	uint32_t readers, writers;           /* open descriptions */
	uint64_t reader_opens, writer_opens; /* ever: what a FIFO's open() waits for */
	uint32_t holders;                    /* descriptions and sleeping opens: the last one frees */
	struct waitq read_wait, write_wait, open_wait;
};

static const struct file_ops pipe_ops;
static const struct inode_ops pipe_inode_ops = {.open = NULL};
static const struct filesystem_type pipefs_type = {.name = "pipefs", .magic = 0x50495045};
static struct filesystem pipefs = {.type = &pipefs_type};

/* A pipe of pipe(2), which can be opened again through /proc/PID/fd, but has no other side to wait for. */
static bool has_no_name(const struct inode *inode) { return inode->fs == &pipefs; }

static int pipe_alloc(struct pipe **ret_pipe)
{
	struct pipe *p = kzalloc(sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->ring = kmalloc(PIPE_BUF_BYTES);
	if (!p->ring) {
		kfree(p);
		return -ENOMEM;
	}
	spin_init(&p->lock, "pipe", LOCK_FILE);
	p->room = PIPE_BUF_BYTES;
	p->capacity = PIPE_CAPACITY;
	waitq_init(&p->read_wait);
	waitq_init(&p->write_wait);
	waitq_init(&p->open_wait);
	*ret_pipe = p;
	return 0;
}

static void pipe_free(struct pipe *p)
{
	kfree(p->ring);
	kfree(p);
}

/* Sleeps on q until woken; p->lock is held before and after. */
static int pipe_sleep(struct pipe *p, struct waitq *q)
{
	struct waiter w;
	int err;

	waitq_enter(q, &w);
	wait_prepare(true);
	spin_unlock(&p->lock);
	err = wait_sleep(NO_DEADLINE);
	spin_lock(&p->lock);
	waitq_leave(&w);
	return err;
}

static void wake(struct waitq *q)
{
	if (!waitq_empty(q))
		waitq_wake_all(q);
}

/* ---- The ring ---- */

/* Moves as much as there is and the reader takes. Lock held. */
static size_t ring_get(struct pipe *p, struct uio *uio)
{
	size_t done = 0;

	while (p->used && uio->left) {
		size_t part = MIN(p->used, p->room - p->head), moved = uio_put(uio, p->ring + p->head, part);

		p->head = (p->head + (uint32_t)moved) & (p->room - 1);
		p->used -= (uint32_t)moved;
		done += moved;
		if (moved < part)
			break;
	}
	if (!p->used)
		p->head = 0;
	return done;
}

/* Moves n bytes in; there is room. Lock held. Short if user memory ends. */
static size_t ring_put(struct pipe *p, struct uio *uio, size_t n)
{
	size_t done = 0;

	while (done < n) {
		uint32_t tail = (p->head + p->used) & (p->room - 1);
		size_t part = MIN(n - done, p->room - tail), moved = uio_get(uio, p->ring + tail, part);

		p->used += (uint32_t)moved;
		done += moved;
		if (moved < part)
			break;
	}
	return done;
}

/* Another room for the ring, with its bytes at the start. room >= used. Lock held. */
static int ring_resize(struct pipe *p, uint32_t room)
{
	char *ring = kmalloc(room);
	uint32_t first = MIN(p->used, p->room - p->head);

	if (!ring)
		return -ENOMEM;
	memcpy(ring, p->ring + p->head, first);
	memcpy(ring + first, p->ring, p->used - first);
	kfree(p->ring);
	p->ring = ring;
	p->room = room;
	p->head = 0;
	return 0;
}

/* Makes room for n more bytes if the capacity allows; the room there is then. Lock held. */
static uint32_t ring_space(struct pipe *p, uint64_t n)
{
	uint32_t room = p->room;

	while (room < p->capacity && room - p->used < n)
		room *= 2;
	if (room != p->room && ring_resize(p, room) < 0)
		pr_debug("pipe: no memory for %u bytes, going on with %u", room, p->room);
	return p->room - p->used;
}

/* ---- Reading and writing ---- */

static int64_t pipe_read(struct file *f, struct uio *uio, uint64_t *offset)
{
	struct pipe *p = f->private;
	size_t done = 0;
	int64_t err = 0;

	(void)offset;
	if (!uio->left)
		return 0;
	spin_lock(&p->lock);
	while (!p->used && p->writers && !err) {
		if (file_flags(f) & O_NONBLOCK)
			err = -EAGAIN;
		else
			err = pipe_sleep(p, &p->read_wait);
	}
	if (p->used) {
		done = ring_get(p, uio);
		err = done ? 0 : -EFAULT;
		wake(&p->write_wait);
		if (p->used)
			wake(&p->read_wait);
	}
	spin_unlock(&p->lock);
	return done ? (int64_t)done : err;
}

/* Waits until bytes may go in: all of a small write, some of a large one. How many, or -errno. Lock held. */
static int64_t wait_for_room(struct pipe *p, struct file *f, const struct uio *uio, bool atomic)
{
	for (;;) {
		uint64_t want = uio->left, space;
		int err;

		if (!p->readers)
			return -EPIPE;
		space = ring_space(p, want);
		if (space >= want || (space && !atomic))
			return (int64_t)MIN(want, space);
		if (file_flags(f) & O_NONBLOCK)
			return -EAGAIN;
		err = pipe_sleep(p, &p->write_wait);
		if (err)
			return err;
	}
}

static int64_t pipe_write(struct file *f, struct uio *uio, uint64_t *offset)
{
	struct pipe *p = f->private;
	bool atomic = uio->left <= PIPE_BUF_BYTES;
	size_t done = 0;
	int64_t n = 0;

	(void)offset;
	if (!uio->left)
		return 0;
	spin_lock(&p->lock);
	while (uio->left) {
		size_t moved;

		n = wait_for_room(p, f, uio, atomic);
		if (n < 0)
			break;
		moved = ring_put(p, uio, (size_t)n);
		done += moved;
		wake(&p->read_wait);
		if (moved < (size_t)n) {
			n = -EFAULT;
			break;
		}
	}
	spin_unlock(&p->lock);
	if (n == -EPIPE)
		fs_signal_current(SIGPIPE);
	return done ? (int64_t)done : n;
}

static uint32_t pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->private;
	uint32_t events = 0;

	if (f->readable)
		poll_on(pt, &p->read_wait);
	if (f->writable)
		poll_on(pt, &p->write_wait);
	spin_lock(&p->lock);
	if (f->readable && p->used)
		events |= POLLIN | POLLRDNORM;
	if (f->readable && !p->writers && p->writer_opens)
		events |= POLLHUP;
	if (f->writable && p->capacity - p->used >= PIPE_BUF_BYTES)
		events |= POLLOUT | POLLWRNORM;
	if (f->writable && !p->readers)
		events |= POLLERR;
	spin_unlock(&p->lock);
	return events;
}

static int64_t pipe_ioctl(struct file *f, uint32_t request, uaddr_t arg)
{
	struct pipe *p = f->private;
	uint32_t used;

	if (request != FIONREAD)
		return -ENOTTY;
	spin_lock(&p->lock);
	used = p->used;
	spin_unlock(&p->lock);
	return user_put_u32(arg, used);
}

static bool is_pipe(const struct file *f) { return f->ops == &pipe_ops; }

int64_t pipe_get_size(struct file *f)
{
	if (!is_pipe(f))
		return -EBADF;
	return ((struct pipe *)f->private)->capacity;
}

int64_t pipe_set_size(struct file *f, uint64_t size)
{
	struct pipe *p = f->private;
	uint32_t room = PIPE_BUF_BYTES;
	int err = 0;

	if (!is_pipe(f))
		return -EBADF;
	if (size > PIPE_MAX_CAPACITY)
		return cred_is_root(current()->cred) && size <= INT32_MAX ? -ENOMEM : -EPERM;
	while (room < size)
		room *= 2;
	spin_lock(&p->lock);
	if (room < p->used)
		err = -EBUSY;
	else if (room < p->room)
		err = ring_resize(p, room);
	if (!err)
		p->capacity = room;
	spin_unlock(&p->lock);
	return err ? err : (int64_t)room;
}

/* ---- Ends ---- */

/* One more description of an end. Lock held. */
static void end_open(struct pipe *p, const struct file *f)
{
	p->readers += f->readable;
	p->reader_opens += f->readable;
	p->writers += f->writable;
	p->writer_opens += f->writable;
	wake(&p->open_wait);
}

static void end_close(struct pipe *p, const struct file *f)
{
	spin_lock(&p->lock);
	p->readers -= f->readable;
	p->writers -= f->writable;
	wake(&p->read_wait);
	wake(&p->write_wait);
	spin_unlock(&p->lock);
}

/* Gives up one hold on a FIFO's or pipe's state. inode->mutex orders this with a new open. */
static void pipe_drop(struct inode *inode, struct pipe *p)
{
	bool last;

	mutex_lock(&inode->mutex);
	last = --p->holders == 0;
	if (last)
		inode->pipe = NULL;
	mutex_unlock(&inode->mutex);
	if (last)
		pipe_free(p);
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->private;

	end_close(p, f);
	pipe_drop(f->inode, p);
}

static const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
    .release = pipe_release,
};

/* The inode's pipe with one more holder; made if nobody has it open. */
static int pipe_hold(struct inode *inode, struct pipe **ret_pipe)
{
	int err = 0;

	mutex_lock(&inode->mutex);
	if (!inode->pipe)
		err = pipe_alloc(&inode->pipe);
	if (!err) {
		inode->pipe->holders++;
		*ret_pipe = inode->pipe;
	}
	mutex_unlock(&inode->mutex);
	return err;
}

/* Waits until the other side has been opened since we counted ourselves. Lock held. */
static int wait_for_partner(struct pipe *p, const uint32_t *partners, const uint64_t *opens)
{
	uint64_t before = *opens;
	int err = 0;

	while (!*partners && *opens == before && !err)
		err = pipe_sleep(p, &p->open_wait);
	return err;
}

static int fifo_meet(struct pipe *p, struct file *f)
{
	bool nonblock = file_flags(f) & O_NONBLOCK;

	if ((f->readable && f->writable) || has_no_name(f->inode))
		return 0;
	if (f->readable)
		return nonblock ? 0 : wait_for_partner(p, &p->writers, &p->writer_opens);
	return wait_for_partner(p, &p->readers, &p->reader_opens);
}

int fifo_open(struct file *f)
{
	struct pipe *p;
	int err = pipe_hold(f->inode, &p);

	if (err)
		return err;
	spin_lock(&p->lock);
	if (f->writable && !f->readable && (file_flags(f) & O_NONBLOCK) && !p->readers && !has_no_name(f->inode)) {
		spin_unlock(&p->lock);
		pipe_drop(f->inode, p);
		return -ENXIO;
	}
	end_open(p, f);
	err = fifo_meet(p, f);
	spin_unlock(&p->lock);
	if (err) {
		end_close(p, f);
		pipe_drop(f->inode, p);
		return err;
	}
	f->private = p;
	f->ops = &pipe_ops;
	return 0;
}

/* One end, open. */
static int pipe_end(struct inode *inode, uint32_t flags, struct file **ret_file)
{
	char name[32];
	struct pipe *p;
	struct file *f;
	int err = pipe_hold(inode, &p);

	if (err)
		return err;
	ksnprintf(name, sizeof(name), "pipe:[%llu]", (unsigned long long)inode->ino);
	err = file_create_anonymous(inode_get(inode), name, flags, &pipe_ops, &f);
	if (err) {
		inode_put(inode);
		pipe_drop(inode, p);
		return err;
	}
	f->private = p;
	spin_lock(&p->lock);
	end_open(p, f);
	spin_unlock(&p->lock);
	*ret_file = f;
	return 0;
}

int pipe_create(uint32_t flags, struct file *ret_ends[2])
{
	struct inode *inode;
	struct file *reader, *writer;
	int err;

	if (!pipefs.dev)
		pipefs.dev = filesystem_new_dev();
	err = inode_create(&pipefs, &pipe_inode_ops, S_IFIFO | 0600, &inode);
	if (err)
		return err;
	inode->uid = current()->cred->fsuid;
	inode->gid = current()->cred->fsgid;
	err = pipe_end(inode, O_RDONLY | flags, &reader);
	if (err)
		goto put_inode;
	err = pipe_end(inode, O_WRONLY | flags, &writer);
	if (err)
		goto put_reader;
	inode_put(inode);
	ret_ends[0] = reader;
	ret_ends[1] = writer;
	return 0;

put_reader:
	file_put(reader);
put_inode:
	inode_put(inode);
	return err;
}
