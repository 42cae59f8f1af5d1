/* proc/arguments.c - see proc/arguments.h. */
#include "proc/arguments.h"

#include "kernel/base/string.h"
#include "mm/heap.h"
#include "mm/user.h"

#define PATH_SIZE  4096
#define STRING_MAX KIB(128)
#define TOTAL_MAX  MIB(6)
#define TEXT_FIRST KIB(1)

static int grow(struct arguments *a, size_t need)
{
	size_t capacity = MAX(a->capacity * 2, TEXT_FIRST);
	char *text;

	if (a->used + need > a->limit)
		return -E2BIG;
	while (capacity < a->used + need)
		capacity *= 2;
	text = kmalloc(capacity);
	if (!text)
		return -ENOMEM;
	if (a->used)
		memcpy(text, a->text, a->used);
	kfree(a->text);
	a->text = text;
	a->capacity = capacity;
	return 0;
}

static int add_kernel_string(struct arguments *a, const char *s)
{
	size_t n = strlen(s) + 1;
	int err = a->used + n > a->capacity ? grow(a, n) : 0;

	if (err)
		return err;
	memcpy(a->text + a->used, s, n);
	a->used += n;
	return 0;
}

/* Appends one string, reading as much as there is room for, and making more room until its end is found. */
static int add_user_string(struct arguments *a, uaddr_t s)
{
	size_t have = 0;

	for (;;) {
		size_t room = MIN(a->capacity - a->used - have, STRING_MAX - have);
		int64_t n = room ? user_string(a->text + a->used + have, uaddr_add(s, have), room) : -ENAMETOOLONG;
		int err;

		if (n >= 0) {
			a->used += have + (size_t)n + 1;
			return a->used > a->limit ? -E2BIG : 0;
		}
		if (n != -ENAMETOOLONG)
			return (int)n;
		have += room;
		if (have == STRING_MAX)
			return -E2BIG;
		a->used += have; /* so that grow() keeps what was read */
		err = grow(a, TEXT_FIRST);
		a->used -= have;
		if (err)
			return err;
	}
}

static int add_user_vector(struct arguments *a, uaddr_t vector, uint32_t *ret_count)
{
	*ret_count = 0;
	if (!vector.v) /* Linux takes NULL as an empty vector */
		return 0;
	for (;;) {
		uint64_t s;
		int err = user_get_u64(uaddr_add(vector, (uint64_t)*ret_count * 8), &s);

		if (err || !s)
			return err;
		err = add_user_string(a, UADDR(s));
		if (err)
			return err;
		++*ret_count;
	}
}

static int set_path(struct arguments *a, const char *path)
{
	char *copy = kmalloc(strlen(path) + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, path, strlen(path) + 1);
	kfree(a->path);
	a->path = copy;
	return 0;
}

int arguments_path_from_user(struct arguments *a, uaddr_t path)
{
	int64_t n;

	a->path = kmalloc(PATH_SIZE);
	if (!a->path)
		return -ENOMEM;
	n = user_string(a->path, path, PATH_SIZE);
	return n < 0 ? (int)n : n == 0 ? -ENOENT : 0;
}

/* A program finds argc >= 1: an empty vector becomes one empty string (Linux since 5.18). */
static int never_empty(struct arguments *a)
{
	if (a->argc)
		return 0;
	a->argc = 1;
	return add_kernel_string(a, "");
}

int arguments_from_user(struct arguments *a, uaddr_t argv, uaddr_t envp, uint64_t stack_limit)
{
	int err;

	a->limit = MAX(MIN(stack_limit / 4, TOTAL_MAX), STRING_MAX);
	err = add_user_vector(a, argv, &a->argc);
	if (!err)
		err = never_empty(a);
	a->args_end = a->used;
	if (!err)
		err = add_user_vector(a, envp, &a->envc);
	if (!err && a->used + (a->argc + a->envc + 2) * 8 > a->limit)
		err = -E2BIG;
	return err;
}

