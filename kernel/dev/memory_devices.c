/*
 * kernel/dev/memory_devices.c - /dev/null, zero, full, random and urandom (Linux mem(4), null(4), full(4), random(4)).
 */
#include <asm/ioctls.h>
#include <linux/fs.h>

#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/dev/devices.h"
#include "kernel/fs/chrdev.h"
#include "mm/uio.h"
#include "proc/sched.h"

#define CHUNK 256

static int64_t null_read(struct file *f, struct uio *uio, uint64_t *offset)
{
	(void)f, (void)uio, (void)offset;
	return 0;
}

static int64_t null_write(struct file *f, struct uio *uio, uint64_t *offset)
{
	int64_t n = (int64_t)uio->left;

	(void)f, (void)offset;
	uio->left = 0;
	return n;
}

/* Long requests end at a signal, and let others run. */
static int64_t zero_read(struct file *f, struct uio *uio, uint64_t *offset)
{
	uint64_t done = 0;

	(void)f, (void)offset;
	while (uio->left) {
		size_t part = MIN(uio->left, PAGE_SIZE), moved = uio_put_zero(uio, part);

		done += moved;
		if (moved < part)
			return done ? (int64_t)done : -EFAULT;
		sched_point();
		if (signal_pending(current()))
			break;
	}
	return (int64_t)done;
}

static int64_t full_write(struct file *f, struct uio *uio, uint64_t *offset)
{
	(void)f, (void)uio, (void)offset;
	return -ENOSPC;
}

static int64_t random_read(struct file *f, struct uio *uio, uint64_t *offset)
{
	char chunk[CHUNK];
	uint64_t done = 0;

	(void)f, (void)offset;
	while (uio->left) {
		size_t part = MIN(uio->left, sizeof(chunk)), moved;

		random_bytes(chunk, part);
		moved = uio_put(uio, chunk, part);
		done += moved;
		if (moved < part)
			return done ? (int64_t)done : -EFAULT;
		sched_point();
		if (signal_pending(current()))
			break;
	}
	return (int64_t)done;
}

/* What is written stirs the generator. */
static int64_t random_write(struct file *f, struct uio *uio, uint64_t *offset)
{
	char chunk[CHUNK];
	uint64_t done = 0;

	(void)f, (void)offset;
	while (uio->left) {
		size_t part = MIN(uio->left, sizeof(chunk)), moved = uio_get(uio, chunk, part);

		random_seed(chunk, moved);
		done += moved;
		if (moved < part)
			return done ? (int64_t)done : -EFAULT;
		sched_point();
	}
	return (int64_t)done;
}

/* Seeking has no meaning here, and is no error (lseek on /dev/null gives 0). */
static int64_t seek_nowhere(struct file *f, int64_t offset, int whence)
{
	(void)f, (void)offset, (void)whence;
	return 0;
}

static const struct file_ops null_ops = {.read = null_read, .write = null_write, .seek = seek_nowhere};
static const struct file_ops zero_ops = {.read = zero_read, .write = null_write, .seek = seek_nowhere};
static const struct file_ops full_ops = {.read = zero_read, .write = full_write, .seek = seek_nowhere};
static const struct file_ops random_ops = {.read = random_read, .write = random_write, .seek = seek_nowhere};

void memory_devices_init(void)
{
	static struct chrdev devices[] = {
	    {.name = "null", .major = 1, .minor = 3, .mode = 0666, .ops = &null_ops},
	    {.name = "zero", .major = 1, .minor = 5, .mode = 0666, .ops = &zero_ops},
	    {.name = "full", .major = 1, .minor = 7, .mode = 0666, .ops = &full_ops},
	    {.name = "random", .major = 1, .minor = 8, .mode = 0666, .ops = &random_ops},
	    {.name = "urandom", .major = 1, .minor = 9, .mode = 0666, .ops = &random_ops},
	};

	for (unsigned i = 0; i < ARRAY_LEN(devices); i++)
		chrdev_register(&devices[i]);
}
