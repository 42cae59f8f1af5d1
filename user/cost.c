/*
 * user/cost.c - what fork costs: `cost MIB...` prints a line for each size of resident memory.
 *
 * The time stamp counter is read before and after. Under `make run ICOUNT=1` it counts guest instructions, the same in every run.
 * Each figure is the least of several runs; a child that does not see its parent's memory, or a parent that sees its child's
 * writes, voids the line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS 5
#define PAGE 4096ul

static unsigned long ticks(void)
{
	unsigned low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return (unsigned long)high << 32 | low;
}

static void least(unsigned long *best, unsigned long spent)
{
	if (spent < *best)
		*best = spent;
}

/* Writes the first `pages` pages; the child's exit status says whether it saw what the parent wrote. */
static int child(volatile unsigned char *memory, size_t size, size_t pages)
{
	int status = size && memory[size - PAGE] != 1;

	for (size_t i = 0; i < pages; i++)
		memory[i * PAGE] = 2;
	return status;
}

struct cost {
	unsigned long fork, whole, bad;
};

static struct cost measure(volatile unsigned char *memory, size_t size, size_t pages)
{
	struct cost best = {-1ul, -1ul, 0};

	for (int i = 0; i < RUNS; i++) {
		unsigned long start = ticks();
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(child(memory, size, pages));
		least(&best.fork, ticks() - start);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			best.bad = pid < 0 ? 2 : 1;
		least(&best.whole, ticks() - start);
		if (pages && memory[0] != 1)
			best.bad = 1;
	}
	return best;
}

static int report(unsigned long mib)
{
	size_t size = mib << 20;
	volatile unsigned char *memory = NULL;
	struct cost idle, one, tenth;

	if (size) {
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED) {
			printf("%lu MiB: no memory\n", mib);
			return 1;
		}
		for (size_t at = 0; at < size; at += PAGE)
			memory[at] = 1;
	}
	idle = measure(memory, size, 0);
	one = measure(memory, size, size ? 1 : 0);
	tenth = measure(memory, size, size / PAGE / 10);
	if ((idle.bad | one.bad | tenth.bad) & 2)
		printf("%5lu MiB: fork found no memory\n", mib);
	else if (idle.bad | one.bad | tenth.bad)
		printf("%5lu MiB: a child or its parent saw the wrong memory\n", mib);
	else
		printf("%5lu MiB: fork %lu, fork+exit+wait %lu, child writes a page %lu, a tenth %lu\n", mib, idle.fork,
		       idle.whole, one.whole, tenth.whole);
	if (size)
		munmap((void *)memory, size);
	return (int)(idle.bad | one.bad | tenth.bad);
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= report(strtoul(argv[i], NULL, 10));
	return failed;
}
