/* tests/guest/files.c - open file descriptions over dup and fork, and the common file calls with their refusals. */
#define _GNU_SOURCE
#include "user/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>

static char dir[] = "/tmp/files.XXXXXX";

static int new_file(const char *name, int flags) { return (int)need("open", open(name, flags | O_CREAT, 0644)); }

static long offset_of(int fd) { return lseek(fd, 0, SEEK_CUR); }

static void check_contents(const char *check_name, const char *name, const char *want)
{
	char text[256] = "";
	int fd = (int)need("open", open(name, O_RDONLY));

	need("read", read(fd, text, sizeof(text) - 1));
	close(fd);
	check_string(check_name, want, text);
}

static int read_two(void *arg)
{
	char two[2];

	return read((int)(long)arg, two, 2) == 2 ? two[0] : 1;
}

/* One offset for all descriptors of one description: dup, fork, both ways. */
static void check_shared_offset(void)
{
	int fd = new_file("offset", O_RDWR), copy, other;

	need("write", write(fd, "abcdefghij", 10));
	copy = dup(fd);
	check("dup-offset", 10, offset_of(copy));
	lseek(copy, 2, SEEK_SET);
	check("dup-offset-back", 2, offset_of(fd));
	check("fork-reads-on", EXITED('c'), in_child(read_two, (void *)(long)fd));
	check("fork-moved-offset", 4, offset_of(fd));
	other = (int)need("open", open("offset", O_RDWR));
	check("open-own-offset", 0, offset_of(other));
	fcntl(copy, F_SETFL, O_APPEND | O_NONBLOCK);
	check("dup-flags", O_APPEND | O_NONBLOCK, fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK));
	check("open-own-flags", 0, fcntl(other, F_GETFL) & (O_APPEND | O_NONBLOCK));
	need("write", write(fd, "K", 1));
	check("append-after-setfl", 11, offset_of(fd));
	close(fd);
	check("copy-survives-close", 11, offset_of(copy));
	close(copy);
	close(other);
}

static int append_lines(void *arg)
{
	char line[4] = {(char)('a' + (long)arg), 'x', 'x', '\n'};
	int fd = open("append", O_WRONLY | O_APPEND);

	for (int i = 0; i < 50; i++) {
		if (write(fd, line, 4) != 4)
			return 1;
	}
	return 0;
}

static void check_append(void)
{
	char text[1024] = "";
	pid_t pids[4];
	bool fine = true;
	int fd = new_file("append", O_RDWR);

	for (long i = 0; i < 4; i++)
		pids[i] = spawn(append_lines, (void *)i);
	for (int i = 0; i < 4; i++)
		fine &= expect("append-writers", EXITED(0), wait_for(pids[i]));
	ok_if(fine, "append-writers");
	check("append-length", 800, read(fd, text, sizeof(text)));
	for (int i = 0; i < 800; i += 4)
		fine &= text[i] >= 'a' && text[i] <= 'd' && !memcmp(text + i + 1, "xx\n", 3);
	check_true("append-lines-whole", fine);
	close(fd);
}

static int use_child_descriptors(void *arg)
{
	int fd = (int)(long)arg;

	if (close(fd) || close(fd) != -1 || errno != EBADF)
		return 1;
	return fcntl(fd + 1, F_GETFD) == FD_CLOEXEC ? 0 : 2;
}

static void check_descriptors(void)
{
	int fd = (int)need("dup2", dup2(1, 30));

	check("dup2-same", 30, dup2(30, 30));
	check_errno("dup2-bad", EBADF, dup2(29, 31));
	check_errno("dup2-too-high", EBADF, dup2(1, 1 << 30));
	check_errno("dup3-same", EINVAL, dup3(30, 30, 0));
	check("dup3-cloexec", 31, dup3(1, 31, O_CLOEXEC));
	check("cloexec-is-per-fd", 0, fcntl(30, F_GETFD));
	check("fork-copies-table", EXITED(0), in_child(use_child_descriptors, (void *)(long)fd));
	check("parent-table-kept", 0, fcntl(30, F_GETFD));
	check("dupfd-from", 32, fcntl(30, F_DUPFD, 30));
	check("dupfd-cloexec", FD_CLOEXEC, fcntl(fcntl(30, F_DUPFD_CLOEXEC, 40), F_GETFD));
	close(32);
	check("lowest-free", 32, fcntl(1, F_DUPFD, 31));
	check_errno("close-bad", EBADF, close(999));
	check_errno("close-negative", EBADF, close(-1));
	for (int i = 30; i <= 40; i++)
		close(i);
}

