/*
 * kernel/base/options.h - what the kernel command line asked for.
 *
 * Role         One plain struct, readable by every layer. kernel/cmdline.c parses the command line into it before
 *              anything reads it, by its table of options; a value that does not parse leaves the default.
 * Locks        None: [I] once the kernel has started.
 */
#ifndef TINE_BASE_OPTIONS_H
#define TINE_BASE_OPTIONS_H

#include "kernel/base/types.h"

/* How fork builds the child's memory (FORK.md section 3). */
enum fork_policy { FORK_COPY, FORK_COW, FORK_HYBRID, FORK_TREE, FORK_POLICIES };

struct options {
	enum fork_policy fork;     /* fork=copy|cow|hybrid|tree */
	bool fork_trace;           /* log what each fork did */
	bool syscall_trace;        /* log each system call */
	bool quiet;                /* consoles show errors only */
	bool unknown_nmi_panic;    /* an NMI is taken for somebody's wish to see where the kernel hangs */
	bool batch;                /* tine.batch: standard output goes to port 0xe9, standard error to 0xea */
	int loglevel;              /* consoles show levels below this, as Linux; -1: not given */
	uint16_t exit_port;        /* exit=: I/O port that ends QEMU, 0: none */
	uint64_t mem;              /* mem=: bytes of memory to use, 0: all */
	int64_t panic_seconds;     /* panic=: restart after that long, at once if < 0; 0: power off */
	const char *init;          /* init=: path of the first program, NULL: /init */
	const char *console;       /* console=: "ttyS0" or "tty0", NULL: not given */
	const char *efi;           /* efi=: for the firmware checks, NULL: not given */
	const char *cmdline;       /* the whole line, for /proc/cmdline */
	const char *init_args[16]; /* words that init gets: unknown words without '=', and all after "--" */
	unsigned init_arg_count;
	const char *init_env[16]; /* unknown words with '=' and without '.' */
	unsigned init_env_count;
};

extern struct options options;

#endif
