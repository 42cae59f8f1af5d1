/*
 * kernel/dev/devices.c - see devices.h.
 */
#include "kernel/dev/devices.h"

#include "kernel/dev/tty.h"

void devices_init(void)
{
	memory_devices_init();
	log_devices_init();
	tty_init();
}
