/*
 * tests/host/cpio.c - archives, whole and broken: every byte cut off, every byte damaged.
 * sources: kernel/fs/cpio.c kernel/base/string.c
 */
#include "kernel/fs/cpio.h"

#include <stdlib.h>

#include "tests/host/test.h"

struct archive {
	char bytes[8192];
	size_t size;
};

static void add(struct archive *a, const char *name, unsigned mode, const void *data, size_t size)
{
	size_t name_size = strlen(name) + 1;

	a->size += (size_t)sprintf(a->bytes + a->size, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 7u,
				   mode, 1u, 2u, 3u, 4u, (unsigned)size, 5u, 6u, 8u, 9u, (unsigned)name_size, 0u);
	memcpy(a->bytes + a->size, name, name_size);
	a->size += name_size;
	while (a->size % 4)
		a->bytes[a->size++] = '\0';
	memcpy(a->bytes + a->size, data, size);
	a->size += size;
	while (a->size % 4)
		a->bytes[a->size++] = '\0';
}

static void fill(struct archive *a)
{
	memset(a, 0, sizeof(*a));
	add(a, "dir", 0040755, "", 0);
	add(a, "dir/file", 0100644, "hello", 5);
	add(a, "link", 0120777, "dir/file", 8);
	add(a, "empty", 0100600, "", 0);
	add(a, "TRAILER!!!", 0, "", 0);
}

/* Reads to the end, from a buffer of exactly that size: the number of entries, or -1 on an error. */
static int count(const void *data, size_t size, struct cpio *ret_cpio)
{
	char *exact = malloc(size ? size : 1);
	struct cpio_entry e;
	int n = 0, result;
	uint64_t last = 0;

	memcpy(exact, data, size);
	cpio_init(ret_cpio, exact, size);
	while ((result = cpio_next(ret_cpio, &e)) == 1) {
		volatile unsigned char sum = 0;

		for (uint64_t i = 0; i < e.size; i++)
			sum = (unsigned char)(sum + e.data[i]);
		EXPECT_TRUE(strlen(e.name) > 0);
		EXPECT_TRUE(ret_cpio->at > last);
		last = ret_cpio->at;
		n++;
	}
	if (result < 0)
		EXPECT_TRUE(ret_cpio->error && ret_cpio->error_offset <= size);
	free(exact);
	return result < 0 ? -1 : n;
}

static void test_fields(void)
{
	struct archive a;
	struct cpio_entry e;
	struct cpio c;

	fill(&a);
	cpio_init(&c, a.bytes, a.size);
	EXPECT(1, cpio_next(&c, &e));
	EXPECT_STRING("dir", e.name);
	EXPECT(0040755, e.mode);
	EXPECT(7, e.ino);
	EXPECT(1, e.uid);
	EXPECT(2, e.gid);
	EXPECT(3, e.nlink);
	EXPECT(4, e.mtime);
	EXPECT(5, e.dev_major);
	EXPECT(9, e.rdev_minor);
	EXPECT(1, cpio_next(&c, &e));
	EXPECT(5, e.size);
	EXPECT(0, memcmp(e.data, "hello", 5));
	EXPECT(1, cpio_next(&c, &e));
	EXPECT(8, e.size);
	EXPECT(1, cpio_next(&c, &e));
	EXPECT(0, e.size);
	EXPECT(0, cpio_next(&c, &e));
	EXPECT(0, cpio_next(&c, &e));
}

static void test_concatenated(void)
{
	struct archive a, b;
	struct cpio_entry e;
	struct cpio c;

	fill(&a);
	fill(&b);
	a.size += 512 - a.size % 512; /* zero padding, as cpio writes it */
	memcpy(a.bytes + a.size, b.bytes, b.size);
	a.size += b.size;
	EXPECT(8, count(a.bytes, a.size, &c));
	cpio_init(&c, a.bytes, a.size);
	for (int i = 0; i < 8; i++) {
		EXPECT(1, cpio_next(&c, &e));
		EXPECT(i / 4, e.archive);
	}
	EXPECT(0, count("", 0, &c));
	EXPECT(0, count("\0\0\0\0\0\0\0\0", 8, &c));
}

static void test_truncated(void)
{
	struct archive a;
	struct cpio c;

	fill(&a);
	for (size_t size = 1; size < a.size; size++) {
		int n = count(a.bytes, size, &c);

		EXPECT_TRUE(n <= 4);
	}
	EXPECT(-1, count(a.bytes, 50, &c));
	EXPECT(-1, count(a.bytes, 113, &c));
}

/* One byte after the other set to something else: never a byte read outside (the sanitizer sees to that). */
static void test_damaged(void)
{
	static const char bytes[] = {'\0', 'F', '0', '\xff', '7', ' '};
	struct archive a;
	struct cpio c;

	fill(&a);
	for (size_t at = 0; at < a.size; at++) {
		char old = a.bytes[at];

		for (size_t i = 0; i < sizeof(bytes); i++) {
			a.bytes[at] = bytes[i];
			count(a.bytes, a.size, &c);
		}
		a.bytes[at] = old;
	}
}

static void test_refused(void)
{
	struct cpio c;

	EXPECT(-1, count("garbage, nothing but garbage", 28, &c));
	EXPECT(0, c.error_offset);
	EXPECT(-1, count("070707 the old format", 21, &c));
	EXPECT_TRUE(strstr(c.error, "old"));
	EXPECT(-1, count("\x1f\x8b\x08", 3, &c));
	EXPECT_TRUE(strstr(c.error, "gzip"));
	EXPECT(-1, count("07070", 5, &c));
}

static void test_wild_sizes(void)
{
	struct archive a;
	struct cpio c;

	fill(&a);
	memcpy(a.bytes + 54, "FFFFFFFF", 8); /* file size */
	EXPECT(-1, count(a.bytes, a.size, &c));
	fill(&a);
	memcpy(a.bytes + 94, "FFFFFFFF", 8); /* name size */
	EXPECT(-1, count(a.bytes, a.size, &c));
	memcpy(a.bytes + 94, "00000000", 8);
	EXPECT(-1, count(a.bytes, a.size, &c));
	memcpy(a.bytes + 94, "00000003", 8);
	EXPECT(-1, count(a.bytes, a.size, &c));
	memcpy(a.bytes + 94, "0000000g", 8);
	EXPECT(-1, count(a.bytes, a.size, &c));
}

int main(void)
{
	test_fields();
	test_concatenated();
	test_truncated();
	test_damaged();
	test_refused();
	test_wild_sizes();
	return test_result();
}
