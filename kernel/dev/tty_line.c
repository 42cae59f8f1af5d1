/*
 * kernel/dev/tty_line.c - the line discipline: what each byte does on its way in and out.
 */
#include <asm/signal.h>

#include "kernel/base/string.h"
#include "kernel/dev/tty_private.h"

#define TAB_WIDTH 8

static bool bit_test(const uint64_t *map, uint32_t i) { return map[i / 64] >> (i % 64) & 1; }

static void bit_assign(uint64_t *map, uint32_t i, bool on)
{
	if (on)
		map[i / 64] |= 1ull << (i % 64);
	else
		map[i / 64] &= ~(1ull << (i % 64));
}

static bool input_flag(const struct tty *tty, tcflag_t flag) { return tty->termios.c_iflag & flag; }
static bool output_flag(const struct tty *tty, tcflag_t flag) { return tty->termios.c_oflag & flag; }
static bool local_flag(const struct tty *tty, tcflag_t flag) { return tty->termios.c_lflag & flag; }

/* Is the byte this control character, and is that in use? */
static bool is_control(const struct tty *tty, unsigned index, uint8_t byte)
{
	return tty->termios.c_cc[index] == byte && byte != 0;
}

static bool is_continuation(const struct tty *tty, uint8_t byte)
{
	return input_flag(tty, IUTF8) && (byte & 0xc0) == 0x80;
}

/* ---- Output ---- */

/* Where the cursor is after a byte that was at `column`. */
static uint32_t column_after(const struct tty *tty, uint32_t column, uint8_t byte)
{
	if (byte == '\r')
		return 0;
	if (byte == '\b')
		return column ? column - 1 : 0;
	if (byte == '\t')
		return (column / TAB_WIDTH + 1) * TAB_WIDTH;
	if (byte < ' ' || byte == 0x7f || is_continuation(tty, byte))
		return column;
	return column + 1;
}

struct output {
	struct tty *tty;
	char buf[128];
	size_t used;
};

static void output_flush(struct output *o)
{
	if (o->used)
		o->tty->output(o->buf, o->used);
	o->used = 0;
}

static void output_byte(struct output *o, char byte)
{
	if (o->used == sizeof(o->buf))
		output_flush(o);
	o->buf[o->used++] = byte;
}

/* A tab as spaces, where the terminal has none of its own. */
static void output_tab(struct output *o)
{
	uint32_t to = column_after(o->tty, o->tty->column, '\t');

	for (; o->tty->column < to; o->tty->column++)
		output_byte(o, ' ');
}

/* OPOST: one byte as the output flags change it. */
static void output_processed(struct output *o, char byte)
{
	struct tty *tty = o->tty;

	if (byte == '\t' && (tty->termios.c_oflag & TABDLY) == XTABS) {
		output_tab(o);
		return;
	}
	if (byte == '\r' && output_flag(tty, ONOCR) && tty->column == 0)
		return;
	if (byte == '\r' && output_flag(tty, OCRNL))
		byte = '\n';
	else if (byte == '\n' && output_flag(tty, ONLCR))
		output_byte(o, '\r');
	if (byte == '\n' && output_flag(tty, ONLCR | ONLRET))
		tty->column = 0;
	output_byte(o, byte);
	tty->column = column_after(tty, tty->column, (uint8_t)byte);
}

void tty_put(struct tty *tty, const char *text, size_t n)
{
	struct output o = {.tty = tty};

	for (size_t i = 0; i < n; i++) {
		if (output_flag(tty, OPOST))
			output_processed(&o, text[i]);
		else
			output_byte(&o, text[i]);
	}
	output_flush(&o);
}

/* ---- Echo ---- */

static bool shown_as_caret(const struct tty *tty, uint8_t byte)
{
	return local_flag(tty, ECHOCTL) && (byte < ' ' || byte == 0x7f) && byte != '\t' && byte != '\n';
}

static void echo_byte(struct tty *tty, uint8_t byte)
{
	char text[2] = {'^', (char)(byte ^ 0x40)};

	if (shown_as_caret(tty, byte))
		tty_put(tty, text, 2);
	else
		tty_put(tty, (const char *)&byte, 1);
}

/* Echo of an ordinary byte. */
static void echo(struct tty *tty, uint8_t byte)
{
	if (local_flag(tty, ECHO) || (byte == '\n' && local_flag(tty, ECHONL)))
		echo_byte(tty, byte);
}

