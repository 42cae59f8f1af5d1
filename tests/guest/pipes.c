/* tests/guest/pipes.c - pipes: end of file, SIGPIPE, blocking, atomic writes, and what fork does to them. */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define CAPACITY 65536

static int fds[2];

static void open_pipe(int flags) { need("pipe2", pipe2(fds, flags)); }

static void close_pipe(void)
{
	close(fds[0]);
	close(fds[1]);
}

static void check_ends(void)
{
	char text[16] = "";

	open_pipe(0);
	check("write", 5, write(fds[1], "hello", 5));
	check("read-short", 5, read(fds[0], text, sizeof(text)));
	check_string("bytes", "hello", text);
	check_errno("read-write-end", EBADF, read(fds[1], text, 1));
	check_errno("write-read-end", EBADF, write(fds[0], text, 1));
	check_errno("seek", ESPIPE, lseek(fds[0], 0, SEEK_SET));
	check_errno("pread", ESPIPE, pread(fds[0], text, 1, 0));
	need("write", write(fds[1], "ab", 2));
	close(fds[1]);
	check("drain", 2, read(fds[0], text, sizeof(text)));
	check("end-of-file", 0, read(fds[0], text, sizeof(text)));
	check("end-of-file-again", 0, read(fds[0], text, sizeof(text)));
	close(fds[0]);
}

static int write_without_reader(void *arg)
{
	(void)arg;
	close(fds[0]);
	write(fds[1], "x", 1);
	return 1;
}

static int write_ignoring(void *arg)
{
	(void)arg;
	signal(SIGPIPE, SIG_IGN);
	close(fds[0]);
	return write(fds[1], "x", 1) == -1 && errno == EPIPE ? 9 : 1;
}

static void check_broken(void)
{
	open_pipe(0);
	close(fds[0]);
	fds[0] = -1;
	check("sigpipe", SIGNALLED(SIGPIPE), in_child(write_without_reader, NULL));
	check("epipe", EXITED(9), in_child(write_ignoring, NULL));
	close(fds[1]);
}

static void check_nonblocking(void)
{
	static char block[CAPACITY];
	char byte;

	open_pipe(O_NONBLOCK | O_CLOEXEC);
	check("cloexec", FD_CLOEXEC, fcntl(fds[0], F_GETFD));
	check_true("nonblock-flag", fcntl(fds[1], F_GETFL) & O_NONBLOCK);
	check_errno("empty-eagain", EAGAIN, read(fds[0], &byte, 1));
	check("capacity", CAPACITY, fcntl(fds[1], F_GETPIPE_SZ));
	check("fill", CAPACITY, write(fds[1], block, CAPACITY));
	check_errno("full-eagain", EAGAIN, write(fds[1], block, 1));
	need("read", read(fds[0], block, 4096));
	check("one-page-free", 4096, write(fds[1], block, 4096));
	need("read", read(fds[0], block, 4096));
	check("more-than-fits", 4096, write(fds[1], block, 8192));
	close_pipe();
}

static void check_poll(void)
{
	struct pollfd p[2];
	int waiting = -1;

	open_pipe(0);
	p[0] = (struct pollfd){fds[0], POLLIN, 0};
	p[1] = (struct pollfd){fds[1], POLLOUT, 0};
	check("poll-writable", 1, poll(p, 2, 0));
	check("poll-writable-events", POLLOUT, p[1].revents);
	need("write", write(fds[1], "abc", 3));
	check("poll-both", 2, poll(p, 2, -1));
	check("poll-readable-events", POLLIN, p[0].revents);
	check("fionread", 0, ioctl(fds[0], FIONREAD, &waiting));
	check("fionread-count", 3, waiting);
	close(fds[1]);
	p[1].fd = -1;
	check("poll-hangup", 1, poll(p, 2, -1));
	check("poll-hangup-events", POLLIN | POLLHUP, p[0].revents);
	close(fds[0]);
	p[0].fd = 99;
	check("poll-closed", 1, poll(p, 1, 0));
	check("poll-closed-events", POLLNVAL, p[0].revents);
	check("poll-timeout", 0, poll(NULL, 0, 10));
}

