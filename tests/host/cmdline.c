/*
 * tests/host/cmdline.c - the kernel command line: known words, init's words, garbage.
 * sources: kernel/cmdline.c kernel/base/print.c kernel/base/string.c
 */
#include "kernel/cmdline.h"

#include <stdlib.h>

#include "kernel/base/clock.h"
#include "kernel/base/options.h"
#include "kernel/base/print.h"
#include "tests/host/test.h"

uint64_t clock_ns(void) { return 0; }

static char warned[4096];

/* Parses into fresh options; what was logged besides the line itself is in `warned`. */
static void parse(const char *line)
{
	uint64_t pos = log_end();
	size_t n;
	char *copy = strdup(line), *first;

	options = (struct options){.fork = FORK_COW, .loglevel = -1};
	cmdline_parse(copy);
	free(copy);
	n = log_read(&pos, warned, sizeof(warned) - 1);
	warned[n] = '\0';
	first = strstr(warned, "Command line: ");
	EXPECT_TRUE(first);
}

static void test_known(void)
{
	parse("fork=hybrid fork_trace init=/bin/x quiet loglevel=3 mem=64M exit=0xf4 tine.batch panic=-1");
	EXPECT(FORK_HYBRID, options.fork);
	EXPECT_TRUE(options.fork_trace && options.quiet && options.batch);
	EXPECT_STRING("/bin/x", options.init);
	EXPECT(3, options.loglevel);
	EXPECT(64 << 20, options.mem);
	EXPECT(0xf4, options.exit_port);
	EXPECT(-1, options.panic_seconds);
	EXPECT(0, options.init_arg_count + options.init_env_count);
	parse("fork=copy  fork=cow\tfork-trace=1 mem=1T");
	EXPECT(FORK_COW, options.fork);
	EXPECT_TRUE(options.fork_trace);
	EXPECT(1ull << 40, options.mem);
}

static void test_init_words(void)
{
	parse("single TERM=xterm fork=copy -- fork=cow \"two words\" -x");
	EXPECT(FORK_COPY, options.fork);
	EXPECT(4, options.init_arg_count);
	EXPECT_STRING("single", options.init_args[0]);
	EXPECT_STRING("fork=cow", options.init_args[1]);
	EXPECT_STRING("two words", options.init_args[2]);
	EXPECT_STRING("-x", options.init_args[3]);
	EXPECT(1, options.init_env_count);
	EXPECT_STRING("TERM=xterm", options.init_env[0]);
	parse("module.option=1 A=\"b c\"");
	EXPECT_TRUE(strstr(warned, "module.option"));
	EXPECT_STRING("A=b c", options.init_env[0]);
}

static void expect_warning(const char *line)
{
	parse(line);
	EXPECT_TRUE(strstr(warned, "bad value"));
	EXPECT(FORK_COW, options.fork);
	EXPECT(0, options.mem);
	EXPECT(-1, options.loglevel);
	EXPECT(0, options.exit_port);
	EXPECT_TRUE(!options.init && !options.quiet);
}

static void test_bad_values(void)
{
	expect_warning("fork=sideways");
	expect_warning("fork");
	expect_warning("fork=");
	expect_warning("mem=0");
	expect_warning("mem=12Q");
	expect_warning("mem=64MM");
	expect_warning("mem=99999999999T");
	expect_warning("loglevel=9");
	expect_warning("exit=70000");
	expect_warning("init=relative");
	expect_warning("quiet=maybe");
}

static void test_garbage(void)
{
	char *line = malloc(10000);
	unsigned state = 5;

	parse("");
	parse("    ");
	parse("\"unclosed quote fork=copy");
	parse("\"\" \"\"\"\" = == =x x=");
	parse("fork=copy\x01\x02\x7f\xff");
	for (int round = 0; round < 2000; round++) {
		unsigned n = test_random(&state) % 300;

		for (unsigned i = 0; i < n; i++)
			line[i] = (char)(1 + test_random(&state) % 255);
		line[n] = '\0';
		parse(line);
	}
	memset(line, 'a', 9999);
	line[9999] = '\0';
	parse(line);
	EXPECT_TRUE(strstr(warned, "longer than"));
	for (int i = 0; i < 9999; i++)
		line[i] = i % 2 ? ' ' : 'b';
	parse(line); /* more words than init can get */
	EXPECT(ARRAY_LEN(options.init_args), options.init_arg_count);
	free(line);
}

int main(void)
{
	test_known();
	test_init_words();
	test_bad_values();
	test_garbage();
	return test_result();
}
