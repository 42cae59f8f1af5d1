/*
 * user/forkmany.c - 1,000 forks, and not one page frame less afterwards.
 *
 * The count of free frames is the line `frames_free` of /proc/tine/counters; a kernel without that file cannot be asked, and
 * the check then has nothing to say against it. A hundred processes at once may leave the kernel with a stack or a heap page
 * more in store: there the frames of user memory and of its page tables are counted, and the heap's live blocks.
 */
#include "user/check.h"

#define FORKS  1000
#define WARMUP 20

static unsigned char page[8192];

/* Writes to its memory, so that pages are really copied, and returns a code that the parent knows. */
static int touch(void *arg)
{
	long i = (long)arg;

	memset(page, (int)i, sizeof(page));
	return (int)(i % 251);
}

static bool fork_times(const char *name, long count)
{
	for (long i = 0; i < count; i++) {
		if (!expect(name, EXITED(i % 251), in_child(touch, (void *)i)))
			return false;
	}
	return true;
}

/* All at once, then all collected: the other order of life and death. */
static bool fork_crowd(const char *name)
{
	pid_t pids[100];
	bool fine = true;

	for (long i = 0; i < 100; i++)
		pids[i] = spawn(touch, (void *)i);
	for (long i = 0; i < 100; i++)
		fine &= expect(name, EXITED(i), wait_for(pids[i]));
	return fine;
}

int main(void)
{
	long before, live;

	memset(page, 7, sizeof(page));
	ok_if(fork_times("warm-up", WARMUP) && fork_crowd("warm-up"), "warm-up");
	before = counter("frames_free");
	ok_if(fork_times("forks", FORKS), "forks");
	check("frames-after-forks", before, counter("frames_free"));
	before = counter("frames_anon") + counter("frames_tables");
	live = counter("heap_live");
	ok_if(fork_crowd("crowd"), "crowd");
	check("frames-after-crowd", before, counter("frames_anon") + counter("frames_tables"));
	check("heap-after-crowd", live, counter("heap_live"));
	check("parent-page", 7, page[4096]);
	return checks_status();
}
