/*
 * kernel/dev/tty.c - terminals as files: see tty.h.
 */
#include "kernel/dev/tty.h"

#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#include "kernel/base/clock.h"
#include "kernel/base/print.h"
#include "kernel/base/string.h"
#include "kernel/dev/serial.h"
#include "kernel/dev/tty_private.h"
#include "kernel/fs/chrdev.h"
#include "kernel/fs/poll.h"
#include "mm/uio.h"
#include "proc/sched.h"

#define CHUNK        512
#define DECISECOND   (100 * NSEC_PER_MSEC)
#define TTYAUX_MAJOR 5
#define SERIAL_MAJOR 4
#define SERIAL_MINOR 64

/* The characters and flags of a new terminal: as Linux's tty_std_termios, and stty(1)'s "sane". */
static const struct ktermios sane = {
    .c_iflag = ICRNL | IXON,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .c_cc = {[VINTR] = 'C' ^ 0x40,
	     [VQUIT] = '\\' ^ 0x40,
	     [VERASE] = 0x7f,
	     [VKILL] = 'U' ^ 0x40,
	     [VEOF] = 'D' ^ 0x40,
	     [VMIN] = 1,
	     [VSTART] = 'Q' ^ 0x40,
	     [VSTOP] = 'S' ^ 0x40,
	     [VSUSP] = 'Z' ^ 0x40,
	     [VREPRINT] = 'R' ^ 0x40,
	     [VDISCARD] = 'O' ^ 0x40,
	     [VWERASE] = 'W' ^ 0x40,
	     [VLNEXT] = 'V' ^ 0x40},
    .c_ispeed = 115200,
    .c_ospeed = 115200,
};

static struct tty serial_tty;

/* ---- Before processes ---- */

static int32_t no_id(void) { return 0; }
static bool no_leader(void) { return false; }
static struct tty *no_tty(void) { return NULL; }
static void no_set_tty(struct tty *tty) { (void)tty; }
static bool no_ignores(int sig) { return sig != 0; }
static bool no_pgrp(int32_t pgid, int32_t sid) { return pgid == sid; }
static bool no_orphan(int32_t pgid) { return pgid != 0; }
static int no_signal(int32_t pgid, int sig) { return pgid && sig ? -ESRCH : 0; }

static const struct job_control before_processes = {no_id,      no_id,   no_leader, no_tty,   no_set_tty,
						    no_ignores, no_pgrp, no_orphan, no_signal};
const struct job_control *job_control = &before_processes;

void job_control_register(const struct job_control *jc) { job_control = jc; }

/* ---- Input from the interrupt handler to the line discipline ---- */

static void receive(uint8_t byte)
{
	struct tty *tty = &serial_tty;
	uint32_t in = __atomic_load_n(&tty->ring_in, __ATOMIC_RELAXED);

	if (in - __atomic_load_n(&tty->ring_out, __ATOMIC_ACQUIRE) == TTY_RING)
		return; /* as on hardware: overrun */
	tty->ring[in % TTY_RING] = byte;
	__atomic_store_n(&tty->ring_in, in + 1, __ATOMIC_RELEASE);
	waitq_wake_one(&tty->ring_wait);
}

static bool ring_get(struct tty *tty, uint8_t *ret_byte)
{
	uint32_t out = tty->ring_out;

	if (out == __atomic_load_n(&tty->ring_in, __ATOMIC_ACQUIRE))
		return false;
	*ret_byte = tty->ring[out % TTY_RING];
	__atomic_store_n(&tty->ring_out, out + 1, __ATOMIC_RELEASE);
	return true;
}

static void ring_sleep(struct tty *tty)
{
	struct waiter w;

	waitq_enter(&tty->ring_wait, &w);
	wait_prepare(false);
	if (tty->ring_out != __atomic_load_n(&tty->ring_in, __ATOMIC_ACQUIRE))
		wait_cancel();
	else if (wait_sleep(NO_DEADLINE) < 0)
		pr_debug("tty: woken without input");
	waitq_leave(&w);
}

