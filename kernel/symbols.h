/*
 * kernel/symbols.h - the names of the kernel's functions, for backtraces.
 *
 * Role         kernel/mksymbols makes the table from the image of a first link; the second link includes it. The table
 *              is read-only data behind all code, so that it moves no function.
 * Not handled  Data symbols.
 */
#ifndef TINE_KERNEL_SYMBOLS_H
#define TINE_KERNEL_SYMBOLS_H

#include "kernel/base/types.h"

/* The function that holds a kernel address: its name, or NULL; *ret_offset = bytes from its start. */
const char *symbol_find(uint64_t address, uint64_t *ret_offset);

#endif
