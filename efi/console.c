/* efi/console.c - what the stub says, before and after the exit. */
#include "efi/stub.h"
#include "kernel/base/cpu.h"
#include "kernel/base/print.h"
#include "kernel/base/string.h"

#define LINE_MAX 256

#define DEBUGCON_PORT 0x402
#define DEBUGCON_PRESENT \
	0xe9 /* what QEMU's device reads as; a PC may have its power management there: never write blind */

STUB_BEGIN

static void console_puts(struct stub *s, const char *text)
{
	CHAR16 wide[LINE_MAX];
	size_t n = 0;

	if (!s->st->ConOut)
		return;
	for (; *text && n < ARRAY_LEN(wide) - 3; text++) {
		if (*text == '\n')
			wide[n++] = '\r';
		wide[n++] = (uint8_t)*text < 0x80 ? (CHAR16)*text : '?';
	}
	wide[n] = 0;
	s->st->ConOut->OutputString(s->st->ConOut, wide);
}

static void message_append(struct stub *s, const char *text)
{
	s->message_length += strlcpy(s->messages + s->message_length, text, sizeof(s->messages) - s->message_length);
	if (s->message_length >= sizeof(s->messages))
		s->message_length = sizeof(s->messages) - 1;
}

void say(struct stub *s, const char *fmt, ...)
{
	char line[LINE_MAX - 2];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	strlcpy(line + strlen(line), "\n", 2);

	console_puts(s, "Tine: ");
	console_puts(s, line);
	message_append(s, line);
}

void say_progress(struct stub *s) { console_puts(s, "."); }

void debugcon_puts(const char *text)
{
	if (inb(DEBUGCON_PORT) != DEBUGCON_PRESENT)
		return;
	while (*text)
		outb(DEBUGCON_PORT, (uint8_t)*text++);
}

void debugcon_report(struct stub *s)
{
	char line[LINE_MAX];
	bool at_start = true;

	if (inb(DEBUGCON_PORT) != DEBUGCON_PRESENT)
		return;
	for (const char *p = s->messages; *p; p++) {
		if (at_start)
			debugcon_puts("efi: stub: ");
		outb(DEBUGCON_PORT, (uint8_t)*p);
		at_start = *p == '\n';
	}
	ksnprintf(line, sizeof(line), "efi: stub: boot services left, tries=%u\n", s->info->exit_tries);
	debugcon_puts(line);
}

STUB_END
