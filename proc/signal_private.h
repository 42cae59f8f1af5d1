/* proc/signal_private.h - what the chapters of signal code (signal.c, sigframe.c, sys_signal.c) share. See proc/signal.h. */
#ifndef TINE_PROC_SIGNAL_PRIVATE_H
#define TINE_PROC_SIGNAL_PRIVATE_H

#include "proc/signal.h"

struct signal_entry {
	struct list node;
	struct signal_info info;
};

bool signal_default_stops(int signo);
bool signal_default_ignores(int signo);
struct signal_action signal_action_of(struct process *p, int signo);
/* new may be NULL. -ENOMEM. */
MUST_CHECK int signal_set_action(struct process *p, int signo, const struct signal_action *new,
				 struct signal_action *ret_old);
bool signal_init_immune(const struct process *p, const struct signal_info *info);
/* Has the process as many queued signals as RLIMIT_SIGPENDING lets it? More are pending without their information. */
bool signal_queue_full(const struct process *p);
/* Takes one pending signal of the set for the calling thread. */
bool signal_take(uint64_t set, struct signal_info *ret_info);
/* Is SIGKILL on its way? Ends sleeps that nothing else may. */
bool signal_fatal_pending(const struct thread *t);

/* proc/sigframe.c: enters the handler. -EFAULT: the stack cannot take the frame; -ENOMEM. */
MUST_CHECK int signal_push_frame(struct trapframe *tf, const struct signal_info *info,
				 const struct signal_action *action);

/* struct siginfo of the kernel's ABI. */
struct siginfo;
void signal_fill_siginfo(struct siginfo *to, const struct signal_info *from);

#endif