/* The thread that edits: signals and echo work while nobody reads. */
static void tty_thread(void *arg)
{
	struct tty *tty = arg;
	uint8_t byte;

	for (;;) {
		ring_sleep(tty);
		mutex_lock(&tty->mutex);
		while (ring_get(tty, &byte))
			line_receive(tty, byte);
		if (tty->ready)
			waitq_wake_all(&tty->read_wait);
		mutex_unlock(&tty->mutex);
	}
}

/* ---- Files ---- */

/* Canonical mode: a whole line, or an end-of-file. Mutex held. */
static int wait_line(struct tty *tty, bool nonblock)
{
	if (tty->ready)
		return 0;
	return nonblock ? -EAGAIN : WAIT_UNTIL(&tty->read_wait, &tty->mutex, tty->ready > 0, NO_DEADLINE);
}

/* MIN > 0: that many bytes (or as many as the reader wants); with TIME, until a gap in the input. Mutex held. */
static int wait_minimum(struct tty *tty, uint32_t want, uint64_t gap, bool nonblock)
{
	uint32_t first = gap ? 1 : want, seen;
	int err;

	if (tty->ready >= first && (!gap || tty->ready >= want))
		return 0;
	if (nonblock)
		return tty->ready ? 0 : -EAGAIN;
	err = WAIT_UNTIL(&tty->read_wait, &tty->mutex, tty->ready >= first, NO_DEADLINE);
	while (!err && gap && tty->ready < want) {
		seen = tty->ready;
		err = WAIT_UNTIL(&tty->read_wait, &tty->mutex, tty->ready != seen, clock_ns() + gap);
	}
	return err == -ETIMEDOUT || tty->ready ? 0 : err;
}

/* Waits as MIN and TIME say (POSIX.1-2017 XBD 11.1.7). 0: take what is there, maybe nothing. Mutex held. */
static int wait_raw(struct tty *tty, uint64_t wanted, bool nonblock)
{
	uint32_t min = tty->termios.c_cc[VMIN];
	uint64_t time = tty->termios.c_cc[VTIME] * DECISECOND;
	int err;

	if (min)
		return wait_minimum(tty, (uint32_t)MIN(min, wanted), time, nonblock);
	if (tty->ready || !time)
		return 0;
	if (nonblock)
		return -EAGAIN;
	err = WAIT_UNTIL(&tty->read_wait, &tty->mutex, tty->ready > 0, clock_ns() + time);
	return err == -ETIMEDOUT ? 0 : err;
}

/* Hands over one line, or what is there. Mutex held. */
static int64_t take(struct tty *tty, struct uio *uio)
{
	char chunk[CHUNK];
	int64_t done = 0;
	bool canonical = tty->termios.c_lflag & ICANON;

	while (uio->left && tty->ready) {
		bool eof;
		size_t part = MIN(uio->left, sizeof(chunk)), n = line_take(tty, chunk, part, &eof);
		size_t moved = uio_put(uio, chunk, n);

		done += (int64_t)moved;
		if (moved < n)
			return done ? done : -EFAULT;
		if (eof || (canonical && (n < part || chunk[n - 1] == '\n')))
			break;
	}
	return done;
}

static int64_t tty_read(struct file *f, struct uio *uio, uint64_t *offset)
{
	struct tty *tty = f->private;
	bool nonblock = file_flags(f) & O_NONBLOCK;
	int64_t n;

	(void)offset;
	mutex_lock(&tty->mutex);
	n = tty_check_foreground(tty, SIGTTIN);
	if (n == 0 && uio->left) {
		if (tty->termios.c_lflag & ICANON)
			n = wait_line(tty, nonblock);
		else
			n = wait_raw(tty, uio->left, nonblock);
		if (n == 0)
			n = take(tty, uio);
	}
	mutex_unlock(&tty->mutex);
	return n;
}

