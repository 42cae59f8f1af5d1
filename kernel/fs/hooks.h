/*
 * kernel/fs/hooks.h - what file code asks of the process layer above it.
 *
 * Role         Files lie below processes in the layers, yet a write to a pipe without readers sends SIGPIPE, and a file's
 *              size has a limit that belongs to the process. proc/ registers these functions once, at boot.
 * Invariants   1. Each may be called with mutexes held, never with a spinlock held.
 *              2. Before registration nobody signals and nothing is limited.
 */
#ifndef TINE_FS_HOOKS_H
#define TINE_FS_HOOKS_H

#include "kernel/base/types.h"

struct fs_hooks {
	void (*signal_current)(int sig);        /* directed at the calling thread: SIGPIPE, SIGXFSZ */
	uint64_t (*file_size_limit)(void);      /* RLIMIT_FSIZE of the caller, UINT64_MAX: none */
	int32_t (*current_pid)(void);           /* the caller's process id, 0: a kernel thread */
	void (*set_signal_mask)(uint64_t mask); /* of the calling thread: ppoll, pselect */
};

void fs_set_hooks(const struct fs_hooks *hooks);

void fs_signal_current(int sig);
uint64_t fs_file_size_limit(void);
int32_t fs_current_pid(void);
void fs_set_signal_mask(uint64_t mask);

#endif
