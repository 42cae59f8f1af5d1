/* mm/inject.c - see mm/inject.h. */
#include "mm/inject.h"

#include "kernel/base/percpu.h"

uint64_t inject_countdown;
static const struct thread *inject_thread;

bool inject_step(enum inject_site site)
{
	(void)site;
	if (current() != inject_thread)
		return false;
	return --inject_countdown == 0;
}

uint64_t inject_arm(uint64_t nth)
{
	uint64_t left = inject_countdown;

	inject_thread = current();
	inject_countdown = nth;
	return left;
}