static void check_open(void)
{
	close(new_file("plain", O_WRONLY));
	check_errno("open-missing", ENOENT, open("missing", O_RDONLY));
	check_errno("open-excl", EEXIST, open("plain", O_CREAT | O_EXCL | O_RDWR, 0600));
	check_errno("open-dir-write", EISDIR, open(".", O_WRONLY));
	check_errno("open-file-as-dir", ENOTDIR, open("plain", O_RDONLY | O_DIRECTORY));
	check_errno("open-through-file", ENOTDIR, open("plain/x", O_RDONLY));
	check_errno("open-slash", ENOTDIR, open("plain/", O_RDONLY));
	check_errno("open-empty", ENOENT, open("", O_RDONLY));
	need("symlink", symlink("plain", "link"));
	check_errno("open-nofollow", ELOOP, open("link", O_RDONLY | O_NOFOLLOW));
	need("symlink", symlink("loop", "loop"));
	check_errno("open-loop", ELOOP, open("loop", O_RDONLY));
	need("symlink", symlink("nowhere", "dangling"));
	check_errno("open-dangling", ENOENT, open("dangling", O_RDONLY));
	close(new_file("dangling", O_WRONLY));
	check("create-through-link", 0, access("nowhere", F_OK));
	check_errno("openat-not-dir", ENOTDIR, openat(1, "x", O_RDONLY));
	check_errno("openat-bad-fd", EBADF, openat(77, "x", O_RDONLY));
}

static void check_names(void)
{
	static char name[NAME_MAX + 2], path[PATH_MAX + 2];

	memset(name, 'n', NAME_MAX);
	check("name-longest", 0, mkdir(name, 0700));
	rmdir(name);
	name[NAME_MAX] = 'n';
	check_errno("name-too-long", ENAMETOOLONG, mkdir(name, 0700));
	for (int i = 0; i < PATH_MAX; i += 2)
		memcpy(path + i, "./", 2);
	check_errno("path-too-long", ENAMETOOLONG, access(path, F_OK));
	path[PATH_MAX - 1] = '\0';
	check("path-longest", 0, access(path, F_OK));
	check("dots", 0, access("./../../..//../../tmp/.", F_OK));
}

static void check_directories(void)
{
	check("mkdir", 0, mkdir("d", 0755));
	check_errno("mkdir-again", EEXIST, mkdir("d", 0755));
	check("mkdir-inner", 0, mkdir("d/e/", 0755));
	check_errno("rmdir-full", ENOTEMPTY, rmdir("d"));
	check_errno("rmdir-file", ENOTDIR, rmdir("plain"));
	check_errno("rmdir-dot", EINVAL, rmdir("d/."));
	check_errno("unlink-dir", EISDIR, unlink("d"));
	check_errno("rename-into-itself", EINVAL, rename("d", "d/e/f"));
	check_errno("rename-dir-over-file", ENOTDIR, rename("d", "plain"));
	check_errno("rename-file-over-dir", EISDIR, rename("plain", "d"));
	check_errno("rename-over-full", ENOTEMPTY, (mkdir("g", 0755), rename("g", "d")));
	check("rename-over-empty", 0, rename("g", "d/e"));
	check("rename-same", 0, rename("d", "d"));
	check_errno("link-dir", EPERM, link("d", "d2"));
	check("rmdir-inner", 0, rmdir("d/e"));
	check("rmdir", 0, rmdir("d"));
}

static void check_links(void)
{
	struct stat a, b;
	char target[32] = "";

	check("link", 0, link("plain", "hard"));
	need("stat", stat("plain", &a) | stat("hard", &b));
	check_true("link-same-inode", a.st_ino == b.st_ino && a.st_nlink == 2);
	check_errno("link-exists", EEXIST, link("plain", "hard"));
	check("unlink", 0, unlink("plain"));
	need("stat", stat("hard", &b));
	check("nlink-down", 1, (long)b.st_nlink);
	check("rename-back", 0, rename("hard", "plain"));
	check("readlink", 5, readlink("link", target, sizeof(target)));
	check_string("readlink-text", "plain", target);
	check("readlink-short", 3, readlink("link", target, 3));
	check_errno("readlink-file", EINVAL, readlink("plain", target, 3));
	need("lstat", lstat("link", &a));
	check("lstat-kind", S_IFLNK, a.st_mode & S_IFMT);
	check("lstat-size", 5, a.st_size);
}

/* A file that is open lives on without a name. */
static void check_unlinked(void)
{
	int fd = new_file("gone", O_RDWR);
	char text[4] = "";
	struct stat st;

	need("unlink", unlink("gone"));
	need("write", write(fd, "abc", 3));
	check("unlinked-read", 3, pread(fd, text, 3, 0));
	need("fstat", fstat(fd, &st));
	check("unlinked-nlink", 0, (long)st.st_nlink);
	check_errno("unlinked-name", ENOENT, access("gone", F_OK));
	close(fd);
}