/* ---- The buffer ---- */

static uint32_t place(const struct tty *tty, uint32_t i) { return (tty->head + i) % TTY_INPUT; }

/* Bytes of the line being edited. */
static uint32_t editable(const struct tty *tty) { return tty->used - tty->ready; }

static void append(struct tty *tty, uint8_t byte, bool end, bool eof)
{
	uint32_t at = place(tty, tty->used);

	if (tty->used == TTY_INPUT)
		return;
	tty->input[at] = (char)byte;
	bit_assign(tty->line_end, at, end);
	bit_assign(tty->is_eof, at, eof);
	tty->used++;
}

bool line_has_input(const struct tty *tty)
{
	uint32_t min = tty->termios.c_cc[VTIME] == 0 ? tty->termios.c_cc[VMIN] : 1;

	if (local_flag(tty, ICANON))
		return tty->ready > 0;
	return tty->ready >= MAX(1u, min);
}

static uint8_t take_byte(struct tty *tty)
{
	uint8_t byte = (uint8_t)tty->input[tty->head];

	tty->head = (tty->head + 1) % TTY_INPUT;
	tty->used--;
	tty->ready--;
	return byte;
}

size_t line_take(struct tty *tty, char *buf, size_t n, bool *ret_eof)
{
	bool canonical = local_flag(tty, ICANON);
	size_t done = 0;

	*ret_eof = false;
	while (tty->ready) {
		bool end = canonical && bit_test(tty->line_end, tty->head);
		bool eof = canonical && bit_test(tty->is_eof, tty->head);

		/* An end-of-file mark right behind the last byte wanted belongs to this read, not to the next one. */
		if (done == n && !eof)
			break;
		if (eof) {
			take_byte(tty);
			*ret_eof = true;
			break;
		}
		buf[done++] = (char)take_byte(tty);
		if (end)
			break;
	}
	return done;
}

void line_flush(struct tty *tty)
{
	tty->head = tty->used = tty->ready = 0;
	tty->literal = false;
}

void line_mode_changed(struct tty *tty) { tty->ready = tty->used; }

/* ---- Editing ---- */

/* Columns that bytes [from, to) of the buffer take, the first of them at `column`. */
static uint32_t column_of(const struct tty *tty, uint32_t column, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		uint8_t byte = (uint8_t)tty->input[place(tty, i)];

		column = shown_as_caret(tty, byte) ? column + 2 : column_after(tty, column, byte);
	}
	return column;
}

/* Takes the last `n` bytes of the line back, on the screen too. */
static void erase_bytes(struct tty *tty, uint32_t n)
{
	uint32_t to;

	tty->used -= n;
	if (!local_flag(tty, ECHO))
		return;
	to = column_of(tty, tty->line_column, tty->ready, tty->used);
	while (tty->column > to)
		tty_put(tty, "\b \b", 3);
}

/* Bytes of the line's last character: one, or a whole UTF-8 sequence. */
static uint32_t last_character(const struct tty *tty)
{
	uint32_t n = 1;

	while (n < editable(tty) && is_continuation(tty, (uint8_t)tty->input[place(tty, tty->used - n)]))
		n++;
	return n;
}