/* A writer with more than the pipe holds goes on as the reader drains. */
static int write_much(void *arg)
{
	static unsigned char bytes[300000];

	(void)arg;
	close(fds[0]);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 13 + i / 251);
	return write(fds[1], bytes, sizeof(bytes)) == sizeof(bytes) ? 0 : 1;
}

static void check_stream(void)
{
	static unsigned char chunk[7001];
	size_t total = 0;
	bool fine = true;
	ssize_t n;
	pid_t pid;

	open_pipe(0);
	pid = spawn(write_much, NULL);
	close(fds[1]);
	while ((n = read(fds[0], chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < n; i++, total++)
			fine &= chunk[i] == (unsigned char)(total * 13 + total / 251);
	}
	check("stream-length", 300000, (long)total);
	check_true("stream-bytes", fine);
	check("stream-writer", EXITED(0), wait_for(pid));
	close(fds[0]);
}

/* The reader sees the end only when every copy of the write end is closed, those of children included. */
static int hold_open(void *arg)
{
	int *gate = arg;
	char byte;

	close(gate[1]);
	return (int)read(gate[0], &byte, 1);
}

static void check_last_writer(void)
{
	struct pollfd p;
	int gate[2];
	char byte;
	pid_t pid;

	open_pipe(0);
	need("pipe", pipe(gate));
	pid = spawn(hold_open, gate);
	close(fds[1]);
	p = (struct pollfd){fds[0], POLLIN, 0};
	check("writer-in-child", 0, poll(&p, 1, 0));
	close(gate[1]);
	check("writer-gone", 0, read(fds[0], &byte, 1));
	check("writer-status", EXITED(0), wait_for(pid));
	close(fds[0]);
	close(gate[0]);
}

static void check_fifo(void)
{
	char dir[] = "/tmp/pipes.XXXXXX", name[40], text[8] = "";
	int fd;
	pid_t pid;

	need("mkdtemp", mkdtemp(dir) ? 0 : -1);
	snprintf(name, sizeof(name), "%s/fifo", dir);
	check("mkfifo", 0, mkfifo(name, 0600));
	check_errno("fifo-no-reader", ENXIO, open(name, O_WRONLY | O_NONBLOCK));
	pid = (pid_t)need("fork", fork());
	if (pid == 0) {
		fd = open(name, O_WRONLY);
		_exit(write(fd, "fifo", 4) == 4 ? 0 : 1);
	}
	fd = (int)need("open", open(name, O_RDONLY));
	check("fifo-read", 4, read(fd, text, sizeof(text)));
	check_string("fifo-bytes", "fifo", text);
	check("fifo-end", 0, read(fd, text, sizeof(text)));
	check("fifo-writer", EXITED(0), wait_for(pid));
	close(fd);
	unlink(name);
	rmdir(dir);
}

/* A pipe opened again by its descriptor's name, as bash's <(...) does: no waiting for a writer that has left already. */
static void check_reopen(void)
{
	char name[40], text[8] = "";
	int fd;

	open_pipe(0);
	need("write", write(fds[1], "left", 4));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fds[1]);
	fd = (int)need("open", open(name, O_WRONLY));
	close(fds[1]);
	need("write", write(fd, "over", 4));
	close(fd);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fds[0]);
	fd = (int)need("open", open(name, O_RDONLY));
	close(fds[0]);
	check("reopen-read", 8, read(fd, text, 8));
	check("reopen-bytes", 0, memcmp(text, "leftover", 8));
	check("reopen-end", 0, read(fd, text, 8));
	close(fd);
}

int main(void)
{
	check_ends();
	check_broken();
	check_nonblocking();
	check_poll();
	check_stream();
	check_last_writer();
	check_fifo();
	check_reopen();
	return checks_status();
}