static void check_sizes(void)
{
	int fd = new_file("size", O_RDWR);
	char text[8];
	struct stat st;

	check("pwrite-far", 3, pwrite(fd, "end", 3, 100000));
	check("hole-reads", 4, pread(fd, text, 4, 50000));
	check("hole-zero", 0, text[0] | text[3]);
	check("past-end", 0, pread(fd, text, 4, 100003));
	check("truncate", 0, ftruncate(fd, 10));
	check("grow", 0, ftruncate(fd, 5000));
	check("grown-zero", 4, pread(fd, text, 4, 4000));
	need("fstat", fstat(fd, &st));
	check("size", 5000, st.st_size);
	check_errno("truncate-negative", EINVAL, ftruncate(fd, -1));
	check_errno("seek-negative", EINVAL, lseek(fd, -1, SEEK_SET));
	check("seek-end", 5003, lseek(fd, 3, SEEK_END));
	check_errno("seek-bad-whence", EINVAL, lseek(fd, 0, 99));
	check("truncate-opens", 0, (close(new_file("size", O_WRONLY | O_TRUNC)), fstat(fd, &st), st.st_size));
	close(fd);
}

static void check_vectors(void)
{
	int fd = new_file("vector", O_RDWR);
	char a[3], b[10];
	struct iovec out[3] = {{"one", 3}, {"", 0}, {"two!", 4}}, in[2] = {{a, 3}, {b, 10}};

	check("writev", 7, writev(fd, out, 3));
	lseek(fd, 0, SEEK_SET);
	check("readv", 7, readv(fd, in, 2));
	check("readv-spread", 0, memcmp(a, "one", 3) | memcmp(b, "two!", 4));
	check("preadv", 4, preadv(fd, in, 2, 3));
	check_errno("read-write-only", EBADF, read((int)need("open", open("vector", O_WRONLY)), a, 1));
	close(fd);
}

/* Entries removed while the directory is read: the rest still comes, each once. */
static void check_readdir(void)
{
	struct dirent *e;
	unsigned seen = 0, dots = 0;
	char name[16];
	DIR *d;

	need("mkdir", mkdir("many", 0755));
	need("chdir", chdir("many"));
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		close(new_file(name, O_WRONLY));
	}
	d = opendir(".");
	while (d && (e = readdir(d))) {
		dots += e->d_name[0] == '.';
		if (e->d_name[0] == 'f')
			seen += unlink(e->d_name) == 0;
	}
	closedir(d);
	check("readdir-dots", 2, dots);
	check("readdir-all", 300, seen);
	need("chdir", chdir(".."));
	check("readdir-emptied", 0, rmdir("many"));
}

static void check_mode(void)
{
	struct stat st;

	umask(027);
	close(new_file("masked", O_WRONLY));
	need("stat", stat("masked", &st));
	check("umask", 0640, st.st_mode & 07777);
	umask(022);
	check("chmod", 0, chmod("masked", 04711));
	need("stat", stat("masked", &st));
	check("chmod-mode", 04711, st.st_mode & 07777);
	check("access-exec", 0, access("masked", X_OK));
	check_errno("access-no-exec", EACCES, access("plain", X_OK));
	unlink("masked");
}

static void check_cwd(void)
{
	char before[PATH_MAX], after[PATH_MAX];

	check_string("getcwd", dir, getcwd(before, sizeof(before)));
	need("mkdir", mkdir("sub", 0755));
	need("chdir", chdir("sub"));
	getcwd(after, sizeof(after));
	check_string("getcwd-sub", "/sub", after + strlen(dir));
	check_errno("chdir-file", ENOTDIR, chdir("../plain"));
	need("rmdir", rmdir("../sub"));
	check_errno("create-in-removed", ENOENT, open("x", O_CREAT | O_WRONLY, 0600));
	check_errno("getcwd-removed", ENOENT, getcwd(after, sizeof(after)) ? 0 : -1);
	check("chdir-out", 0, chdir(dir));
}

static void check_devices(void)
{
	char text[16] = "xxxxxxxxxxxxxxx";
	int null = (int)need("open", open("/dev/null", O_RDWR)), zero = (int)need("open", open("/dev/zero", O_RDWR));
	int full = (int)need("open", open("/dev/full", O_RDWR)),
	    any = (int)need("open", open("/dev/urandom", O_RDONLY));

	check("null-read", 0, read(null, text, 4));
	check("null-write", 4, write(null, text, 4));
	check("zero-read", 16, read(zero, text, 16));
	check("zero-bytes", 0, text[0] | text[15]);
	check_errno("full-write", ENOSPC, write(full, text, 1));
	check("urandom-read", 16, read(any, text, 16));
	check_errno("null-ioctl", ENOTTY, isatty(null) ? 0 : -1);
	close(null);
	close(zero);
	close(full);
	close(any);
}

int main(void)
{
	need("mkdtemp", mkdtemp(dir) ? 0 : -1);
	need("chdir", chdir(dir));
	check_shared_offset();
	check_append();
	check_contents("contents", "offset", "abcdefghijK");
	check_descriptors();
	check_open();
	check_names();
	check_directories();
	check_links();
	check_unlinked();
	check_sizes();
	check_vectors();
	check_readdir();
	check_mode();
	check_cwd();
	check_devices();
	for (unsigned i = 0; i < 8; i++)
		unlink((const char *[]){"offset", "append", "plain", "link", "loop", "dangling", "nowhere", "size"}[i]);
	unlink("vector");
	need("chdir", chdir("/"));
	check("all-removed", 0, rmdir(dir));
	return checks_status();
}