int arguments_from_kernel(struct arguments *a, const char *path, const char *const argv[], const char *const envp[])
{
	int err = set_path(a, path);

	a->limit = TOTAL_MAX;
	for (; !err && argv[a->argc]; a->argc++)
		err = add_kernel_string(a, argv[a->argc]);
	a->args_end = a->used;
	for (; !err && envp[a->envc]; a->envc++)
		err = add_kernel_string(a, envp[a->envc]);
	return err;
}

void arguments_free(struct arguments *a)
{
	kfree(a->path);
	kfree(a->text);
}

int arguments_add_interpreter(struct arguments *a, const char *interp, const char *arg)
{
	struct arguments n = {.limit = a->limit};
	size_t first = strlen(a->text) + 1; /* argv[0], which the script's path replaces */
	int err = add_kernel_string(&n, interp);

	if (!err && arg)
		err = add_kernel_string(&n, arg);
	if (!err)
		err = add_kernel_string(&n, a->path);
	if (!err && n.used + a->used - first > n.capacity)
		err = grow(&n, a->used - first);
	if (!err)
		err = set_path(a, interp);
	if (err) {
		kfree(n.text);
		return err;
	}
	memcpy(n.text + n.used, a->text + first, a->used - first);
	a->args_end += n.used - first;
	a->used += n.used - first;
	a->argc += arg ? 2 : 1;
	kfree(a->text);
	a->text = n.text;
	a->capacity = n.capacity;
	return 0;
}

uint64_t arguments_size(const struct arguments *a)
{
	return a->used + ((uint64_t)a->argc + a->envc) * 8 + PAGE_SIZE * 2;
}

static int push(uint64_t *at, const void *bytes, size_t n)
{
	*at -= n;
	return copy_to_user(UADDR(*at), bytes, n);
}

/* From the top: a null word, the file name, environment and argument strings, platform, random bytes; as on Linux. */
int arguments_push_strings(const struct arguments *a, uint64_t top, const uint8_t random[16],
			   struct stack_places *ret_places)
{
	static const char platform[] = "x86_64";
	uint64_t at = top - 8;
	struct stack_places p;
	int err = push(&at, a->path, strlen(a->path) + 1);

	p.filename = UADDR(at);
	if (!err)
		err = push(&at, a->text, a->used);
	p.arg_start = UADDR(at);
	p.arg_end = UADDR(at + a->args_end);
	p.env_end = UADDR(at + a->used);
	if (!err)
		err = push(&at, platform, sizeof(platform));
	p.platform = UADDR(at);
	at = ALIGN_DOWN(at, 16);
	if (!err)
		err = push(&at, random, 16);
	p.random = UADDR(at);
	p.below = at;
	*ret_places = p;
	return err;
}

/* `count` pointers to consecutive strings of text from *offset on, and a null one. */
static int put_pointers(const struct arguments *a, uint64_t *at, uint64_t base, size_t *offset, uint32_t count)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < count; i++) {
		err = user_put_u64(UADDR(*at), base + *offset);
		*offset += strlen(a->text + *offset) + 1;
		*at += 8;
	}
	if (!err)
		err = user_put_u64(UADDR(*at), 0);
	*at += 8;
	return err;
}

int arguments_push_vectors(const struct arguments *a, const struct stack_places *places, const uint64_t *aux,
			   unsigned naux, uint64_t *ret_rsp)
{
	uint64_t words = 1 + (uint64_t)a->argc + 1 + a->envc + 1 + naux;
	uint64_t rsp = ALIGN_DOWN(places->below - words * 8, 16), at = rsp;
	size_t offset = 0;
	int err = user_put_u64(UADDR(at), a->argc);

	at += 8;
	if (!err)
		err = put_pointers(a, &at, places->arg_start.v, &offset, a->argc);
	if (!err)
		err = put_pointers(a, &at, places->arg_start.v, &offset, a->envc);
	if (!err)
		err = copy_to_user(UADDR(at), aux, naux * 8);
	*ret_rsp = rsp;
	return err;
}
