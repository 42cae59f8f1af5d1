/*
 * ovmf/become.c - $(become PROGRAM,NAMES): GNU make turns into PROGRAM, so that make's exit status is PROGRAM's.
 *
 * Role         A module for make's `load` directive. NAMES are make variables, separated by spaces; each that has a
 *              value goes into PROGRAM's environment with its bytes as they are ($(value): nothing is expanded). The
 *              terminal, the descriptors and the process id stay make's, so signals and job control just work.
 * Failure      Returns to make only if execve() fails; make then stops with that message.
 * Not handled  Goals that should still run: the one that becomes is the last.
 */
#include <errno.h>
#include <gnumake.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int plugin_is_GPL_compatible; /* make loads no module without it */

static void export_variable(const char *name)
{
	char reference[128], *value;

	snprintf(reference, sizeof(reference), "$(value %s)", name);
	value = gmk_expand(reference);
	if (*value)
		setenv(name, value, 1);
	else
		unsetenv(name);
	gmk_free(value);
}

static char *become(const char *function, unsigned argc, char **argv)
{
	sigset_t none;
	char message[256];

	(void)function, (void)argc;
	for (char *name = strtok(argv[1], " "); name; name = strtok(NULL, " "))
		export_variable(name);
	unsetenv("MAKEFLAGS"); /* the runner's children are no part of this make */
	unsetenv("MAKELEVEL");
	sigemptyset(&none); /* make blocks SIGCHLD for its job server, and masks outlive execve() */
	sigprocmask(SIG_SETMASK, &none, NULL);
	execl(argv[0], argv[0], (char *)NULL);
	snprintf(message, sizeof(message), "$(error %s: %s)", argv[0], strerror(errno));
	gmk_eval(message, NULL);
	return NULL;
}

int become_gmk_setup(void)
{
	gmk_add_function("become", become, 2, 2, GMK_FUNC_DEFAULT);
	return 1;
}
