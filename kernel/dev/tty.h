/*
 * kernel/dev/tty.h - terminals (POSIX.1-2017 XBD 11, Linux termios(3), ioctl_tty(2)).
 *
 * Role         The line discipline between a serial line and its readers and writers: editing, echo, signals, output
 *              processing, and job control. Bytes arrive in an interrupt, go into a ring, and a kernel thread edits them.
 * Invariants   1. The interrupt handler touches the ring only (one producer, one consumer).
 *              2. In canonical mode readers see whole lines: `ready` counts bytes up to the last line end (or end-of-file).
 *              3. A terminal controls at most one session; its foreground group belongs to that session.
 * Locks        tty->mutex for all but the ring. Job control's functions are called with it held.
 * Failure      -EIO: hung up, or a background process that may not be stopped; -ENOTTY; -EAGAIN; -ERESTARTSYS.
 * Not handled  Parity and speed settings reach no hardware; VREPRINT, VDISCARD, pseudo-terminals.
 */
#ifndef TINE_DEV_TTY_H
#define TINE_DEV_TTY_H

#include "kernel/base/types.h"

struct tty;

/* What terminals ask of processes; proc/job.c registers it at boot. Each is about the calling process or by id. */
struct job_control {
	int32_t (*current_pgid)(void);
	int32_t (*current_sid)(void);
	bool (*current_leads_session)(void);
	struct tty *(*current_tty)(void);                   /* the controlling terminal, NULL: none */
	void (*set_tty)(struct tty *tty);                   /* of the caller's session; NULL: gives it up */
	bool (*current_ignores)(int sig);                   /* ignored or blocked */
	bool (*pgrp_in_session)(int32_t pgid, int32_t sid); /* does such a group exist there? */
	bool (*is_orphaned)(int32_t pgid);
	int (*signal_pgrp)(int32_t pgid, int sig);
};

void job_control_register(const struct job_control *jc);

void tty_init(void);
/* The session's leader is gone: SIGHUP and SIGCONT to the foreground group, and the terminal is free for another. */
void tty_leader_exited(struct tty *tty);
/* st_rdev's number and the foreground group, for /proc/PID/stat. NULL: 0 and -1. */
uint32_t tty_number(const struct tty *tty);
int32_t tty_foreground(const struct tty *tty);

#endif
