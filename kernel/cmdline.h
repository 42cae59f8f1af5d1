/*
 * kernel/cmdline.h - the kernel command line.
 *
 * Role         Parses the line into `options` (kernel/base/options.h) by one table of options; the table is also the help
 *              text. Words are separated by white space; "..." keeps white space in a value; after "--" all words are
 *              init's.
 * Failure      Garbage never stops the boot: a bad value is a warning and the default; unknown words are handed to init,
 *              those with a '.' (a module's, on Linux) are reported and dropped.
 */
#ifndef TINE_KERNEL_CMDLINE_H
#define TINE_KERNEL_CMDLINE_H

/* `line` is copied. Warnings go to the log. */
void cmdline_parse(const char *line);

#endif
