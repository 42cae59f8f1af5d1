/*
 * kernel/base/print.h - formatted text and the kernel log.
 *
 * Role         ksnprintf() formats; pr_*() append a line `[    0.012345] text` to the log, a ring in memory that the
 *              console drivers registered with log_add_sink() print as it grows.
 * Formats      printf's %d %i %u %x %X %o %c %s %p %% with flags - 0 + space #, width, precision (also *), and lengths
 *              hh h l ll z t j. No floating point. %s of NULL prints (null). Unknown conversions print as they stand.
 * Locks        The log lock (LOCK_LOG, the last rank): pr_*() may be called anywhere, interrupts included.
 * Failure      None: what does not fit is cut; old log text is overwritten by new.
 */
#ifndef TINE_BASE_PRINT_H
#define TINE_BASE_PRINT_H

#include <stdarg.h>

#include "kernel/base/types.h"

/* As C99 snprintf: returns the length that the whole text has, whether or not it fitted; always ends in NUL if size >
 * 0. */
PRINTF(3, 4) int ksnprintf(char *buf, size_t size, const char *fmt, ...);
int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap);

enum log_level { LOG_ERR = 3, LOG_WARN = 4, LOG_INFO = 6, LOG_DEBUG = 7 }; /* syslog(2) numbers */

/* One line of log; a trailing newline is added. */
PRINTF(2, 3) void log_line(enum log_level level, const char *fmt, ...);
#define pr_err(...)   log_line(LOG_ERR, __VA_ARGS__)
#define pr_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define pr_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define pr_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

/* Where the log is shown. write() gets whole lines, newline included, under the log lock; max_level filters. */
struct log_sink {
	void (*write)(const char *text, size_t len);
	enum log_level max_level;
	struct log_sink *next;
};
void log_add_sink(struct log_sink *sink); /* replays what the ring holds */

#define LOG_RING_SIZE KIB(256)
/* Copies up to size bytes of the ring from absolute offset *pos on, and advances it (skipping what was overwritten). */
size_t log_read(uint64_t *pos, char *buf, size_t size);
uint64_t log_end(void); /* absolute offset one past the newest byte */
/* For panic(): from now on the log is written without its lock, whose holder will not run again. */
void log_break_lock(void);

#endif
