/*
 * kernel/fs/sys_poll.c - system calls that wait for one of several descriptors: poll, ppoll, select, pselect6.
 */
#include <linux/poll.h>
#include <linux/time_types.h>

#include "kernel/base/clock.h"
#include "kernel/base/string.h"
#include "kernel/base/syscalls.h"
#include "kernel/fs/files.h"
#include "kernel/fs/hooks.h"
#include "kernel/fs/poll.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "proc/thread.h"

#define INLINE_FDS    8
#define SIGSET_SIZE   8
#define SELECT_MAX_FD FILES_MAX_LIMIT

/* One descriptor that is waited for; what poll() and select() have in common. */
struct watch {
	struct file *file; /* held; NULL: not open, or negative */
	int fd;
	uint32_t wanted, ready;
};

static uint32_t ask(struct watch *w, struct poll_table *pt)
{
	if (w->fd < 0)
		return 0;
	if (!w->file)
		return POLLNVAL;
	return file_poll(w->file, pt) & (w->wanted | POLLERR | POLLHUP);
}

static unsigned ask_all(struct watch *w, unsigned n, struct poll_table *pt)
{
	unsigned ready = 0;

	for (unsigned i = 0; i < n; i++) {
		w[i].ready = ask(&w[i], pt);
		if (w[i].ready) {
			ready++;
			pt->registering = false; /* there will be no sleep */
		}
	}
	pt->registering = false;
	return ready;
}

/* How many are ready; 0 after the deadline; -errno. */
static int64_t wait_for_any(struct watch *w, unsigned n, uint64_t deadline)
{
	struct poll_table pt;
	unsigned ready;
	int err = 0;

	poll_begin(&pt);
	for (;;) {
		wait_prepare(true);
		ready = ask_all(w, n, &pt);
		if (ready || err || pt.error || deadline == 0) {
			wait_cancel();
			break;
		}
		err = wait_sleep(deadline);
	}
	poll_end(&pt);
	if (ready)
		return ready;
	return pt.error ? pt.error : err == -ETIMEDOUT ? 0 : err;
}

static void watch_files(struct watch *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		w[i].file = NULL;
		if (w[i].fd >= 0 && files_lookup(current()->files, w[i].fd, &w[i].file) < 0)
			w[i].file = NULL;
	}
}

static void watch_end(struct watch *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (w[i].file)
			file_put(w[i].file);
}

/* clock_ns() time after a relative one; UINT64_MAX of ns: never; 0: at once. */
static uint64_t deadline_after(uint64_t ns)
{
	uint64_t now = clock_ns();

	if (!ns)
		return 0;
	return ns >= NO_DEADLINE - now ? NO_DEADLINE : now + ns;
}

/* ---- poll ---- */

static void *table_alloc(void *inline_table, size_t n, size_t size)
{
	return n <= INLINE_FDS ? inline_table : kmalloc(n * size);
}

static int64_t poll_table_of(struct pollfd *fds, struct watch *w, unsigned n, uint64_t deadline)
{
	int64_t ready;

	for (unsigned i = 0; i < n; i++) {
		w[i].fd = fds[i].fd;
		w[i].wanted = (uint16_t)fds[i].events;
		w[i].ready = 0;
	}
	watch_files(w, n);
	ready = wait_for_any(w, n, deadline);
	for (unsigned i = 0; i < n; i++)
		fds[i].revents = (short)w[i].ready;
	watch_end(w, n);
	return ready;
}

static int64_t do_poll(uaddr_t user_fds, unsigned n, uint64_t deadline)
{
	struct pollfd inline_fds[INLINE_FDS], *fds;
	struct watch inline_watches[INLINE_FDS], *w;
	int64_t ready = -ENOMEM;

	if (n > files_limit(current()->files))
		return -EINVAL;
	fds = table_alloc(inline_fds, n, sizeof(*fds));
	w = table_alloc(inline_watches, n, sizeof(*w));
	if (fds && w) {
		ready = copy_from_user(fds, user_fds, n * sizeof(*fds));
		if (!ready)
			ready = poll_table_of(fds, w, n, deadline);
		if (ready >= 0 && copy_to_user(user_fds, fds, n * sizeof(*fds)))
			ready = -EFAULT;
	}
	if (fds != inline_fds)
		kfree(fds);
	if (w != inline_watches)
		kfree(w);
	return ready;
}

/* restart_syscall() after a stop and continue: with what is left of the time. */
static int64_t poll_again(struct thread *t)
{
	int64_t ready = do_poll(UADDR(t->restart_args[0]), (unsigned)t->restart_args[1], t->restart_args[2]);

	return ready == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : ready;
}

