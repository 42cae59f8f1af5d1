/*
 * kernel/dev/devices.h - the character devices that every system has.
 *
 * Role         devices_init() registers them all: null, zero, full, random, urandom, kmsg, hostout, hosterr (chardevs.c) and
 *              the terminals (tty.c). /dev is made from that list.
 */
#ifndef TINE_DEV_DEVICES_H
#define TINE_DEV_DEVICES_H

void devices_init(void);
void memory_devices_init(void); /* null, zero, full, random, urandom */
void log_devices_init(void);    /* kmsg, hostout, hosterr */

#endif
