/* kernel/base/print.c - see print.h. */
#include "kernel/base/print.h"

#include "kernel/base/clock.h"
#include "kernel/base/lock.h"
#include "kernel/base/string.h"

/* ---- Formatting ---- */

/* Where formatted text goes: `len` counts all of it, the buffer holds what fits. */
struct output {
	char *buf;
	size_t size, len;
};

/* One conversion: %[flags][width][.precision][length]letter. */
struct conversion {
	bool left, plus, space, zero, alternate;
	int width, precision; /* precision < 0: not given */
	int length;           /* bytes of the argument */
	char letter;
};

static void emit(struct output *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void emit_run(struct output *o, char c, int n)
{
	for (; n > 0; n--)
		emit(o, c);
}

static void emit_bytes(struct output *o, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		emit(o, s[i]);
}

static void emit_padded(struct output *o, const struct conversion *c, const char *s, size_t n)
{
	int pad = c->width > (int)n ? c->width - (int)n : 0;

	if (!c->left)
		emit_run(o, ' ', pad);
	emit_bytes(o, s, n);
	if (c->left)
		emit_run(o, ' ', pad);
}

/* Digits of v from the end of buf backwards; returns the first. */
static char *digits(char *end, uint64_t v, unsigned base, bool upper)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	for (; v; v /= base)
		*--end = set[v % base];
	return end;
}

static unsigned conversion_base(char letter)
{
	switch (letter) {
	case 'x':
	case 'X':
	case 'p':
		return 16;
	case 'o':
		return 8;
	default:
		return 10;
	}
}

/* The sign or the 0x in front of a number. */
static const char *number_prefix(const struct conversion *c, uint64_t v, bool negative)
{
	if (negative)
		return "-";
	if (c->letter == 'd' || c->letter == 'i')
		return c->plus ? "+" : c->space ? " " : "";
	if (c->letter == 'p' || (c->alternate && v && c->letter == 'x'))
		return "0x";
	if (c->alternate && v && c->letter == 'X')
		return "0X";
	return c->alternate && v && c->letter == 'o' ? "0" : "";
}

static void emit_number(struct output *o, const struct conversion *c, uint64_t v, bool negative)
{
	char buf[24];
	const char *prefix = number_prefix(c, v, negative);
	const char *first = digits(buf + sizeof(buf), v, conversion_base(c->letter), c->letter == 'X');
	int ndigits = (int)(buf + sizeof(buf) - first);
	int zeros = MAX(0, (c->precision < 0 ? 1 : c->precision) - ndigits);
	int body = (int)strlen(prefix) + zeros + ndigits;

	if (c->zero && !c->left && c->precision < 0 && body < c->width) {
		zeros += c->width - body;
		body = c->width;
	}
	if (!c->left)
		emit_run(o, ' ', c->width - body);
	emit_bytes(o, prefix, strlen(prefix));
	emit_run(o, '0', zeros);
	emit_bytes(o, first, (size_t)ndigits);
	if (c->left)
		emit_run(o, ' ', c->width - body);
}

static int parse_int(const char **fmt)
{
	int n = 0;

	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
		if (n < 100000)
			n = n * 10 + (**fmt - '0');
	return n;
}

static void parse_flags(const char **fmt, struct conversion *c)
{
	for (;; (*fmt)++) {
		switch (**fmt) {
		case '-':
			c->left = true;
			continue;
		case '+':
			c->plus = true;
			continue;
		case ' ':
			c->space = true;
			continue;
		case '0':
			c->zero = true;
			continue;
		case '#':
			c->alternate = true;
			continue;
		}
		return;
	}
}

static int parse_length(const char **fmt)
{
	switch (**fmt) {
	case 'h':
		(*fmt)++;
		if (**fmt != 'h')
			return sizeof(short);
		(*fmt)++;
		return sizeof(char);
	case 'l':
		(*fmt)++;
		if (**fmt == 'l')
			(*fmt)++;
		return sizeof(long);
	case 'z':
	case 't':
	case 'j':
		(*fmt)++;
		return sizeof(long);
	}
	return sizeof(int);
}

/* va_list as a struct, so that helpers advance the caller's whatever the ABI makes of the type. */
struct args {
	va_list ap;
};

static struct conversion parse_conversion(const char **fmt, struct args *args)
{
	struct conversion c = {.precision = -1};

	parse_flags(fmt, &c);
	if (**fmt == '*') {
		(*fmt)++;
		c.width = va_arg(args->ap, int);
		c.left |= c.width < 0;
		c.width = c.width < 0 ? -c.width : c.width;
	} else {
		c.width = parse_int(fmt);
	}
	if (**fmt == '.') {
		(*fmt)++;
		if (**fmt == '*') {
			(*fmt)++;
			c.precision = va_arg(args->ap, int);
		} else {
			c.precision = parse_int(fmt);
		}
	}
	c.length = parse_length(fmt);
	c.letter = **fmt;
	if (c.letter)
		(*fmt)++;
	return c;
}

static int64_t signed_argument(struct args *args, int length)
{
	if (length == sizeof(long))
		return va_arg(args->ap, long);
	int v = va_arg(args->ap, int);
	return length == sizeof(char) ? (signed char)v : length == sizeof(short) ? (short)v : v;
}

