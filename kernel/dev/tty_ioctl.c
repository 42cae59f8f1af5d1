/*
 * kernel/dev/tty_ioctl.c - a terminal's settings, and whose it is (Linux ioctl_tty(2)).
 */
#include <asm/ioctls.h>
#include <asm/signal.h>

#include "kernel/base/string.h"
#include "kernel/dev/tty_private.h"
#include "kernel/fs/file.h"
#include "mm/user.h"
#include "proc/cred.h"

int tty_check_foreground(struct tty *tty, int sig)
{
	int32_t pgid = job_control->current_pgid();

	if (job_control->current_tty() != tty || !tty->foreground || pgid == tty->foreground)
		return 0;
	if (job_control->current_ignores(sig))
		return sig == SIGTTIN ? -EIO : 0;
	if (job_control->is_orphaned(pgid))
		return -EIO;
	job_control->signal_pgrp(pgid, sig);
	return -ERESTARTSYS;
}

/* ---- Settings ---- */

/* struct termios is struct ktermios without the speeds at its end; struct termios2 is all of it. */
static int64_t get_termios(struct tty *tty, uaddr_t arg, size_t size) { return copy_to_user(arg, &tty->termios, size); }

static int64_t set_termios(struct tty *tty, uaddr_t arg, size_t size, bool flush)
{
	struct ktermios t = tty->termios;
	int err = tty_check_foreground(tty, SIGTTOU);

	if (!err)
		err = copy_from_user(&t, arg, size);
	if (err)
		return err;
	if (flush)
		line_flush(tty);
	if ((t.c_lflag ^ tty->termios.c_lflag) & ICANON)
		line_mode_changed(tty);
	tty->termios = t;
	if (!(t.c_iflag & IXON))
		tty->stopped = false;
	waitq_wake_all(&tty->read_wait);
	waitq_wake_all(&tty->write_wait);
	return 0;
}

static int64_t set_winsize(struct tty *tty, uaddr_t arg)
{
	struct winsize w;
	int err = copy_from_user(&w, arg, sizeof(w));

	if (err || memcmp(&w, &tty->winsize, sizeof(w)) == 0)
		return err;
	tty->winsize = w;
	if (tty->foreground)
		job_control->signal_pgrp(tty->foreground, SIGWINCH);
	return 0;
}

/* TCFLSH: arg 0 input, 1 output (there is never any left), 2 both. */
static int64_t flush(struct tty *tty, uint64_t queue)
{
	int err = tty_check_foreground(tty, SIGTTOU);

	if (err)
		return err;
	if (queue > TCIOFLUSH)
		return -EINVAL;
	if (queue != TCOFLUSH)
		line_flush(tty);
	return 0;
}

/* TCXONC: stops and starts output; input has no flow control of ours. */
static int64_t flow(struct tty *tty, uint64_t action)
{
	int err = tty_check_foreground(tty, SIGTTOU);

	if (err)
		return err;
	if (action > TCION)
		return -EINVAL;
	if (action == TCOOFF || action == TCOON)
		tty->stopped = action == TCOOFF;
	waitq_wake_all(&tty->write_wait);
	return 0;
}

/* TIOCSTI: a byte as if typed. Root only: it could type for another. */
static int64_t type_byte(struct tty *tty, uaddr_t arg)
{
	uint8_t byte;
	int err = copy_from_user(&byte, arg, 1);

	if (err)
		return err;
	if (!cred_is_root(current()->cred))
		return -EPERM;
	line_receive(tty, byte);
	waitq_wake_all(&tty->read_wait);
	return 0;
}

static int64_t count_input(struct tty *tty, uaddr_t arg)
{
	uint32_t n = 0;

	/* In canonical mode end-of-file marks are no bytes to read. */
	for (uint32_t i = 0; i < tty->ready; i++) {
		uint32_t at = (tty->head + i) % TTY_INPUT;

		n += !(tty->termios.c_lflag & ICANON) || !(tty->is_eof[at / 64] >> (at % 64) & 1);
	}
	return user_put_u32(arg, n);
}

/* ---- Whose terminal it is ---- */

static bool is_own(const struct tty *tty) { return job_control->current_tty() == tty; }

