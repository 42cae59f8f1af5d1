/* proc/job.h - job control (proc/job.c): what the layers below ask of processes is registered here. */
#ifndef TINE_PROC_JOB_H
#define TINE_PROC_JOB_H

/* Registers the answers with kernel/dev/tty.h and kernel/fs/hooks.h. Boot, before the first process. */
void job_init(void);

#endif
