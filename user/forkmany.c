/*
 * user/forkmany.c - 1,000 forks, and not one page frame less afterwards.
 *
 * What is free is the lines `frames_free` and `frames_heap` of /proc/tine/counters: a heap page with one live block in it is held
 * whole, so heap pages come and go. A kernel without that file cannot be asked; the check then has nothing to say against it.
 */
#include "user/check.h"

#include <fcntl.h>

#define FORKS  1000
#define WARMUP 20

static unsigned char page[8192];

static long value_of(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? atol(line + strlen(name)) : -1000000;
}

static long frames_free(void)
{
	char text[8192];
	int fd = open("/proc/tine/counters", O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return value_of(text, "frames_free ") + value_of(text, "frames_heap ");
}

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
	long before, after;

	memset(page, 7, sizeof(page));
	ok_if(fork_times("warm-up", WARMUP) && fork_crowd("warm-up"), "warm-up");
	before = frames_free();
	ok_if(fork_times("forks", FORKS), "forks");
	after = frames_free();
	check("frames-after-forks", before, after);
	ok_if(fork_crowd("crowd"), "crowd");
	after = frames_free();
	check("frames-after-crowd", before, after);
	check("parent-page", 7, page[4096]);
	return checks_status();
}