int64_t sys_poll(uaddr_t fds, unsigned n, int timeout_ms)
{
	uint64_t deadline = timeout_ms < 0 ? NO_DEADLINE : deadline_after((uint64_t)timeout_ms * NSEC_PER_MSEC);
	int64_t ready = do_poll(fds, n, deadline);
	struct thread *t = current();

	if (ready != -ERESTARTSYS)
		return ready;
	t->restart = poll_again;
	t->restart_args[0] = fds.v;
	t->restart_args[1] = n;
	t->restart_args[2] = deadline;
	return -ERESTART_RESTARTBLOCK;
}

/* ---- Signal masks for the length of a call ---- */

static int mask_begin(uaddr_t user_mask, size_t size)
{
	uint64_t mask;
	int err;

	if (!user_mask.v)
		return 0;
	if (size != SIGSET_SIZE)
		return -EINVAL;
	err = user_get_u64(user_mask, &mask);
	if (err)
		return err;
	current()->saved_blocked = current()->blocked;
	fs_set_signal_mask(mask);
	return 0;
}

/* A signal that ended the call is delivered with the call's mask; the handler's return brings the old one back. */
static int64_t mask_end(uaddr_t user_mask, int64_t result)
{
	if (!user_mask.v)
		return result == -ERESTARTSYS ? -ERESTARTNOHAND : result;
	if (result == -ERESTARTSYS) {
		current()->restore_blocked = true;
		return -ERESTARTNOHAND;
	}
	fs_set_signal_mask(current()->saved_blocked);
	return result;
}

/* A relative struct timespec; a NULL one: forever. */
static int deadline_get(uaddr_t user, uint64_t *ret_deadline)
{
	struct __kernel_timespec ts;
	int err;

	*ret_deadline = NO_DEADLINE;
	if (!user.v)
		return 0;
	err = copy_from_user(&ts, user, sizeof(ts));
	if (err)
		return err;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	if ((uint64_t)ts.tv_sec < UINT64_MAX / NSEC_PER_SEC - 1)
		*ret_deadline = deadline_after((uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec);
	return 0;
}

static uint64_t time_left(uint64_t deadline)
{
	uint64_t now = clock_ns();

	return deadline > now ? deadline - now : 0;
}

/* ppoll and pselect6 write the time left back (select(2), "the Linux ... system calls modify"). A bad address is no error. */
static void put_timespec_left(uaddr_t user, uint64_t deadline)
{
	uint64_t left = time_left(deadline);
	struct __kernel_timespec ts = {(int64_t)(left / NSEC_PER_SEC), (int64_t)(left % NSEC_PER_SEC)};

	if (user.v && copy_to_user(user, &ts, sizeof(ts)) < 0)
		return;
}

int64_t sys_ppoll(uaddr_t fds, unsigned n, uaddr_t timeout, uaddr_t mask, size_t mask_size)
{
	uint64_t deadline;
	int64_t ready = deadline_get(timeout, &deadline);

	if (!ready)
		ready = mask_begin(mask, mask_size);
	if (ready)
		return ready;
	ready = mask_end(mask, do_poll(fds, n, deadline));
	put_timespec_left(timeout, deadline);
	return ready;
}

/* ---- select ---- */

enum set { SET_READ, SET_WRITE, SET_EXCEPT, SETS };

/* What each set asks for, and what counts as an answer (select(2), "Correspondence between select() and poll()"). */
static const struct {
	uint32_t wanted, answer;
} set_events[SETS] = {
    {POLLIN | POLLRDNORM | POLLRDBAND, POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR},
    {POLLOUT | POLLWRNORM | POLLWRBAND, POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR},
    {POLLPRI, POLLPRI},
};

struct select {
	uint32_t nfds, words;
	uint64_t *bits[SETS]; /* one block of memory */
	struct watch *watches;
	uint32_t count;
};

static bool wants(const struct select *s, enum set set, uint32_t fd) { return s->bits[set][fd / 64] >> (fd % 64) & 1; }

static uint32_t wanted_events(const struct select *s, uint32_t fd)
{
	uint32_t wanted = 0;

	for (enum set set = 0; set < SETS; set++)
		if (wants(s, set, fd))
			wanted |= set_events[set].wanted;
	return wanted;
}

static int select_read_sets(struct select *s, const uaddr_t user[SETS])
{
	for (enum set set = 0; set < SETS; set++) {
		if (!user[set].v)
			continue;
		if (copy_from_user(s->bits[set], user[set], s->words * 8ull))
			return -EFAULT;
	}
	return 0;
}

static uint32_t count_watches(const struct select *s)
{
	uint32_t n = 0;

	for (uint32_t fd = 0; fd < s->nfds; fd++)
		n += wanted_events(s, fd) != 0;
	return n;
}

/* Holds every file that a set names: -EBADF if one is not open. */
static int select_watch(struct select *s)
{
	uint32_t n = count_watches(s);
	int err = 0;

	s->watches = kmalloc(MAX(n, 1u) * sizeof(*s->watches));
	if (!s->watches)
		return -ENOMEM;
	for (uint32_t fd = 0; fd < s->nfds && !err; fd++) {
		struct watch *w = &s->watches[s->count];

		w->fd = (int)fd;
		w->wanted = wanted_events(s, fd);
		if (!w->wanted)
			continue;
		err = files_lookup(current()->files, w->fd, &w->file);
		s->count += !err;
	}
	return err;
}

static int64_t select_answer(struct select *s, const uaddr_t user[SETS])
{
	int64_t ready = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		const struct watch *w = &s->watches[i];
		uint32_t fd = (uint32_t)w->fd;

		for (enum set set = 0; set < SETS; set++) {
			if (!wants(s, set, fd))
				continue;
			if (w->ready & set_events[set].answer)
				ready++;
			else
				s->bits[set][fd / 64] &= ~(1ull << (fd % 64));
		}
	}
	for (enum set set = 0; set < SETS; set++)
		if (user[set].v && copy_to_user(user[set], s->bits[set], s->words * 8ull))
			return -EFAULT;
	return ready;
}