static int wait_started(struct tty *tty, bool nonblock)
{
	if (!tty->stopped)
		return 0;
	return nonblock ? -EAGAIN : WAIT_UNTIL(&tty->write_wait, &tty->mutex, !tty->stopped, NO_DEADLINE);
}

/* One chunk; the mutex is free in between, so that ^C gets through. */
static int64_t write_chunk(struct file *f, struct tty *tty, struct uio *uio)
{
	char chunk[CHUNK];
	size_t n;
	int err;

	mutex_lock(&tty->mutex);
	err = tty->termios.c_lflag & TOSTOP ? tty_check_foreground(tty, SIGTTOU) : 0;
	if (!err)
		err = wait_started(tty, file_flags(f) & O_NONBLOCK);
	if (!err) {
		n = uio_get(uio, chunk, MIN(uio->left, sizeof(chunk)));
		tty_put(tty, chunk, n);
		err = n ? (int)n : -EFAULT;
	}
	mutex_unlock(&tty->mutex);
	return err;
}

static int64_t tty_write(struct file *f, struct uio *uio, uint64_t *offset)
{
	int64_t done = 0;

	(void)offset;
	while (uio->left) {
		int64_t n = write_chunk(f, f->private, uio);

		if (n < 0)
			return done ? done : n;
		done += n;
		sched_point();
		if (signal_pending(current()))
			break;
	}
	return done;
}

static uint32_t tty_poll(struct file *f, struct poll_table *pt)
{
	struct tty *tty = f->private;
	uint32_t events = 0;

	poll_on(pt, &tty->read_wait);
	poll_on(pt, &tty->write_wait);
	mutex_lock(&tty->mutex);
	if (line_has_input(tty))
		events |= POLLIN | POLLRDNORM;
	if (!tty->stopped)
		events |= POLLOUT | POLLWRNORM;
	mutex_unlock(&tty->mutex);
	return events;
}

static const struct file_ops tty_ops = {.read = tty_read, .write = tty_write, .ioctl = tty_ioctl, .poll = tty_poll};

static int console_open(struct file *f)
{
	f->private = &serial_tty;
	return 0;
}

/* /dev/tty: the caller's controlling terminal, whichever it is. */
static int own_tty_open(struct file *f)
{
	f->private = job_control->current_tty();
	return f->private ? 0 : -ENXIO;
}

uint32_t tty_number(const struct tty *tty) { return tty ? tty->number : 0; }
int32_t tty_foreground(const struct tty *tty) { return tty ? tty->foreground : -1; }

void tty_init(void)
{
	static struct chrdev devices[] = {
	    {.name = "tty", .major = TTYAUX_MAJOR, .minor = 0, .mode = 0666, .ops = &tty_ops, .open = own_tty_open},
	    {.name = "console", .major = TTYAUX_MAJOR, .minor = 1, .mode = 0600, .ops = &tty_ops, .open = console_open},
	    {.name = "ttyS0",
	     .major = SERIAL_MAJOR,
	     .minor = SERIAL_MINOR,
	     .mode = 0660,
	     .ops = &tty_ops,
	     .open = console_open},
	};
	struct tty *tty = &serial_tty;
	struct thread *t;

	mutex_init(&tty->mutex);
	waitq_init(&tty->read_wait);
	waitq_init(&tty->write_wait);
	waitq_init(&tty->ring_wait);
	tty->termios = sane;
	tty->number = dev_encode(SERIAL_MAJOR, SERIAL_MINOR);
	tty->output = serial_write;
	for (unsigned i = 0; i < ARRAY_LEN(devices); i++)
		chrdev_register(&devices[i]);
	if (thread_create(&t) < 0) {
		pr_err("tty: no thread: the terminal takes no input");
		return;
	}
	strlcpy(t->name, "tty", sizeof(t->name));
	thread_start_kernel(t, tty_thread, tty);
	serial_set_receiver(receive);
}
