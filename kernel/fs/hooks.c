/*
 * kernel/fs/hooks.c - see hooks.h.
 */
#include "kernel/fs/hooks.h"

static void nobody_to_signal(int sig) { (void)sig; }
static uint64_t no_limit(void) { return UINT64_MAX; }
static int32_t no_process(void) { return 0; }
static void no_mask(uint64_t mask) { (void)mask; }

static const struct fs_hooks before_processes = {nobody_to_signal, no_limit, no_process, no_mask};
static const struct fs_hooks *hooks = &before_processes;

void fs_set_hooks(const struct fs_hooks *h) { hooks = h; }

void fs_signal_current(int sig) { hooks->signal_current(sig); }
uint64_t fs_file_size_limit(void) { return hooks->file_size_limit(); }
int32_t fs_current_pid(void) { return hooks->current_pid(); }
void fs_set_signal_mask(uint64_t mask) { hooks->set_signal_mask(mask); }