static int64_t select_run(struct select *s, const uaddr_t user[SETS], uint64_t deadline)
{
	int64_t n = select_read_sets(s, user);

	if (n)
		return n;
	n = select_watch(s);
	if (!n)
		n = wait_for_any(s->watches, s->count, deadline);
	if (n >= 0)
		n = select_answer(s, user);
	if (s->watches)
		watch_end(s->watches, s->count);
	kfree(s->watches);
	return n;
}

static int64_t do_select(int nfds, const uaddr_t user[SETS], uint64_t deadline)
{
	struct select s = {.nfds = (uint32_t)nfds};
	int64_t n;

	if (nfds < 0)
		return -EINVAL;
	s.nfds = MIN(s.nfds, current()->files->capacity);
	s.words = (s.nfds + 63) / 64;
	s.bits[0] = kzalloc(MAX(s.words, 1u) * 8ull * SETS);
	if (!s.bits[0])
		return -ENOMEM;
	for (enum set set = 1; set < SETS; set++)
		s.bits[set] = s.bits[0] + set * s.words;
	n = select_run(&s, user, deadline);
	kfree(s.bits[0]);
	return n;
}

int64_t sys_select(int nfds, uaddr_t readable, uaddr_t writable, uaddr_t except, uaddr_t timeout)
{
	const uaddr_t user[SETS] = {readable, writable, except};
	uint64_t deadline = NO_DEADLINE;
	int64_t tv[2], n;

	if (timeout.v) {
		n = copy_from_user(tv, timeout, sizeof(tv));
		if (n)
			return n;
		if (tv[0] < 0 || tv[1] < 0)
			return -EINVAL;
		/* Microseconds beyond a second count as seconds; what no clock reaches is forever. */
		if ((uint64_t)tv[0] < UINT32_MAX && (uint64_t)tv[1] < UINT32_MAX)
			deadline = deadline_after((uint64_t)tv[0] * NSEC_PER_SEC + (uint64_t)tv[1] * NSEC_PER_USEC);
	}
	n = do_select(nfds, user, deadline);
	if (timeout.v && deadline != NO_DEADLINE) {
		uint64_t left = time_left(deadline);

		tv[0] = (int64_t)(left / NSEC_PER_SEC);
		tv[1] = (int64_t)(left % NSEC_PER_SEC / NSEC_PER_USEC);
		if (copy_to_user(timeout, tv, sizeof(tv)) < 0)
			return n; /* as Linux: the descriptors count for more than the time left */
	}
	return n == -ERESTARTSYS ? -ERESTARTNOHAND : n;
}

/* The sixth argument names a pair: the mask's address and its size. */
int64_t sys_pselect6(int nfds, uaddr_t readable, uaddr_t writable, uaddr_t except, uaddr_t timeout, uaddr_t mask_arg)
{
	const uaddr_t user[SETS] = {readable, writable, except};
	uint64_t pair[2] = {0, 0}, deadline;
	int64_t n = deadline_get(timeout, &deadline);

	if (!n && mask_arg.v)
		n = copy_from_user(pair, mask_arg, sizeof(pair));
	if (!n)
		n = mask_begin(UADDR(pair[0]), pair[1]);
	if (n)
		return n;
	n = mask_end(UADDR(pair[0]), do_select(nfds, user, deadline));
	put_timespec_left(timeout, deadline);
	return n;
}
