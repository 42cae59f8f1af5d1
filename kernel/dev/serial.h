/*
 * kernel/dev/serial.h - the first serial port: a 16550 at 0x3f8.
 *
 * Role         Bytes out, polled with a bound; bytes in, by interrupt where the roof wires one up, else whenever
 *              serial_poll() is called. What comes in goes to the receiver that the tty registers.
 * Invariants   1. serial_write() ends, whatever the hardware does: each byte waits a bounded time, and a port that times
 *                 out once is given up.
 * Locks        LOCK_DEVICE, with interrupts off, for output. The receiver is called with interrupts off and no lock.
 * Failure      No port: all calls do nothing.
 */
#ifndef TINE_DEV_SERIAL_H
#define TINE_DEV_SERIAL_H

#include "kernel/base/types.h"

#define SERIAL_IRQ 4

/* 115200 8N1 with FIFOs, interrupts off. False: no 16550 answers. */
bool serial_init(void);
bool serial_present(void);
void serial_write(const char *text, size_t n);
/* "\n" becomes "\r\n": for the kernel log. */
void serial_write_text(const char *text, size_t n);

/* rx(byte) runs in interrupt context. */
void serial_set_receiver(void (*rx)(uint8_t byte));
/* Turns the receive interrupt on; its handler is serial_poll(). */
void serial_enable_interrupt(void);
/* Hands all bytes that have arrived to the receiver. */
void serial_poll(void);

#endif
