/*
 * efi/options.c - the command line: load options, then \EFI\tine\cmdline.txt.
 *
 * Load options (UEFI 2.10 section 9.1.1) should be a UTF-16 string. Seen in the wild: none at all; argv[0] first (the
 * UEFI Shell); no NUL, or an odd size; and the whole EFI_LOAD_OPTION around the string (Dell).
 */
#include "efi/stub.h"
#include "kernel/base/string.h"

#define CMDLINE_FILE     "\\EFI\\tine\\cmdline.txt"
#define SURROGATE_FIRST  0xd800
#define SURROGATE_SECOND 0xdc00
#define SURROGATE_END    0xe000

STUB_BEGIN

/* Appends one character as UTF-8; control characters become spaces. What does not fit whole is dropped. */
static void put_char(struct stub *s, size_t *at, uint32_t c)
{
	uint8_t utf8[4];
	size_t n = 0;

	if (c < 0x20 || c == 0x7f)
		c = ' ';
	if (c < 0x80) {
		utf8[n++] = (uint8_t)c;
	} else if (c < 0x800) {
		utf8[n++] = (uint8_t)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		utf8[n++] = (uint8_t)(0xe0 | c >> 12);
		utf8[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	} else {
		utf8[n++] = (uint8_t)(0xf0 | c >> 18);
		utf8[n++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		utf8[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		utf8[n++] = (uint8_t)(0x80 | (c & 0x3f));
	if (*at + n >= STUB_CMDLINE_MAX)
		return;
	memcpy(s->cmdline + *at, utf8, n);
	*at += n;
}

/* UTF-16 to the NUL or to the end; halves of pairs that stand alone become '?'. */
static void put_utf16(struct stub *s, size_t *at, const uint8_t *bytes, size_t units)
{
	for (size_t i = 0; i < units; i++) {
		uint32_t c = bytes[2 * i] | (uint32_t)bytes[2 * i + 1] << 8;
		uint32_t next = i + 1 < units ? bytes[2 * i + 2] | (uint32_t)bytes[2 * i + 3] << 8 : 0;

		if (!c)
			return;
		if (c >= SURROGATE_FIRST && c < SURROGATE_END) {
			bool pair = c < SURROGATE_SECOND && next >= SURROGATE_SECOND && next < SURROGATE_END;
			i += pair;
			c = pair ? 0x10000 + ((c - SURROGATE_FIRST) << 10) + (next - SURROGATE_SECOND) : '?';
		}
		put_char(s, at, c);
	}
}

/* The nodes fill exactly `size` bytes and the last one is an end node. */
static bool device_path_valid(const uint8_t *p, size_t size)
{
	while (size >= END_DEVICE_PATH_LENGTH) {
		size_t length = p[2] | (size_t)p[3] << 8;
		if (length < END_DEVICE_PATH_LENGTH || length > size)
			return false;
		if (length == size)
			return p[0] == END_DEVICE_PATH_TYPE && p[1] == END_ENTIRE_DEVICE_PATH_SUBTYPE;
		p += length;
		size -= length;
	}
	return false;
}

/* The offset of the optional data if these bytes are an EFI_LOAD_OPTION (UEFI 2.10 section 3.1.3), else 0. */
static size_t load_option_header(const uint8_t *bytes, size_t size)
{
	size_t at = sizeof(UINT32) + sizeof(UINT16);
	size_t path_size;

	if (size < at)
		return 0;
	path_size = bytes[4] | (size_t)bytes[5] << 8;
	while (at + 2 <= size && (bytes[at] || bytes[at + 1]))
		at += 2;
	at += 2; /* the description's NUL */
	if (at > size || path_size > size - at || !device_path_valid(bytes + at, path_size))
		return 0;
	return at + path_size;
}

static bool ends_in_efi(const char *word, size_t length)
{
	return length >= 4 && word[length - 4] == '.' && (word[length - 3] | 0x20) == 'e' &&
	       (word[length - 2] | 0x20) == 'f' && (word[length - 1] | 0x20) == 'i';
}

/* Cuts a first word that names an image: the UEFI Shell passes argv[0], in quotes if it has spaces. */
static size_t cut_image_name(char *line, size_t length)
{
	bool quoted = length && line[0] == '"';
	size_t end = quoted;

	while (end < length && line[end] != (quoted ? '"' : ' '))
		end++;
	if (!ends_in_efi(line + quoted, end - quoted))
		return length;
	end += quoted && end < length;
	while (end < length && line[end] == ' ')
		end++;
	memmove(line, line + end, length - end);
	return length - end;
}

static size_t put_load_options(struct stub *s)
{
	const uint8_t *bytes = s->loaded->LoadOptions;
	size_t size = s->loaded->LoadOptionsSize;
	size_t skip, at = 0;

	if (!bytes)
		return 0;
	skip = load_option_header(bytes, size);
	put_utf16(s, &at, bytes + skip, (size - skip) / 2);
	return cut_image_name(s->cmdline, at);
}

static size_t put_file(struct stub *s, size_t at)
{
	static char text[STUB_CMDLINE_MAX];
	EFI_FILE_HANDLE file;
	uint64_t size;

	if (EFI_ERROR(volume_file_open(s, CMDLINE_FILE, strlen(CMDLINE_FILE), &file, &size)))
		return at;
	if (size > sizeof(text)) {
		say(s, "%s: cut to %zu bytes", CMDLINE_FILE, sizeof(text));
		size = sizeof(text);
	}
	if (EFI_ERROR(volume_file_read(s, file, text, size))) {
		say(s, "%s: cannot be read", CMDLINE_FILE);
		return at;
	}
	if (at)
		s->cmdline[at++] = ' ';
	for (uint64_t i = 0; i < size && at + 1 < STUB_CMDLINE_MAX; i++) {
		uint8_t c = (uint8_t)text[i];
		s->cmdline[at++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
	}
	return at;
}

void options_read(struct stub *s)
{
	size_t length = put_load_options(s);

	length = put_file(s, MIN(length, (size_t)STUB_CMDLINE_MAX - 2));
	while (length && s->cmdline[length - 1] == ' ')
		length--;
	s->cmdline[length] = '\0';
}

const char *option_value(const char *at, const char *name, size_t *ret_length)
{
	size_t name_length = strlen(name);

	while (*at) {
		size_t length = 0;
		while (at[length] && at[length] != ' ')
			length++;
		if (length > name_length && !strncmp(at, name, name_length) && at[name_length] == '=') {
			*ret_length = length - name_length - 1;
			return at + name_length + 1;
		}
		at += length + (at[length] == ' ');
	}
	return NULL;
}

bool option_word(const char *cmdline, const char *word)
{
	size_t length = strlen(word);

	for (const char *p = cmdline; *p; p++) {
		bool starts = p == cmdline || p[-1] == ' ';
		if (starts && !strncmp(p, word, length) && (!p[length] || p[length] == ' '))
			return true;
	}
	return false;
}

STUB_END
