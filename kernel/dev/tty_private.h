/*
 * kernel/dev/tty_private.h - what the parts of the terminal share: tty.c (files), tty_line.c (input and output),
 * tty_ioctl.c (settings and job control).
 */
#ifndef TINE_DEV_TTY_PRIVATE_H
#define TINE_DEV_TTY_PRIVATE_H

#include <asm/termbits.h>
#include <asm/termios.h>

#include "kernel/base/addr.h"
#include "kernel/dev/tty.h"
#include "proc/wait.h"

struct file;

#define TTY_INPUT 4096u /* bytes of edited input: a canonical line is shorter by one */
#define TTY_RING  1024u

struct tty {
	struct mutex mutex;
	struct ktermios termios;
	struct winsize winsize;
	uint32_t number;             /* of the device [I] */
	int32_t session, foreground; /* 0: none */

	/* Edited input: bytes [head, head + used), of which the first `ready` may be read. */
	char input[TTY_INPUT];
	uint64_t line_end[TTY_INPUT / 64]; /* marks bytes that end a line; an end-of-file is a marked NUL of its own */
	uint64_t is_eof[TTY_INPUT / 64];
	uint32_t head, used, ready;
	uint32_t column;      /* of the cursor, for tabs and erasing */
	uint32_t line_column; /* where the line being edited begins */
	bool stopped;         /* by ^S */
	bool literal;         /* the next byte is text, whatever it is (^V) */

	struct waitq read_wait, write_wait;

	/* From the interrupt handler. */
	uint8_t ring[TTY_RING];
	uint32_t ring_in, ring_out; /* [a] */
	struct waitq ring_wait;

	void (*output)(const char *text, size_t n); /* to the hardware [I] */
};

extern const struct job_control *job_control;

/* Input, mutex held. */
void line_receive(struct tty *tty, uint8_t byte);
/* Takes what may be read now, at most n bytes into buf; *ret_eof: stopped at an end-of-file mark. */
size_t line_take(struct tty *tty, char *buf, size_t n, bool *ret_eof);
/* May a reader take something now? */
bool line_has_input(const struct tty *tty);
void line_flush(struct tty *tty);
/* The mode changed between canonical and not. */
void line_mode_changed(struct tty *tty);

/* Output processing, mutex held. */
void tty_put(struct tty *tty, const char *text, size_t n);

/* May the caller use the terminal now (sig: SIGTTIN or SIGTTOU)? 0, -EIO, or -ERESTARTSYS after the signal was sent. */
MUST_CHECK int tty_check_foreground(struct tty *tty, int sig);
int64_t tty_ioctl(struct file *f, uint32_t request, uaddr_t arg);

#endif
