/*
 * tests/host/walk.c - from a path's text to a place in the tree, in a small tree of its own.
 * sources: kernel/fs/walk.c kernel/fs/tree.c kernel/fs/context.c proc/cred.c kernel/base/string.c
 */
#include "kernel/fs/walk.h"

#include <stdlib.h>

#include "kernel/base/clock.h"
#include "kernel/fs/context.h"
#include "proc/cred.h"
#include "proc/thread.h"
#include "tests/host/test.h"

extern long test_live_blocks;

static struct thread thread;
struct thread *test_thread = &thread;

uint64_t clock_realtime_ns(void) { return 0; }

static bool mutex_taken;

void mutex_lock(struct mutex *m)
{
	(void)m;
	EXPECT_TRUE(!mutex_taken);
	mutex_taken = true;
}

void mutex_unlock(struct mutex *m)
{
	(void)m;
	EXPECT_TRUE(mutex_taken);
	mutex_taken = false;
}

bool mutex_held(const struct mutex *m)
{
	(void)m;
	return mutex_taken;
}

void mutex_init(struct mutex *m) { (void)m; }

static int64_t read_link(struct inode *link, char *buf, size_t size)
{
	size_t n = strlen(link->target);

	n = n > size ? size : n;
	memcpy(buf, link->target, n);
	return (int64_t)n;
}

static const struct inode_ops ops = {.readlink = read_link};
static struct filesystem_type type = {.name = "test"};
static struct filesystem *fs;

/* Makes what a path without links names, in directories that exist; target for a symbolic link. */
static void make(const char *text, uint32_t mode, const char *target)
{
	struct dentry *d, *dir = fs->root;
	struct inode *inode;
	const char *slash;

	tree_lock();
	for (; (slash = strchr(text, '/')); text = slash + 1)
		dir = dentry_find(dir, text, (size_t)(slash - text));
	EXPECT(0, inode_create(fs, &ops, mode, &inode));
	inode->target = (char *)target;
	EXPECT(0, dentry_create(dir, text, strlen(text), inode, &d));
	dentry_link(d);
	dentry_put(d);
	tree_unlock();
	inode_put(inode);
}

static void make_tree(void)
{
	struct inode *inode;

	EXPECT(0, filesystem_alloc(&type, &fs));
	EXPECT(0, inode_create(fs, &ops, S_IFDIR | 0755, &inode));
	EXPECT(0, dentry_create(NULL, "", 0, inode, &fs->root));
	inode_put(inode);
	tree_lock();
	EXPECT(0, mount_add(fs, NULL, 0, "test"));
	tree_unlock();
	make("a", S_IFDIR | 0755, NULL);
	make("a/b", S_IFDIR | 0755, NULL);
	make("a/b/file", S_IFREG | 0644, NULL);
	make("a/private", S_IFDIR | 0700, NULL);
	make("a/private/x", S_IFREG | 0644, NULL);
	make("to-b", S_IFLNK | 0777, "a/b");
	make("a/up", S_IFLNK | 0777, "../a/b/file");
	make("absolute", S_IFLNK | 0777, "/a/b/");
	make("loop", S_IFLNK | 0777, "loop");
	make("dangling", S_IFLNK | 0777, "nowhere/x");
	make("empty", S_IFLNK | 0777, "");
	make("slashes", S_IFLNK | 0777, "///a//b///");
}

/* Where the walk ends, as text from the root; or the error's number. */
static const char *walk(const char *text, unsigned flags)
{
	static char buf[PATH_MAX_LEN];
	struct path p;
	int err = walk_path(NULL, text, flags, &p);

	EXPECT_TRUE(!mutex_taken);
	if (err) {
		snprintf(buf, sizeof(buf), "%d", -err);
		return buf;
	}
	EXPECT_TRUE(path_describe(&p, buf, sizeof(buf)) > 0);
	path_put(&p);
	return buf;
}

#define F WALK_FOLLOW

static void test_plain(void)
{
	EXPECT_STRING("/", walk("/", F));
	EXPECT_STRING("/", walk("////", F));
	EXPECT_STRING("/a/b/file", walk("/a/b/file", F));
	EXPECT_STRING("/a/b/file", walk("a/b/file", F));
	EXPECT_STRING("/a/b/file", walk("//a/./b//.//file", F));
	EXPECT_STRING("/a/b", walk("/a/b/", F));
	EXPECT_STRING("/a", walk("/a/b/..", F));
	EXPECT_STRING("/a", walk("/../../a/b/../../a", F));
	EXPECT_STRING("/a/b", walk("/a/b/.", F));
	EXPECT_STRING("2", walk("", F));
	EXPECT_STRING("/", walk("", F | WALK_EMPTY));
	EXPECT_STRING("2", walk("/a/missing", F));
	EXPECT_STRING("2", walk("/missing/x", F));
	EXPECT_STRING("20", walk("/a/b/file/", F));
	EXPECT_STRING("20", walk("/a/b/file/x", F));
	EXPECT_STRING("20", walk("/a/b/file/..", F));
	EXPECT_STRING("20", walk("/a/b/file", F | WALK_DIRECTORY));
}