static uint64_t unsigned_argument(struct args *args, int length)
{
	if (length == sizeof(long))
		return va_arg(args->ap, unsigned long);
	unsigned v = va_arg(args->ap, unsigned);
	return length == sizeof(char) ? (unsigned char)v : length == sizeof(short) ? (unsigned short)v : v;
}

static void emit_string(struct output *o, const struct conversion *c, const char *s)
{
	if (!s)
		s = "(null)";
	emit_padded(o, c, s, c->precision < 0 ? strlen(s) : strnlen(s, (size_t)c->precision));
}

/* False for a letter that is no conversion: the caller prints the text as it stands. */
static bool emit_conversion(struct output *o, const struct conversion *c, struct args *args)
{
	char ch;
	int64_t v;

	switch (c->letter) {
	case 'd':
	case 'i':
		v = signed_argument(args, c->length);
		emit_number(o, c, v < 0 ? -(uint64_t)v : (uint64_t)v, v < 0);
		return true;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		emit_number(o, c, unsigned_argument(args, c->length), false);
		return true;
	case 'p':
		emit_number(o, c, (uint64_t)va_arg(args->ap, void *), false);
		return true;
	case 'c':
		ch = (char)va_arg(args->ap, int);
		emit_padded(o, c, &ch, 1);
		return true;
	case 's':
		emit_string(o, c, va_arg(args->ap, const char *));
		return true;
	case '%':
		emit(o, '%');
		return true;
	}
	return false;
}

int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct output o = {buf, size, 0};
	struct args args;

	va_copy(args.ap, ap);
	while (*fmt) {
		const char *start = fmt;
		if (*fmt++ != '%') {
			emit(&o, *start);
			continue;
		}
		struct conversion c = parse_conversion(&fmt, &args);
		if (!emit_conversion(&o, &c, &args))
			emit_bytes(&o, start, (size_t)(fmt - start));
	}
	va_end(args.ap);
	if (size)
		buf[MIN(o.len, size - 1)] = '\0';
	return (int)o.len;
}

int ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = kvsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

/* ---- The log ---- */

#define LOG_LINE_MAX 512

/* Lines as /dev/kmsg's old form, "<6>[    0.012345] text\n": the level in angle brackets is cut off for the sinks. */
static char log_ring[LOG_RING_SIZE];
static uint64_t log_pos; /* absolute offset of the next byte */
static struct log_sink *log_sinks;
static struct spinlock log_lock = SPINLOCK_INIT("log", LOCK_LOG);
static bool log_lock_broken; /* panic: the holder will not run again */

static uint64_t log_acquire(void) { return log_lock_broken ? 0 : spin_lock_irq(&log_lock); }

static void log_release(uint64_t flags)
{
	if (!log_lock_broken)
		spin_unlock_irq(&log_lock, flags);
}

void log_break_lock(void) { log_lock_broken = true; }

static void ring_append(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		log_ring[log_pos++ % LOG_RING_SIZE] = text[i];
}

#define LEVEL_PREFIX 3 /* "<6>" */

static void sink_line(struct log_sink *sink, const char *line, size_t len)
{
	if (line[1] - '0' <= (int)sink->max_level)
		sink->write(line + LEVEL_PREFIX, len - LEVEL_PREFIX);
}

static size_t format_line(char *line, size_t size, enum log_level level, const char *fmt, va_list ap)
{
	uint64_t us = clock_ns() / NSEC_PER_USEC;
	int head = ksnprintf(line, size, "<%d>[%5lu.%06lu] ", (int)level, us / 1000000, us % 1000000);
	int body = kvsnprintf(line + head, size - (size_t)head - 1, fmt, ap);
	size_t len = MIN((size_t)head + (size_t)body, size - 2);

	line[len] = '\n';
	return len + 1;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	size_t len = format_line(line, sizeof(line), level, fmt, ap);
	va_end(ap);

	uint64_t flags = log_acquire();
	ring_append(line, len);
	for (struct log_sink *s = log_sinks; s; s = s->next)
		sink_line(s, line, len);
	log_release(flags);
}

static uint64_t ring_start(void) { return log_pos > LOG_RING_SIZE ? log_pos - LOG_RING_SIZE : 0; }

/* The line at *pos into line[LOG_LINE_MAX], *pos to the next; 0 at the end. A cut first line is skipped by its lack of
 * a level. */
static size_t ring_line(uint64_t *pos, char *line)
{
	size_t len = 0;

	while (*pos < log_pos && len < LOG_LINE_MAX) {
		line[len] = log_ring[(*pos)++ % LOG_RING_SIZE];
		if (line[len++] == '\n')
			break;
	}
	return len;
}

void log_add_sink(struct log_sink *sink)
{
	char line[LOG_LINE_MAX];
	uint64_t flags = log_acquire(), pos = ring_start();
	size_t len;

	while ((len = ring_line(&pos, line)))
		if (line[0] == '<')
			sink_line(sink, line, len);
	sink->next = log_sinks;
	log_sinks = sink;
	log_release(flags);
}

size_t log_read(uint64_t *pos, char *buf, size_t size)
{
	uint64_t flags = log_acquire();
	size_t n = 0;

	*pos = MIN(MAX(*pos, ring_start()), log_pos);
	while (n < size && *pos < log_pos)
		buf[n++] = log_ring[(*pos)++ % LOG_RING_SIZE];
	log_release(flags);
	return n;
}

uint64_t log_end(void)
{
	uint64_t flags = log_acquire(), end = log_pos;

	log_release(flags);
	return end;
}
