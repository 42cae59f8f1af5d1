/*
 * kernel/dev/log_devices.c - /dev/kmsg, and the two ports that carry a batch run's output (/dev/hostout, /dev/hosterr).
 *
 * /dev/kmsg, written: a line of the kernel log. Read: the log as the consoles show it, from its oldest byte to its end, then
 * -EAGAIN or 0. Linux's records with sequence numbers are not made.
 */
#include <linux/fs.h>

#include "kernel/base/print.h"
#include "kernel/base/string.h"
#include "kernel/dev/debugcon.h"
#include "kernel/dev/devices.h"
#include "kernel/fs/chrdev.h"
#include "mm/uio.h"
#include "proc/sched.h"

#define CHUNK 512

static int64_t kmsg_read(struct file *f, struct uio *uio, uint64_t *offset)
{
	char chunk[CHUNK];
	uint64_t done = 0;

	(void)f;
	while (uio->left) {
		size_t n = log_read(offset, chunk, MIN(uio->left, sizeof(chunk)));
		size_t moved = uio_put(uio, chunk, n);

		done += moved;
		if (moved < n)
			return done ? (int64_t)done : -EFAULT;
		if (!n)
			break;
	}
	return (int64_t)done;
}

/* One write is one line; syslog's "<priority>" in front is dropped. */
static int64_t kmsg_write(struct file *f, struct uio *uio, uint64_t *offset)
{
	char text[CHUNK];
	const char *line = text;
	int64_t n = (int64_t)uio->left;
	size_t len = uio_get(uio, text, MIN(uio->left, sizeof(text) - 1));

	(void)f, (void)offset;
	if (!len && n)
		return -EFAULT;
	while (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	if (*line == '<' && strchr(line, '>'))
		line = strchr(line, '>') + 1;
	pr_info("%s", line);
	return n;
}

static int64_t kmsg_seek(struct file *f, int64_t offset, int whence)
{
	(void)f, (void)offset;
	return whence == SEEK_END ? (int64_t)log_end() : 0;
}

/* Straight to the port, byte by byte: what the program wrote and nothing else. */
static int64_t port_file_write(struct uio *uio, uint16_t port)
{
	char chunk[CHUNK];
	uint64_t done = 0;

	while (uio->left) {
		size_t part = MIN(uio->left, sizeof(chunk)), moved = uio_get(uio, chunk, part);

		port_write(port, chunk, moved);
		done += moved;
		if (moved < part)
			return done ? (int64_t)done : -EFAULT;
		sched_point();
	}
	return (int64_t)done;
}

static int64_t hostout_write(struct file *f, struct uio *uio, uint64_t *offset)
{
	(void)f, (void)offset;
	return port_file_write(uio, BATCH_OUT_PORT);
}

static int64_t hosterr_write(struct file *f, struct uio *uio, uint64_t *offset)
{
	(void)f, (void)offset;
	return port_file_write(uio, BATCH_ERR_PORT);
}

static const struct file_ops kmsg_ops = {.read = kmsg_read, .write = kmsg_write, .seek = kmsg_seek};
static const struct file_ops hostout_ops = {.write = hostout_write};
static const struct file_ops hosterr_ops = {.write = hosterr_write};

void log_devices_init(void)
{
	/* 240 to 254 are for local use. */
	static struct chrdev devices[] = {
	    {.name = "kmsg", .major = 1, .minor = 11, .mode = 0644, .ops = &kmsg_ops},
	    {.name = "hostout", .major = 240, .minor = 0, .mode = 0622, .ops = &hostout_ops},
	    {.name = "hosterr", .major = 240, .minor = 1, .mode = 0622, .ops = &hosterr_ops},
	};

	for (unsigned i = 0; i < ARRAY_LEN(devices); i++)
		chrdev_register(&devices[i]);
}
