/*
 * tests/host/model/world.h - what programs are promised, kept beside what the kernel keeps.
 *
 * Role         Up to 64 processes, each a space of mm/ and a plain account of it: the areas that it has mapped, and the words of
 *              each page that differs from what backs it. An operation (tests/host/model/op.h) calls mm/ and changes the account; the
 *              checks here compare the two.
 * Invariants   1. A private page is in `pages` from its first write on, with its words; until then it reads as its file's page, or as
 *                 zeros.
 *              2. Every value is written once: one that turns up in a wrong place says where it came from.
 * Not handled  Which version of a file's page a private page shows that nobody has written to: any one since the file was made is
 *              right (mmap(2) leaves it open).
 */
#ifndef TINE_TESTS_MODEL_WORLD_H
#define TINE_TESTS_MODEL_WORLD_H

#include "mm/object.h"
#include "mm/space.h"

#define PROCESSES  64
#define OPEN_FILES 6
#define WORDS      4 /* of each page that are written and read */

struct file {
	struct object *object; /* with a reference of ours */
	uint32_t id;
	uint32_t refs; /* areas of all processes, and the table of open files */
	uint64_t pages;
	uint64_t word[][WORDS];
};

struct area {
	uint64_t start, end;
	uint8_t prot, flags; /* as struct region has them */
	struct file *file;   /* NULL: private anonymous memory */
	uint64_t offset;     /* bytes */
};

struct page {
	uint64_t va;
	uint64_t word[WORDS];
};

struct process {
	struct space *space; /* NULL: none */
	struct area *areas;  /* sorted, disjoint; neighbours are not joined */
	unsigned narea, area_room;
	struct page *pages; /* sorted */
	unsigned npage, page_room;
	uint64_t brk_start, brk;
	uint64_t stack; /* an address in the first stack area */
	uint64_t last;  /* the address that was written last */
};

struct world {
	struct process process[PROCESSES];
	unsigned current, living;
	struct file *open[OPEN_FILES];
	unsigned unverified; /* operations since the last recount */
	uint64_t stamps;     /* values given out */
	uint32_t files;
	uint64_t frames_before; /* free, when there was nothing yet */
	long blocks_before;
};

extern struct world world;

/* Where word w of a page lies: the first and the last one among them. */
uint64_t word_offset(unsigned w);
/* A value that was never written before; for a page of a file one that names it. */
uint64_t stamp(const struct file *f, uint64_t page, unsigned w);

struct file *file_create(uint64_t pages);
void file_put(struct file *f);

struct area *area_find(struct process *p, uint64_t va);
/* The first that ends above va, or NULL. */
struct area *area_after(struct process *p, uint64_t va);
bool area_free(struct process *p, uint64_t start, uint64_t end);
bool area_cover(struct process *p, uint64_t start, uint64_t end, uint64_t *ret_hole);
void area_insert(struct process *p, const struct area *a);
/* Takes [start, end) out, with its pages. */
void area_cut(struct process *p, uint64_t start, uint64_t end);
void area_edit(struct process *p, uint64_t start, uint64_t end, void (*edit)(struct area *, unsigned), unsigned arg);

/* The first page at or above va that has contents of its own, or NULL. */
struct page *page_from(struct process *p, uint64_t va);
struct page *page_find(struct process *p, uint64_t va);
struct page *page_make(struct process *p, uint64_t va);
/* Forgets private contents. */
void page_drop(struct process *p, uint64_t start, uint64_t end);

/* The word of a page in area `a` as it is now, where that is certain. */
uint64_t *word_of(struct process *p, const struct area *a, uint64_t va, unsigned w);
/* Is `got` right for that word? */
bool word_right(struct process *p, const struct area *a, uint64_t va, unsigned w, uint64_t got);

/* The account of the child of a fork. */
void process_copy(const struct process *parent, struct process *child);
/* Drops the account, and the space where it is not gone already; it is not current. */
void process_drop(struct process *p);

/* Compares. Each fails (machine_fail) with what was expected and what is there. */
void check_regions(struct process *p);
/* Every leaf of the space: its rights, its contents; and that no page is missing. */
void check_pages(struct process *p);
/* The words of one page, which is at `bytes`. */
void check_words(struct process *p, const struct area *a, uint64_t va, const uint8_t *bytes);
void check_counts(void); /* mm_verify() */

/* Starts with nothing, ends with nothing: no process, every frame and block back. */
void world_start(void);
void world_end(void);

#endif
