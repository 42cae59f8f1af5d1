/*
 * kernel/fs/cpio.c - see cpio.h.
 */
#include "kernel/fs/cpio.h"

#include "kernel/base/string.h"

#define HEADER_SIZE 110
#define FIELDS      13
#define TRAILER     "TRAILER!!!"

/* The fields after the six bytes of magic: eight hexadecimal digits each. */
enum field {
	INO,
	MODE,
	UID,
	GID,
	NLINK,
	MTIME,
	FILE_SIZE,
	DEV_MAJOR,
	DEV_MINOR,
	RDEV_MAJOR,
	RDEV_MINOR,
	NAME_SIZE,
	SUM
};

void cpio_init(struct cpio *c, const void *data, uint64_t size) { *c = (struct cpio){.data = data, .size = size}; }

static int fail(struct cpio *c, uint64_t offset, const char *what)
{
	c->error_offset = offset;
	c->error = what;
	return -EINVAL;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int parse_fields(struct cpio *c, uint64_t offset, uint32_t ret_fields[FIELDS])
{
	for (unsigned f = 0; f < FIELDS; f++) {
		uint64_t at = offset + 6 + f * 8;
		uint32_t v = 0;

		for (unsigned i = 0; i < 8; i++) {
			int digit = hex_digit(c->data[at + i]);

			if (digit < 0)
				return fail(c, at + i, "a header field is not hexadecimal");
			v = v << 4 | (uint32_t)digit;
		}
		ret_fields[f] = v;
	}
	return 0;
}

static int wrong_magic(struct cpio *c, uint64_t at)
{
	static const struct {
		uint8_t bytes[4];
		const char *what;
	} known[] = {
	    {{0x1f, 0x8b, 0, 0}, "compressed with gzip: only plain cpio is read"},
	    {{0xfd, '7', 'z', 'X'}, "compressed with xz: only plain cpio is read"},
	    {{0x28, 0xb5, 0x2f, 0xfd}, "compressed with zstd: only plain cpio is read"},
	    {{0x04, 0x22, 0x4d, 0x18}, "compressed with lz4: only plain cpio is read"},
	    {{'B', 'Z', 'h', 0}, "compressed with bzip2: only plain cpio is read"},
	    {{'0', '7', '0', '7'}, "an old cpio format: only newc (070701, 070702) is read"},
	};

	for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
		size_t n = known[i].bytes[2] ? (known[i].bytes[3] ? 4 : 3) : 2;

		if (c->size - at >= n && memcmp(c->data + at, known[i].bytes, n) == 0)
			return fail(c, at, known[i].what);
	}
	return fail(c, at, "no cpio header");
}

/* The name and the data behind a header whose fields are parsed; moves on to the next header. */
static int take_contents(struct cpio *c, uint64_t offset, const uint32_t *field, struct cpio_entry *ret_entry)
{
	uint64_t name_at = offset + HEADER_SIZE, left = c->size - name_at;
	uint64_t name_size = field[NAME_SIZE], data_at, size = field[FILE_SIZE];
	const char *name = (const char *)c->data + name_at;

	if (name_size < 2 || name_size > CPIO_NAME_MAX)
		return fail(c, offset, "a name is empty or too long");
	if (name_size > left)
		return fail(c, name_at, "the archive ends within a name");
	if (strnlen(name, name_size) != name_size - 1)
		return fail(c, name_at, "a name's length is wrong");
	/* Header and name together, and the data, are padded to four bytes, counted from the header. */
	data_at = offset + ALIGN_UP(HEADER_SIZE + name_size, 4);
	if (size && (data_at > c->size || size > c->size - data_at))
		return fail(c, offset, "the archive ends within a file's data");
	ret_entry->name = name;
	ret_entry->data = c->data + MIN(data_at, c->size);
	ret_entry->size = size;
	c->at = MIN(offset + ALIGN_UP(data_at - offset + size, 4), c->size);
	return 0;
}

static int take_entry(struct cpio *c, uint64_t offset, struct cpio_entry *ret_entry)
{
	uint32_t field[FIELDS];
	int err;

	if (c->size - offset < 6 || memcmp(c->data + offset, "07070", 5) != 0 ||
	    (c->data[offset + 5] != '1' && c->data[offset + 5] != '2'))
		return wrong_magic(c, offset);
	if (c->size - offset < HEADER_SIZE)
		return fail(c, offset, "the archive ends within a header");
	err = parse_fields(c, offset, field);
	if (err)
		return err;
	*ret_entry = (struct cpio_entry){
	    .offset = offset,
	    .ino = field[INO],
	    .mode = field[MODE],
	    .uid = field[UID],
	    .gid = field[GID],
	    .nlink = field[NLINK],
	    .mtime = field[MTIME],
	    .dev_major = field[DEV_MAJOR],
	    .dev_minor = field[DEV_MINOR],
	    .rdev_major = field[RDEV_MAJOR],
	    .rdev_minor = field[RDEV_MINOR],
	    .archive = c->archive,
	};
	return take_contents(c, offset, field, ret_entry);
}

int cpio_next(struct cpio *c, struct cpio_entry *ret_entry)
{
	struct cpio_entry entry;

	for (;;) {
		int err;

		while (c->at < c->size && c->data[c->at] == 0)
			c->at++;
		if (c->at == c->size)
			return 0;
		err = take_entry(c, c->at, &entry);
		if (err)
			return err;
		if (strcmp(entry.name, TRAILER) != 0)
			break;
		c->archive++;
	}
	*ret_entry = entry;
	return 1;
}
