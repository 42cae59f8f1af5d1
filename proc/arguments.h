/*
 * proc/arguments.h - the strings of an exec: path, arguments, environment.
 *
 * Role         Gathered into kernel memory from the old space (or from the kernel, for init), and laid out on the new stack.
 * Invariants   `text` holds the arguments, then the environment, each string with its NUL.
 * Failure      -E2BIG: one string over 128 KiB, or all over a quarter of the stack limit, 6 MiB at most (Linux execve(2)); -EFAULT;
 *              -ENAMETOOLONG, -ENOENT: the path; -ENOMEM.
 */
#ifndef TINE_PROC_ARGUMENTS_H
#define TINE_PROC_ARGUMENTS_H

#include "kernel/base/addr.h"

struct arguments {
	char *path;
	char *text;
	size_t used, capacity, limit;
	uint32_t argc, envc;
	size_t args_end; /* bytes of text that are arguments */
};

/* Where strings ended up on the new stack. */
struct stack_places {
	uaddr_t arg_start, arg_end, env_end, random, filename, platform;
	uint64_t below; /* the stack is free below this address */
};

MUST_CHECK int arguments_path_from_user(struct arguments *a, uaddr_t path);
MUST_CHECK int arguments_from_user(struct arguments *a, uaddr_t argv, uaddr_t envp, uint64_t stack_limit);
MUST_CHECK int arguments_from_kernel(struct arguments *a, const char *path, const char *const argv[],
				     const char *const envp[]);
void arguments_free(struct arguments *a);

/* A script's: argv[0] becomes interp [arg] path, and the path the interpreter. */
MUST_CHECK int arguments_add_interpreter(struct arguments *a, const char *interp, const char *arg);

/* Bytes that strings and vectors will take on the stack. */
uint64_t arguments_size(const struct arguments *a);
/* Onto the current space's stack, downwards from top. -EFAULT. */
MUST_CHECK int arguments_push_strings(const struct arguments *a, uint64_t top, const uint8_t random[16],
				      struct stack_places *ret_places);
/* argc, argv, envp and `naux` words of auxv; *ret_rsp is what the program starts with. */
MUST_CHECK int arguments_push_vectors(const struct arguments *a, const struct stack_places *places, const uint64_t *aux,
				      unsigned naux, uint64_t *ret_rsp);

#endif
