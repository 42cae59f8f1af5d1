/* proc/usage.h - resource usage in the form of struct rusage (proc/wait4.c). */
#ifndef TINE_PROC_USAGE_H
#define TINE_PROC_USAGE_H

struct rusage;
struct usage;

void usage_to_rusage(const struct usage *u, struct rusage *ru);

#endif
