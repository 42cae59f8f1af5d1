/*
 * proc/init.c - pid 1: the only process that nobody forked.
 *
 * Its thread starts in the kernel, opens the console as descriptors 0, 1 and 2, executes the first program that there is, and
 * leaves for user mode through the trapframe that exec filled.
 */
#include <linux/fcntl.h>

#include "kernel/base/options.h"
#include "kernel/base/power.h"
#include "kernel/base/print.h"
#include "kernel/base/string.h"
#include "kernel/fs/context.h"
#include "kernel/fs/files.h"
#include "kernel/fs/vfs.h"
#include "proc/cred.h"
#include "proc/job.h"
#include "proc/process.h"
#include "proc/sched.h"

#define INIT_WORDS 20

static const char *const fallbacks[] = {"/init", "/sbin/init", "/etc/init", "/bin/init", "/bin/sh"};

static void open_console(void)
{
	struct file *f;
	int fd, err = vfs_open("/dev/console", O_RDWR, 0, &f);

	if (err) {
		pr_warn("init: cannot open /dev/console (error %d)", -err);
		return;
	}
	for (int i = 0; i < 3; i++)
		if (files_install(current()->files, file_get(f), false, &fd))
			file_put(f);
	file_put(f);
}

static int try_program(const char *path)
{
	const char *argv[INIT_WORDS + 2] = {path};
	const char *envp[INIT_WORDS + 3] = {"HOME=/", "TERM=linux"};
	int err;

	for (unsigned i = 0; i < options.init_arg_count && i < INIT_WORDS; i++)
		argv[1 + i] = options.init_args[i];
	for (unsigned i = 0; i < options.init_env_count && i < INIT_WORDS; i++)
		envp[2 + i] = options.init_env[i];
	err = process_exec(path, argv, envp);
	if (err)
		pr_err("init: cannot run %s (error %d)", path, -err);
	else
		pr_info("Run %s as init process", path);
	return err;
}

/* What init= names or nothing; without init= the first of the usual places. */
static void load_init(void *unused)
{
	(void)unused;
	open_console();
	if (options.init) {
		if (!try_program(options.init))
			return;
	} else {
		for (unsigned i = 0; i < ARRAY_LEN(fallbacks); i++)
			if (!try_program(fallbacks[i]))
				return;
	}
	pr_err("No working init found. Try passing init= option to kernel.");
	power_off(127);
}

int process_start_init(void)
{
	struct process *p;
	struct thread *t;
	int err = process_create(NULL, &p);

	if (err)
		return err;
	err = thread_create(&t);
	if (err)
		goto free_process;
	err = files_create(&t->files);
	if (err)
		goto free_thread;
	err = fs_context_create(&t->fs);
	if (err)
		goto put_files;

	t->cred = &cred_root;
	cred_get(&cred_root);
	t->process = p;
	t->tid = p->pid;
	strlcpy(t->name, "init", sizeof(t->name));
	init_process = p;
	files_set_limit(t->files, (uint32_t)p->limits[RLIMIT_NOFILE].soft);
	job_init();
	process_publish(p, t);
	thread_start_program(t, load_init, NULL);
	return 0;

put_files:
	files_put(t->files);
free_thread:
	thread_free(t);
free_process:
	process_free(p);
	return err;
}