/* TIOCSCTTY: a session leader without a terminal takes a free one; root may take another's with arg 1. */
static int64_t take_terminal(struct tty *tty, uint64_t force)
{
	int32_t sid = job_control->current_sid();

	if (job_control->current_leads_session() && tty->session == sid)
		return 0;
	if (!job_control->current_leads_session() || job_control->current_tty())
		return -EPERM;
	if (tty->session && !(force == 1 && cred_is_root(current()->cred)))
		return -EPERM;
	tty->session = sid;
	tty->foreground = job_control->current_pgid();
	job_control->set_tty(tty);
	return 0;
}

static void release_session(struct tty *tty)
{
	int32_t pgid = tty->foreground;

	tty->session = tty->foreground = 0;
	if (pgid) {
		job_control->signal_pgrp(pgid, SIGHUP);
		job_control->signal_pgrp(pgid, SIGCONT);
	}
}

static int64_t give_up_terminal(struct tty *tty)
{
	if (!is_own(tty))
		return -ENOTTY;
	if (job_control->current_leads_session())
		release_session(tty);
	job_control->set_tty(NULL);
	return 0;
}

void tty_leader_exited(struct tty *tty)
{
	mutex_lock(&tty->mutex);
	release_session(tty);
	mutex_unlock(&tty->mutex);
}

static int64_t set_foreground(struct tty *tty, uaddr_t arg)
{
	uint32_t word;
	int32_t pgid;
	int err = tty_check_foreground(tty, SIGTTOU);

	if (err == -EIO || !is_own(tty))
		return -ENOTTY;
	if (!err)
		err = user_get_u32(arg, &word);
	if (err)
		return err;
	pgid = (int32_t)word;
	if (pgid < 0)
		return -EINVAL;
	if (!job_control->pgrp_in_session(pgid, tty->session))
		return -EPERM;
	tty->foreground = pgid;
	return 0;
}

static int64_t get_id(struct tty *tty, uaddr_t arg, int32_t id)
{
	return is_own(tty) ? user_put_u32(arg, (uint32_t)id) : -ENOTTY;
}

/* ---- The table ---- */

static int64_t settings_ioctl(struct tty *tty, uint32_t request, uaddr_t arg)
{
	switch (request) {
	case TCGETS:
		return get_termios(tty, arg, sizeof(struct termios));
	case TCGETS2:
		return get_termios(tty, arg, sizeof(struct termios2));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_termios(tty, arg, sizeof(struct termios), request == TCSETSF);
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return set_termios(tty, arg, sizeof(struct termios2), request == TCSETSF2);
	case TIOCGWINSZ:
		return copy_to_user(arg, &tty->winsize, sizeof(tty->winsize));
	case TIOCSWINSZ:
		return set_winsize(tty, arg);
	case FIONREAD:
		return count_input(tty, arg);
	case TIOCOUTQ:
	case TIOCGETD:
		return user_put_u32(arg, 0);
	case TCFLSH:
		return flush(tty, arg.v);
	case TCXONC:
		return flow(tty, arg.v);
	case TIOCSTI:
		return type_byte(tty, arg);
	case TCSBRK:
	case TCSBRKP:
		return tty_check_foreground(tty, SIGTTOU);
	default:
		return -ENOTTY;
	}
}

static int64_t owner_ioctl(struct tty *tty, uint32_t request, uaddr_t arg)
{
	switch (request) {
	case TIOCGPGRP:
		return get_id(tty, arg, tty->foreground);
	case TIOCSPGRP:
		return set_foreground(tty, arg);
	case TIOCGSID:
		return get_id(tty, arg, tty->session);
	case TIOCSCTTY:
		return take_terminal(tty, arg.v);
	case TIOCNOTTY:
		return give_up_terminal(tty);
	default:
		return settings_ioctl(tty, request, arg);
	}
}

int64_t tty_ioctl(struct file *f, uint32_t request, uaddr_t arg)
{
	struct tty *tty = f->private;
	int64_t value;

	mutex_lock(&tty->mutex);
	value = owner_ioctl(tty, request, arg);
	mutex_unlock(&tty->mutex);
	return value;
}