static bool is_word_byte(uint8_t byte)
{
	return byte == '_' || byte >= 0x80 || (byte >= '0' && byte <= '9') ||
	       ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

/* Bytes of the last word and of what stands behind it. */
static uint32_t last_word(const struct tty *tty)
{
	uint32_t n = 0, all = editable(tty);

	while (n < all && !is_word_byte((uint8_t)tty->input[place(tty, tty->used - n - 1)]))
		n++;
	while (n < all && is_word_byte((uint8_t)tty->input[place(tty, tty->used - n - 1)]))
		n++;
	return n;
}

static void erase(struct tty *tty, uint8_t byte)
{
	if (!editable(tty))
		return;
	if (local_flag(tty, ECHO) && !local_flag(tty, ECHOE))
		echo_byte(tty, byte);
	erase_bytes(tty, last_character(tty));
}

static void kill_line(struct tty *tty, uint8_t byte)
{
	if (local_flag(tty, ECHOKE) && local_flag(tty, ECHOE)) {
		erase_bytes(tty, editable(tty));
		return;
	}
	tty->used = tty->ready;
	echo(tty, byte);
	if (local_flag(tty, ECHOK))
		echo(tty, '\n');
}

static void end_line(struct tty *tty, uint8_t byte, bool eof)
{
	append(tty, byte, true, eof);
	tty->ready = tty->used;
}

/* An ordinary byte of a line. The last place is kept for the line's end. */
static void add_to_line(struct tty *tty, uint8_t byte)
{
	if (tty->used >= TTY_INPUT - 1) {
		if (input_flag(tty, IMAXBEL))
			tty_put(tty, "\a", 1);
		return;
	}
	if (!editable(tty))
		tty->line_column = tty->column;
	append(tty, byte, false, false);
	echo(tty, byte);
}

/* ICANON: the editing characters. False: an ordinary byte. */
static bool edit(struct tty *tty, uint8_t byte)
{
	bool extended = local_flag(tty, IEXTEN);

	if (is_control(tty, VERASE, byte)) {
		erase(tty, byte);
	} else if (is_control(tty, VKILL, byte)) {
		kill_line(tty, byte);
	} else if (extended && is_control(tty, VWERASE, byte)) {
		erase_bytes(tty, last_word(tty));
	} else if (is_control(tty, VEOF, byte)) {
		end_line(tty, 0, true);
	} else if (byte == '\n' || is_control(tty, VEOL, byte) || (extended && is_control(tty, VEOL2, byte))) {
		echo(tty, byte);
		end_line(tty, byte, false);
	} else {
		return false;
	}
	return true;
}

/* ISIG: the signal that a byte sends to the foreground group, 0: none. */
static int signal_of(const struct tty *tty, uint8_t byte)
{
	if (!local_flag(tty, ISIG))
		return 0;
	if (is_control(tty, VINTR, byte))
		return SIGINT;
	if (is_control(tty, VQUIT, byte))
		return SIGQUIT;
	return is_control(tty, VSUSP, byte) ? SIGTSTP : 0;
}

static void send_signal(struct tty *tty, uint8_t byte, int sig)
{
	if (!local_flag(tty, NOFLSH))
		line_flush(tty);
	tty->stopped = false;
	waitq_wake_all(&tty->write_wait);
	echo(tty, byte);
	if (tty->foreground)
		job_control->signal_pgrp(tty->foreground, sig);
}

/* IXON: true if the byte only started or stopped the output. */
static bool flow_control(struct tty *tty, uint8_t byte)
{
	bool stop = is_control(tty, VSTOP, byte), start = is_control(tty, VSTART, byte);

	if (!input_flag(tty, IXON))
		return false;
	if (stop || start || (tty->stopped && input_flag(tty, IXANY))) {
		tty->stopped = stop;
		waitq_wake_all(&tty->write_wait);
	}
	return stop || start;
}

/* The input flags that change or drop a byte: -1 for a dropped one. */
static int translate(const struct tty *tty, uint8_t byte)
{
	if (input_flag(tty, ISTRIP))
		byte &= 0x7f;
	if (byte == '\r') {
		if (input_flag(tty, IGNCR))
			return -1;
		return input_flag(tty, ICRNL) ? '\n' : byte;
	}
	if (byte == '\n' && input_flag(tty, INLCR))
		return '\r';
	return byte;
}

static void add_raw(struct tty *tty, uint8_t byte)
{
	append(tty, byte, false, false);
	tty->ready = tty->used;
	echo(tty, byte);
}

void line_receive(struct tty *tty, uint8_t raw)
{
	int byte = raw, sig;

	if (tty->literal) {
		tty->literal = false;
		add_to_line(tty, raw);
		return;
	}
	if (flow_control(tty, raw))
		return;
	byte = translate(tty, raw);
	if (byte < 0)
		return;
	sig = signal_of(tty, (uint8_t)byte);
	if (sig) {
		send_signal(tty, (uint8_t)byte, sig);
	} else if (!local_flag(tty, ICANON)) {
		add_raw(tty, (uint8_t)byte);
	} else if (local_flag(tty, IEXTEN) && is_control(tty, VLNEXT, (uint8_t)byte)) {
		tty->literal = true;
	} else if (!edit(tty, (uint8_t)byte)) {
		add_to_line(tty, (uint8_t)byte);
	}
}
