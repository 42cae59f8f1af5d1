/*
 * kernel/fs/sys_socket.c - there are no sockets: socket() says that it knows no such family, and the other calls, that the
 * descriptor is none. Programs that look for a name service or a log daemon go on without.
 */
#include "kernel/base/syscalls.h"
#include "kernel/fs/files.h"
#include "proc/thread.h"

static int64_t not_a_socket(int fd)
{
	struct file *f;
	int err = files_lookup(current()->files, fd, &f);

	if (err)
		return err;
	file_put(f);
	return -ENOTSOCK;
}

int64_t sys_socket(int family, int type, int protocol)
{
	(void)family, (void)type, (void)protocol;
	return -EAFNOSUPPORT;
}

int64_t sys_socketpair(int family, int type, int protocol, uaddr_t fds)
{
	(void)family, (void)type, (void)protocol, (void)fds;
	return -EAFNOSUPPORT;
}

int64_t sys_connect(int fd, uaddr_t address, int len)
{
	(void)address, (void)len;
	return not_a_socket(fd);
}

int64_t sys_getsockname(int fd, uaddr_t address, uaddr_t len)
{
	(void)address, (void)len;
	return not_a_socket(fd);
}

int64_t sys_getpeername(int fd, uaddr_t address, uaddr_t len)
{
	(void)address, (void)len;
	return not_a_socket(fd);
}

int64_t sys_getsockopt(int fd, int level, int option, uaddr_t value, uaddr_t len)
{
	(void)level, (void)option, (void)value, (void)len;
	return not_a_socket(fd);
}
