/* kernel/dev/debugcon.c - see debugcon.h. */
#include "kernel/dev/debugcon.h"

#include "kernel/base/cpu.h"
#include "kernel/base/print.h"

#define DEBUGCON_READBACK 0xe9

void port_write(uint16_t port, const void *buf, size_t n)
{
	__asm__ volatile("rep outsb" : "+S"(buf), "+c"(n) : "d"(port) : "memory");
}

static void write_log(const char *text, size_t len) { port_write(DEBUGCON_LOG_PORT, text, len); }

void debugcon_init(void)
{
	static struct log_sink sink = {.write = write_log, .max_level = LOG_DEBUG};

	if (inb(DEBUGCON_LOG_PORT) == DEBUGCON_READBACK)
		log_add_sink(&sink);
}
