/*
 * user/forkstress.c - many processes at once, with pipes between them.
 *
 *   ring     a token goes round a ring of processes; each adds its number
 *   stream   each child of a crowd writes blocks with a checksum into one pipe; the parent checks every block
 *   churn    children that fork and write memory while their siblings die
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <signal.h>
#include <stdint.h>

#define RING    24
#define ROUNDS  20
#define WRITERS 8
#define BLOCKS  60
#define CHURN   12

struct block {
	uint32_t writer, number;
	unsigned char bytes[240];
	uint32_t sum;
}; /* smaller than PIPE_BUF, so that writes never mix */

static uint32_t sum_of(const struct block *b)
{
	uint32_t sum = b->writer * 65599u + b->number;

	for (unsigned i = 0; i < sizeof(b->bytes); i++)
		sum = sum * 31 + b->bytes[i];
	return sum;
}

/* Passes the token on until it arrives with a negative value, which goes round once as the order to end. */
static int ring_member(int in, int out, int number)
{
	long token;

	while (read(in, &token, sizeof(token)) == sizeof(token)) {
		long next = token < 0 ? token : token + number;

		if (write(out, &next, sizeof(next)) != sizeof(next))
			return 1;
		if (token < 0)
			return 0;
	}
	return 1;
}

static void check_ring(void)
{
	int pipes[RING + 1][2];
	pid_t pids[RING];
	long token = 0, want = (long)ROUNDS * RING * (RING + 1) / 2, end = -1;
	bool fine = true;

	for (int i = 0; i <= RING; i++)
		need("pipe", pipe(pipes[i]));
	for (int i = 0; i < RING; i++) {
		pids[i] = (pid_t)need("fork", fork());
		if (pids[i] == 0)
			_exit(ring_member(pipes[i][0], pipes[i + 1][1], i + 1));
	}
	for (int r = 0; r < ROUNDS; r++) {
		need("write", write(pipes[0][1], &token, sizeof(token)));
		need("read", read(pipes[RING][0], &token, sizeof(token)));
	}
	check("ring-token", want, token);
	need("write", write(pipes[0][1], &end, sizeof(end)));
	for (int i = 0; i < RING; i++)
		fine &= expect("ring-members", EXITED(0), wait_for(pids[i]));
	ok_if(fine, "ring-members");
	for (int i = 0; i <= RING; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

static int stream_writer(int out, uint32_t writer)
{
	struct block b;

	for (uint32_t n = 0; n < BLOCKS; n++) {
		b.writer = writer;
		b.number = n;
		for (unsigned i = 0; i < sizeof(b.bytes); i++)
			b.bytes[i] = (unsigned char)(writer * 17 + n * 3 + i);
		b.sum = sum_of(&b);
		if (write(out, &b, sizeof(b)) != sizeof(b))
			return 1;
	}
	return 0;
}

/* Reads one whole block, which may take several reads; false at end of file. */
static bool read_block(int in, struct block *b)
{
	size_t used = 0;

	while (used < sizeof(*b)) {
		ssize_t n = read(in, (char *)b + used, sizeof(*b) - used);

		if (n <= 0)
			return false;
		used += (size_t)n;
	}
	return true;
}

static void check_stream(void)
{
	uint32_t next[WRITERS] = {0}, total = 0;
	pid_t pids[WRITERS];
	struct block b;
	bool fine = true;
	int p[2];

	need("pipe", pipe(p));
	for (uint32_t i = 0; i < WRITERS; i++) {
		pids[i] = (pid_t)need("fork", fork());
		if (pids[i] == 0)
			_exit(stream_writer(p[1], i));
	}
	close(p[1]);
	while (fine && read_block(p[0], &b)) {
		fine = expect("stream-sum", sum_of(&b), b.sum) && expect("stream-writer", 1, b.writer < WRITERS) &&
		       expect("stream-order", next[b.writer]++, b.number);
		total++;
	}
	close(p[0]);
	check("stream-blocks", WRITERS * BLOCKS, total);
	for (int i = 0; i < WRITERS; i++)
		fine &= expect("stream-writers", EXITED(0), wait_for(pids[i]));
	ok_if(fine, "stream-writers");
}

/* A few generations, each writing over the memory it was given. */
static int churn(void *arg)
{
	static unsigned char memory[64 * 1024];
	long depth = (long)arg;

	for (unsigned i = 0; i < sizeof(memory); i += 512) {
		if (memory[i] != (unsigned char)depth)
			return 1;
		memory[i] = (unsigned char)(depth + 1);
	}
	if (depth == 3)
		return 0;
	for (int i = 0; i < 2; i++) {
		if (in_child(churn, (void *)(depth + 1)) != EXITED(0))
			return 1;
	}
	return 0;
}

static int wait_to_be_killed(void *arg)
{
	(void)arg;
	while (pause() == -1)
		continue;
	return 1;
}

static void check_churn(void)
{
	pid_t pids[CHURN], idle[CHURN];
	bool fine = true;

	for (int i = 0; i < CHURN; i++) {
		idle[i] = spawn(wait_to_be_killed, NULL);
		pids[i] = spawn(churn, (void *)0);
	}
	for (int i = 0; i < CHURN; i++) {
		kill(idle[i], SIGKILL);
		fine &= expect("churn-killed", SIGNALLED(SIGKILL), wait_for(idle[i]));
		fine &= expect("churn", EXITED(0), wait_for(pids[i]));
	}
	ok_if(fine, "churn");
}

int main(void)
{
	check_ring();
	check_stream();
	check_churn();
	return checks_status();
}
