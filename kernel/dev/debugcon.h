/*
 * kernel/dev/debugcon.h - QEMU's debug consoles: I/O ports that take bytes.
 *
 * Role         Port 0x402 is a sink of the kernel log (build/kernel.log). Other such ports carry what a batch run wrote
 *              to standard output and standard error.
 * Not handled  Real machines have nothing there: a debugcon reads back 0xe9, and the log goes to one that does only.
 */
#ifndef TINE_DEV_DEBUGCON_H
#define TINE_DEV_DEBUGCON_H

#include "kernel/base/types.h"

#define DEBUGCON_LOG_PORT 0x402
#define BATCH_OUT_PORT    0xe9
#define BATCH_ERR_PORT    0xea

/* Adds the log sink where the device is. */
void debugcon_init(void);
/* Writes n bytes to an I/O port, one by one. */
void port_write(uint16_t port, const void *buf, size_t n);

#endif
