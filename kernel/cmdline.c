/* kernel/cmdline.c - see cmdline.h. */
#include "kernel/cmdline.h"

#include "kernel/base/options.h"
#include "kernel/base/print.h"
#include "kernel/base/string.h"

#define LINE_MAX 2048

struct options options = {.fork = FORK_TREE, .loglevel = -1};

static char line_copy[LINE_MAX];  /* as given, for /proc/cmdline */
static char line_words[LINE_MAX]; /* cut into words: options and init's arguments point into it */

/* Each parser gets the text after '=', or NULL where there is none. 0, or -EINVAL for a bad value. */

static int parse_fork(const char *v)
{
	static const char *const names[FORK_POLICIES] = {"copy", "cow", "hybrid", "tree"};

	for (unsigned i = 0; v && i < FORK_POLICIES; i++)
		if (!strcmp(v, names[i])) {
			options.fork = (enum fork_policy)i;
			return 0;
		}
	return -EINVAL;
}

/* A word alone, or =1, =0. */
static int parse_bool(const char *v, bool *ret_value)
{
	if (v && strcmp(v, "0") && strcmp(v, "1"))
		return -EINVAL;
	*ret_value = !v || *v == '1';
	return 0;
}

static int parse_fork_trace(const char *v) { return parse_bool(v, &options.fork_trace); }

static int parse_syscall_trace(const char *v) { return parse_bool(v, &options.syscall_trace); }

static int parse_quiet(const char *v) { return parse_bool(v, &options.quiet); }

static int parse_nmi(const char *v) { return parse_bool(v, &options.unknown_nmi_panic); }

static int parse_batch(const char *v) { return parse_bool(v, &options.batch); }

static int parse_loglevel(const char *v)
{
	uint64_t n;

	if (!v || parse_u64(v, NULL, &n) || n > 8)
		return -EINVAL;
	options.loglevel = (int)n;
	return 0;
}

static int parse_exit(const char *v)
{
	uint64_t port;

	if (!v || parse_u64(v, NULL, &port) || port == 0 || port > UINT16_MAX - 3)
		return -EINVAL;
	options.exit_port = (uint16_t)port;
	return 0;
}

/* Bytes, with K, M, G or T. */
static int parse_mem(const char *v)
{
	uint64_t n;
	const char *end, *units = "KMGT";

	if (!v || parse_u64(v, &end, &n))
		return -EINVAL;
	const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
	unsigned shift = unit ? (unsigned)(unit - units + 1) * 10 : 0;
	if ((*end && !unit) || (unit && end[1]) || n == 0 || n > UINT64_MAX >> shift)
		return -EINVAL;
	options.mem = n << shift;
	return 0;
}

static int parse_panic(const char *v)
{
	uint64_t n;
	bool negative = v && *v == '-';

	if (!v || parse_u64(v + negative, NULL, &n) || n > 1000000)
		return -EINVAL;
	options.panic_seconds = negative ? -(int64_t)n : (int64_t)n;
	return 0;
}

static int parse_init(const char *v)
{
	if (!v || *v != '/')
		return -EINVAL;
	options.init = v;
	return 0;
}

static int parse_console(const char *v)
{
	if (!v || (strncmp(v, "ttyS0", 5) && strcmp(v, "tty0")))
		return -EINVAL;
	options.console = v;
	return 0;
}

static int parse_efi(const char *v)
{
	if (!v)
		return -EINVAL;
	options.efi = v;
	return 0;
}

/* The EFI stub has acted on it already. */
static int parse_by_stub(const char *v)
{
	(void)v;
	return 0;
}

static const struct {
	const char *name, *help;
	int (*parse)(const char *value);
} table[] = {
    {"fork", "copy|cow|hybrid|tree: how fork builds the child's memory", parse_fork},
    {"fork_trace", "log what each fork copied and shared", parse_fork_trace},
    {"syscall_trace", "log each system call", parse_syscall_trace},
    {"init", "path of the first program (/init)", parse_init},
    {"quiet", "consoles show errors only", parse_quiet},
    {"loglevel", "0-8: consoles show messages below this level", parse_loglevel},
    {"console", "ttyS0 or tty0: show the whole boot log there", parse_console},
    {"mem", "use no more than this much memory, with K, M, G or T", parse_mem},
    {"panic", "seconds from a panic to a restart, -1: at once, 0: power off instead", parse_panic},
    {"unknown_nmi_panic", "an NMI is a panic: shows where the kernel hangs", parse_nmi},
    {"exit", "I/O port of QEMU's isa-debug-exit", parse_exit},
    {"tine.batch", "standard output and error of init go to the ports 0xe9 and 0xea", parse_batch},
    {"efi", "how the firmware's runtime services are used", parse_efi},
    {"nokaslr", "run the kernel at the address it was linked for", parse_by_stub},
    {"initrd", "path of the initial RAM file system on the EFI system partition", parse_by_stub},
};

/* Does `word` spell the option `name`, alone or before '='? - and _ are the same, as on Linux. */
static bool names_option(const char *word, const char *name)
{
	for (; *name; name++, word++)
		if ((*word == '-' ? '_' : *word) != *name)
			return false;
	return *word == '\0' || *word == '=';
}

static bool parse_known(const char *word)
{
	const char *equals = strchr(word, '=');

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		if (!names_option(word, table[i].name))
			continue;
		if (table[i].parse(equals ? equals + 1 : NULL))
			pr_warn("Command line: bad value in \"%.80s\" (%s)", word, table[i].help);
		return true;
	}
	return false;
}

/* For init: a variable if it has '=', else an argument. False: no room, or it looks like a module's option. */
static bool give_to_init(const char *word, bool is_argument)
{
	bool variable = !is_argument && strchr(word, '=');

	if (!is_argument && strchr(word, '.') && (!variable || strchr(word, '.') < strchr(word, '=')))
		return false;
	if (variable && options.init_env_count < ARRAY_LEN(options.init_env)) {
		options.init_env[options.init_env_count++] = word;
		return true;
	}
	if (!variable && options.init_arg_count < ARRAY_LEN(options.init_args)) {
		options.init_args[options.init_arg_count++] = word;
		return true;
	}
	return false;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Cuts the next word out of *rest, without its quotes; NULL at the end. */
static char *next_word(char **rest)
{
	char *in = *rest, *out, *word;
	bool quoted = false;

	while (is_space(*in))
		in++;
	if (!*in)
		return NULL;
	for (word = out = in; *in && (quoted || !is_space(*in)); in++) {
		if (*in == '"')
			quoted = !quoted;
		else
			*out++ = *in;
	}
	*rest = *in ? in + 1 : in;
	*out = '\0';
	return word;
}

/* The log is for people: control characters become '?'. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if ((uint8_t)*s < ' ' && !is_space(*s))
			*s = '?';
}

void cmdline_parse(const char *line)
{
	char *rest = line_words, *word;
	bool for_init = false;

	if (strlcpy(line_copy, line, LINE_MAX) >= LINE_MAX)
		pr_warn("Command line: longer than %d bytes, cut", LINE_MAX - 1);
	make_printable(line_copy);
	strlcpy(line_words, line_copy, LINE_MAX);
	options.cmdline = line_copy;
	pr_info("Command line: %s", line_copy);

	while ((word = next_word(&rest))) {
		if (!for_init && !strcmp(word, "--")) {
			for_init = true;
			continue;
		}
		if (!for_init && parse_known(word))
			continue;
		if (!give_to_init(word, for_init))
			pr_warn("Unknown kernel command line parameters \"%.80s\", ignored", word);
	}
}