static void test_links(void)
{
	EXPECT_STRING("/a/b", walk("/to-b", F));
	EXPECT_STRING("/to-b", walk("/to-b", 0));
	EXPECT_STRING("/a/b", walk("/to-b/", 0));
	EXPECT_STRING("/a/b/file", walk("/to-b/file", 0));
	EXPECT_STRING("/a", walk("/to-b/..", F));
	EXPECT_STRING("/a/b/file", walk("/a/up", F));
	EXPECT_STRING("/a/b/file", walk("/absolute/file", F));
	EXPECT_STRING("/a/b/file", walk("/slashes/file", F));
	EXPECT_STRING("40", walk("/loop", F));
	EXPECT_STRING("40", walk("/loop/x", F));
	EXPECT_STRING("/loop", walk("/loop", 0));
	EXPECT_STRING("2", walk("/dangling", F));
	EXPECT_STRING("2", walk("/empty", F));
}

/* A chain of links: 40 are followed, 41 are too many. */
static void test_chain(void)
{
	static char names[42][16];

	for (int i = 0; i < 42; i++)
		snprintf(names[i], sizeof(names[i]), "chain%d", i);
	make("chain0", S_IFREG | 0644, NULL);
	for (int i = 1; i < 42; i++)
		make(names[i], S_IFLNK | 0777, names[i - 1]);
	EXPECT_STRING("/chain0", walk("/chain40", F));
	EXPECT_STRING("40", walk("/chain41", F));
}

static void test_lengths(void)
{
	char *text = malloc(2 * PATH_MAX_LEN);

	for (int i = 0; i < PATH_MAX_LEN - 2; i += 2)
		memcpy(text + i, "./", 2);
	text[PATH_MAX_LEN - 2] = 'a';
	text[PATH_MAX_LEN - 1] = '\0';
	EXPECT_STRING("/a", walk(text, F));
	text[PATH_MAX_LEN - 1] = '/';
	text[PATH_MAX_LEN] = '\0';
	EXPECT_STRING("36", walk(text, F));
	memset(text, 'n', NAME_MAX_LEN);
	text[NAME_MAX_LEN] = '\0';
	EXPECT_STRING("2", walk(text, F));
	text[NAME_MAX_LEN] = 'n';
	text[NAME_MAX_LEN + 1] = '\0';
	EXPECT_STRING("36", walk(text, F));
	free(text);
}

static void test_permission(void)
{
	static struct cred somebody = {
	    .ref = REF_INIT, .uid = 5, .euid = 5, .fsuid = 5, .gid = 5, .egid = 5, .fsgid = 5};

	EXPECT_STRING("/a/private/x", walk("/a/private/x", F));
	thread.cred = &somebody;
	EXPECT_STRING("13", walk("/a/private/x", F));
	EXPECT_STRING("/a/private", walk("/a/private", F));
	EXPECT_STRING("13", walk("/a/private/missing", F));
	thread.cred = NULL;
}

/* For calls that make a name: the parent, and what is known of the last component. */
static void test_parent(void)
{
	struct walk w;

	tree_lock();
	EXPECT(0, walk_begin(&w, NULL, "/to-b/new/", F));
	EXPECT(0, walk_parent(&w));
	EXPECT(LAST_NAME, w.kind);
	EXPECT(3, w.len);
	EXPECT(0, memcmp(w.name, "new", 3));
	EXPECT_TRUE(w.slash);
	EXPECT(-ENOENT, walk_last(&w));
	EXPECT_TRUE(walk_only_last_missing(&w));
	walk_end(&w);
	EXPECT(0, walk_begin(&w, NULL, "/missing/new", F));
	EXPECT(-ENOENT, walk_parent(&w));
	walk_end(&w);
	EXPECT(0, walk_begin(&w, NULL, "/a/..", F));
	EXPECT(0, walk_parent(&w));
	EXPECT(LAST_DOTDOT, w.kind);
	walk_end(&w);
	EXPECT(0, walk_begin(&w, NULL, "/", F));
	EXPECT(0, walk_parent(&w));
	EXPECT(LAST_NONE, w.kind);
	walk_end(&w);
	tree_unlock();
}

/* Random texts of the characters that matter: no crash, no reference lost. */
static void test_random_texts(void)
{
	static const char *const parts[] = {"a",    "b",    "/",  "//",   ".",        "..",
					    "to-b", "loop", "up", "file", "absolute", "x"};
	unsigned state = 9;
	long blocks = test_live_blocks;

	for (int round = 0; round < 20000; round++) {
		char text[128] = "";

		for (unsigned n = test_random(&state) % 8; n; n--) {
			strcat(text, parts[test_random(&state) % ARRAY_LEN(parts)]);
			if (test_random(&state) % 2)
				strcat(text, "/");
		}
		walk(text, test_random(&state) % 8);
	}
	EXPECT(blocks, test_live_blocks);
	tree_lock();
	EXPECT(1, ref_count(&dentry_find(dentry_find(fs->root, "a", 1), "private", 7)->ref) - 1);
	tree_unlock();
}

int main(void)
{
	make_tree();
	test_plain();
	test_links();
	test_chain();
	test_lengths();
	test_permission();
	test_parent();
	test_random_texts();
	return test_result();
}
